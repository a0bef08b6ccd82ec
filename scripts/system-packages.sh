#!/usr/bin/env bash
# Makes sure that the programs outside Python are there: scripts/system-packages.sh [build|run|test|fuzz]
#
# Looks for each program first, so that a second call costs a few milliseconds and no network.  What
# is missing is installed with apt-get where that is allowed (root, or sudo without a password);
# anywhere else one line per distribution says what to install, and the exit status is 1.
set -euo pipefail
cd -P "$(dirname "${BASH_SOURCE[0]}")/.."

SYSTEM_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin # where stripelab itself looks

# set  what is looked for   package of Debian and Ubuntu   package of Fedora ("-": it has none)
TABLE="
build  c:compiler         gcc               gcc
build  c:headers          libc6-dev         glibc-devel
build  python:3.11        python3           python3
build  python:venv        python3-venv      python3
build  python:headers     python3-dev       python3-devel
run    fio                fio               fio
run    mdadm              mdadm             mdadm
run    lsblk              util-linux        util-linux
run    mount              mount             util-linux
run    modprobe           kmod              kmod
run    udevadm            udev              systemd-udev
run    bwrap              bubblewrap        bubblewrap
run    linux.uml          user-mode-linux   -
run    ssh-keygen         openssh-client    openssh
run    lib:pango-1.0      libpango-1.0-0    pango
run    lib:pangoft2-1.0   libpangoft2-1.0-0 pango
run    lib:harfbuzz-subset libharfbuzz-subset0 harfbuzz
run    font:dejavu        fonts-dejavu-core dejavu-sans-fonts
test   chromium           chromium          chromium
test   chromedriver       chromium-driver   chromedriver
test   tmux               tmux              tmux
test   pdftotext          poppler-utils     poppler-utils
test   fuser              psmisc            psmisc
test   valgrind           valgrind          valgrind
fuzz   clang:fuzzer       clang             clang
fuzz   clang:fuzzer       libclang-rt-dev   compiler-rt
test   systemd-analyze    systemd           systemd
test   dmsetup            dmsetup           device-mapper
"

# Each filesystem names its program and package itself, so that adding one stays one file.
filesystems() {
    awk -F '"' '/^    program = /{ program = $2 } /^    package = /{ print "run", program, $2, $2 }' bench/stack/filesystems/*.py
}
TABLE+=$(filesystems)

# present WHAT: whether it is there.  Python is asked itself, so that one from elsewhere counts too.
present() {
    case "$1" in
    c:compiler) type -P gcc >/dev/null ;;
    clang:fuzzer) echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | clang -fsanitize=fuzzer -x c -o /dev/null - >/dev/null 2>&1 ;;
    c:headers) echo '#include <stdlib.h>' | gcc -E - >/dev/null 2>&1 ;;
    lib:*) [[ $(PATH=$SYSTEM_PATH && ldconfig -p) == *"lib${1#lib:}.so.0 "* ]] ;;
    font:dejavu) [[ -n $(PATH=$SYSTEM_PATH && find /usr/share/fonts ~/.fonts -iname DejaVuSans.ttf -print -quit 2>/dev/null) ]] ;;
    python:3.11) [[ -n $PYTHON_FOUND ]] ;;
    python:venv) [[ -n $PYTHON_FOUND ]] && "$PYTHON_FOUND" -c 'import ensurepip, venv' 2>/dev/null ;;
    python:headers)
        [[ -n $PYTHON_FOUND ]] && "$PYTHON_FOUND" -c '
import os, sysconfig
open(os.path.join(sysconfig.get_path("include"), "Python.h"))' 2>/dev/null
        ;;
    *) (PATH=$SYSTEM_PATH && type -P "$1") >/dev/null ;;
    esac
}

# missing SETS: lines "what debian fedora" of what is not there.
missing() {
    local set what debian fedora
    PYTHON_FOUND=$(scripts/python.sh 2>/dev/null || true)
    while read -r set what debian fedora; do
        [[ -n $set && " $1 " == *" $set "* ]] || continue
        present "$what" || echo "$what $debian $fedora"
    done <<<"$TABLE"
}

column() { awk -v n="$2" '$n != "-" { print $n }' <<<"$1" | sort -u | paste -sd' '; }

# Why apt-get cannot be used, or nothing.
no_apt() {
    if ! type -P apt-get >/dev/null; then
        echo "this system has no apt-get"
    elif [[ $EUID -ne 0 ]] && ! sudo -n true 2>/dev/null; then
        echo "installing needs root, or sudo without a password"
    fi
}

as_root() { if [[ $EUID -eq 0 ]]; then "$@"; else sudo -n "$@"; fi; }

give_up() {
    {
        echo "error: missing: $(column "$2" 1) ($1)"
        echo "next: Debian, Ubuntu: apt-get install $(column "$2" 2)"
        echo "next: Fedora: dnf install $(column "$2" 3)"
        if [[ $2 == *linux.uml* ]]; then
            echo "note: the virtual lab needs linux.uml (User-Mode Linux), which Debian packages for amd64 and Fedora does not"
        fi
        if [[ $2 == *python:* ]]; then
            echo "note: Python 3.11 or later, with venv and headers; another one can be named: make PYTHON=/path/to/python3"
        fi
    } >&2
    exit 1
}

case "${1:-run}" in
build) sets="build" ;;
run) sets="build run" ;;
test) sets="build run test" ;;
fuzz) sets="build fuzz" ;;
*)
    echo "usage: $0 [build|run|test|fuzz]" >&2
    exit 2
    ;;
esac

if [[ -n ${PYTHON:-} ]]; then
    scripts/python.sh >/dev/null # it says itself what is wrong with a Python that was named
fi
absent=$(missing "$sets")
[[ -n $absent ]] || exit 0
reason=$(no_apt)
[[ -z $reason ]] || give_up "$reason" "$absent"

read -ra packages <<<"$(column "$absent" 2)"
echo "installing system packages: ${packages[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
as_root "${apt[@]}" update >"$log" 2>&1 || echo "warning: apt-get update failed; going on with the lists at hand" >&2
if ! as_root "${apt[@]}" install -y --no-install-recommends "${packages[@]}" </dev/null >>"$log" 2>&1; then
    tail -n 20 "$log" >&2
    give_up "apt-get install failed, see above" "$(missing "$sets")"
fi
absent=$(missing "$sets")
[[ -z $absent ]] || give_up "still absent after the installation" "$absent"

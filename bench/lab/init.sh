#!/bin/sh
# The first process of the virtual lab's guest.
#
# The guest boots with the sandbox's root, read-only, as its root.  Stage 1 (no argument) loads the
# kernel modules, lays an overlay in memory over that root, mounts what a running system has, and
# enters the overlay.  Stage 2 runs the program, writes its exit status to the serial line and
# powers off.  Starting a program costs 25 ms here, so there are few of them.
#
# Beside this file lie `settings` (shell variables), `fstab` (the mounts) and `program` (a shell
# script).  They are in /sys of the sandbox, which the guest never needs: no path of the host is
# hidden, wherever the project, its virtual environment and the store may be.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH

power_off() {
    echo o >/proc/sysrq-trigger # at once, without an init system
    while :; do sleep 1; done
}

give_up() {
    echo "stripelab: the guest cannot $1"
    exit 1 # of the first process: the kernel panics, and the host sees a crash
}

# Through the loader, so that mount's set-user-id bit does nothing: to an ordinary user's sandbox the
# host's root is nobody, and mount would become nobody.
mount_as_root() {
    /lib64/ld-linux-x86-64.so.2 /bin/mount "$@"
}

# finit_module(2), so that the lab does without kmod; perl-base is on every Debian system.
load_modules() {
    perl -e '
        symlink "/proc/self/fd", "/dev/fd";
        for my $path (@ARGV) {
            open(my $module, "<", $path) or die "$path: $!\n";
            syscall(313, fileno($module), my $parameters = "", 0) == 0 or $!{EEXIST} or die "$path: $!\n";
        }' "$@"
}

if [ "$1" != inside ]; then
    cd /sys/stripelab || give_up "find its settings"
    . ./settings
    # shellcheck disable=SC2086 # a list of paths without spaces
    load_modules $MODULES || give_up "load its kernel modules"
    mount_as_root -t tmpfs -o "mode=755,size=$OVERLAY_BYTES" tmpfs root || give_up "mount a tmpfs"
    mkdir root/upper root/work root/new || give_up "make its overlay"
    mount_as_root -a -T ./fstab || give_up "mount its file systems"
    exec chroot root/new /bin/sh /run/stripelab.boot/init inside
fi

. /run/stripelab.boot/settings
if [ -n "$INTERACTIVE" ]; then
    setsid -c -w /bin/sh /run/stripelab.boot/program <>/dev/tty1 >&0 2>&0
else
    /bin/sh /run/stripelab.boot/program </dev/null >/dev/tty1 2>&1
fi
status=$?
sync                                        # the shared folders are written through to the host
stty -F /dev/tty1 onlcr 2>/dev/null         # returns when what the program printed has left the guest
echo "$status" >/dev/ttyS0
power_off

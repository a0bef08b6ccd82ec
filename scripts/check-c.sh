#!/usr/bin/env bash
# Compiles the C sources with every warning an error: scripts/check-c.sh PYTHON
# (a user's build only warns: a newer compiler must not keep anybody from installing).
set -euo pipefail
cd -P "$(dirname "${BASH_SOURCE[0]}")/.."

include=$("${1:?usage: scripts/check-c.sh PYTHON}" -c 'import sysconfig; print(sysconfig.get_path("include"))')
flags=(-std=c11 -O2 -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror)
for source in bench/native/src/*.c bench/lab/preload.c; do
    gcc "${flags[@]}" -c -o /dev/null "$source"
done
# Python's own headers are not held to the stricter flags.
gcc -std=c11 -O2 -Wall -Wextra -Werror -DPy_LIMITED_API=0x030B0000 -Ibench/native/src -isystem "$include" \
    -c -o /dev/null bench/native/binding.c

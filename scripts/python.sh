#!/bin/sh
# Prints the Python that the virtual environment is made from: $PYTHON, or the first of the usual
# names that is 3.11 or later.  Exit status 1, and a line on standard error, where there is none.
set -eu

# Prints the program itself: a name may be a version manager's shim.
if_new_enough() {
    "$1" -c 'import sys; print(sys.executable); raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null
}

if [ -n "${PYTHON:-}" ]; then
    found=$(if_new_enough "$PYTHON") && { echo "$found"; exit 0; }
    echo "error: PYTHON=$PYTHON is not a Python of version 3.11 or later" >&2
    exit 1
fi
for name in python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
    found=$(if_new_enough "$name") && { echo "$found"; exit 0; }
done
echo "error: no Python of version 3.11 or later; install one, or name one: make PYTHON=/path/to/python3" >&2
exit 1

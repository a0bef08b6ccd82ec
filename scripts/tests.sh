#!/usr/bin/env bash
# Every test: those of the virtual lab in one process, all others in a second one beside it.  The lab's guest has one
# CPU and most of its tests wait for disks, so together they take little more than the longer of the two.
#
#   scripts/tests.sh PYTEST [ARGUMENT...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=artefacts
mkdir -p "$folder"
lab_log="$folder/lab.log"
# Tests send themselves Ctrl-C and hang up; what a shell has started in the background, or nohup, is deaf to these.
set -- env --default-signal=INT,HUP "$@"
"$@" --junitxml="$folder/junit-lab.xml" tests/inside tests/lab >"$lab_log" 2>&1 &
lab=$!
trap 'kill "$lab" 2>/dev/null || true' INT TERM

status=0
"$@" --junitxml="$folder/junit.xml" --ignore=tests/inside --ignore=tests/lab tests || status=$?
echo "the tests of the virtual lab (also in $lab_log):"
lab_status=0
wait "$lab" || lab_status=$?
cat "$lab_log"
exit $((status ? status : lab_status))

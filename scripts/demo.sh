#!/usr/bin/env bash
# A real sweep in the virtual lab, the recommendation and the report: scripts/demo.sh STRIPELAB
set -euo pipefail
cd -P "$(dirname "${BASH_SOURCE[0]}")/.."

stripelab=${1:?usage: scripts/demo.sh STRIPELAB}
mark=demo/made-by-make-demo

if [[ -e demo && ! -f $mark ]]; then
    echo "error: demo/ was not made by make demo, so it is left alone" >&2
    echo "next: move it away, then run make demo again" >&2
    exit 1
fi
rm -rf demo
mkdir demo
touch "$mark"

status=0
"$stripelab" run examples/first-sweep.toml --store demo/store --lab || status=$?
# 13: some trials failed.  The others still make a recommendation.
[[ $status == 0 || $status == 13 ]] || exit "$status"

echo
"$stripelab" recommend demo/store
echo
"$stripelab" report demo/store -o demo/report.html
echo
echo "The report: $PWD/demo/report.html"
exit "$status"

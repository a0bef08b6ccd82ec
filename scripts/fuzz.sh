#!/usr/bin/env bash
# Fuzzes the C library by coverage: scripts/fuzz.sh OUT SECONDS (in all; 0: only the corpus once again)
#
# Each fuzzer of tests/fuzz gets its share of the time.  What it finds new goes to OUT, inputs that fail too.
set -euo pipefail
cd -P "$(dirname "${BASH_SOURCE[0]}")/.."

out=${1:?usage: scripts/fuzz.sh OUT SECONDS}
seconds=${2:?usage: scripts/fuzz.sh OUT SECONDS}
fuzzers=(tests/fuzz/*.c)
share=$((seconds / ${#fuzzers[@]}))

mkdir -p "$out"
for source in "${fuzzers[@]}"; do
    name=$(basename "$source" .c)
    clang -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -Ibench/native/src \
        -o "$out/$name" "$source" bench/native/src/*.c -lm -lpthread
    echo "fuzzing $name: $share s"
    if ((share)); then
        mkdir -p "$out/corpus-$name"
        "$out/$name" -max_total_time="$share" -timeout=10 -max_len=2048 -print_final_stats=1 -verbosity=0 -dict=tests/fuzz/options.dict \
            -artifact_prefix="$out/$name-" "$out/corpus-$name" "tests/fuzz/corpus/$name"
    else
        "$out/$name" -runs=0 -timeout=10 "tests/fuzz/corpus/$name" 2>"$out/$name.log" || { cat "$out/$name.log" >&2; exit 1; }
    fi
done

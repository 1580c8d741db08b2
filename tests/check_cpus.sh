#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs the program and the library on other CPUs, emulated by qemu-user. An instruction that the
# emulated CPU lacks is illegal there, so a pass shows that the chosen level needs no others.
#   check_cpus.sh BUILD
# Exit codes: 0 passed; 1 failed; 77 skipped, with the reason.
set -euo pipefail
build=$1
downhill=$build/downhill
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
ulimit -c 0 # no core dumps of illegal instructions

fail() {
    echo "FAILED: $*" >&2
    [ ! -s "$scratch/err" ] || head -n 8 "$scratch/err" >&2
    exit 1
}
skip() {
    echo "skipped: $*"
    exit 77
}

command -v qemu-x86_64 >/dev/null || skip 'no qemu-x86_64; install the Debian package qemu-user'
version=$(qemu-x86_64 --version | sed -n 's/^qemu-x86_64 version \([0-9]*\.[0-9]*\).*/\1/p')
[ "$(printf '%s\n' 7.2 "$version" | sort -V | head -n 1)" = 7.2 ] ||
    skip "QEMU $version has no AVX2; install 7.2 or newer"
unset DOWNHILL_ISA DOWNHILL_DISABLE

# The baseline of x86-64, and a CPU with only the features that the level avx2 needs.
baseline=qemu64,-sse3,-cx16
avx2_alone=qemu64,-cx16,+ssse3,+sse4.1,+sse4.2,+xsave,+popcnt,+avx,+avx2,+fma,+f16c

cpu=here # the CPU that run_on_cpu emulates, or "here" for this machine

# Runs a command. Sets $code to its exit code; its output is in the files out and err.
run_on_cpu() {
    local run=("$@")
    [ "$cpu" = here ] || run=(qemu-x86_64 -cpu "$cpu" "$@")
    code=0
    "${run[@]}" >"$scratch/out" 2>"$scratch/all-err" || code=$?
    grep -v "^qemu-x86_64: warning: TCG doesn't support" "$scratch/all-err" >"$scratch/err" || true
}

must() {
    run_on_cpu "$@"
    [ "$code" -eq 0 ] || fail "$cpu: exit code $code: $*"
}

refused() { # text on stderr, then the command
    local text=$1
    shift
    run_on_cpu "$@"
    [ "$code" -eq 4 ] || fail "$cpu: exit code $code, not 4: $*"
    grep -qF "$text" "$scratch/err" || fail "$cpu: the message lacks '$text': $*"
    [ ! -s "$scratch/out" ] || fail "$cpu: refused, but printed results: $*"
}

# Checks the list of usable levels: the chosen one, then the others.
expect_levels() {
    must "$downhill" info --json
    local got
    got=$(python3 -c '
import json, sys
levels = json.load(sys.stdin)["machine"]["levels"]
levels.sort(key=lambda level: not level["chosen"])
print(*[level["name"] for level in levels if level["usable"]])' <"$scratch/out")
    [ "$got" = "$1" ] || fail "$cpu: the levels are '$got', not '$1'"
}

# Trains on every level. The models must equal those of the CPUs before: one model for all levels on
# bytes, one per level in f32.
compared=0
train() { # name, options
    local name=$1 isa digest expected
    shift
    must "$downhill" train --data "$(cat "$scratch/spec")" --epochs 2 --batch 64 --isa all \
        --json - "$@"
    python3 -c '
import json, sys
for run in json.load(sys.stdin)["training"]:
    print(run["isa"], run["model_digest"])' <"$scratch/out" >"$scratch/digests"
    [ "$(wc -l <"$scratch/digests")" -ge "$min_levels" ] ||
        fail "$cpu: $name: trained on fewer than $min_levels levels"
    while read -r isa digest; do
        expected=$scratch/$name
        [[ $name == bytes* ]] || expected+=-$isa
        if [ -e "$expected" ]; then
            [ "$digest" = "$(cat "$expected")" ] ||
                fail "$cpu: $name on $isa: the model differs from that of the CPUs before"
            compared=$((compared + 1))
        else
            echo "$digest" >"$expected"
        fi
    done <"$scratch/digests"
}

train_all() {
    train bytes --normalize standardize --momentum 0.9
    train hinge --dtype f32
    train bytes-softmax --loss softmax
    train softmax --loss softmax --dtype f32
}

must "$downhill" data gen --samples 300 --test-samples 50 --features 61 --classes 7 --noise 5% \
    -o "$scratch/set"
cp "$scratch/out" "$scratch/spec"
min_levels=1
train_all

for cpu in "$baseline" Nehalem "$avx2_alone" Haswell max; do
    case $cpu in
    "$baseline" | Nehalem) chosen=scalar usable=scalar min_levels=1 placement=() ;;
    # QEMU 7.2 reads the elements that a masked load must not read.
    *) chosen=avx2 usable='avx2 scalar auto_avx2' min_levels=3 placement=(no-end-guard) ;;
    esac
    expect_levels "$usable"
    others=$([ "$chosen" = scalar ] || echo ' avx2')
    DOWNHILL_ISA=scalar expect_levels "scalar${usable#*scalar}$others"
    DOWNHILL_DISABLE=f16c,fma expect_levels scalar
    must "$downhill" verify --stride 307 --isa scalar
    must "$downhill" reproduce --quiet --threads 2
    must "$build/tests/prove_cases" 101 "${placement[@]}"
    grep -q " on $min_levels levels, 0 failed" "$scratch/out" || fail "$cpu: $(cat "$scratch/out")"
    train_all
    for test in cpu cpu_bits dispatch; do
        must "$build/tests/test_$test"
    done
    for level in avx2 auto_avx2 avxvnni avx512 auto_avx512 avx512vnni avx512bf16 amx; do
        case " $usable " in *" $level "*) continue ;; esac
        refused '(CPU); best usable: '$chosen "$downhill" verify --case 1 --isa $level
    done
    DOWNHILL_ISA=avx512 refused 'DOWNHILL_ISA: avx512: not usable here: ' \
        "$downhill" verify --case 1
    DOWNHILL_ISA=avx512 refused 'avx512f (CPU)' "$downhill" train --data "$(cat "$scratch/spec")"
done
[ "$compared" -gt 30 ] || fail "only $compared models were compared, not more than 30"

# A Haswell without one feature.
for lacks in popcnt fma f16c avx2 avx xsave; do
    cpu=Haswell,-$lacks
    expect_levels scalar
    reason="$lacks (CPU)"
    [ $lacks != xsave ] || reason="avx2 (OS does not save its registers)"
    refused "$reason" "$downhill" verify --case 1 --isa avx2
done

# Checks the code that did not run above: outside the files of a level there may be no instruction
# beyond the baseline of x86-64.
{
    find "$build"/{base,cli,data,parallel,train,verify} -name '*.o' -print0
    find "$build"/kernels/CMakeFiles/downhill_{scalar,static}.dir -name '*.o' -print0
} | xargs -0 objdump -d --no-show-raw-insn >"$scratch/code"
[ "$(wc -l <"$scratch/code")" -gt 50000 ] ||
    fail 'the disassembly is too short: is BUILD a build tree?'
extensions='v[a-z0-9]+|k[a-z]+[bwdq]|popcnt|[lt]zcnt|andn|bextr|bls[a-z]+|bzhi|mulx|pdep|pext|rorx'
extensions+='|s[ah][lr]x|movbe|p(shufb|mulld|test)|round[sp][sd]|crc32[bwlq]?'
awk -F '\t' -v extensions="^($extensions) " \
    '/file format/ {file = $0} $2 ~ extensions {print file $2}' \
    "$scratch/code" >"$scratch/unexpected"
[ ! -s "$scratch/unexpected" ] ||
    fail "instructions beyond the baseline: $(sort -u "$scratch/unexpected" | head -n 5)"
echo "passed: $compared equal models, QEMU $version"

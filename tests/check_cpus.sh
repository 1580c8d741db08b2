#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The program and the library on CPUs that this machine is not. qemu-user plays them: an instruction that the CPU
# lacks is an illegal one there, so that what runs needs no more than the level that was chosen.
#   check_cpus.sh BUILD
# Exit codes: 0 passed; 1 failed; 77 skipped, with the reason.
set -euo pipefail
build=$1
downhill=$build/downhill
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
ulimit -c 0 # of an illegal instruction no more than the message is wanted

fail() {
    echo "FAILED: $*" >&2
    [ ! -s "$scratch/err" ] || head -n 8 "$scratch/err" >&2
    exit 1
}
skip() {
    echo "skipped: $*"
    exit 77
}

command -v qemu-x86_64 >/dev/null || skip 'no qemu-x86_64, of the Debian package qemu-user'
version=$(qemu-x86_64 --version | sed -n 's/^qemu-x86_64 version \([0-9]*\.[0-9]*\).*/\1/p')
[ "$(printf '%s\n' 7.2 "$version" | sort -V | head -n 1)" = 7.2 ] || skip "QEMU $version; AVX2 came with 7.2"
unset DOWNHILL_ISA DOWNHILL_DISABLE

# What x86-64 begins with, and what avx2 names beside that which AVX brings along.
baseline=qemu64,-sse3,-cx16
avx2_alone=qemu64,-cx16,+ssse3,+sse4.1,+sse4.2,+xsave,+popcnt,+avx,+avx2,+fma,+f16c

cpu=here # the one that `on` plays, or this machine

# Runs words; their exit code is in $code, what they printed in out and err.
on() {
    local run=("$@")
    [ "$cpu" = here ] || run=(qemu-x86_64 -cpu "$cpu" "$@")
    code=0
    "${run[@]}" >"$scratch/out" 2>"$scratch/all-err" || code=$?
    grep -v "^qemu-x86_64: warning: TCG doesn't support" "$scratch/all-err" >"$scratch/err" || true
}

must() {
    on "$@"
    [ "$code" -eq 0 ] || fail "$cpu: exit code $code: $*"
}

refused() { # text on stderr, then the command
    local text=$1
    shift
    on "$@"
    [ "$code" -eq 4 ] || fail "$cpu: exit code $code, not 4: $*"
    grep -qF "$text" "$scratch/err" || fail "$cpu: does not say '$text': $*"
    [ ! -s "$scratch/out" ] || fail "$cpu: refused, and yet it ran: $*"
}

# The level that is chosen, then the others that are usable.
expect_levels() {
    must "$downhill" info --json
    local got
    got=$(python3 -c '
import json, sys
levels = json.load(sys.stdin)["machine"]["levels"]
print(*[l["name"] for l in sorted(levels, key=lambda l: not l["chosen"]) if l["usable"]])' <"$scratch/out")
    [ "$got" = "$1" ] || fail "$cpu: the levels are '$got', not '$1'"
}

# Trains on every level; the models are to be those of the CPUs before: on bytes one for all levels, in f32 one for each.
compared=0
train() { # what it is, the options
    local what=$1 isa digest as
    shift
    must "$downhill" train --data "$(cat "$scratch/spec")" --epochs 2 --batch 64 --isa all --json - "$@"
    python3 -c '
import json, sys
for run in json.load(sys.stdin)["training"]:
    print(run["isa"], run["model_digest"])' <"$scratch/out" >"$scratch/digests"
    [ "$(wc -l <"$scratch/digests")" -ge "$levels_at_least" ] || fail "$cpu: $what: trained on too few levels"
    while read -r isa digest; do
        as=$scratch/$what
        [ "$what" = bytes ] || as+=-$isa
        if [ -e "$as" ]; then
            [ "$digest" = "$(cat "$as")" ] || fail "$cpu: $what on $isa: another model than before"
            compared=$((compared + 1))
        else
            echo "$digest" >"$as"
        fi
    done <"$scratch/digests"
}

train_all() {
    train bytes --normalize standardize --momentum 0.9
    train hinge --dtype f32
    train softmax --loss softmax
}

must "$downhill" data gen --samples 300 --test-samples 50 --features 61 --classes 7 --noise 5% -o "$scratch/set"
cp "$scratch/out" "$scratch/spec"
levels_at_least=1
train_all

for cpu in "$baseline" Nehalem "$avx2_alone" Haswell max; do
    case $cpu in
    "$baseline" | Nehalem) chosen=scalar usable=scalar levels_at_least=1 placement=() ;;
    # QEMU 7.2 reads what a masked load masks out.
    *) chosen=avx2 usable='avx2 scalar auto_avx2' levels_at_least=3 placement=(no-end-guard) ;;
    esac
    expect_levels "$usable"
    DOWNHILL_ISA=scalar expect_levels "scalar${usable#*scalar}$([ "$chosen" = scalar ] || echo ' avx2')"
    DOWNHILL_DISABLE=f16c,fma expect_levels scalar
    must "$downhill" verify --stride 307 --isa scalar
    must "$build/tests/prove_cases" 101 "${placement[@]}"
    grep -q " on $levels_at_least levels, 0 failed" "$scratch/out" || fail "$cpu: $(cat "$scratch/out")"
    train_all
    for test in cpu cpu_bits dispatch; do
        must "$build/tests/test_$test"
    done
    for level in avx2 auto_avx2 avxvnni avx512 auto_avx512 avx512vnni avx512bf16 amx; do
        case " $usable " in *" $level "*) continue ;; esac
        refused '(CPU); largest usable: '$chosen "$downhill" verify --case 1 --isa $level
    done
    DOWNHILL_ISA=avx512 refused 'DOWNHILL_ISA: avx512: not usable here: ' "$downhill" verify --case 1
    DOWNHILL_ISA=avx512 refused 'avx512f (CPU)' "$downhill" train --data "$(cat "$scratch/spec")"
done
[ "$compared" -gt 30 ] || fail "only $compared models were compared"

# A Haswell that lacks one thing.
for lacks in popcnt fma f16c avx2 avx xsave; do
    cpu=Haswell,-$lacks
    expect_levels scalar
    reason="$lacks (CPU)"
    [ $lacks != xsave ] || reason="avx2 (OS does not save its registers)"
    refused "$reason" "$downhill" verify --case 1 --isa avx2
done

# What was not run above: only the files of a level may have instructions that x86-64 did not begin with.
{
    find "$build"/{base,cli,data,parallel,train,verify} -name '*.o' -print0
    find "$build"/kernels/CMakeFiles/downhill_{scalar,static}.dir -name '*.o' -print0
} | xargs -0 objdump -d --no-show-raw-insn >"$scratch/code"
[ "$(wc -l <"$scratch/code")" -gt 50000 ] || fail 'found too little code: is this the build tree?'
awk -F '\t' '/file format/ {file = $0} $2 ~ /^(v[a-z0-9]+|k[a-z]+[bwdq]|popcnt|[lt]zcnt|andn|bextr|bls[a-z]+|bzhi|mulx|pdep|pext|rorx|s[ah][lr]x|movbe|p(shufb|mulld|test)|round[sp][sd]|crc32[bwlq]?) / {print file $2}' \
    "$scratch/code" >"$scratch/strangers"
[ ! -s "$scratch/strangers" ] || fail "beyond the baseline: $(sort -u "$scratch/strangers" | head -n 5)"
echo "the same $compared models on QEMU $version"

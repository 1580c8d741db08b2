#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Trains the models of the certificate with the bare sources compiled at -O2, with the compiler of
# this build, and compares their digests with the committed ones. `downhill reproduce` does the same
# with the flags of the build, at -O3.
# Usage: check_models.sh ROOT CC
set -euo pipefail
root=$1 cc=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "check_models: $1" >&2
    exit 1
}

have=()
for level in AUTO_AVX2 AUTO_AVX512 AVXVNNI AVX512VNNI AVX512BF16 AMX; do
    have+=("-DDOWNHILL_HAVE_$level=0")
done
sources=("$root"/kernels/{api,driver,isa}/*.c "$root/kernels/score/pack_f32.c"
    "$root"/kernels/*/*_{scalar,fma,avx2,avx512}.c)
mkdir "$work/objects" "$work/models"
(
    cd "$work/objects"
    printf '%s\0' "${sources[@]}" | xargs -0 -n 4 -P "$(nproc)" "$cc" -O2 -I "$root/kernels" \
        -DDOWNHILL_HAVE_AVX2=1 -DDOWNHILL_HAVE_AVX512=1 "${have[@]}" -c
)
"$cc" -O2 -I "$root" -I "$root/kernels" -o "$work/train" "$root/tests/reproduce_models.c" \
    "$root/verify/reproduce.c" "$root"/base/{error,levels,suggest}.c "$work"/objects/*.o -lm
"$work/train" "$work/models" >"$work/digests"
trained=$(wc -l <"$work/digests")
# Eight steps with two losses: on bytes at every level, on f32 and bf16 at those for SIMD.
levels=$(find "$work/models" -type f -printf '%f\n' | sed 's/-.*//' | sort -u | wc -l)
[ "$trained" -eq $((16 * (3 * levels - 2))) ] ||
    fail "trained $trained models on $levels levels"
sha256sum --check --quiet "$work/digests" >&2 || fail 'these models differ'
echo "$trained models on $levels levels, as committed"

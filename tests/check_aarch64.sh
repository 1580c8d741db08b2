#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Builds the levels scalar and fma for aarch64 as docs/LIBRARY.md tells for other CPUs, verifies
# them under qemu-user, and compares their bits with those of x86-64 where equal bits are promised.
# Compilers for aarch64 contract products and sums to FMAs by default, and `char` is unsigned there.
#   check_aarch64.sh ROOT BUILD
# Exit codes: 0 passed; 1 failed; 77 skipped, with the reason.
set -euo pipefail
root=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*" >&2
    exit 1
}
skip() {
    echo "skipped: $*"
    exit 77
}

command -v qemu-aarch64 >/dev/null || skip 'no qemu-aarch64; install the Debian package qemu-user'
command -v aarch64-linux-gnu-gcc >/dev/null ||
    skip 'no aarch64-linux-gnu-gcc; install the Debian package gcc-aarch64-linux-gnu'
sysroot=/usr/aarch64-linux-gnu
[ -e $sysroot/lib/libc.so.6 ] ||
    skip 'no C library for aarch64; install the Debian package libc6-dev-arm64-cross'
run=(qemu-aarch64 -L "$sysroot")

# The expected bits of the scalar level, from the library of this build.
gcc -o "$work/bits-here" "$root/tests/same_bits.c" -I "$root/kernels" \
    "$build/kernels/libdownhill.a" -lm
"$work/bits-here" | sed -n '/^scalar /p' >"$work/want"
[ -s "$work/want" ] || fail 'same_bits printed nothing for the scalar level of this build'

# Trains the models of the certificate, on bytes at both levels and on f32 and bf16 at the level
# fma, and compares their digests with the committed ones.
check_models() { # directory with lib.a, compiler and options
    local directory=$1
    shift
    mkdir "$directory/models"
    "$@" -I "$root" -I "$root/kernels" -o "$directory/train" "$root/tests/reproduce_models.c" \
        "$root/verify/reproduce.c" "$root"/base/{error,levels,suggest}.c "$directory/lib.a" -lm
    "${run[@]}" "$directory/train" "$directory/models" >"$directory/digests"
    [ "$(wc -l <"$directory/digests")" -eq 64 ] ||
        fail "$*: trained $(wc -l <"$directory/digests") models, not 8 of 8 kinds"
    sha256sum --check --quiet "$directory/digests" >&2 ||
        fail "$*: models differ from those of x86-64"
}

# Builds the library as docs/LIBRARY.md tells, and compares its bits.
check_build() { # name, compiler and options
    local name=$1
    shift
    mkdir "$work/$name"
    (
        cd "$work/$name"
        "$@" -I "$root/kernels" -c "$root"/kernels/{api,driver,isa}/*.c \
            "$root"/kernels/*/*_{scalar,fma}.c
        ar rcs lib.a ./*.o
    )
    "$@" -o "$work/$name/bits" "$root/tests/same_bits.c" -I "$root/kernels" "$work/$name/lib.a" -lm
    "${run[@]}" "$work/$name/bits" >"$work/got"
    diff "$work/want" "$work/got" >&2 || fail "$*: the bits (>) differ from those of x86-64 (<)"
    check_models "$work/$name" "$@"
}

flags='-O3 -I kernels -DDOWNHILL_SCALAR_ONLY'
command="cc $flags -c kernels/{api,driver,isa}/*.c kernels/*/*_{scalar,fma}.c"
grep -qF "$command" "$root/docs/LIBRARY.md" || fail "docs/LIBRARY.md does not contain: $command"
gcc=(aarch64-linux-gnu-gcc -Wall -Wextra -Werror)
check_build O3 "${gcc[@]}" -O3
check_build O2-contracted "${gcc[@]}" -O2 -ffp-contract=fast
check_build c11 "${gcc[@]}" -O2 -std=c11
if command -v clang >/dev/null; then
    check_build clang clang --target=aarch64-linux-gnu -O3 -Werror
    check_build clang-contracted clang --target=aarch64-linux-gnu -O2 -ffp-contract=fast
fi

# Checks that this test can fail: without the pragma the compiler contracts to FMAs, and the bits
# must differ.
cp -r "$root/kernels" "$work/unguarded"
sed -i 's/^#pragma GCC optimize("fp-contract=off")//' "$work/unguarded/isa/arithmetic.h"
! cmp -s "$work/unguarded/isa/arithmetic.h" "$root/kernels/isa/arithmetic.h" ||
    fail 'kernels/isa/arithmetic.h has no pragma fp-contract to remove'
(
    mkdir "$work/fused"
    cd "$work/fused"
    aarch64-linux-gnu-gcc -O3 -w -I ../unguarded \
        -c ../unguarded/{api,driver,isa}/*.c ../unguarded/*/*_{scalar,fma}.c
    aarch64-linux-gnu-gcc -o bits "$root/tests/same_bits.c" -I "$root/kernels" ./*.o -lm
)
! "${run[@]}" "$work/fused/bits" | cmp -s - "$work/want" ||
    fail 'without the pragma the bits are the same: this test cannot detect FMAs'

# Verifies the kernels against the f64 reference, which has the same flags as in the program.
aarch64-linux-gnu-gcc -std=c11 -O2 -ffp-contract=off -Wall -Wextra -Werror \
    -I "$root" -I "$root/kernels" -o "$work/prove" \
    "$root"/tests/prove_cases.c "$root"/verify/*.c "$root"/base/{error,levels,suggest}.c \
    "$work/O3/lib.a" -lm
"${run[@]}" "$work/prove" 37 >"$work/proof" || fail "verification failed: $(cat "$work/proof")"
grep -q '^[0-9]\{4,\} checks on 2 levels, 0 failed$' "$work/proof" ||
    fail "unexpected result of the verification: $(cat "$work/proof")"
cat "$work/proof"

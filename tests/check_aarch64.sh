#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The scalar level on aarch64, as docs/LIBRARY.md says to build it for other CPUs: proven under qemu-user, and with the bits
# of x86-64 where these are promised. A compiler for aarch64 makes FMAs of products and sums unless it is told not to,
# and `char` has no sign there.
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

command -v qemu-aarch64 >/dev/null || skip 'no qemu-aarch64, of the Debian package qemu-user'
command -v aarch64-linux-gnu-gcc >/dev/null || skip 'no aarch64-linux-gnu-gcc, of the Debian package gcc-aarch64-linux-gnu'
sysroot=/usr/aarch64-linux-gnu
[ -e $sysroot/lib/libc.so.6 ] || skip 'no C library for aarch64, of the Debian package libc6-dev-arm64-cross'
run=(qemu-aarch64 -L "$sysroot")

# What the scalar level is to give: the bits of this machine, by the library as it was built here.
gcc -o "$work/bits-here" "$root/tests/same_bits.c" -I "$root/kernels" "$build/kernels/libdownhill.a" -lm
"$work/bits-here" | sed -n '/^scalar /p' >"$work/want"
[ -s "$work/want" ] || fail 'no bits of the scalar level here'

# The words of docs/LIBRARY.md, for a compiler and its options.
library() { # name, compiler and options
    local name=$1
    shift
    mkdir "$work/$name"
    (cd "$work/$name" && "$@" -I "$root/kernels" -c "$root"/kernels/{api,driver,isa}/*.c "$root"/kernels/*/*_scalar.c && ar rcs lib.a ./*.o)
    "$@" -o "$work/$name/bits" "$root/tests/same_bits.c" -I "$root/kernels" "$work/$name/lib.a" -lm
    "${run[@]}" "$work/$name/bits" >"$work/got"
    diff "$work/want" "$work/got" >&2 || fail "$*: other bits (>) than on x86-64 (<)"
}

grep -qF 'cc -O3 -I kernels -DDOWNHILL_SCALAR_ONLY -c kernels/{api,driver,isa}/*.c kernels/*/*_scalar.c' "$root/docs/LIBRARY.md" || fail 'docs/LIBRARY.md builds it in another way'
gcc=(aarch64-linux-gnu-gcc -Wall -Wextra -Werror)
library O3 "${gcc[@]}" -O3
library O2-contracted "${gcc[@]}" -O2 -ffp-contract=fast
library c11 "${gcc[@]}" -O2 -std=c11
if command -v clang >/dev/null; then
    library clang clang --target=aarch64-linux-gnu -O3 -Werror
    library clang-contracted clang --target=aarch64-linux-gnu -O2 -ffp-contract=fast
fi

# A trap that has not sprung is no proof: without the pragma there are FMAs where the bits are made, and they show.
cp -r "$root/kernels" "$work/unguarded"
sed -i 's/^#pragma GCC optimize("fp-contract=off")//' "$work/unguarded/isa/arithmetic.h"
! cmp -s "$work/unguarded/isa/arithmetic.h" "$root/kernels/isa/arithmetic.h" || fail 'found no pragma to take out'
(
    mkdir "$work/fused"
    cd "$work/fused"
    aarch64-linux-gnu-gcc -O3 -w -I ../unguarded -c ../unguarded/{api,driver,isa}/*.c ../unguarded/*/*_scalar.c
    aarch64-linux-gnu-gcc -o bits "$root/tests/same_bits.c" -I "$root/kernels" ./*.o -lm
)
! "${run[@]}" "$work/fused/bits" | cmp -s - "$work/want" || fail 'without the pragma the bits are the same: they do not show FMAs'

# The proof against the f64 reference, which is built as the program builds it.
aarch64-linux-gnu-gcc -std=c11 -O2 -ffp-contract=off -Wall -Wextra -Werror -I "$root" -I "$root/kernels" -o "$work/prove" \
    "$root"/tests/prove_cases.c "$root"/verify/*.c "$root"/base/{error,levels,suggest}.c "$work/O3/lib.a" -lm
"${run[@]}" "$work/prove" 37 >"$work/proof" || fail "not proven: $(cat "$work/proof")"
grep -q '^[0-9]\{4,\} checks on 1 levels, 0 failed$' "$work/proof" || fail "what was proven: $(cat "$work/proof")"
cat "$work/proof"

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Compiles the bare sources with compiler flags that could break the promises of downhill.h. Each
# flag must either leave the bits unchanged or be refused by an error that names it.
# Usage: check_flags.sh ROOT BUILD CC
set -euo pipefail
root=$1 build=$2 cc=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "check_flags: $1" >&2
    exit 1
}
clang=no
if "$cc" --version | grep -q clang; then clang=yes; fi

# Checks that the flags are refused with a message that contains the remedy.
refused() { # remedy, flags
    local remedy=$1
    shift
    ! "$cc" -I "$root/kernels" "$@" -E "$root/kernels/api/step.c" >"$work/source.i" 2>"$work/log" ||
        ! "$cc" -I "$root/kernels" "$@" -fsyntax-only "$root/kernels/api/step.c" 2>"$work/log" ||
        fail "$*: compiles"
    grep -E 'error: ' "$work/log" | head -n 1 | grep -qF -- "$remedy" ||
        fail "$*: the first error lacks '$remedy': $(cat "$work/log")"
}
for flag in -ffast-math -Ofast; do refused 'build it without -ffast-math or -Ofast' $flag; done
refused 'build it without -ffinite-math-only' -ffinite-math-only
refused 'build_without_fshort_enums' -fshort-enums
refused 'build_without_fpack_struct' -fpack-struct
for flag in -mno-sse -mno-sse2 -mgeneral-regs-only; do
    refused 'build it with -msse2 -mfpmath=sse' $flag
done
if [ $clang = yes ]; then
    refused 'build it without -ffast-math or -Ofast' -ffp-model=fast
else
    refused 'build it without -fassociative-math or -funsafe-math-optimizations' \
        -funsafe-math-optimizations
    refused 'build it without -fassociative-math' \
        -fassociative-math -fno-signed-zeros -fno-trapping-math
    refused 'build it without -freciprocal-math' -freciprocal-math
    refused 'build it without -fno-signed-zeros' -fno-signed-zeros
    refused 'build it without -fsingle-precision-constant' -fsingle-precision-constant
    for unit in 387 both; do refused 'build it with -msse2 -mfpmath=sse' -mfpmath=$unit; done
fi
for source in "$root"/kernels/*/*.c; do # all sources that compute with floats
    case "${source##*/}" in cpu.c | caches.c | status.c | phase_clock.c) continue ;; esac
    if "$cc" -I "$root/kernels" -ffast-math -E "$source" >"$work/source.i" 2>"$work/log"; then
        fail "$source does not include arithmetic.h"
    fi
done

# No target CPU is refused: for CPUs with FP16 instructions GCC evaluates _Float16 in its own type,
# which changes FLT_EVAL_METHOD.
for march in x86-64-v3 x86-64-v4 sapphirerapids; do
    "$cc" -std=gnu17 -march=$march -I "$root/kernels" \
        -fsyntax-only "$root/kernels/update/update_f32_scalar.c" >"$work/log" 2>&1 ||
        fail "-march=$march: $(cat "$work/log")"
done

# Compares bits. Sources without a promise of equal bits (sums of f32) come from the library.
levels=(scalar avx2)
if grep -qw avx512vl /proc/cpuinfo; then levels+=(avx512); fi
have=(-DDOWNHILL_HAVE_AUTO_AVX2=0 -DDOWNHILL_HAVE_AUTO_AVX512=0)
for level in AVX2 AVXVNNI AVX512 AVX512VNNI AVX512BF16 AMX; do
    built=0
    case " ${levels[*]} " in *" ${level,,} "*) built=1 ;; esac
    have+=("-DDOWNHILL_HAVE_$level=$built")
done
sources=("$root"/kernels/{api,driver,isa}/*.c "$root"/kernels/update/*_avx512.c
    "$root"/kernels/score/score_short_f32_avx2.c)
for level in "${levels[@]}"; do
    sources+=("$root"/kernels/{score,grad,softmax}/*_u8_"$level".c)
    sources+=("$root"/kernels/{hinge,update}/*_"$level".c)
done
mapfile -t sources < <(printf '%s\n' "${sources[@]}" | sort -u)
"$cc" -std=c11 -I "$root/kernels" -c "$root/tests/same_bits.c" -o "$work/same_bits.o"
"$cc" -o "$work/same_bits" "$work/same_bits.o" "$build/kernels/libdownhill.a" -lm
"$work/same_bits" >"$work/want"
grep -q '^avx2 ' "$work/want" || fail 'same_bits printed nothing for the level avx2 of the library'
want=$(sed -n 's/^scalar //p' "$work/want")

same_bits() { # flags
    rm -rf "$work/objects"
    mkdir "$work/objects"
    (
        cd "$work/objects"
        printf '%s\0' "${sources[@]}" |
            xargs -0 -n 4 -P "$(nproc)" "$cc" -I "$root/kernels" "${have[@]}" "$@" -c
    ) >"$work/log" 2>&1 || fail "$*: $(cat "$work/log")"
    local link=()
    case " $* " in *' -flto '*) link=(-flto) ;; esac
    "$cc" "${link[@]}" -o "$work/bits" "$work/same_bits.o" "$work"/objects/*.o \
        "$build/kernels/libdownhill.a" -lm >"$work/log" 2>&1 || fail "$*: $(cat "$work/log")"
    "$work/bits" >"$work/got"
    [ "$(cut -d' ' -f1 "$work/got" | tr '\n' ' ')" = "${levels[*]} " ] ||
        fail "$*: the levels are not '${levels[*]}': $(cat "$work/got")"
    [ "$(cut -d' ' -f2- "$work/got" | sort -u)" = "$want" ] ||
        fail "$*: the bits are not those of the library ($want): $(cat "$work/got")"
    # The sources use no FMA that subtracts, so one means that the compiler contracted. This also
    # covers the levels that this machine lacks.
    if [ ${#link[@]} -eq 0 ]; then
        objdump -d "$work"/objects/update_*.o >"$work/disassembly"
        ! grep -E 'vf(nm|msub)' "$work/disassembly" >&2 || fail "$*: the compiler added these FMAs"
        # These use no FMA at all. -O0 keeps the branch with FMA of the exponential.
        local without=("$work/objects/score_short_f32_avx2.o")
        case " $* " in *' -O0 '*) ;; *) without+=("$work"/objects/softmax_u8_*.o) ;; esac
        objdump -d "${without[@]}" >"$work/disassembly"
        ! grep -E 'vf(n?m)' "$work/disassembly" >&2 || fail "$*: the compiler added these FMAs"
    fi
}
contracted=(-march=x86-64-v3 -ffp-contract=fast)
harmless=(-frounding-math -fwrapv -funsigned-char -fno-strict-aliasing -fno-math-errno
    -fno-trapping-math -fopenmp-simd -mrecip -mprefer-vector-width=128)
same_bits -std=c11 -O0
same_bits -std=c11 -O3 "${contracted[@]}"
same_bits -std=gnu17 -Os "${contracted[@]}"
same_bits -std=c11 -O1 -ftrapv "${contracted[@]}"
same_bits -std=c11 -O2 -march=x86-64-v3 -mprefer-vector-width=512
if [ $clang = yes ]; then
    same_bits -std=c11 -O2 -march=x86-64-v3 -ffp-contract=on "${harmless[@]}"
    same_bits -std=c11 -O2 -march=x86-64-v3 -funsafe-math-optimizations -fapprox-func -mrecip=all \
        -fno-honor-nans
    same_bits -std=c11 -O2 -march=x86-64-v3 -ffp-model=strict -fdenormal-fp-math=positive-zero
else
    same_bits -std=gnu17 -O2 -march=x86-64-v3 -masm=intel -fexcess-precision=fast \
        -fsignaling-nans "${harmless[@]}"
    same_bits -std=c11 -O2 -flto "${contracted[@]}"
fi

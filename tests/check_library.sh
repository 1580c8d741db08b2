#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The library as its users see it: its exported symbols, and the example of README.md built with it,
# as C99 and as C++, static, shared, and from the bare sources without a build system.
# Usage: check_library.sh ROOT BUILD CC CXX
# shellcheck disable=SC2016 # dollars and backticks are for sed and the generated files
set -euo pipefail
root=$1 build=$2 cc=$3 cxx=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "check_library: $1" >&2
    exit 1
}

# The shared library exports exactly the functions of the header.
grep -A 2 '^DOWNHILL_API ' "$root/kernels/downhill.h" | tr '\n' ' ' |
    grep -oP 'DOWNHILL_API [^(]*?\K\w+(?=\()' | sort >"$work/declared"
nm -D --defined-only "$build/kernels/libdownhill.so" | awk '{print $3}' | sort >"$work/exported"
diff "$work/declared" "$work/exported" >&2 || fail 'declared (<) and exported (>) differ'
[ "$(wc -l <"$work/declared")" -ge 14 ] ||
    fail 'found fewer than 14 declarations in kernels/downhill.h: fix this script'

# A static library cannot hide symbols, so each global one needs the prefix.
nm -g --defined-only "$build/kernels/libdownhill.a" | awk 'NF == 3 && $3 !~ /^downhill_/' \
    >"$work/unprefixed"
[ ! -s "$work/unprefixed" ] || fail "global symbols without the prefix: $(cat "$work/unprefixed")"

# The static library can be linked into shared libraries, whatever the default of the compiler.
grep -E '"command".*kernels/CMakeFiles/downhill_[a-z0-9_]*\.dir/' "$build/compile_commands.json" \
    >"$work/commands"
[ "$(wc -l <"$work/commands")" -ge 20 ] ||
    fail 'found fewer than 20 compiler commands of the library in compile_commands.json'
! grep -v -- -fPIC "$work/commands" >&2 || fail 'the sources above are compiled without -fPIC'

# The library does not allocate, print or start threads: these are all the functions it may call.
# It uses syscall() to request AMX from Linux.
allowed='bcmp clock_gettime frexpf? getenv ldexpf? logf? rintf? mem(chr|cmp|cpy|move|set)'
allowed+=' str(c?spn|chr|cmp|len|ncmp|str) syscall v?snprintf'
nm -u "$build/kernels/libdownhill.a" | awk 'NF == 2 {print $2}' | sort -u >"$work/called"
[ "$(grep -c '^downhill_' "$work/called")" -ge 50 ] ||
    fail 'nm lists fewer than 50 undefined symbols of the library: fix this script'
grep -vxE "downhill_.*|_GLOBAL_OFFSET_TABLE_|$(tr ' ' '|' <<<"$allowed")" "$work/called" \
    >"$work/unwanted" || true
[ ! -s "$work/unwanted" ] || fail "the library may not call: $(cat "$work/unwanted")"

# The installed program finds its scripts.
cmake --install "$build" --prefix "$work/prefix" >/dev/null
"$work/prefix/bin/downhill" report --help | grep -q RESULTS.json ||
    fail 'the installed report does not run'
"$work/prefix/bin/downhill" plot --help | grep -q FILE.svg || fail 'the installed plot does not run'

# The example of README.md, unchanged, prints what README.md says.
sed -n '/^```c$/,/^```$/{/^```/!p}' "$root/README.md" >"$work/example.c"
cp "$work/example.c" "$work/example.cc"
want=$(sed -n 's/.*prints `\(.*\)`.*/\1/p' "$root/README.md")
[ -n "$want" ] || fail 'README.md does not contain "prints `...`" for its example'
warnings=(-Wall -Wextra -Werror -pedantic-errors -I "$work/prefix/include")
shared=("-L$work/prefix/lib" "-Wl,-rpath,$work/prefix/lib" -ldownhill)
static=("$work/prefix/lib/libdownhill.a" -lm)
"$cc" -std=c99 "${warnings[@]}" -o "$work/c-shared" "$work/example.c" "${shared[@]}"
"$cc" -std=c99 "${warnings[@]}" -o "$work/c-static" "$work/example.c" "${static[@]}"
"$cxx" -std=c++20 "${warnings[@]}" -o "$work/cxx-shared" "$work/example.cc" "${shared[@]}"
"$cxx" -std=c++20 "${warnings[@]}" -o "$work/cxx-static" "$work/example.cc" "${static[@]}"
# The example has designated initialisers, which need C++20. The header does not.
echo '#include <downhill.h>' >"$work/header.cc"
"$cxx" -std=c++11 "${warnings[@]}" -fsyntax-only "$work/header.cc"
for program in c-shared c-static cxx-shared cxx-static; do
    got=$("$work/$program")
    [ "$got" = "$want" ] || fail "$program prints '$got'; the README says '$want'"
done

# Build systems of users: find_package(), pkg-config, and Python, after the prefix was moved.
mv "$work/prefix" "$work/moved"
{
    cmake -S "$root/tests/consumer" -B "$work/consumer" -DCMAKE_BUILD_TYPE=Release \
        -DEXAMPLE="$work/example.c" -DCMAKE_PREFIX_PATH="$work/moved" \
        -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" &&
        cmake --build "$work/consumer"
} >"$work/log" 2>&1 || fail "find_package(downhill): $(cat "$work/log")"
export PKG_CONFIG_PATH=$work/moved/lib/pkgconfig LD_LIBRARY_PATH=$work/moved/lib
# shellcheck disable=SC2046 # the output of pkg-config is split into words
{
    "$cc" -o "$work/consumer/pc-shared" "$work/example.c" $(pkg-config --cflags --libs downhill)
    "$cc" -static -o "$work/consumer/pc-static" "$work/example.c" \
        $(pkg-config --static --cflags --libs downhill)
    for example in one_level bytes; do
        "$cc" -Wall -Wextra -Werror -o "$work/$example" "$root/examples/$example.c" \
            $(pkg-config --cflags --libs downhill)
    done
    "$cc" -Wall -Wextra -Werror -o "$work/normalised" "$root/examples/normalised.c" \
        $(pkg-config --cflags --libs downhill) -lm
}
for program in "$work"/consumer/{c,cxx,pc}-shared "$work"/consumer/{c,pc}-static; do
    got=$("$program")
    [ "$got" = "$want" ] || fail "$program prints '$got'; the README says '$want'"
done
"$work/one_level" | grep -q '^scalar *scores 1 and 6' ||
    fail 'examples/one_level.c does not print the scores'
[ "$("$work/bytes")" = '64 of 64 samples are classified correctly' ] ||
    fail 'examples/bytes.c does not classify all 64 samples correctly'
"$work/normalised" >"$work/log" || fail "examples/normalised.c: $(cat "$work/log")"
[ "$(grep -c ': yes$' "$work/log")" -eq 2 ] || fail "examples/normalised.c: $(cat "$work/log")"
soname=$(objdump -p "$work/moved/lib/libdownhill.so" | awk '$1 == "SONAME" {print $2}')
"$root/examples/scores.py" "$soname" || fail 'examples/scores.py fails'
mv "$work/moved" "$work/prefix"
unset PKG_CONFIG_PATH LD_LIBRARY_PATH

# Inside another project, which has spaces in its path and unity builds: same levels, same bits.
mkdir -p "$work/another project/downhill"
cp -r "$root"/{CMakeLists.txt,cmake,kernels} "$work/another project/downhill"
cat >"$work/another project/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.22)
project(another LANGUAGES C)
set(CMAKE_UNITY_BUILD ON)
set(DOWNHILL_LEVELS native)
add_subdirectory(downhill EXCLUDE_FROM_ALL)
add_executable(bits ${BITS})
target_link_libraries(bits PRIVATE downhill::downhill_static)
END
{
    cmake -S "$work/another project" -B "$work/another project/build" -G Ninja \
        -DCMAKE_C_COMPILER="$cc" -DBITS="$root/tests/same_bits.c" &&
        cmake --build "$work/another project/build"
} >"$work/log" 2>&1 || fail "add_subdirectory(downhill): $(tail -n 20 "$work/log")"
"$work/another project/build/bits" >"$work/bits-inside.txt"

# The folder kernels/ alone, without a build system and with the compiler's defaults: the same
# levels as in this build except the auto levels, and the same bits where they are promised.
mkdir "$work/bare"
cp -r "$root/kernels" "$work/bare"
(
    cd "$work/bare"
    printf '%s\0' kernels/*/*.c | xargs -0 -n 8 -P "$(nproc)" "$cc" -O3 -I kernels -c
    ar rcs libdownhill.a ./*.o
    mkdir scalar
    cd scalar
    "$cc" -O3 -Wall -Wextra -Wpedantic -Werror -I ../kernels -DDOWNHILL_SCALAR_ONLY \
        -c ../kernels/{api,driver,isa}/*.c ../kernels/*/*_{scalar,fma}.c
    "$cc" "$work/example.c" -I ../kernels ./*.o -lm -o example
)
flags='-O3 -I kernels'
for command in "cc $flags -c kernels/*/*.c" \
    "cc $flags -DDOWNHILL_SCALAR_ONLY -c kernels/{api,driver,isa}/*.c \
kernels/*/*_{scalar,fma}.c"; do
    grep -qF "$command" "$root/docs/LIBRARY.md" || fail "docs/LIBRARY.md does not contain: $command"
done
got=$("$work/bare/scalar/example")
[ "$got" = "$want" ] || fail "with the scalar sources the example prints '$got', not '$want'"
bare=(-I "$work/bare/kernels" "$work/bare/libdownhill.a" -lm)
"$cc" -o "$work/c-bare" "$work/example.c" "${bare[@]}"
got=$("$work/c-bare")
[ "$got" = "$want" ] || fail "with the bare sources the example prints '$got', not '$want'"
"$cc" -o "$work/bits" "$root/tests/same_bits.c" "${warnings[@]}" "${static[@]}"
"$cc" -o "$work/bits-bare" "$root/tests/same_bits.c" "${bare[@]}"
"$work/bits" >"$work/bits.txt"
"$work/bits-bare" >"$work/bits-bare.txt"
diff "$work/bits.txt" "$work/bits-inside.txt" >&2 ||
    fail 'inside another project the levels or bits (>) differ from those of this build (<)'
diff "$work/bits.txt" "$work/bits-bare.txt" >&2 ||
    fail 'with the bare sources the levels or bits (>) differ from those of this build (<)'
[ "$(cut -d' ' -f2- "$work/bits.txt" | sort -u | wc -l)" -eq 1 ] ||
    fail "the bits differ between levels: $(cat "$work/bits.txt")"

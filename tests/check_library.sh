#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The library as others meet it: what it exports, and the README's example built against it, as C99
# and as C++, static, shared, and from the bare sources without a build system. Usage: check_library.sh ROOT BUILD CC CXX
# shellcheck disable=SC2016 # dollars and backticks are meant for others
set -euo pipefail
root=$1 build=$2 cc=$3 cxx=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "check_library: $1" >&2
    exit 1
}

# The header's functions, no more and no less.
grep -A 2 '^DOWNHILL_API ' "$root/kernels/downhill.h" | tr '\n' ' ' |
    grep -oP 'DOWNHILL_API [^(]*?\K\w+(?=\()' | sort >"$work/declared"
nm -D --defined-only "$build/kernels/libdownhill.so" | awk '{print $3}' | sort >"$work/exported"
diff "$work/declared" "$work/exported" >&2 || fail 'declared (<) and exported (>) differ'
[ "$(wc -l <"$work/declared")" -ge 14 ] || fail 'the header declares too little: is it read right?'

# A static library cannot hide symbols, so every one must carry the prefix.
nm -g --defined-only "$build/kernels/libdownhill.a" | awk 'NF == 3 && $3 !~ /^downhill_/' \
    >"$work/strangers"
[ ! -s "$work/strangers" ] || fail "global symbols without the prefix: $(cat "$work/strangers")"

# It is for shared libraries as well, whatever the compiler does unasked.
grep -E '"command".*kernels/CMakeFiles/downhill_[a-z0-9_]*\.dir/' "$build/compile_commands.json" >"$work/commands"
[ "$(wc -l <"$work/commands")" -ge 20 ] || fail 'where are the commands that compile the library?'
! grep -v -- -fPIC "$work/commands" >&2 || fail 'this is not compiled with -fPIC'

# No allocation, no output, no threads in the library: this is all that it calls. The system call is Linux's for AMX.
allowed='bcmp clock_gettime frexpf? getenv ldexpf? logf? rintf? mem(chr|cmp|cpy|move|set) str(c?spn|chr|cmp|len|ncmp|str) syscall v?snprintf'
nm -u "$build/kernels/libdownhill.a" | awk 'NF == 2 {print $2}' | sort -u >"$work/called"
[ "$(grep -c '^downhill_' "$work/called")" -ge 50 ] || fail 'what does the library call? nm tells too little'
grep -vxE "downhill_.*|_GLOBAL_OFFSET_TABLE_|$(tr ' ' '|' <<<"$allowed")" "$work/called" >"$work/unwanted" || true
[ ! -s "$work/unwanted" ] || fail "the library calls: $(cat "$work/unwanted")"

# An installed program finds its report.
cmake --install "$build" --prefix "$work/prefix" >/dev/null
"$work/prefix/bin/downhill" report --help | grep -q RESULTS.json || fail 'the installed report does not run'
"$work/prefix/bin/downhill" plot --help | grep -q FILE.svg || fail 'the installed plot does not run'

# The README's example, word for word, gives what the README says.
sed -n '/^```c$/,/^```$/{/^```/!p}' "$root/README.md" >"$work/example.c"
cp "$work/example.c" "$work/example.cc"
want=$(sed -n 's/.*prints `\(.*\)`.*/\1/p' "$root/README.md")
[ -n "$want" ] || fail 'the README does not say what its example prints'
warnings=(-Wall -Wextra -Werror -pedantic-errors -I "$work/prefix/include")
shared=("-L$work/prefix/lib" "-Wl,-rpath,$work/prefix/lib" -ldownhill)
static=("$work/prefix/lib/libdownhill.a" -lm)
"$cc" -std=c99 "${warnings[@]}" -o "$work/c-shared" "$work/example.c" "${shared[@]}"
"$cc" -std=c99 "${warnings[@]}" -o "$work/c-static" "$work/example.c" "${static[@]}"
"$cxx" -std=c++20 "${warnings[@]}" -o "$work/cxx-shared" "$work/example.cc" "${shared[@]}"
"$cxx" -std=c++20 "${warnings[@]}" -o "$work/cxx-static" "$work/example.cc" "${static[@]}"
echo '#include <downhill.h>' >"$work/header.cc" # designated initialisers need C++20, the header does not
"$cxx" -std=c++11 "${warnings[@]}" -fsyntax-only "$work/header.cc"
for program in c-shared c-static cxx-shared cxx-static; do
    got=$("$work/$program")
    [ "$got" = "$want" ] || fail "$program prints '$got'; the README says '$want'"
done

# As others build: find_package(), pkg-config, from Python; from wherever the folder was moved to.
mv "$work/prefix" "$work/moved"
{
    cmake -S "$root/tests/consumer" -B "$work/consumer" -DCMAKE_BUILD_TYPE=Release -DEXAMPLE="$work/example.c" \
        -DCMAKE_PREFIX_PATH="$work/moved" -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" &&
        cmake --build "$work/consumer"
} >"$work/log" 2>&1 || fail "find_package(downhill): $(cat "$work/log")"
export PKG_CONFIG_PATH=$work/moved/lib/pkgconfig LD_LIBRARY_PATH=$work/moved/lib
# shellcheck disable=SC2046 # words, as pkg-config is used
{
    "$cc" -o "$work/consumer/pc-shared" "$work/example.c" $(pkg-config --cflags --libs downhill)
    "$cc" -static -o "$work/consumer/pc-static" "$work/example.c" $(pkg-config --static --cflags --libs downhill)
    "$cc" -Wall -Wextra -Werror -o "$work/one_level" "$root/examples/one_level.c" $(pkg-config --cflags --libs downhill)
    "$cc" -Wall -Wextra -Werror -o "$work/bytes" "$root/examples/bytes.c" $(pkg-config --cflags --libs downhill)
}
# shellcheck disable=SC2046
"$cc" -Wall -Wextra -Werror -o "$work/normalised" "$root/examples/normalised.c" $(pkg-config --cflags --libs downhill) -lm
for program in "$work"/consumer/{c,cxx,pc}-shared "$work"/consumer/{c,pc}-static; do
    got=$("$program")
    [ "$got" = "$want" ] || fail "$program prints '$got'; the README says '$want'"
done
"$work/one_level" | grep -q '^scalar *scores 1 and 6' || fail 'examples/one_level.c does not give the scores'
[ "$("$work/bytes")" = '64 of 64 samples are classified correctly' ] || fail 'examples/bytes.c does not learn'
"$work/normalised" >"$work/log" || fail "examples/normalised.c: $(cat "$work/log")"
[ "$(grep -c ': yes$' "$work/log")" -eq 2 ] || fail "examples/normalised.c: $(cat "$work/log")"
soname=$(objdump -p "$work/moved/lib/libdownhill.so" | awk '$1 == "SONAME" {print $2}')
"$root/examples/scores.py" "$soname" || fail 'examples/scores.py does not get the scores'
mv "$work/moved" "$work/prefix"
unset PKG_CONFIG_PATH LD_LIBRARY_PATH

# Inside another project, which has blanks in its path and merges its sources: the same levels, the same bits.
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
    cmake -S "$work/another project" -B "$work/another project/build" -G Ninja -DCMAKE_C_COMPILER="$cc" \
        -DBITS="$root/tests/same_bits.c" && cmake --build "$work/another project/build"
} >"$work/log" 2>&1 || fail "add_subdirectory(downhill): $(tail -n 20 "$work/log")"
"$work/another project/build/bits" >"$work/bits-inside.txt"

# The folder alone, without a build system, by what a compiler does unasked: the same levels as here but for the
# compiler's own, and where the same bits are promised the same.
mkdir "$work/bare"
cp -r "$root/kernels" "$work/bare"
(
    cd "$work/bare"
    printf '%s\0' kernels/*/*.c | xargs -0 -n 8 -P "$(nproc)" "$cc" -O3 -I kernels -c
    ar rcs libdownhill.a ./*.o
    mkdir scalar
    cd scalar
    "$cc" -O3 -Wall -Wextra -Wpedantic -Werror -I ../kernels -DDOWNHILL_SCALAR_ONLY \
        -c ../kernels/{api,driver,isa}/*.c ../kernels/*/*_scalar.c
    "$cc" "$work/example.c" -I ../kernels ./*.o -lm -o example
)
for line in 'cc -O3 -I kernels -c kernels/*/*.c' 'cc -O3 -I kernels -DDOWNHILL_SCALAR_ONLY -c kernels/{api,driver,isa}/*.c kernels/*/*_scalar.c'; do
    grep -qF "$line" "$root/docs/LIBRARY.md" || fail "docs/LIBRARY.md builds the bare sources otherwise than by: $line"
done
got=$("$work/bare/scalar/example")
[ "$got" = "$want" ] || fail "built of the scalar sources the example prints '$got', not '$want'"
bare=(-I "$work/bare/kernels" "$work/bare/libdownhill.a" -lm)
"$cc" -o "$work/c-bare" "$work/example.c" "${bare[@]}"
got=$("$work/c-bare")
[ "$got" = "$want" ] || fail "built from the bare sources the example prints '$got', not '$want'"
"$cc" -o "$work/bits" "$root/tests/same_bits.c" "${warnings[@]}" "${static[@]}"
"$cc" -o "$work/bits-bare" "$root/tests/same_bits.c" "${bare[@]}"
"$work/bits" >"$work/bits.txt"
"$work/bits-bare" >"$work/bits-bare.txt"
diff "$work/bits.txt" "$work/bits-inside.txt" >&2 || fail 'inside another project (>) it is not what it is alone (<)'
diff "$work/bits.txt" "$work/bits-bare.txt" >&2 || fail 'the bare sources give other bits (>) than the build (<)'
[ "$(cut -d' ' -f2- "$work/bits.txt" | sort -u | wc -l)" -eq 1 ] || fail "not the same bits on every level: $(cat "$work/bits.txt")"

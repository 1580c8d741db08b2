#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The library as distributions install it: shared and static separately, by component, staged by
# DESTDIR, and in the library directory of an architecture. Usage: check_installed.sh ROOT BUILD CC
# shellcheck disable=SC2016 # dollars and backticks are for sed and the generated files
set -euo pipefail
root=$1 build=$2 cc=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "check_installed: $1" >&2
    exit 1
}
sed -n '/^```c$/,/^```$/{/^```/!p}' "$root/README.md" >"$work/example.c"
want=$(sed -n 's/.*prints `\(.*\)`.*/\1/p' "$root/README.md")
[ -n "$want" ] || fail 'README.md does not contain "prints `...`" for its example'

# A consumer project. COMPONENTS are the arguments of find_package(), TARGET is what it links.
mkdir "$work/project"
cat >"$work/project/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.22)
project(consumer LANGUAGES C)
find_package(downhill 0.1 REQUIRED ${COMPONENTS})
add_executable(example ../example.c)
target_link_libraries(example PRIVATE ${TARGET})
END
configure() { # prefix, target, components
    rm -rf "$work/consumer"
    cmake -S "$work/project" -B "$work/consumer" -DCMAKE_C_COMPILER="$cc" \
        -DCMAKE_PREFIX_PATH="$1" -DTARGET="$2" -DCOMPONENTS="${3:-}" >"$work/log" 2>&1
}
builds() {
    { configure "$@" && cmake --build "$work/consumer" >>"$work/log" 2>&1; } ||
        fail "$*: $(cat "$work/log")"
    got=$("$work/consumer/example")
    [ "$got" = "$want" ] || fail "$*: prints '$got', not '$want'"
}
refuses() { # message, prefix, target, components
    local message=$1
    shift
    ! configure "$@" || fail "$*: configures"
    tr '\n' ' ' <"$work/log" | tr -s ' ' | grep -qF -- "$message" ||
        fail "$*: the output lacks '$message': $(cat "$work/log")"
}
links() { # prefix, options of pkg-config
    local prefix=$1 flags
    shift
    flags=$(PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --cflags "$@" --libs downhill)
    # shellcheck disable=SC2086 # words
    "$cc" -o "$work/pc" "$work/example.c" $flags 2>"$work/log" ||
        fail "pkg-config $*: $(cat "$work/log")"
    got=$(LD_LIBRARY_PATH=$prefix/lib "$work/pc")
    [ "$got" = "$want" ] || fail "pkg-config $*: prints '$got', not '$want'"
}

for component in runtime development; do
    cmake --install "$build" --prefix "$work/both" --component $component >/dev/null
done
builds "$work/both" downhill::downhill
builds "$work/both" downhill::downhill_static 'COMPONENTS;static;shared'
refuses "there is no component 'statik'" "$work/both" downhill::downhill 'COMPONENTS;statik'
builds "$work/both" downhill::downhill 'OPTIONAL_COMPONENTS;statik'

cp -a "$work/both" "$work/shared"
rm "$work/shared/lib/libdownhill.a"
absent="there is no downhill::downhill_static, because $work/shared/lib/libdownhill.a"
absent+=' is not installed'
builds "$work/shared" downhill::downhill
refuses "$absent" "$work/shared" downhill::downhill_static
refuses "$absent" "$work/shared" downhill::downhill_static 'COMPONENTS;static'
links "$work/shared"

cmake --install "$build" --prefix "$work/static" --component development >/dev/null
absent='is not installed; install it, or link downhill::downhill_static'
builds "$work/static" downhill::downhill_static
refuses "$absent" "$work/static" downhill::downhill
refuses "$absent" "$work/static" downhill::downhill 'COMPONENTS;shared'
rm "$work"/static/lib/libdownhill.so # a dangling link
links "$work/static" --static
rm "$work/static/lib/libdownhill.a"
refuses 'neither libdownhill.so' "$work/static" downhill::downhill

# Builds and stages one library only: if BUILD_SHARED_LIBS is set, it chooses which.
library() { # name, options
    local name=$1
    shift
    {
        cmake --log-level=WARNING -S "$root" -B "$work/build" -G Ninja -DCMAKE_C_COMPILER="$cc" \
            -DDOWNHILL_BUILD_PROGRAM=OFF -DDOWNHILL_BUILD_TESTS=OFF -DDOWNHILL_LEVELS=avx2 \
            -DCMAKE_INSTALL_PREFIX=/usr "$@" &&
            cmake --build "$work/build" && DESTDIR="$work/$name" cmake --install "$work/build"
    } >"$work/log" 2>&1 || fail "$name: $(cat "$work/log")"
    find "$work/$name" -name 'libdownhill.*' -printf '%f\n' | sort | tr '\n' ' ' >"$work/libraries"
}
library only-static -DBUILD_SHARED_LIBS=OFF -DCMAKE_INSTALL_LIBDIR=lib
[ "$(cat "$work/libraries")" = 'libdownhill.a ' ] || fail "only static: $(cat "$work/libraries")"
builds "$work/only-static/usr" downhill::downhill_static
links "$work/only-static/usr"
library only-shared -DBUILD_SHARED_LIBS=ON -DCMAKE_INSTALL_LIBDIR=lib/x86_64-linux-gnu
[ "$(cat "$work/libraries")" = 'libdownhill.so libdownhill.so.0.1 libdownhill.so.0.1.0 ' ] ||
    fail "only shared: $(cat "$work/libraries")"
[ -e "$work/only-shared/usr/lib/x86_64-linux-gnu/cmake/downhill/downhillConfig.cmake" ] ||
    fail 'only shared: downhillConfig.cmake is not installed'
builds "$work/only-shared/usr" downhill::downhill
library absolute -DBUILD_SHARED_LIBS=ON -DCMAKE_INSTALL_PREFIX="$work/elsewhere" \
    -DCMAKE_INSTALL_LIBDIR="$work/elsewhere/lib64"
[ -e "$work/absolute$work/elsewhere/lib64/libdownhill.so" ] ||
    fail 'an absolute CMAKE_INSTALL_LIBDIR is not staged below DESTDIR'
mv "$work/absolute$work/elsewhere" "$work/elsewhere"
builds "$work/elsewhere/lib64/cmake" downhill::downhill

# The message about a missing level tells whether DOWNHILL_LEVELS left it out or the compiler cannot
# build it.
cat >"$work/why.c" <<'END'
#include <downhill.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    const downhill_kernels *kernels;
    char why[1024];
    for (int i = 1; i < argc; i++) {
        downhill_select(argv[i], &kernels, why, sizeof why);
        puts(why);
    }
    return 0;
}
END
absent_levels() { # reason, the levels of the last build that must give it
    local reason=$1
    shift
    "$cc" -I "$root/kernels" -o "$work/why" "$work/why.c" "$work/build/kernels/libdownhill.a" -lm
    "$work/why" "$@" >"$work/log"
    [ "$(grep -cF "not usable here: $reason" "$work/log")" -eq $# ] ||
        fail "not all of $* are unusable because '$reason': $(cat "$work/log")"
}
plain=(-S "$root" -B "$work/build" -G Ninja -DDOWNHILL_BUILD_PROGRAM=OFF -DDOWNHILL_BUILD_TESTS=OFF)
cat >"$work/old-cc" <<END
#!/bin/sh
case "\$*" in *probes/avxvnni.c*|*probes/avx512*.c*|*probes/amx.c*) exit 1 ;; esac
exec $cc "\$@"
END
chmod +x "$work/old-cc"
rm -rf "$work/build"
cmake "${plain[@]}" -DCMAKE_C_COMPILER="$work/old-cc" -DDOWNHILL_LEVELS=avx2 >"$work/log" 2>&1 ||
    fail "$(cat "$work/log")"
! grep -E 'avx512|Warning' "$work/log" >&2 ||
    fail 'DOWNHILL_LEVELS=avx2: cmake reports levels that were not selected'
cmake --build "$work/build" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
absent_levels 'left out of this build' avx512 auto_avx512 amx
cmake "${plain[@]}" -DDOWNHILL_LEVELS= >"$work/log" 2>&1 || fail "$(cat "$work/log")"
for level in avxvnni avx512 avx512vnni avx512bf16 amx; do
    grep -q "cannot compile the $level level" "$work/log" ||
        fail "$level: cmake does not report that it cannot be compiled"
done
cmake --build "$work/build" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
absent_levels 'the compiler cannot build it' avx512 auto_avx512 amx
cmake "${plain[@]}" -DDOWNHILL_LEVELS=scalar >"$work/log" 2>&1 || fail "$(cat "$work/log")"
cmake --build "$work/build" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
absent_levels 'left out of this build' avx2 auto_avx2 avx512 amx

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# scripts/setup on systems that are made up: a directory of false commands stands before the real
# ones. Usage: check_setup.sh ROOT
# shellcheck disable=SC2016 # dollars and backticks are meant for others
set -euo pipefail
setup=$1/scripts/setup
fake=$(mktemp -d)
trap 'rm -rf "$fake"' EXIT

fail() {
    echo "check_setup: $1" >&2
    sed 's/^/  out: /' "$fake/out" >&2
    sed 's/^/  err: /' "$fake/err" >&2
    exit 1
}
command_that() { # name, what it does
    printf '#!/bin/sh\n%s\n' "$2" >"$fake/$1"
    chmod +x "$fake/$1"
}
run() { # expected exit code, arguments
    local want=$1 code=0
    shift
    PATH="$fake:$PATH" "$setup" "$@" >"$fake/out" 2>"$fake/err" </dev/null || code=$?
    [ "$code" -eq "$want" ] || fail "setup $*: exit code $code, not $want"
}

run 2
run 2 nonsense
run 2 test extra
run 0 --help
grep -q 'scripts/setup test' "$fake/out" || fail '--help does not show the usage'

# Nothing missing: nothing is called.
command_that dpkg-query 'echo installed'
command_that apt-get "echo \"\$@\" >>$fake/apt; exit 0"
command_that sudo "echo \"\$@\" >>$fake/sudo; exit 1"
run 0 test
[ ! -e "$fake/apt" ] || fail 'apt-get was called with nothing missing'

# Two missing, and no right: the exact line, and exit code 5.
command_that dpkg-query 'case "$4" in libcmocka-dev|cmake) exit 1 ;; *) echo installed ;; esac'
command_that id 'echo 1000'
run 5 test
grep -q 'cmake  *build system' "$fake/out" || fail 'does not say what cmake is for'
grep -qxF '  apt-get update && apt-get install -y --no-install-recommends cmake libcmocka-dev' \
    "$fake/err" || fail 'does not print the line to run'
[ ! -e "$fake/apt" ] || fail 'apt-get was called without the right to'
# scripts/bench does not need the test framework.
run 5 bench
! grep -q cmocka "$fake/out" || fail 'bench asks for a package of the tests'

# What only the comparison with other libraries needs is asked for by nothing else.
command_that dpkg-query 'case "$4" in python3-torch|python3-sklearn) exit 1 ;; *) echo installed ;; esac'
run 0 bench
run 0 test
run 5 peers
grep -qxF '  apt-get update && apt-get install -y --no-install-recommends python3-torch python3-sklearn' \
    "$fake/err" || fail 'peers does not ask for both libraries'
command_that dpkg-query 'case "$4" in libcmocka-dev|cmake) exit 1 ;; *) echo installed ;; esac'
run 0 peers

# As root: installs those two.
command_that id 'echo 0'
run 0 test
grep -qxF 'install -y --no-install-recommends cmake libcmocka-dev' "$fake/apt" ||
    fail 'apt-get was not called for the two'

# Through sudo.
rm "$fake/apt"
command_that id 'echo 1000'
command_that sudo '[ "$1" = -n ] && exit 0; exec "$@"'
run 0 test
grep -q '^install' "$fake/apt" || fail 'sudo was not used'

# A failing installation shows its output and fails.
command_that apt-get 'echo "E: disk full"; exit 100'
run 5 test
grep -q 'E: disk full' "$fake/err" || fail 'the reason of apt-get is not shown'

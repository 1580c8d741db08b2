#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs scripts/setup on simulated systems: a directory of fake commands comes first in PATH.
# Usage: check_setup.sh ROOT
# shellcheck disable=SC2016 # dollars are for the fake commands
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
fake_command() { # name, shell code
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
grep -q "^setup: unknown argument 'nonsense'$" "$fake/err" ||
    fail 'the unknown argument is not named'
grep -q 'scripts/setup test' "$fake/err" || fail 'the usage is not shown after the error'
run 2 test extra
grep -q "^setup: unexpected argument 'extra'$" "$fake/err" ||
    fail 'the extra argument is not named'
run 0 --help
grep -q 'scripts/setup test' "$fake/out" || fail '--help does not show the usage'

# If no package is missing, apt-get is not called.
fake_command dpkg-query 'echo installed'
fake_command apt-get "echo \"\$@\" >>$fake/apt; exit 0"
fake_command sudo "echo \"\$@\" >>$fake/sudo; exit 1"
run 0 test
[ ! -e "$fake/apt" ] || fail 'apt-get was called although no package is missing'

# If two packages are missing and the user is not root: prints the command, exit code 5.
fake_command dpkg-query 'case "$4" in libcmocka-dev|cmake) exit 1 ;; *) echo installed ;; esac'
fake_command id 'echo 1000'
run 5 test
grep -q 'cmake  *build system' "$fake/out" || fail 'the output does not say what cmake is for'
grep -qxF '  apt-get update && apt-get install -y --no-install-recommends cmake libcmocka-dev' \
    "$fake/err" || fail 'stderr does not contain the command to run'
[ ! -e "$fake/apt" ] || fail 'apt-get was called by a user without the rights'
# scripts/bench does not need the test framework.
run 5 bench
! grep -q cmocka "$fake/out" || fail 'setup bench requires a package of the tests'

# Only setup peers requires the packages of other libraries.
fake_command dpkg-query \
    'case "$4" in python3-torch|python3-sklearn) exit 1 ;; *) echo installed ;; esac'
run 0 bench
run 0 test
run 5 peers
install='apt-get update && apt-get install -y --no-install-recommends'
grep -qxF "  $install python3-torch python3-sklearn" "$fake/err" ||
    fail 'setup peers does not require both libraries'
fake_command dpkg-query 'case "$4" in libcmocka-dev|cmake) exit 1 ;; *) echo installed ;; esac'
run 0 peers

# As root it installs the two packages.
fake_command id 'echo 0'
run 0 test
grep -qxF 'install -y --no-install-recommends cmake libcmocka-dev' "$fake/apt" ||
    fail 'apt-get was not called for the two packages'

# Without root it uses sudo if that needs no password.
rm "$fake/apt"
fake_command id 'echo 1000'
fake_command sudo '[ "$1" = -n ] && exit 0; exec "$@"'
run 0 test
grep -q '^install' "$fake/apt" || fail 'sudo was not used'

# If the installation fails, its output is shown.
fake_command apt-get 'echo "E: disk full"; exit 100'
run 5 test
grep -q 'E: disk full' "$fake/err" || fail 'the error of apt-get is not shown'

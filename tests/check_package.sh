#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The Debian packages: cpack builds them, lintian accepts them, and they contain every file. Also
# the completion of bash. Usage: check_package.sh ROOT BUILD
set -euo pipefail
root=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "check_package: $1" >&2
    exit 1
}

(cd "$build" && cpack -G DEB -B "$work") >"$work/log" 2>&1 || fail "cpack: $(tail -n 5 "$work/log")"
lintian --allow-root --fail-on error "$work"/*.deb >"$work/log" 2>&1 ||
    fail "lintian: $(cat "$work/log")"
for package in "$work"/*.deb; do
    dpkg-deb -x "$package" "$work/root"
done
for file in bin/downhill lib/libdownhill.so.0.1 lib/libdownhill.so lib/libdownhill.a \
    include/downhill.h lib/pkgconfig/downhill.pc lib/cmake/downhill/downhillConfig.cmake \
    libexec/downhill/scripts/report libexec/downhill/scripts/gallery \
    libexec/downhill/reports/gallery.schema.json share/bash-completion/completions/downhill \
    share/doc/downhill/copyright; do
    [ -e "$work/root/usr/$file" ] || fail "usr/$file is in no package"
done

# A manual page for the program and for each of its commands.
downhill=$work/root/usr/bin/downhill
"$downhill" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' >"$work/commands"
while read -r command; do
    zcat "$work/root/usr/share/man/man1/downhill-$command.1.gz" >"$work/page" ||
        fail "$command has no manual page"
    grep -q "^downhill.*${command//-/.*} " "$work/page" ||
        fail "the manual page of $command does not name the command"
    grep -qx '\.SH SYNOPSIS' "$work/page" || fail "the manual page of $command has no synopsis"
done <"$work/commands"
[ "$(wc -l <"$work/commands")" -ge 13 ] ||
    fail 'found fewer than 13 commands in the output of --help: fix this script'

# Prints the completions of the last word.
# shellcheck disable=SC2030,SC2031
complete_with() (
    # shellcheck disable=SC1091
    . "$root/cli/shell/downhill.bash"
    COMP_WORDS=("$downhill" "$@")
    COMP_CWORD=$#
    _downhill
    echo "${COMPREPLY[*]}"
)
offers() {
    local want=$1
    shift
    got=$(complete_with "$@")
    [ "$got" = "$want" ] || fail "the completions of '$*' are '$got', not '$want'"
}
offers 'step-sweep' st
offers '--lr --lr-factor --lr-every' train --lr
offers '--output' report --out
offers '--add' gallery --a
offers 'gen' data g
offers '--noise' data gen --no
offers 'scalar' train --isa sc
offers 'constant step inverse cosine' train --schedule ''
offers 'cifar10 cifar100' data gen --format c

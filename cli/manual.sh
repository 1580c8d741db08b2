#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Makes the manual pages of the program and of each command from the output of --help, by help2man.
# Usage: manual.sh PROGRAM DIRECTORY
set -euo pipefail
program=$1 directory=$2
version=$("$program" --version | cut -d' ' -f2)
rm -rf "$directory"
mkdir -p "$directory"

# page COMMAND... SUMMARY: writes the page of one command
page() {
    local what=${*: -1} words=("${@:1:$#-1}") name
    name=$(IFS=-; echo "downhill${words[*]:+-${words[*]}}")
    help2man --no-info --section=1 --manual='downhill' --source="downhill $version" \
        --version-string="$version" --name="$what" "$program ${words[*]}" |
        sed -e "1,6s/^downhill[ a-z-]* \\\\-/${name//-/\\\\-} \\\\-/" \
            -e "s/^\.TH .* \"1\"/.TH ${name^^} \"1\"/" | gzip -9n >"$directory/$name.1.gz"
}

page 'SIMD kernels for linear classifiers: verified, measured, and put to work'
while read -r command what; do
    page "$command" "${what%.}"
done < <("$program" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]* *.*\)/\1/p')
for command in gen check; do
    page data "$command" "$("$program" data "$command" --help | sed -n '3,/^$/p' | tr '\n' ' ' |
        sed 's/[.;].*//')"
done

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Checks the formatting of all sources, shellcheck, the licence lines, the length of lines, and the
# includes between the folders of kernels/. Usage: check_sources.sh ROOT
set -euo pipefail
cd "$1"
bad=0
complain() {
    echo "check_sources: $1" >&2
    bad=1
}

mapfile -t sources < <(find base bench cli data kernels parallel tests train verify \
    -name '*.[ch]' -o -name '*.cc')
[ ${#sources[@]} -gt 60 ] || complain "found only ${#sources[@]} sources: is ROOT the source tree?"
clang-format --dry-run -Werror "${sources[@]}" ||
    complain 'the format differs; run clang-format -i FILE'

mapfile -t python < <(grep -rlE --exclude-dir=build --exclude-dir=.git '^#!.*python3' scripts tests)
black -q --check -S -l 100 "${python[@]}" scripts/downhill_* tests examples ||
    complain 'the format differs; run black -S -l 100 FILE'

mapfile -t scripts < <(grep -rlE --exclude-dir=build --exclude-dir=.git '^#!.*bash' \
    scripts tests .ci)
[ ${#scripts[@]} -ge 6 ] || complain "found only ${#scripts[@]} scripts: is ROOT the source tree?"
shellcheck "${scripts[@]}" || complain 'shellcheck found errors; fix them'

for file in "${sources[@]}" "${scripts[@]}" "${python[@]}"; do
    head -n 3 "$file" | grep -q 'SPDX-License-Identifier: MIT' ||
        complain "$file: has no SPDX licence line"
    ! grep -nP '[ \t]+$' "$file" || complain "$file: remove the white space at the end of lines"
done

# clang-format wraps C; black wraps neither strings nor comments, and nothing wraps shell scripts.
mapfile -t wrapped < <(find . \( -path ./build -o -path ./.git \) -prune -o \
    \( -name '*.py' -o -name '*.sh' -o -name '*.bash' \) -print)
mapfile -t wrapped < <(printf '%s\n' "${wrapped[@]#./}" "${scripts[@]}" "${python[@]}" | sort -u)
for file in "${wrapped[@]}"; do
    ! LC_ALL=C.UTF-8 grep -nHE '.{101}' "$file" || complain "$file: lines exceed 100 columns"
done

# Include rules in kernels/: a call goes from api/ to driver/ to a micro-kernel, and never back.
for file in kernels/*/*.[ch]; do
    folder=$(basename "$(dirname "$file")")
    case "$folder" in
    api) allowed='api/|driver/|isa/' ;;
    driver) allowed='driver/|isa/|simd/prefetch\.h|simd/tiles\.h' ;;
    isa) allowed='isa/' ;;
    simd) allowed='simd/|isa/' ;;
    *) allowed="$folder/|simd/|isa/" ;;
    esac
    ! grep -nE '^#include "' "$file" | grep -vE "\"($allowed|downhill\.h\")" ||
        complain "$file: may not include the headers above"
done
exit "$bad"

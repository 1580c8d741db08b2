#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The layout of the C, the scripts, and what every file must carry. Usage: check_sources.sh ROOT
set -euo pipefail
cd "$1"
bad=0
complain() {
    echo "check_sources: $1" >&2
    bad=1
}

mapfile -t sources < <(find base bench cli data kernels parallel tests train verify -name '*.[ch]' -o -name '*.cc')
[ ${#sources[@]} -gt 60 ] || complain "found only ${#sources[@]} sources: is this the source tree?"
clang-format --dry-run -Werror "${sources[@]}" || complain 'fix the layout: clang-format -i FILE'

mapfile -t python < <(grep -rlE --exclude-dir=build --exclude-dir=.git '^#!.*python3' scripts tests)
black -q --check -S -l 100 "${python[@]}" scripts/downhill_* tests examples ||
    complain 'fix the layout: black -S -l 100 FILE'

mapfile -t scripts < <(grep -rlE --exclude-dir=build --exclude-dir=.git '^#!.*bash' scripts tests .ci)
[ ${#scripts[@]} -ge 6 ] || complain "found only ${#scripts[@]} scripts"
shellcheck "${scripts[@]}" || complain 'mend what shellcheck found'

for file in "${sources[@]}" "${scripts[@]}" "${python[@]}"; do
    head -n 3 "$file" | grep -q 'SPDX-License-Identifier: MIT' || complain "$file: no licence line"
    ! grep -nP '[ \t]+$' "$file" || complain "$file: space at the end of a line"
done
# Who may include whom in kernels/: a call goes from api/ to driver/ to a micro-kernel, and never back.
for file in kernels/*/*.[ch]; do
    folder=$(basename "$(dirname "$file")")
    case "$folder" in
    api) may='api/|driver/|isa/' ;;
    driver) may='driver/|isa/|simd/prefetch\.h|simd/tiles\.h' ;;
    isa) may='isa/' ;;
    simd) may='simd/|isa/' ;;
    *) may="$folder/|simd/|isa/" ;;
    esac
    ! grep -nE '^#include "' "$file" | grep -vE "\"($may|downhill\.h\")" || complain "$file: may not include this"
done
exit "$bad"

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
clang-format --dry-run -Werror "${sources[@]}" || complain 'mend the layout: clang-format -i FILE'

mapfile -t scripts < <(grep -rlE --exclude-dir=build --exclude-dir=.git '^#!.*bash' scripts tests .ci)
[ ${#scripts[@]} -ge 6 ] || complain "found only ${#scripts[@]} scripts"
shellcheck "${scripts[@]}" || complain 'mend what shellcheck found'

for file in "${sources[@]}" "${scripts[@]}"; do
    head -n 3 "$file" | grep -q 'SPDX-License-Identifier: MIT' || complain "$file: no licence line"
    ! grep -nP '[ \t]+$' "$file" || complain "$file: space at the end of a line"
done
exit "$bad"

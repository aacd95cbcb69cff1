#!/bin/sh
# format.sh ROOT: clang-format has the last word on layout. --fix instead of complaining: format.sh ROOT --fix
set -eu
cd "$1"
command -v clang-format >/dev/null || { echo "skipped: clang-format is not installed"; exit 77; }
mode="--dry-run --Werror"
[ "${2-}" = --fix ] && mode=-i
# shellcheck disable=SC2086 # two words
find src tests fuzz bench -name '*.[ch]' -not -path '*/bad/*' -print0 | xargs -0 clang-format $mode

#!/bin/sh
# page.sh PROGRAM SCREEN: the cases of one screen, in Debian's Chromium (run.mjs). Exit 77: what they need is not here.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
command -v chromium-headless-shell >/dev/null || { echo 'skipped: there is no Chromium (package chromium-headless-shell)'; exit 77; }
"$here/../packages.sh" "$here" || exit $?
exec node "$here/run.mjs" "$@"

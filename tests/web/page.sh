#!/bin/sh
# page.sh WHAT WEB: tests of the page that need no browser. WHAT: unit (logic, with node --test), types (svelte-check), dist
# (what is committed in WEB/dist is what the sources give; see dist.mjs). Exit 77: Node or the packages cannot be had here.
set -eu
what=$1
web=$(CDPATH='' cd -- "$2" && pwd)
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
"$here/../packages.sh" "$web" || exit $?
cd "$web"
case $what in
unit) exec node test/run.mjs ;;
types) exec npm run --silent check ;;
dist) exec node "$here/dist.mjs" "$web" ;;
*) echo "no such test: $what" >&2; exit 2 ;;
esac

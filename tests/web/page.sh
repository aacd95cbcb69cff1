#!/bin/sh
# page.sh WHAT WEB: tests of the page that need no browser. WHAT: unit (logic, with node --test), types (svelte-check), dist
# (what is committed in WEB/dist is what the sources give; see dist.mjs). Exit 77: Node or the packages cannot be had here.
set -eu
what=$1
web=$(CDPATH='' cd -- "$2" && pwd)
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
skip() { echo "skipped: $1"; exit 77; }

command -v node >/dev/null || skip 'there is no Node.js'
cd "$web"
# Tests run side by side: one of them fetches, the others wait.
(
    flock 9
    if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
        command -v npm >/dev/null || exit 77
        npm ci --ignore-scripts --no-audit --no-fund >node_modules.log 2>&1 || { tail -n 5 node_modules.log; exit 77; }
        touch node_modules/.package-lock.json
    fi
) 9<package-lock.json || skip 'the packages of web/package-lock.json are not here, and npm could not fetch them'

case $what in
unit) exec node test/run.mjs ;;
types) exec npm run --silent check ;;
dist) exec node "$here/dist.mjs" "$web" ;;
*) echo "no such test: $what" >&2; exit 2 ;;
esac

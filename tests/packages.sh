#!/bin/sh
# packages.sh DIR: the npm packages of DIR/package-lock.json, fetched where they are not there yet. Tests run side by side:
# one of them fetches, the others wait. Exit 77: they cannot be had here.
set -eu
cd -- "$1"
command -v node >/dev/null || { echo 'skipped: there is no Node.js'; exit 77; }
(
    flock 9
    if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
        command -v npm >/dev/null || exit 77
        npm ci --ignore-scripts --no-audit --no-fund >node_modules.log 2>&1 || { tail -n 5 node_modules.log; exit 77; }
        touch node_modules/.package-lock.json
    fi
) 9<package-lock.json || { echo "skipped: the packages of $1/package-lock.json are not here, and npm could not fetch them"; exit 77; }

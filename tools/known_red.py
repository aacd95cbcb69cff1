#!/usr/bin/env python3
"""known_red.py BUILD_DIR: the tests of a build that fail must be named in tests/known_red.txt; any other fails."""
import json
import pathlib
import sys

log = pathlib.Path(sys.argv[1]) / 'meson-logs/testlog.json'
root = pathlib.Path(__file__).resolve().parent.parent
known = {line.split()[0] for line in (root / 'tests/known_red.txt').read_text().splitlines()
         if line.strip() and not line.startswith('#')}
if not log.is_file():
    sys.exit(f'{log}: no test was run')
results = [json.loads(line) for line in log.read_text().splitlines() if line.strip()]
red = {r['name'].split(' / ')[-1].split(':')[-1].strip() for r in results
       if r['result'] in ('FAIL', 'TIMEOUT', 'ERROR', 'UNEXPECTEDPASS')}
print('known to fail:', ', '.join(sorted(red & known)) or 'none')
if red - known:
    sys.exit('failing, and not known to: ' + ', '.join(sorted(red - known)))
sys.exit(0 if results else 'no test was run')

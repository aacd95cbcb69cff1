#!/usr/bin/env python3
"""prerequisites.py BUILD [+SUITE...] [-SUITE...]: what the tests of these suites need built, as targets for ninja.

No +SUITE means all; -SUITE leaves out, whatever else a test belongs to, as `meson test --no-suite` does. Headers that are
compiled alone and benchmarks make a sixth of a sanitizer's build and are no use there.
"""
import json
import os
import subprocess
import sys


def main(build, *suites):
    def ask(what):
        return json.loads(subprocess.check_output(['meson', 'introspect', what, build], text=True))

    subprocess.run(['ninja', '-C', build, 'build.ninja'], check=True, stdout=subprocess.DEVNULL)  # tests may be new
    wanted, unwanted = ({s[1:] for s in suites if s[0] == sign} for sign in '+-')
    files = {target['id']: target['filename'] for target in ask('--targets')}
    needed = set()
    for test in ask('--tests'):
        of = {suite.rpartition(':')[2] for suite in test['suite']}
        if not of & unwanted and (not wanted or of & wanted):
            needed.update(test['depends'])
    print('\n'.join(os.path.relpath(file, build) for target in sorted(needed) for file in files[target]))


main(*sys.argv[1:])

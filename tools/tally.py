#!/usr/bin/env python3
"""tally.py [--broken NAME]... [--skipped NAME]... BUILD_DIR...: count test cases over builds and name what failed.

A case is one line 'ok   name' or 'FAIL name' that a test program prints (tests/test.h); a test without such lines is one
case. A program that dies (crash, time-out, sanitizer report) is one failed case more, also where every line it still
printed says ok. --broken and --skipped count what never came to a testlog: a build that failed, a build left out.
"""
import json
import pathlib
import re
import sys

CASE = re.compile(r'^(ok  |FAIL) (\S+)', re.MULTILINE)


def read_log(build):
    paths = sorted((pathlib.Path(build) / 'meson-logs').glob('testlog*.json'))
    if not paths:
        return None
    return [json.loads(line) for path in paths for line in path.read_text(errors='replace').splitlines()]


def count_test(test):
    """(passed, names of failed cases, skipped) of one entry of a testlog."""
    result = test['result']
    if result == 'SKIP':
        return 0, [], 1
    if result == 'EXPECTEDFAIL':  # a should_fail test: its FAIL lines are what it is there for
        return 1, [], 0
    cases = CASE.findall(test.get('stdout', ''))
    passed = sum(1 for verdict, _ in cases if verdict == 'ok  ')
    failed = [f'{test["name"]}: {name}' for verdict, name in cases if verdict == 'FAIL']
    if result != 'OK' and not failed:
        failed = [f'{test["name"]}: {result.lower()}, exit code {test.get("returncode")}']
    elif result == 'OK' and not cases:
        passed = 1
    return passed, failed, 0


def main(arguments):
    passed, skipped, failed, builds = 0, 0, [], []
    words = iter(arguments)
    for word in words:
        if word == '--broken':
            failed.append(next(words))
        elif word == '--skipped':
            print('skipped: ' + next(words))
            skipped += 1
        else:
            builds.append(word)
    for build in builds:
        log = read_log(build)
        if log is None:
            failed.append(f'{build}: no test was run')
            continue
        for test in log:
            test_passed, test_failed, test_skipped = count_test(test)
            passed += test_passed
            failed += [f'{build}: {name}' for name in test_failed]
            skipped += test_skipped
            if test_skipped:
                why = re.search(r'skipped: (.*)', test.get('stdout', ''))
                print(f'skipped: {build}: {test["name"]}' + (f': {why[1]}' if why else ''))
    for name in failed:
        print('FAILED: ' + name)
    print(f'{passed} passed, {len(failed)} failed' + (f', {skipped} skipped' if skipped else ''))
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

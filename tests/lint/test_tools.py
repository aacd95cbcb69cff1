#!/usr/bin/env python3
"""test_tools.py ROOT: the tools behind ./run and ./test: what is installed when, and how cases are counted."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

root = pathlib.Path(sys.argv[1]).resolve()
cases = []


def case(check):
    cases.append(check)
    return check


PACKAGES = '''# package  for   how to see  purpose
present run command:sh the shell
absent run command:no-such-command-here looks at things
library-absent run library:no-such-library-here reads things
only-for-tests test file:/no/such/file/* tries things
'''


def need(scratch, kind, commands):
    """Runs tools/need on the list above, with only these commands on the PATH: name -> script, None for the real one."""
    tools, path = scratch / 'tools', scratch / 'bin'
    shutil.rmtree(path, ignore_errors=True)
    tools.mkdir(exist_ok=True)
    path.mkdir()
    shutil.copy(root / 'tools/need', tools)
    (tools / 'packages.txt').write_text(PACKAGES)
    for name in ['sh', 'awk', 'dirname', 'mktemp', 'rm', 'tail', 'ls', 'env', 'cat']:
        (path / name).symlink_to(shutil.which(name))
    for name, script in commands.items():
        (path / name).write_text('#!/bin/sh\n' + script + '\n')
        (path / name).chmod(0o755)
    return subprocess.run([shutil.which('sh'), tools / 'need', kind], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, env={'PATH': str(path), 'LOG': str(scratch / 'log')})


def apt_log(scratch):
    log = scratch / 'log'
    return log.read_text() if log.is_file() else ''


@case
def root_installs_what_is_missing_and_says_why(scratch):
    done = need(scratch, 'run', {'id': 'echo 0', 'apt-get': 'echo "$@" >>"$LOG"'})
    return (done.returncode == 0 and 'looks at things' in done.stderr and 'present' not in done.stderr
            and 'only-for-tests' not in done.stderr
            and 'install -y --no-install-recommends absent library-absent\n' in apt_log(scratch))


@case
def tests_need_the_rows_for_tests_too(scratch):
    done = need(scratch, 'test', {'id': 'echo 0', 'apt-get': 'echo "$@" >>"$LOG"'})
    return done.returncode == 0 and 'absent library-absent only-for-tests\n' in apt_log(scratch)


@case
def a_user_installs_through_sudo(scratch):
    done = need(scratch, 'run', {'id': 'echo 1000', 'apt-get': 'echo "$@" >>"$LOG"',
                                 'sudo': '[ "$1" = -n ] && shift; echo "sudo $*" >>"$LOG"; "$@"', 'true': 'exit 0'})
    return done.returncode == 0 and 'sudo env DEBIAN_FRONTEND=noninteractive apt-get' in apt_log(scratch)


@case
def a_user_without_sudo_gets_the_line_to_type(scratch):
    done = need(scratch, 'run', {'id': 'echo 1000', 'apt-get': 'exit 1'})
    return (done.returncode == 1 and 'Neither root nor sudo' in done.stderr
            and 'apt-get install --no-install-recommends absent library-absent' in done.stderr)


@case
def sudo_that_asks_for_a_password_without_a_terminal_is_said(scratch):
    done = need(scratch, 'run', {'id': 'echo 1000', 'apt-get': 'exit 1', 'sudo': 'exit 1'})
    return done.returncode == 1 and 'no terminal to type it at' in done.stderr


@case
def another_system_gets_the_names_of_the_packages(scratch):
    done = need(scratch, 'run', {'id': 'echo 0'})
    return done.returncode == 1 and 'no Debian-like system' in done.stderr and 'library-absent' in done.stderr


@case
def a_failing_apt_is_tried_with_fresh_lists_and_then_explained(scratch):
    done = need(scratch, 'run', {'id': 'echo 0', 'apt-get': 'echo "$@" >>"$LOG"; echo "cannot resolve host"; exit 100'})
    return (done.returncode == 1 and 'cannot resolve host' in done.stderr and 'no network?' in done.stderr
            and '\nupdate\n' in '\n' + apt_log(scratch))


@case
def nothing_missing_is_silent(scratch):
    found = {'no-such-command-here': 'exit 0', 'pkg-config': 'exit 0', 'apt-get': 'echo "$@" >>"$LOG"'}
    done = need(scratch, 'run', found)
    return done.returncode == 0 and done.stderr == '' and done.stdout == '' and apt_log(scratch) == ''


def tally(scratch, tests, *more):
    if tests is not None:
        (scratch / 'meson-logs').mkdir()
        (scratch / 'meson-logs/testlog.json').write_text('\n'.join(json.dumps(test) for test in tests))
    done = subprocess.run([sys.executable, root / 'tools/tally.py', *more, str(scratch)], capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()[-1], done.stdout


def entry(result, stdout='', code=0):
    return {'name': 't', 'result': result, 'stdout': stdout, 'returncode': code}


@case
def cases_are_counted_by_their_lines(scratch):
    code, last, _ = tally(scratch, [entry('OK', 'ok   one (3 checks)\nok   two (1 checks)\n'), entry('OK'),
                                    entry('SKIP', 'skipped: no data\n', 77), entry('EXPECTEDFAIL', 'FAIL red (1)\n', 1)])
    return code == 0 and last == '4 passed, 0 failed, 1 skipped'


@case
def failed_cases_are_counted_and_named(scratch):
    code, last, text = tally(scratch, [entry('FAIL', 'ok   one (3 checks)\nFAIL two (1 checks)\n', 1)])
    return code == 1 and last == '1 passed, 1 failed' and 't: two' in text


@case
def a_crash_after_good_cases_counts_as_failed(scratch):
    code, last, text = tally(scratch, [entry('FAIL', 'ok   one (3 checks)\n', -11), entry('TIMEOUT'), entry('ERROR')])
    return code == 1 and last == '1 passed, 3 failed' and 'exit code -11' in text


@case
def a_build_that_failed_or_never_ran_counts_as_failed(scratch):
    code, last, _ = tally(scratch, None, '--broken', 'build-x: does not build', '--skipped', 'build-y')
    return code == 1 and last == '0 passed, 2 failed, 1 skipped'


@case
def no_case_at_all_is_no_success(scratch):
    code, last, _ = tally(scratch, [])
    return code == 1 and last == '0 passed, 0 failed'


@case
def run_without_a_folder_that_exists_says_so_before_anything_else(scratch):
    done = subprocess.run([root / 'run', str(scratch / 'none')], capture_output=True, text=True)
    usage = subprocess.run([root / 'run', '--frobnicate'], capture_output=True, text=True)
    return done.returncode == 3 and 'is not a folder' in done.stderr and usage.returncode == 2


@case
def every_room_of_the_build_has_its_library_in_the_package_list(scratch):
    """A dependency() of a meson.build without a package would break the first ./run of a newcomer."""
    listed = (root / 'tools/packages.txt').read_text()
    wanted = set()
    for path in (root / 'src').rglob('meson.build'):
        for part in path.read_text().split("dependency('")[1:]:
            wanted.add(part.split("'")[0])
    missing = [name for name in wanted - {'threads'} if f'library:{name} ' not in listed]
    print('no package for: ' + ' '.join(missing) if missing else f'{len(wanted)} dependencies listed')
    return wanted and not missing


def main():
    failed = 0
    for check in cases:
        with tempfile.TemporaryDirectory() as scratch:
            right = check(pathlib.Path(scratch))
        print(('ok   ' if right else 'FAIL ') + check.__name__)
        failed |= not right
    return int(failed)


sys.exit(main())

#!/usr/bin/env python3
"""test_lints.py ROOT: each lint must find what is wrong in its sample of bad code, all of it and nothing else.

bad/<case>/expect holds the lint's file name and the beginnings of the lines that it must print. In a sample,
'@90 text' stands for 90 lines of text, with # replaced by their numbers.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

root = pathlib.Path(sys.argv[1]).resolve()
lints = root / 'tools/lint'
samples = root / 'tests/lint/bad'


def expand(match):
    return '\n'.join(match[2].replace('#', str(i)) for i in range(int(match[1])))


def copy_sample(name, scratch):
    for path in (samples / name).rglob('*'):
        if path.is_file() and path.name != 'expect':
            target = scratch / path.relative_to(samples / name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(re.sub(r'^@(\d+) (.*)$', expand, path.read_text(), flags=re.MULTILINE))


def complain(command, expected):
    """True when the command exits 1 and says exactly these things."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    said = done.stdout.splitlines()
    right = done.returncode == 1
    if not right:
        print(f'exit code {done.returncode}, not 1: {done.stderr}')
    for text in expected:
        if not any(text in line for line in said):
            print(f'not said: {text}')
            right = False
    for line in said:
        if not any(text in line for text in expected):
            print(f'said without need: {line}')
            right = False
    return right


def source_lint_finds_what_is_wrong(name, scratch):
    copy_sample(name, scratch)
    lint, *expected = (samples / name / 'expect').read_text().splitlines()
    return complain([sys.executable, lints / lint, scratch], expected)


def lint_of_nothing_fails(name, scratch):
    """A check that looked at nothing must not pass."""
    return all(subprocess.run([sys.executable, lints / lint, scratch], capture_output=True).returncode == 1
               for lint in ['layers.py', 'limits.py', 'words.py', 'singleuse.py', 'symbols.py'])


def symbols_lint_finds_what_is_wrong(name, scratch):
    copy_sample(name, scratch)
    compiled = scratch / 'bad_symbols.c.o'
    subprocess.run(['cc', '-c', scratch / 'bad_symbols.c', '-o', compiled], check=True)
    subprocess.run(['ar', 'rc', scratch / 'libbad.a', compiled], check=True)
    return complain([sys.executable, lints / 'symbols.py', scratch / 'libbad.a'],
                    ['bad_symbols.c: count.', 'bad_symbols.c: global symbol loud does not start with pd_'])


def tracked_lint_finds_what_is_wrong(name, scratch):
    bad_text = ('path /wo' + 'rk/main\n', 'space \n', 'a\ttab\n', 'turned \u202e text\n', '[gone](gone.md) [here](a.md)\n')
    (scratch / 'a.md').write_text(''.join(bad_text) + 'no line end')
    (scratch / 'large.bin').write_bytes(bytes(2_000_001))
    (scratch / 'junk.o').write_bytes(b'')
    for folder in ['src/one', 'src/two', 'models/tiny']:
        (scratch / folder).mkdir(parents=True)
    (scratch / 'src/one/same.c').write_text('')
    (scratch / 'src/two/same.c').write_text('')
    (scratch / 'models/tiny/weights').write_bytes(bytes(2_000_001))
    for command in [['init', '-q'], ['add', '-A']]:
        subprocess.run(['git', '-C', scratch, *command], check=True)
    return complain([sys.executable, lints / 'tracked.py', scratch], [
        'a.md:1: a path of one machine', 'a.md:2: space at the end', 'a.md:3: tab', 'a.md:4: mark that turns',
        'a.md:5: link to gone.md', 'a.md:6: no line end', 'large.bin: 2000001 bytes', 'junk.o: looks generated',
        'two files are named alike: src/one/same.c src/two/same.c'])


def format_check_finds_what_is_wrong(name, scratch):
    for folder in ['src', 'tests', 'fuzz', 'bench']:
        (scratch / folder).mkdir()
    (scratch / '.clang-format').write_text((root / '.clang-format').read_text())
    (scratch / 'src/ugly.c').write_text('int  x( void );\n')
    command = ['sh', lints / 'format.sh', scratch]
    before = subprocess.run(command, capture_output=True).returncode
    if before == 77:
        return True
    subprocess.run([*command, '--fix'], check=True)
    after = subprocess.run(command, capture_output=True).returncode
    return before not in (0, 77) and after == 0 and (scratch / 'src/ugly.c').read_text() == 'int x(void);\n'


def main():
    cases = [(source_lint_finds_what_is_wrong, name) for name in ['layers', 'limits', 'words', 'singleuse']]
    cases += [(lint_of_nothing_fails, ''), (symbols_lint_finds_what_is_wrong, 'symbols'),
              (tracked_lint_finds_what_is_wrong, ''), (format_check_finds_what_is_wrong, '')]
    failed = 0
    for case, name in cases:
        with tempfile.TemporaryDirectory() as scratch:
            right = case(name, pathlib.Path(scratch))
        print(('ok   ' if right else 'FAIL ') + case.__name__ + (':' + name if name else ''))
        failed |= not right
    return int(failed)


sys.exit(main())

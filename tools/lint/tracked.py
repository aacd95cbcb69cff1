#!/usr/bin/env python3
"""tracked.py ROOT: what git tracks: no large or generated file, no path of one machine, clean text, links that lead
somewhere, and file names that are unique under src/."""
import collections
import os
import pathlib
import re
import subprocess
import sys

BYTES_MAX = 2_000_000
MAY_BE_LARGE = re.compile(r'models/.*|tests/data/tiny/.*')
GENERATED = re.compile(r'.*\.(o|a|so|pyc|orig|rej|swp|log)|.*~')
TEXT = re.compile(r'.*\.(c|h|py|sh|md|txt|json|csv|build|sql|yml)|[^.]*')
SKIPPED = 77
# Written in pieces, so that this file does not find itself.
MACHINE_PATHS = ['/wo' + 'rk/', '/fa' + 'rm/', '/bash' + '_jobs']
# Marks that turn the direction of text: what one reads would not be what the compiler reads.
DIRECTION_MARKS = re.compile('[\u202a-\u202e\u2066-\u2069]')
LINK = re.compile(r'\]\(([^)#\s]+)[^)]*\)')


def list_files(root):
    found = subprocess.run(['git', '-C', str(root), 'ls-files', '-z'], capture_output=True, text=True)
    return None if found.returncode else [name for name in found.stdout.split('\0') if name]


def wrong_lines(root, name, text):
    home = os.environ.get('HOME', '').rstrip('/')
    machine_paths = MACHINE_PATHS + [str(root.resolve()) + '/'] + ([home + '/'] if home.count('/') > 1 else [])
    for number, line in enumerate(text.split('\n'), 1):
        if any(path in line for path in machine_paths):
            yield number, 'a path of one machine'
        if line != line.rstrip():
            yield number, 'space at the end of the line'
        if '\t' in line and not name.endswith(('.tsv', '.txt')):
            yield number, 'tab'
        if DIRECTION_MARKS.search(line):
            yield number, 'mark that turns the direction of text'
        for target in LINK.findall(line) if name.endswith('.md') else []:
            if '://' not in target and not (root / name).parent.joinpath(target).exists():
                yield number, f'link to {target}, which is not there'
    if text and not text.endswith('\n'):
        yield text.count('\n') + 1, 'no line end at the end of the file'


def is_our_text(name):
    """Models and fixtures are other people's bytes."""
    return TEXT.fullmatch(name.split('/')[-1]) and not name.startswith(('models/', 'tests/data/', 'fuzz/corpus/',
                                                                        'tests/lint/bad/'))


def main(root):
    names = list_files(root)
    if names is None:
        print('skipped: this is not a git checkout')
        return SKIPPED
    found, places = [], collections.defaultdict(list)
    for name in names:
        path = root / name
        if not path.is_file():
            continue  # deleted, not yet committed
        size = path.stat().st_size
        if size > BYTES_MAX and not MAY_BE_LARGE.fullmatch(name):
            found.append(f'{name}: {size} bytes, limit {BYTES_MAX}')
        if GENERATED.fullmatch(name):
            found.append(f'{name}: looks generated')
        if name.startswith('src/') and name.endswith(('.c', '.h')):
            places[path.name].append(name)
        if is_our_text(name):
            text = path.read_text(errors='replace')
            found += [f'{name}:{line}: {why}' for line, why in wrong_lines(root, name, text)]
    found += [f'two files are named alike: {" ".join(same)}' for same in places.values() if len(same) > 1]
    print('\n'.join(found) if found else f'{len(names)} tracked files looked at')
    return 1 if found or not names else 0


if __name__ == '__main__':
    sys.exit(main(pathlib.Path(sys.argv[1])))

#!/usr/bin/env python3
"""check_docs.py ROOT MAKE_DOCS: what is written about the command line agrees with its tables, and docs/limits.md with
the limits in the headers. `check_docs.py ROOT MAKE_DOCS --renew` writes the generated files."""
import pathlib
import re
import subprocess
import sys

GENERATED = {
    'man': 'docs/man/pixel-detective.1',
    'bash': 'completions/pixel-detective.bash',
    'zsh': 'completions/_pixel-detective',
    'fish': 'completions/pixel-detective.fish',
}
# a limit: a #define or an enum constant of a public header that ends in _MAX
LIMIT = re.compile(r'^\s*#define\s+(PD_\w+_MAX)\s+(\S.*?)\s*(?:/\*.*)?$', re.MULTILINE)


def check_generated(root, make_docs, renew):
    bad = 0
    for kind, name in GENERATED.items():
        text = subprocess.run([make_docs, kind], check=True, stdout=subprocess.PIPE).stdout
        path = root / name
        if renew:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
        elif not path.is_file() or path.read_bytes() != text:
            print(f'{name}: differs from what the tables say; renew it: {make_docs} {kind} > {name}')
            bad += 1
    return bad


def contract_headers(root):
    """Headers that other rooms read: <room>/<room>.h and its parts, those of base, the options of the command line, and
    all of server."""
    for path in sorted((root / 'src').glob('*/*.h')):
        contract = path.parent / f'{path.parent.name}.h'
        if path.parent.name in ('base', 'cli', 'server') or path == contract:
            yield path
        elif contract.exists() and f'#include "{path.parent.name}/{path.name}"' in contract.read_text():
            yield path


def check_limits(root):
    text = (root / 'docs/limits.md').read_text()
    rows = set(re.findall(r'`(PD_\w+_MAX)`', text))
    due, known = set(), set()  # those of private headers may be told of too
    for path in contract_headers(root):
        due.update(name for name, _ in LIMIT.findall(path.read_text()))
    for path in (root / 'src').glob('*/*.h'):
        known.update(name for name, _ in LIMIT.findall(path.read_text()))
    for name in sorted(due - rows):
        print(f'docs/limits.md: does not mention {name}')
    for name in sorted(rows - known):
        print(f'docs/limits.md: mentions {name}, which no header defines')
    return len(due - rows) + len(rows - known)


def main(root, make_docs, *flags):
    bad = check_generated(root, make_docs, '--renew' in flags) + check_limits(root)
    print(f'{len(GENERATED)} generated files and the limits: {bad} wrong')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main(pathlib.Path(sys.argv[1]), *sys.argv[2:]))

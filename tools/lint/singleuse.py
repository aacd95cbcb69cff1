#!/usr/bin/env python3
"""singleuse.py ROOT: functions that nobody calls, that only their own file calls, or that stand in two files.

Contracts (<room>/<room>.h and the headers of base) may offer a function that the program does not call yet, as long as
a test does. Everything else in src/ must be called from another file of src/, or be static; a function that only its
own file calls may stay visible when a test or a fuzz target calls it too.
"""
import collections
import pathlib
import sys

from csource import Source, c_files

MIN_TOKENS_OF_COPY = 25  # shorter bodies look alike by chance


def is_contract(own_path, sources):
    """base's headers, <room>/<room>.h, and the parts that it is made of: what it includes of its own room."""
    folder, name = own_path.split('/')[-2:]
    room = sources.get(f'src/{folder}/{folder}.h')
    return (folder == 'base' or name == folder + '.h' or
            (room is not None and f'#include "{folder}/{name}"' in room.text))


def count_words(sources):
    """word -> {file: times it stands in code}, macros included"""
    uses = collections.defaultdict(collections.Counter)
    for own_path, source in sources.items():
        for token in source.tokens_of(source.code):
            uses[token.text][own_path] += 1
    return uses


def wrong_use(function, own_path, uses, contracts):
    """A sentence when this visible function should not be there or not be visible, else None."""
    files = uses[function.name]
    in_program = [p for p in files if p.startswith('src/') and p.endswith('.c') and p != own_path]
    in_tests = [p for p in files if not p.startswith('src/')]
    in_own = files[own_path] > 1
    if in_program or (in_own and in_tests):
        return None
    if any(files[path] for path in contracts):
        return None if in_own or in_tests else f'{function.name}: nobody calls it'
    if in_own:
        return f'{function.name}: only this file uses it; make it static'
    return f'{function.name}: ' + ('only tests call it' if in_tests else 'nobody calls it')


def wrong_uses(sources):
    uses = count_words(sources)
    contracts = [path for path in sources if path.endswith('.h') and path.startswith('src/') and is_contract(path, sources)]
    in_macros = set().union(*(source.macro_words() for source in sources.values()))
    for own_path, source in sources.items():
        if not own_path.startswith('src/') or not own_path.endswith('.c'):
            continue
        for function in source.functions:
            if function.is_static or not function.name.startswith('pd_') or function.name in in_macros:
                continue
            why = wrong_use(function, own_path, uses, contracts)
            if why:
                yield own_path, function.line, why


def copied_functions(sources):
    seen = {}
    for own_path, source in sources.items():
        # files for different instruction sets are alike by design, and may share no function (the linker picks one)
        if not own_path.startswith('src/') or own_path.startswith('src/kernels/'):
            continue
        for function in source.functions:
            body = ' '.join(token.text for token in function.body)
            if len(function.body) < MIN_TOKENS_OF_COPY:
                continue
            if body in seen and seen[body][0] != own_path:
                yield own_path, function.line, f'{function.name}: the same body stands in {seen[body][0]}'
            seen.setdefault(body, (own_path, function.name))


def main(root):
    sources = {path.relative_to(root).as_posix(): Source(path) for path in c_files(root)}
    found = [*wrong_uses(sources), *copied_functions(sources)]
    for own_path, line, why in found:
        print(f'{own_path}:{line}: {why}')
    if not any(source.functions for source in sources.values()):
        print('no function found: nothing was checked')
        return 1
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main(pathlib.Path(sys.argv[1])))

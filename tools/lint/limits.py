#!/usr/bin/env python3
"""limits.py ROOT: sizes that keep code readable. Above 'warn' a line is printed, above 'fail' the check fails. Lines of
data (initialisers at top level) do not count as lines of a file.

tools/lint/allowed.txt may excuse a measure (rows 'file name measure value'), and may only shrink: a row that is larger
than the code now needs fails too.
"""
import pathlib
import sys

from csource import Source, c_files, complexity, nesting

# measure -> (warn above, fail above)
LIMITS = {
    'lines of function': (80, 120),
    'lines of file': (800, 1200),
    'parameters': (6, 6),
    'parameters of kernel': (9, 9),
    'nesting': (4, 4),
    'complexity': (15, 15),
    'fields of struct': (25, 25),
}


def measure(path, own_path):
    """(line, name, measure, value) of everything that has a limit in one file."""
    source = Source(path)
    yield 1, '-', 'lines of file', source.text.count('\n') - source.table_lines
    for struct in source.structs:
        yield struct.line, struct.name, 'fields of struct', struct.fields
    for function in source.functions:
        # a callback of the HTTP library has eight, and that is not ours to choose
        is_kernel = 'kernels' in own_path.split('/') or own_path == 'src/server/http.c'
        yield function.line, function.name, 'lines of function', function.end_line - function.line + 1
        yield (function.line, function.name, 'parameters of kernel' if is_kernel else 'parameters',
               function.parameters)
        yield function.line, function.name, 'nesting', nesting(function)
        yield function.line, function.name, 'complexity', complexity(function)


def read_allowed(path):
    """{(file, name, measure): value}"""
    rows = {}
    if path.is_file():
        for line in path.read_text().splitlines():
            if line.strip() and not line.startswith('#'):
                file, name, *words, value = line.split()
                rows[file, name, ' '.join(words)] = int(value)
    return rows


def main(root):
    allowed = read_allowed(root / 'tools/lint/allowed.txt')
    bad, n_functions, needed = 0, 0, {}
    for path in c_files(root):
        own_path = path.relative_to(root).as_posix()
        for line, name, what, value in measure(path, own_path):
            n_functions += what == 'complexity'
            warn, fail = LIMITS[what]
            if value <= warn:
                continue
            key = (own_path, name, what)
            excused = value <= allowed.get(key, 0)
            needed[key] = max(value, needed.get(key, 0))
            verdict = 'allowed' if excused else 'FAIL' if value > fail else 'warning'
            bad |= verdict == 'FAIL'
            print(f'{own_path}:{line}: {name}: {what}: {value}, limit {fail if value > fail else warn} ({verdict})')
    for key, value in allowed.items():
        if needed.get(key, 0) < value or value <= LIMITS[key[2]][1]:
            print(f'tools/lint/allowed.txt: {" ".join(key)} {value}: needed is {needed.get(key, "nothing")}; shrink it')
            bad = 1
    if not n_functions:
        print('no function found: nothing was checked')
        bad = 1
    return int(bad)


if __name__ == '__main__':
    sys.exit(main(pathlib.Path(sys.argv[1])))

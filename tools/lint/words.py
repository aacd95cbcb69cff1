#!/usr/bin/env python3
"""words.py ROOT: calls and comments that do not belong here. Prints file:line for each and fails."""
import pathlib
import re
import sys

from csource import Source, c_files

# No length, no thread safety, no error: there is always a better one (base/str.h, base/buf.h, base/clock.h).
BANNED = {'strcpy', 'strcat', 'sprintf', 'vsprintf', 'strncpy', 'strncat', 'strtok', 'gets', 'atoi', 'atol', 'atoll',
          'atof', 'sscanf', 'vsscanf', 'localtime', 'gmtime', 'ctime', 'asctime', 'alloca', 'rand', 'tmpnam', 'mktemp'}
ALLOCATOR = {'malloc', 'calloc', 'realloc', 'reallocarray', 'free', 'strdup', 'strndup', 'asprintf', 'vasprintf',
             'getline', 'getdelim', 'posix_memalign', 'aligned_alloc', 'memalign'}
SURFACE = {'printf', 'fprintf', 'vprintf', 'vfprintf', 'dprintf', 'vdprintf', 'puts', 'fputs', 'putchar', 'fputc',
           'putc', 'perror', 'exit', 'quick_exit', 'abort', 'getenv', 'secure_getenv'}

MAY_ALLOCATE = {'src/base/mem.c'}
# The surface, a failed PD_CHECK, and the main() of the other programs.
MAY_SPEAK = re.compile(r'src/cli/.*|src/base/check\.c|src/decoder/decoder_main\.c|src/fetch/fetch_main\.c')

UNFINISHED = re.compile(r'\b(TODO|FIXME|XXX|HACK)\b(?!\s*\(#\d+\))')
BANNER = re.compile(r'([=*#~-])\1{7,}')
END_COMMENT = re.compile(r'^/[/*]+\s*end (of )?(if|for|while|switch|function|else|\w+\(\))', re.IGNORECASE)


def wrong_calls(source, own_path):
    in_src = own_path.startswith('src/')
    for name, line in source.calls():
        if name in BANNED:
            yield line, f'{name}() is banned'
        elif in_src and name in ALLOCATOR and own_path not in MAY_ALLOCATE:
            yield line, f'{name}(): memory comes from base/mem.h'
        elif in_src and name in SURFACE and not MAY_SPEAK.fullmatch(own_path):
            yield line, f'{name}(): below cli nobody prints, exits or reads the environment'


def wrong_declarations(source, own_path):
    for token in source.tokens:
        if token.text == 'extern' and own_path.endswith('.c'):
            yield token.line, 'extern in a .c: include the header that declares it'


def wrong_comments(source):
    for first_line, comment in source.comments:
        if END_COMMENT.match(comment):
            yield first_line, 'a comment that repeats the code before it'
        for line, text in enumerate(comment.splitlines(), first_line):
            if UNFINISHED.search(text):
                yield line, f'{UNFINISHED.search(text)[1]} without an issue: write TODO (#12), or do it'
            if BANNER.search(text.strip('/* ')) and not re.search(r'[|+<>]', text):
                yield line, 'banner comment'


def main(root):
    bad, n_files = 0, 0
    for path in c_files(root):
        own_path = path.relative_to(root).as_posix()
        source = Source(path)
        n_files += 1
        for line, why in [*wrong_calls(source, own_path), *wrong_declarations(source, own_path),
                          *wrong_comments(source)]:
            print(f'{own_path}:{line}: {why}')
            bad = 1
    if not n_files:
        print('no C file found: nothing was checked')
        bad = 1
    return bad


if __name__ == '__main__':
    sys.exit(main(pathlib.Path(sys.argv[1])))

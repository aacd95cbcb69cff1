#!/usr/bin/env python3
"""symbols.py LIBRARY...: every global symbol starts with pd_, and no room keeps mutable data of its own.

Looks at compiled objects, so macros and generated code count too. For plain builds only: sanitizers add symbols.
"""
import re
import subprocess
import sys

# The program's only mutable globals: the allocator's counters and its test hook; jansson's allocator set once; the
# SHA-256 routine chosen once for this CPU.
MAY_KEEP_STATE = {'mem.c': r'.*', 'json.c': r'once', 'sha256.c': r'once|blocks'}
GLOBAL_PREFIX = re.compile(r'pd_')
# .data.rel.ro is constant once the program runs; everything else of these is not.
MUTABLE_SECTION = re.compile(r'\.(data|bss|tdata|tbss)(?!\.rel\.ro)(\..*)?$')


def read_objects(library):
    """(object's source name, its symbol lines) of an archive, thin or not."""
    listing = subprocess.run(['objdump', '--syms', library], check=True, capture_output=True, text=True).stdout
    for part in re.split(r'\n(?=\S+:\s+file format)', listing):
        head = re.match(r'\s*(\S+):\s+file format', part)
        if head:
            # build/src/base/libbase.a.p/mem.c.o or base.p/mem.c.o -> mem.c
            yield re.sub(r'\.o$', '', head[1].split('/')[-1]), part.splitlines()[1:]


def wrong_symbols(source, lines):
    for line in lines:
        # value, flags (7 columns), section, size, name
        match = re.match(r'[0-9a-f]+ (.{7}) (\S+)\s+[0-9a-f]+ (?:\.hidden )?(\S+)$', line)
        if not match or match[2] == '*UND*':
            continue
        flags, section, name = match.groups()
        if flags[0] in 'gu!' or flags[1] == 'w':
            if not GLOBAL_PREFIX.match(name):
                yield f'{source}: global symbol {name} does not start with pd_'
        plain = re.sub(r'\.\d+$', '', name)  # gcc numbers the statics of functions
        if (flags[6] == 'O' and MUTABLE_SECTION.match(section)
                and not re.fullmatch(MAY_KEEP_STATE.get(source, '(?!)'), plain)):
            yield f'{source}: {name} is mutable and outlives a call (section {section})'


def main(libraries):
    bad, n_objects = 0, 0
    for library in libraries:
        for source, lines in read_objects(library):
            n_objects += 1
            for why in wrong_symbols(source, lines):
                print(f'{library}: {why}')
                bad = 1
    if not n_objects:
        print('no object found: nothing was checked')
        bad = 1
    return bad


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

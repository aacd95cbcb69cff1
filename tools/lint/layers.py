#!/usr/bin/env python3
"""layers.py ROOT: fail when a file includes a room that it may not see, another room's private header, or a third
party's header that belongs to another room. The tables are 'Rooms' of ARCHITECTURE.md."""
import pathlib
import re
import sys

from csource import Source, c_files

# room -> rooms it may include, each through <room>/<room>.h only; base is open to all
MAY_USE = {
    'base': set(),
    'kernels': set(),
    'weights': set(),
    'token': set(),
    'nn': {'kernels'},
    'model': {'nn', 'weights', 'token', 'kernels'},
    'media': set(),
    'decoder': {'media'},  # its types and limits; the linker sees to it that nothing of the client is called
    'query': set(),
    'store': set(),
    'columns': {'query', 'store'},
    'vindex': {'kernels'},
    'search': {'query', 'columns', 'store', 'vindex', 'model', 'kernels'},
    'pipeline': {'media', 'model', 'store', 'vindex', 'kernels'},
    'annotate': {'media', 'model', 'store', 'kernels'},
    'hub': set(),
    'fetch': set(),  # and hub/pipe.h: the words of the pipe between the two
    'library': {'model', 'query', 'columns', 'search', 'store', 'pipeline', 'vindex', 'media', 'kernels', 'annotate', 'hub'},
    'answer': {'library'},
    'server': {'library', 'answer', 'web'},
    'web': set(),  # the page's files as bytes
    'cli': {'library', 'answer', 'server'},
}
# What a contract header includes, its reader sees too: these come with library.h.
for surface in ('answer', 'server', 'cli'):
    MAY_USE[surface] |= {'model', 'query', 'search', 'store', 'pipeline', 'annotate', 'hub'}
# Private headers that two rooms share: both ends of a socket or a pipe speak them.
SHARED_PRIVATE = {'decoder': {'media/protocol.h'}, 'fetch': {'hub/pipe.h'}}

# third-party header -> the only room that includes it
THIRD_PARTY = [
    (r'sqlite3\.h', 'store'),
    (r'jansson\.h', 'base'),
    (r'(vips|glib|glib-object|gmodule|gio|libexif|libraw|webp|expat)\b.*', 'decoder'),
    (r'xxhash\.h', 'weights'),
    (r'(immintrin|x86intrin|arm_neon)\.h', 'kernels'),
    (r'microhttpd\.h', 'server'),
    (r'curl/.*', 'fetch'),
]
# sha256_shani.c holds the one ISA file outside kernels: identity of bytes is base's matter.
THIRD_PARTY_ALSO = {('base/sha256_shani.c', 'immintrin.h'), ('base/half.c', 'immintrin.h')}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def wrong_room(room, own_path, header):
    """A sentence when `room` may not include "header", else None."""
    parts = header.split('/')
    if header.endswith('.c'):
        return f'{header} is no header'
    if len(parts) != 2:
        return f'"{header}": name a header as room/name.h'
    other = parts[0]
    if other in (room, 'base') or header in SHARED_PRIVATE.get(room, ()):
        return None
    if room not in MAY_USE:
        return f'room {room} has no row in the table of tools/lint/layers.py'
    if other not in MAY_USE[room]:
        return f'{room} must not include {header}'
    if parts[1] != other + '.h':
        return f'{header} is private to {other}; only {other}/{other}.h is its contract'
    return None


def wrong_party(room, own_path, header):
    for pattern, owner in THIRD_PARTY:
        if re.fullmatch(pattern, header) and room != owner and (own_path, header) not in THIRD_PARTY_ALSO:
            return f'<{header}> belongs to room {owner} alone'
    return None


def main(root):
    bad, n_files = 0, 0
    for path in c_files(root, ['src']):
        own_path = path.relative_to(root / 'src').as_posix()
        room = own_path.split('/')[0]
        text = Source(path).text
        n_files += 1
        for match in INCLUDE.finditer(text):
            why = wrong_room(room, own_path, match[1]) if match[1] else wrong_party(room, own_path, match[2])
            if why:
                line = text.count('\n', 0, match.start()) + 1
                print(f'src/{own_path}:{line}: {why}')
                bad = 1
    if not n_files:
        print('no file under src/: nothing was checked')
        bad = 1
    return bad


if __name__ == '__main__':
    sys.exit(main(pathlib.Path(sys.argv[1])))

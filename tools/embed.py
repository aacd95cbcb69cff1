#!/usr/bin/env python3
"""embed.py DIST OUTPUT.c DEPFILE: writes the files of the page as one C table (src/web/web.h)."""
import gzip
import hashlib
import pathlib
import sys

MIME = {
    '.html': 'text/html; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.css': 'text/css; charset=utf-8',
    '.json': 'application/json',
    '.webmanifest': 'application/manifest+json',
    '.svg': 'image/svg+xml',
    '.png': 'image/png',
    '.webp': 'image/webp',
    '.ico': 'image/x-icon',
    '.woff2': 'font/woff2',
    '.txt': 'text/plain; charset=utf-8',
}
WORTH = 0.9  # a compressed form that is not this much smaller is left out
NUMBERS_A_LINE = 30


def array(name, data):
    lines = (','.join(map(str, data[i:i + NUMBERS_A_LINE])) for i in range(0, len(data), NUMBERS_A_LINE))
    return f'static const unsigned char {name}[] = {{\n' + ',\n'.join(lines) + '\n};\n'


def main(dist, output, depfile):
    files = sorted(path for path in dist.rglob('*') if path.is_file()) if dist.is_dir() else []
    if dist / 'index.html' not in files:
        print(f'embed.py: {dist / "index.html"} is not there: the page that the program serves is made from the sources in '
              'web/ (web/README.md) and kept in the tree', file=sys.stderr)
        return 1
    arrays, rows = [], []
    for i, path in enumerate(files):
        if path.suffix not in MIME:
            print(f'embed.py: {path}: no type is known for *{path.suffix}', file=sys.stderr)
            return 1
        data = path.read_bytes()
        small = gzip.compress(data, 9, mtime=0)
        arrays.append(array(f'data_{i}', data or b'\n'))
        worth = len(small) < len(data) * WORTH
        if worth:
            arrays.append(array(f'gzip_{i}', small))
        gz = f'.gzip = gzip_{i}, .gzip_len = {len(small)}, ' if worth else ''
        rows.append(f'    {{ .path = "/{path.relative_to(dist).as_posix()}", .mime = "{MIME[path.suffix]}", '
                    f'.data = data_{i}, .len = {len(data)}, {gz}'
                    f'.etag = "{hashlib.sha256(data).hexdigest()[:32]}" }},\n')
    output.write_text('#include "web/web.h"\n\n' + ''.join(arrays) + '\nstatic const pd_web_file files[] = {\n' +
                      ''.join(rows) + '};\n\nconst pd_web_file *pd_web_files(size_t *ret_n)\n{\n'
                      '    *ret_n = sizeof files / sizeof *files;\n    return files;\n}\n')
    folders = [dist, *(path for path in dist.rglob('*') if path.is_dir())]
    depfile.write_text(f'{output}: ' + ' '.join(str(path).replace(' ', '\\ ') for path in [*files, *folders]) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main(*map(pathlib.Path, sys.argv[1:4])))

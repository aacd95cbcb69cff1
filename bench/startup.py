#!/usr/bin/env python3
"""startup.py: how soon `serve` answers after its start, how much memory it has then, and what is mapped.

    python3 bench/startup.py [--starts 20] [--photos 100000] [--other PROGRAM] [--write]

A start is timed from before the fork to the last byte of the answer. Each round starts once with a library that is empty
and once with one of 100,000 photos (made by build/bench/make_library, without pictures), so that a noisy moment hits
both. In one start the page is asked for (the address with the token, the redirection, the page), then the snapshot, then
`status`, which opens the catalogue; memory is read after each. Files are in the system's cache. --write puts the tables
into bench/results/startup-<cpu>.csv and startup-<cpu>.maps.txt.
"""
import argparse
import csv
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from whole import Place, cpu_name

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
COLUMNS = ['program', 'library', 'measure', 'unit', 'min', 'median', 'max', 'starts']
# What the original said of itself (before and after its own work), as its document has it.
ORIGIN = [('first answer', '21 s', '< 1 s'), ('resident', '2.2 GB', '< 100 MB')]


def ask(address, path, headers):
    """(code, headers, body) of one request on a connection of its own."""
    lines = [f'GET {path} HTTP/1.1', f'Host: {address[0]}:{address[1]}', 'Connection: close', *headers]
    with socket.create_connection(address) as sock:
        sock.sendall(('\r\n'.join(lines) + '\r\n\r\n').encode())
        answer = b''
        while piece := sock.recv(1 << 20):
            answer += piece
    head, _, body = answer.partition(b'\r\n\r\n')
    return int(head.split()[1]), head.decode('latin-1'), body


def must(answer, code, where):
    if answer[0] != code:
        sys.exit(f'{where} was answered with {answer[0]}: {answer[2][:300]!r}')
    return answer


def memory(pid):
    """MB: resident (VmRSS), and its share of what others map too (Pss)."""
    status = pathlib.Path(f'/proc/{pid}/status').read_text()
    rollup = pathlib.Path(f'/proc/{pid}/smaps_rollup').read_text()
    return (int(re.search(r'VmRSS:\s+(\d+) kB', status)[1]) / 1024, int(re.search(r'^Pss:\s+(\d+) kB', rollup, re.M)[1]) / 1024)


def mapped_files(pid):
    """Files that are mapped, with the KB of them that are resident."""
    files, name = {}, None
    for line in pathlib.Path(f'/proc/{pid}/smaps').read_text().splitlines():
        found = re.match(r'[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+\s*(.*)', line)
        if found:
            name = found[1]
        elif name and name.startswith('/') and line.startswith('Rss:'):
            files[name] = files.get(name, 0) + int(line.split()[1])
    return files


class Subject:
    """One build beside one library."""

    def __init__(self, name, program, library, place):
        self.name, self.program, self.library, self.place = name, program, library, place
        self.values, self.maps = {}, {}

    def note(self, measure, unit, value):
        self.values.setdefault((measure, unit), []).append(value)

    def note_memory(self, moment, pid):
        resident, share = memory(pid)
        self.note(f'resident after {moment}', 'MB', resident)
        self.note(f'share (Pss) after {moment}', 'MB', share)

    def start(self):
        command = [str(self.program), 'serve', '--no-open', '--listen', '127.0.0.1:0', *self.place.options]
        begun = time.perf_counter()
        process = subprocess.Popen(command, env=self.place.environment, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, close_fds=False)
        try:
            self.measure(process, begun)
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()

    def measure(self, process, begun):
        def since():
            return 1000 * (time.perf_counter() - begun)
        found = re.fullmatch(r'http://([\d.]+):(\d+)(/\?token=([0-9a-f]+))\n', process.stdout.readline().decode())
        self.note('address printed', 'ms', since())
        address, bearer = (found[1], int(found[2])), [f'Authorization: Bearer {found[4]}']
        _, head, _ = must(ask(address, found[3], []), 303, 'the address')
        cookie = re.search(r'^Set-Cookie: ([^;]+)', head, re.M | re.I)[1]
        must(ask(address, '/', [f'Cookie: {cookie}', 'Accept-Encoding: gzip']), 200, 'the page')
        self.note('page answered', 'ms', since())
        self.note_memory('the page', process.pid)
        before = time.perf_counter()
        must(ask(address, '/api/v1/snapshot', bearer), 200, 'snapshot')
        self.note('snapshot, after that', 'ms', 1000 * (time.perf_counter() - before))
        self.note_memory('the snapshot', process.pid)
        self.maps = mapped_files(process.pid)
        before = time.perf_counter()
        must(ask(address, '/api/v1/status', bearer), 200, 'status')
        self.note('status (opens the catalogue)', 'ms', 1000 * (time.perf_counter() - before))
        self.note_memory('status', process.pid)

    def rows(self):
        for (measure, unit), values in self.values.items():
            yield [self.name, self.library, measure, unit, f'{min(values):.2f}', f'{statistics.median(values):.2f}',
                   f'{max(values):.2f}', len(values)]


def make_places(scratch, photos):
    """The library that is not there yet, and the large one."""
    empty, large = Place(scratch, 'empty'), Place(scratch, 'large')
    helper = ROOT / 'build/bench/make_library'
    library = large.folder / 'library'
    library.mkdir(parents=True)
    subprocess.run([helper, library, ROOT / 'models/tiny', str(photos)], check=True, env=large.environment)
    return {'empty': empty, f'{photos:,} photos': large}


def print_rows(rows):
    wide = max(len(row[2]) for row in rows)
    for program, library, measure, unit, least, middle, most, starts in rows:
        print(f'{program:<6} {library:<15} {measure:<{wide}} {least:>8} min {middle:>8} median {most:>8} max  {unit}  n={starts}')


def print_promise(subject):
    median = {key[0]: statistics.median(values) for key, values in subject.values.items()}
    here = [f'{median["page answered"]:.1f} ms', f'{median["resident after the page"]:.1f} MB']
    print(f'\n{"":<14} {"origin before":>14} {"origin after":>14} {"here":>10}')
    for (what, before, after), now in zip(ORIGIN, here):
        print(f'{what:<14} {before:>14} {after:>14} {now:>10}')


def maps_text(subject):
    lines = [f'{kb:>6} KB  {path if path.startswith(("/usr", "/lib")) else pathlib.Path(path).name}'
             for path, kb in sorted(subject.maps.items(), key=lambda item: -item[1])]
    return '\n'.join(lines) + '\n'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--program', type=pathlib.Path, default=ROOT / 'build/pixel-detective')
    parser.add_argument('--other', type=pathlib.Path, help='a second build to compare with')
    parser.add_argument('--starts', type=int, default=20)
    parser.add_argument('--photos', type=int, default=100_000)
    parser.add_argument('--write', action='store_true')
    arguments = parser.parse_args()
    programs = {'this': arguments.program.resolve()}
    if arguments.other:
        programs['other'] = arguments.other.resolve()
    with tempfile.TemporaryDirectory() as scratch:
        places = make_places(pathlib.Path(scratch), arguments.photos)
        subjects = [Subject(name, program, library, place) for name, program in programs.items()
                    for library, place in places.items()]
        for subject in subjects:  # into the cache
            subject.start()
            subject.values.clear()
        for _ in range(arguments.starts):
            for subject in subjects:
                subject.start()
    rows = [row for subject in subjects for row in subject.rows()]
    print(f'{cpu_name()}, {os.cpu_count()} CPUs')
    print_rows(rows)
    print_promise(subjects[-1])
    print(f'\nMapped after the snapshot ({subjects[-1].library}), resident KB of each:\n{maps_text(subjects[-1])}')
    if arguments.write:
        (HERE / 'results').mkdir(exist_ok=True)
        with open(HERE / f'results/startup-{cpu_name()}.csv', 'w', newline='') as file:
            writer = csv.writer(file, lineterminator='\n')
            writer.writerow(COLUMNS)
            writer.writerows(rows)
        (HERE / f'results/startup-{cpu_name()}.maps.txt').write_text(maps_text(subjects[-1]))


if __name__ == '__main__':
    main()

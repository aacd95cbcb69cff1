#!/usr/bin/env python3
"""whole.py: the whole program, timed from outside.

    python3 bench/whole.py [--runs 10] [--photos FOLDER] [--other PROGRAM] [--write]

Every round runs each measure once, so that a noisy moment of the machine hits all of them; the table gives minimum and
median. --other compares a second build in the same rounds. --write puts the table into bench/results/<cpu>.csv.
The files read are in the system's cache ("warm") after the first round; nothing here measures a disk.
"""
import argparse
import csv
import fcntl
import json
import os
import pathlib
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
COLUMNS = ['program', 'measure', 'unit', 'min', 'median', 'runs', 'command']
SMALL_FILES = 10_000
QUERY = 'a dog on the beach'


class Place:
    """A scratch library with caches of its own."""

    def __init__(self, scratch, name):
        self.folder = scratch / name
        self.options = ['--library', str(self.folder / 'library')]
        self.environment = dict(os.environ, XDG_CACHE_HOME=str(self.folder / 'cache'),
                                XDG_DATA_HOME=str(self.folder / 'data'))


def run(command, place, may_return=(0,)):
    """(seconds, stdout) of a command that has to end well."""
    started = time.perf_counter()
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=place.environment)
    seconds = time.perf_counter() - started
    if done.returncode not in may_return:
        sys.exit(f'{" ".join(map(str, command))}\nended with {done.returncode}: {done.stderr.strip()}')
    return seconds, done.stdout


def high_water(pid):
    """MB that a process had resident at most so far; 0 when it is gone."""
    try:
        status = pathlib.Path(f'/proc/{pid}/status').read_text()
    except OSError:
        return 0.0
    found = re.search(r'VmHWM:\s+(\d+) kB', status)
    return int(found[1]) / 1024 if found else 0.0


def children_of(pid):
    try:
        return pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text().split() + [
            child for task in pathlib.Path(f'/proc/{pid}/task').iterdir() if task.name != str(pid)
            for child in (task / 'children').read_text().split()]
    except OSError:
        return []


def watch(command, place):
    """(seconds, peak MB of the program, peak MB of its largest child, stdout), by looking every 10 ms."""
    own = child = 0.0
    with tempfile.TemporaryFile('w+') as output, open(os.devnull, 'w') as null:
        started = time.perf_counter()
        process = subprocess.Popen([str(word) for word in command], stdout=output, stderr=null, env=place.environment)
        while process.poll() is None:
            own = max(own, high_water(process.pid))
            child = max([child, *(high_water(pid) for pid in children_of(process.pid))])
            time.sleep(0.01)
        seconds = time.perf_counter() - started
        if process.returncode not in (0, 4):
            sys.exit(f'{" ".join(map(str, command))} ended with {process.returncode}')
        output.seek(0)
        return seconds, own, child, output.read()


def resident_of_short(command, place):
    """MB at the moment of its first output: it prints into a pipe that is full, and is looked at while it waits."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writing, b'x' * 4096)
    process = subprocess.Popen([str(word) for word in command], stdout=writing, stderr=subprocess.DEVNULL,
                               env=place.environment)
    os.close(writing)
    time.sleep(0.4)
    megabytes = high_water(process.pid)
    with os.fdopen(reading, 'rb') as pipe:
        pipe.read()
    process.wait()
    return megabytes


def write_small_pictures(folder):
    """BMPs of 16 x 16 pixels, each of its own colours, spread over 100 folders."""
    head = struct.pack('<2sIHHI', b'BM', 54 + 768, 0, 0, 54) + struct.pack('<IiiHHIIiiII', 40, 16, 16, 1, 24, 0, 768,
                                                                              2835, 2835, 0, 0)
    for i in range(SMALL_FILES):
        inside = folder / f'{i % 100:02}'
        inside.mkdir(parents=True, exist_ok=True)
        colour = struct.pack('<I', i * 2654435761 % (1 << 24))[:3]
        (inside / f'{i:05}.bmp').write_bytes(head + colour * 128 + bytes(255 - byte for byte in colour) * 128)


class Subject:
    """One build and all that is measured of it: {(measure, unit, command): [values]}"""

    def __init__(self, name, program, arguments, scratch):
        self.name, self.program, self.arguments, self.scratch = name, program, arguments, scratch
        self.values = {}
        self.searched = Place(scratch, f'{name}-searched')
        run([program, 'index', *self.searched.options, arguments.photos], self.searched, (0, 4))
        self.rechecked = None
        if arguments.small_files:
            self.rechecked = Place(scratch, f'{name}-rechecked')
            run([program, 'index', *self.rechecked.options, scratch / 'small'], self.rechecked)

    def note(self, measure, unit, command, value):
        self.values.setdefault((measure, unit, command), []).append(value)

    def learn(self, number, precision):
        place = Place(self.scratch, f'{self.name}-{precision}-{number}')
        command = [self.program, 'index', '--json', '--precision', precision, *place.options, self.arguments.photos]
        seconds, own, child, answer = watch(command, place)
        said = f'index --precision {precision} FOLDER'
        self.note(f'learn {self.arguments.photos.name}, new library, {precision}', 'pictures/s', said,
                  json.loads(answer)['learned'] / seconds)
        self.note(f'peak resident while learning, {precision}', 'MB', said, own)
        self.note(f'peak resident of a decoder, {precision}', 'MB', said, child)

    def round(self, number):
        for precision in ['int8', 'fp32']:
            self.learn(number, precision)
        for what, command in [('search process', ['search', QUERY]), ('status process', ['status']),
                              ('start-up', ['--version'])]:
            options = [] if command == ['--version'] else self.searched.options
            seconds, _ = run([self.program, *command, *options], self.searched)
            self.note(what, 'ms', ' '.join(command), 1000 * seconds)
            self.note(f'resident, {what}', 'MB', ' '.join(command),
                      resident_of_short([self.program, *command, *options], self.searched))
        if self.rechecked:
            seconds, answer = run([self.program, 'index', '--json', *self.rechecked.options, self.scratch / 'small'],
                                  self.rechecked)
            if json.loads(answer)['unchanged'] != SMALL_FILES:
                sys.exit(f're-check: {answer}')
            self.note(f're-check of {SMALL_FILES} unchanged files', 'ms', 'index FOLDER', 1000 * seconds)

    def rows(self):
        for (measure, unit, command), values in self.values.items():
            best = max(values) if unit.endswith('/s') else min(values)
            yield [self.name, measure, unit, f'{best:.1f}', f'{statistics.median(values):.1f}', len(values), command]


def cpu_name():
    model = re.search(r'model name\s*:\s*(.*)', pathlib.Path('/proc/cpuinfo').read_text())
    words = re.findall(r'[a-z0-9]+', (model[1] if model else 'unknown').lower())
    return '-'.join([word for word in words if word not in ('r', 'tm', 'processor', 'core', 'cpu')])


def print_table(rows):
    wide = max(len(row[1]) for row in rows)
    for program, measure, unit, best, median, runs, command in rows:
        print(f'{program:<6} {measure:<{wide}} {best:>9} best {median:>9} median  {unit:<10} n={runs}  {command}')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--program', type=pathlib.Path, default=HERE.parent / 'build/pixel-detective')
    parser.add_argument('--other', type=pathlib.Path, help='a second build to compare with')
    parser.add_argument('--photos', type=pathlib.Path, default=HERE.parent.parent / 'shared/quality/captioned')
    parser.add_argument('--runs', type=int, default=10)
    parser.add_argument('--no-small-files', dest='small_files', action='store_false',
                        help=f'leave out the re-check of {SMALL_FILES} files (their first learning takes a minute)')
    parser.add_argument('--write', action='store_true')
    arguments = parser.parse_args()
    arguments.photos = arguments.photos.resolve()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        if arguments.small_files:
            write_small_pictures(scratch / 'small')
        subjects = [Subject('this', arguments.program.resolve(), arguments, scratch)]
        if arguments.other:
            subjects.append(Subject('other', arguments.other.resolve(), arguments, scratch))
        for number in range(arguments.runs):
            for subject in subjects:
                subject.round(number)
            print(f'round {number + 1} of {arguments.runs}', file=sys.stderr)
    rows = [row for subject in subjects for row in subject.rows()]
    print(f'{cpu_name()}, {os.cpu_count()} CPUs')
    print_table(rows)
    if arguments.write:
        (HERE / 'results').mkdir(exist_ok=True)
        with open(HERE / 'results' / f'{cpu_name()}.csv', 'w', newline='') as file:
            writer = csv.writer(file, lineterminator='\n')
            writer.writerow(COLUMNS)
            writer.writerows(rows)


if __name__ == '__main__':
    main()

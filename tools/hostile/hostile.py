#!/usr/bin/env python3
"""hostile.py [--files N] [--seed N] [--program P] [--photos DIR] [--heavy] [--mib N] [--keep DIR]: learns a folder of hostile files.

Makes N files from the seed (2,000): damaged ones of every format, bombs, lying headers, loops, raw files of no camera, and one
valid control in ten, some beside a hostile sidecar; where DIR holds real photos (../shared/photos), these are damaged too, and some go in whole. Then the program learns
the folder, and all of this must be true:

  it ends by itself with exit code 4; one error row at most for each file, each with a sentence; every control is found
  by a search; no file holds the job up for longer than the limit of 10 s; the program's own memory stays bounded; no
  decoder process is left; a second run learns nothing again and answers the same errors.

The last line is `N files: ...`; exit code 1 when something is not true.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import threading
import time

from attacks import ATTACKS, EXTENSIONS, HEAVY, sidecar_of, spoil, splice
from pictures import MAKERS

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SEED_BYTES_MAX = 400_000   # of real photos: larger ones only slow things down
FILE_S_MAX = 10            # PD_MEDIA_FILE_MS_MAX
HOLD_S_MAX = 3 * FILE_S_MAX  # its limit by the clock, and a busy machine on which a decoder takes long to start and to end
IN_DISGUISE = 0.15         # part of the damaged files with another extension
WITH_SIDECAR = 0.4         # part of the controls with a sidecar, most of them hostile


class Folder:
    """What was written, and what is expected of it."""

    def __init__(self, path):
        self.path = path
        self.controls, self.hostile = set(), set()

    def add(self, data, extension, is_control=False):
        names = self.controls if is_control else self.hostile
        number = len(self.controls) + len(self.hostile)
        path = self.path / f'{number % 17:02}' / f'{number:05}.{extension}'
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        names.add(str(path))
        return path


def real_photos(folder):
    """[(extension, bytes)] of those that are known to be whole"""
    found = []
    for listing in sorted(folder.glob('*.jsonl')) if folder else ():
        for line in listing.read_text().splitlines():
            row = json.loads(line)
            path = folder / listing.stem / (row.get('file') or row.get('name') or '')
            if path.is_file() and path.stat().st_size <= SEED_BYTES_MAX:
                found.append((path.suffix[1:].lower(), path.read_bytes()))
    return found


def fill(folder, rng, n, photos, is_heavy):
    made = [(kind, make(rng)) for kind, make in MAKERS.items() for _ in range(3)]
    sources = photos + made
    controls = max(4, n // 10)
    for _ in range(controls):
        kind = rng.choice(list(MAKERS))
        path = folder.add(MAKERS[kind](rng), kind, is_control=True)
        if rng.random() < WITH_SIDECAR:
            path.with_name(rng.choice((path.name, path.stem)) + '.xmp').write_bytes(sidecar_of(rng))
    if is_heavy:
        for attack in HEAVY:
            extension, data = attack(rng)
            folder.add(data, extension)
    while len(folder.controls) + len(folder.hostile) < n:
        number = len(folder.hostile)
        if number % 3 == 0:
            extension, data = ATTACKS[number // 3 % len(ATTACKS)](rng)
        else:
            extension, data = rng.choice(sources)
            data = splice(rng, data, rng.choice(sources)[1]) if rng.random() < 0.1 else spoil(rng, data)
            if rng.random() < IN_DISGUISE:
                extension = rng.choice(EXTENSIONS)
        folder.add(data, extension)


class Job:
    """One run of `index`, watched from outside."""

    def __init__(self, command, environment):
        self.hold_s = self.peak_kib = 0
        self.snapshots = 0
        started = time.monotonic()
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        errors='replace', start_new_session=True)  # by which its decoders are known
        watcher = threading.Thread(target=self.watch)
        watcher.start()
        self.out = self.process.stdout.read()
        watcher.join()
        self.code = self.process.wait()
        self.seconds = time.monotonic() - started

    def watch(self):
        """reads the snapshots: how long did `done` stand still, how much memory does the program take"""
        last, since = None, time.monotonic()
        for line in self.process.stderr:
            if not line.startswith('{'):
                continue
            snapshot = json.loads(line)
            self.snapshots += 1
            if snapshot.get('done') != last or snapshot.get('phase') != 'learn':
                last, since = snapshot.get('done'), time.monotonic()
            self.hold_s = max(self.hold_s, time.monotonic() - since)
            self.measure()

    def measure(self):
        try:
            status = pathlib.Path(f'/proc/{self.process.pid}/status').read_text()
        except OSError:
            return
        found = re.search(r'VmHWM:\s+(\d+)', status)
        if found:
            self.peak_kib = max(self.peak_kib, int(found[1]))


def left_by(job):
    """Processes of its session: decoders that outlived it. Those of other tests, which run at the same time, are not."""
    found = set()
    for path in pathlib.Path('/proc').glob('[0-9]*/stat'):
        try:
            state, _, _, session = path.read_text(errors='replace').rpartition(')')[2].split()[:4]
        except (OSError, ValueError):
            continue
        if int(session) == job.process.pid and state not in 'ZX':
            found.add(int(path.parent.name))
    return found


def summary_of(reasons):
    """how often each kind of sentence, numbers and brackets aside"""
    kinds = collections.Counter(re.sub(r'\s*\(.*|\d[\d.,x ]*', '', reason).strip() for reason in reasons)
    return '\n'.join(f'  {count:5}  {kind}' for kind, count in kinds.most_common(25))


def problems_of(folder, first, second, hits, left, mib_max):
    answer, again = json.loads(first.out), json.loads(second.out)
    everything = folder.controls | folder.hostile
    failed = [row['path'] for row in answer['errors']]
    if first.code != 4 or second.code != 4:
        yield f'exit codes {first.code} and {second.code}, not 4'
    if len(failed) != len(set(failed)):
        yield f'{len(failed) - len(set(failed))} files have more than one error'
    if not all(len(row['reason']) > 10 for row in answer['errors']):
        yield 'an error has no sentence'
    if answer['files'] != len(everything):
        yield f'{answer["files"]} files counted, {len(everything)} made'
    for path in sorted(folder.controls - hits):
        yield f'{path} is valid and was not learned'
    for path in sorted(everything - hits - set(failed)):
        yield f'{path} was neither learned nor has it an error'
    if max(first.hold_s, second.hold_s) > HOLD_S_MAX:
        yield f'a file held the job up for {max(first.hold_s, second.hold_s):.1f} s'
    if first.peak_kib > mib_max * 1024:
        yield f'the program grew to {first.peak_kib >> 10} MiB'
    if left:
        yield f'decoders were left behind: {sorted(left)}'
    if again['learned'] or len(again['errors']) != len(failed):
        yield f'a second run learned {again["learned"]} and has {len(again["errors"])} errors, not {len(failed)}'
    if first.snapshots < 2:
        yield 'there was no progress to watch'


def run(arguments, scratch):
    folder = Folder(scratch / 'pictures')
    folder.path.mkdir(parents=True)
    photos = real_photos(arguments.photos)
    fill(folder, random.Random(arguments.seed), arguments.files, photos, arguments.heavy)
    print(f'{len(folder.controls) + len(folder.hostile)} files made ({len(folder.controls)} valid, {len(photos)} real '
          f'photos to damage)', flush=True)
    environment = dict(os.environ, XDG_DATA_HOME=str(scratch / 'data'), XDG_CACHE_HOME=str(scratch / 'cache'))
    command = [str(arguments.program), 'index', '--no-tags', '--json', '--progress', 'json', str(folder.path)]
    first = Job(command, environment)
    for _ in range(1200):  # one that was told to go has its leaks looked for first in a sanitizer build
        left = left_by(first)
        if not left:
            break
        time.sleep(0.1)
    second = Job(command, environment)
    search = subprocess.run([str(arguments.program), 'search', '--json', '-n', '10000', 'a picture'], env=environment,
                            capture_output=True, text=True, check=False)
    if first.code not in (0, 4) or search.returncode != 0:
        print(f'index ended with {first.code}, search with {search.returncode}: {search.stderr}')
        return 1
    hits = {hit['path'] for hit in json.loads(search.stdout)['hits']}
    answer = json.loads(first.out)
    print(summary_of(row['reason'] for row in answer['errors']))
    bad = list(problems_of(folder, first, second, hits, left, arguments.mib))
    for problem in bad:
        print('WRONG:', problem)
    slow = sum('longer than' in row['reason'] for row in answer['errors'])
    crashed = sum('crashed' in row['reason'] or 'gave up' in row['reason'] for row in answer['errors'])
    locked = sum('may not do' in row['reason'] for row in answer['errors'])
    print(f'{len(folder.controls) + len(folder.hostile)} files: {len(hits)} learned ({len(folder.controls)} controls), '
          f'{len(answer["errors"])} refused ({slow} by the clock, {crashed} crashes, {locked} stopped at a wall) in '
          f'{first.seconds:.0f} s; longest hold {first.hold_s:.1f} s, program {first.peak_kib >> 10} MiB; '
          f'{len(bad)} things wrong')
    return 1 if bad else 0


def main():
    shared = ROOT.parent / 'shared/photos'
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--program', type=pathlib.Path, default=ROOT / 'build/pixel-detective')
    parser.add_argument('--photos', type=pathlib.Path, default=shared if shared.is_dir() else None)
    parser.add_argument('--files', type=int, default=2000)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--mib', type=int, default=200, help='what the program itself may take; measured: 35')
    parser.add_argument('--heavy', action='store_true', help='also what takes seconds each: true bombs')
    parser.add_argument('--keep', type=pathlib.Path, help='an empty folder for the files, which stay')
    arguments = parser.parse_args()
    arguments.program = arguments.program.resolve()
    print(f'seed {arguments.seed}', flush=True)
    if arguments.keep:
        return run(arguments, arguments.keep.resolve())
    with tempfile.TemporaryDirectory(prefix='pd-hostile-') as scratch:
        return run(arguments, pathlib.Path(scratch))


if __name__ == '__main__':
    sys.exit(main())

#!/usr/bin/env python3
"""churn.py [--seconds N] [--seed N]: a folder that keeps changing, learned by a program that keeps being killed.

Each round changes the folder at random (adds, copies, moves, removes, damages, renames folders), starts `index`, perhaps
kills it with SIGKILL somewhere on the way, and lets a last `index` finish. Then the program's counts must be those of
the folder, no picture may be learned twice, the catalogue must be whole, and a search must answer.
"""
import argparse
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
DAMAGED = b'\xff\xd8\xff\xe0 this was a picture once'


class Churn:
    def __init__(self, arguments, scratch):
        self.random = random.Random(arguments.seed)
        self.program = str(arguments.program.resolve())
        self.pictures = sorted(path for path in arguments.photos.rglob('*') if path.is_file())
        self.folder = scratch / 'pictures'
        self.library = scratch / 'library'
        self.environment = dict(os.environ, XDG_CACHE_HOME=str(scratch / 'cache'), XDG_DATA_HOME=str(scratch / 'data'))
        self.made = 0
        (self.folder / 'a').mkdir(parents=True)
        for _ in range(50):
            self.add()

    def files(self):
        return sorted(path for path in self.folder.rglob('*') if path.is_file())

    def place(self):
        self.made += 1
        folder = self.folder / self.random.choice(['a', 'b', 'c/d', 'odd\nname'])
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f'{self.made:05}.jpg'

    def add(self):
        shutil.copy(self.random.choice(self.pictures), self.place())

    def change(self):
        path = self.random.choice(self.files())
        kind = self.random.choice(['add', 'add', 'copy', 'move', 'remove', 'damage', 'touch'])
        if kind == 'add':
            self.add()
        elif kind == 'copy':
            shutil.copy(path, self.place())
        elif kind == 'move':
            path.rename(self.place())
        elif kind == 'remove':
            path.unlink()
        elif kind == 'damage':
            path.write_bytes(DAMAGED + str(self.made).encode())
        else:
            path.touch()

    def command(self, name, *words):
        return [self.program, name, '--library', str(self.library), *words]

    def index_and_kill(self):
        process = subprocess.Popen(self.command('index', '--progress', 'none', str(self.folder)),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment)
        time.sleep(self.random.uniform(0, 1.5))
        process.send_signal(signal.SIGKILL)
        process.wait()

    def ask(self, name, *words, may_return=(0,)):
        done = subprocess.run(self.command(name, '--json', *words), capture_output=True, text=True,
                              env=self.environment, timeout=300)
        if done.returncode not in may_return:
            raise AssertionError(f'{name} ended with {done.returncode}: {done.stderr}')
        return json.loads(done.stdout)

    def check(self):
        """Raises AssertionError where the library is not what the folder is."""
        before = self.ask('status')['learned'] if self.library.exists() else 0
        answer = self.ask('index', str(self.folder), may_return=(0, 4))
        again = self.ask('index', str(self.folder), may_return=(0, 4))
        status = self.ask('status')
        files = self.files()
        contents = {hashlib.sha256(path.read_bytes()).digest(): path for path in files}
        damaged = [path for path in files if path.read_bytes().startswith(DAMAGED)]
        good = len(files) - len(damaged)
        assert answer['files'] == len(files), (answer, len(files))
        assert len(answer['errors']) == len(damaged), (answer['errors'], damaged)
        assert again['learned'] == 0 and len(again['errors']) == len(damaged), again
        assert status['learned'] == good and status['files'] == len(files), (status, good)
        assert answer['learned'] <= len(contents), 'a picture was learned twice'
        hits = self.ask('search', 'people outside', '-n', '1000000')['hits']
        assert sorted(hit['path'] for hit in hits) == sorted(str(p) for p in files if p not in damaged), 'hits'
        for catalogue in self.library.glob('*.db'):
            with sqlite3.connect(f'file:{catalogue}?mode=ro', uri=True) as connection:
                assert connection.execute('PRAGMA integrity_check').fetchone() == ('ok',)
        return before, answer['learned']


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--program', type=pathlib.Path, default=HERE.parent.parent / 'build/pixel-detective')
    parser.add_argument('--photos', type=pathlib.Path, default=HERE.parent.parent.parent / 'shared/quality/captioned')
    parser.add_argument('--seconds', type=float, default=1800)
    parser.add_argument('--seed', type=int, default=time.time_ns() % 1_000_000)
    arguments = parser.parse_args()
    print(f'seed {arguments.seed}', flush=True)
    end = time.monotonic() + arguments.seconds
    rounds = kills = learned = 0
    with tempfile.TemporaryDirectory() as scratch:
        churn = Churn(arguments, pathlib.Path(scratch))
        while time.monotonic() < end:
            for _ in range(churn.random.randrange(40)):
                churn.change()
            for _ in range(churn.random.randrange(4)):
                churn.index_and_kill()
                kills += 1
            try:
                _, now = churn.check()
            except AssertionError as wrong:
                print(f'round {rounds}, seed {arguments.seed}: {wrong}')
                return 1
            learned += now
            rounds += 1
    print(f'{rounds} rounds, {kills} kills, {learned} pictures learned, nothing lost, nothing learned twice')
    return 0


if __name__ == '__main__':
    sys.exit(main())

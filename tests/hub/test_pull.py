#!/usr/bin/env python3
"""test_pull.py DRIVER FETCH SOURCE [MB]: a pull as the program sees it. With MB only the pull of a file of so many
million bytes that is killed three times on the way. One line a case."""
import hashlib
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from hub_server import Hub, small_model

DRIVER, FETCH, SOURCE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), pathlib.Path(sys.argv[3]).resolve()
MB = int(sys.argv[4]) if len(sys.argv) > 4 else 24
TINY = SOURCE.parent / 'shared/models/tiny'


class Skip(Exception):
    pass


class Place:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.models = self.root / 'models'
        self.hub = Hub()
        self.hub.add('owner/name', small_model())

    def start(self, *more, reference='owner/name', fetch=FETCH):
        return subprocess.Popen([DRIVER, str(self.models), reference, self.hub.url, fetch, *map(str, more)],
                                stdout=subprocess.PIPE, text=True)

    def pull(self, *more, outcome='ok', says='', **options):
        process = self.start(*more, **options)
        *states, last = process.stdout.read().splitlines()
        assert process.wait(timeout=60) == (outcome != 'ok') and last.startswith(f'outcome {outcome}:'), last
        assert says in last, last
        return [line.split(' ', 4) for line in states]


def big_file(path, megabytes):
    """Weights of so many million bytes: noise here and there, holes between (they are bytes like others on the wire)."""
    rest = megabytes * 1_000_000
    sizes = {'text_model.a': rest // 3, 'vision_model.a': rest // 3, 'logit_scale': 4, 'vision_model.b': rest // 3 - 1000}
    header, at = {}, 0
    for name, size in sizes.items():
        header[name] = {'dtype': 'U8', 'shape': [size], 'data_offsets': [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    noise = random.Random(megabytes)
    with open(path, 'wb') as file:
        file.write(len(text).to_bytes(8, 'little') + text)
        begin = file.tell()
        file.truncate(begin + at)
        for place in range(0, at - 70_000, 500_000):
            file.seek(begin + place + noise.randrange(400_000))
            file.write(noise.randbytes(65_536))


def a_large_pull_killed_three_times_ends_right(place):
    path = place.root / 'big.safetensors'
    big_file(path, MB)
    files = {**small_model(), 'model.safetensors': path}
    made = place.hub.add('owner/name', files)
    place.hub.fault('model.safetensors', 'slow', times=None, rate=MB * 1_000_000 // 2)
    reached = []
    for part in (0.2, 0.45, 0.75):
        process = place.start()
        for line in process.stdout:
            phase, done, total, *_ = line.split()
            if int(total) and int(done) > part * int(total):
                break
        process.kill()  # the whole program; its helper notices
        process.wait()
        process.stdout.close()
        reached.append(int(done))
    place.hub.faults.clear()
    states = place.pull()
    begun_with = next(int(done) for phase, done, *_ in states if phase == 'small')
    digest = hashlib.sha256()
    with open(place.models / 'owner--name/model.safetensors', 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    assert digest.hexdigest() == made['model.safetensors'].sha256
    size = made['model.safetensors'].size
    lost = reached[-1] - begun_with
    assert lost < max(size // 4, 20_000_000), f'{lost} of {reached[-1]} bytes were fetched again'
    print(f'     {size / 1e6:.0f} MB, killed at {[round(n / 1e6) for n in reached]} MB; '
          f'the last pull began with {begun_with / 1e6:.1f} MB of {reached[-1] / 1e6:.1f}')


def states_are_told_in_order(place):
    place.hub.fault('model.safetensors', 'slow', times=None, rate=1_000_000)
    states = place.pull()
    order = ['list', 'small', 'vision', 'rest', 'check', 'ready']
    phases = [order.index(state[0]) for state in states]  # a short one may pass between two looks
    assert phases == sorted(phases) and {0, 2, 5} <= set(phases), phases
    done = [int(state[1]) for state in states]
    assert done == sorted(done), done
    assert states[0][4].endswith('owner--name.part') and states[-1][4].endswith('/owner--name')


def the_image_tower_of_the_shipped_model_is_whole_before_the_words(place):
    if not (TINY / 'model.safetensors').is_file():
        raise Skip('../shared/models/tiny is not here')
    files = {p.name: p for p in TINY.iterdir() if p.suffix in ('.json', '.txt') or p.name == 'model.safetensors'}
    made = place.hub.add('owner/tiny', files)
    place.hub.fault('model.safetensors', 'slow', times=None, rate=12_000_000)
    process = place.start(reference='owner/tiny')
    for line in process.stdout:
        phase, done, total, ready, folder = line.split(' ', 4)
        if ready == '1':
            break
    assert phase == 'vision' and int(done) < int(total), line
    weights = pathlib.Path(folder.strip()) / 'model.safetensors'
    mine, served = weights.read_bytes(), (TINY / 'model.safetensors').read_bytes()
    assert len(mine) == len(served), 'at full length, with holes'
    length = int.from_bytes(served[:8], 'little')
    header = json.loads(served[8:8 + length])
    whole = {True: 0, False: 0}
    for name, tensor in header.items():
        if name != '__metadata__':
            begin, end = (8 + length + at for at in tensor['data_offsets'])
            of_tower = name.startswith(('vision_model.', 'visual_projection.'))
            same = mine[begin:end] == served[begin:end]
            assert same or not of_tower, name
            whole[of_tower] += same
    assert whole[True] > 100, whole
    rest = process.stdout.read()
    assert process.wait(timeout=60) == 0 and 'outcome ok' in rest, rest
    assert hashlib.sha256((place.models / 'owner--tiny/model.safetensors').read_bytes()).hexdigest() == made['model.safetensors'].sha256
    print(f'     image tower whole after {int(done) / 1e6:.1f} of {int(total) / 1e6:.1f} MB')


def cancelling_keeps_what_is_here(place):
    place.hub.fault('model.safetensors', 'slow', times=None, rate=300_000)
    states = place.pull(150_000, outcome='cancelled', says='kept')
    assert states[-1][4].endswith('.part')
    place.hub.faults.clear()
    again = place.pull()
    assert next(int(s[1]) for s in again if s[0] == 'small') > 100_000


def what_is_here_as_asked_needs_no_hub(place):
    commit = place.hub.commits['owner/name']
    place.pull(reference=f'owner/name@{commit}')
    n = len(place.hub.requests)
    states = place.pull(reference=f'owner/name@{commit}')
    assert len(place.hub.requests) == n and states[-1][0] == 'ready', states
    place.pull(reference='owner/name')
    assert len(place.hub.requests) == n + 1, 'main may have moved: it is asked, and nothing is fetched'


def what_cannot_be_fetched_is_said(place):
    place.pull(reference='tiny', outcome='usage', says='came with the program')
    place.pull(reference='what', outcome='usage', says='model list')
    place.pull(fetch='/no/such/program', outcome='not_found', says='/no/such/program')
    place.pull(fetch='/bin/true', outcome='crashed', says='without a word')
    place.pull(fetch='/bin/cat', outcome='crashed', says='no sense')


def main():
    cases = [value for value in list(globals().values())
             if callable(value) and getattr(value, '__code__', None) and value.__code__.co_varnames[:1] == ('place',)]
    failed = 0
    for case in cases[:1] if len(sys.argv) > 4 else cases:
        with tempfile.TemporaryDirectory(prefix='pd-pull-') as root:
            place = Place(root)
            try:
                case(place)
                print('ok  ', case.__name__, flush=True)
            except Skip as skip:
                print('ok  ', case.__name__, f'(in part: {skip})')
            except (AssertionError, subprocess.SubprocessError, OSError, KeyError, ValueError, StopIteration) as error:
                failed += 1
                print('FAIL', case.__name__, '-', repr(error)[:2000], flush=True)
            finally:
                place.hub.close()
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())

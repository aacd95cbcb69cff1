#!/usr/bin/env python3
"""stress.py: many clients at once while a job learns, with pause, resume, cancel, retry and new jobs at random.

Every snapshot of every stream is checked: nothing runs backwards within a job, sums agree, no line of the log is missing,
and every stream sees the end of every job."""
import argparse
import json
import pathlib
import random
import sys
import tempfile
import threading
import time

from server_place import Events, ServerPlace

COUNTS = ('found', 'todo', 'done', 'learned', 'unchanged', 'moved', 'removed', 'skipped', 'failed')


class Checker:
    """Follows one stream."""

    def __init__(self):
        self.last, self.line, self.ended, self.first_job = None, None, set(), 1

    def check(self, event_id, snapshot):
        assert event_id == snapshot['seq'], (event_id, snapshot['seq'])
        before, self.last = self.last, snapshot
        if before:
            assert snapshot['seq'] > before['seq'], (before['seq'], snapshot['seq'])
        for line in snapshot['log']:
            assert self.line is None or line['n'] == self.line + 1, f'line {line["n"]} after {self.line}'
            self.line = line['n']
        job = snapshot['job']
        if not before:
            self.first_job = job['number'] if job else 1
        if job is None:
            assert snapshot['state'] in ('FAST_UI', 'ADVANCED'), snapshot['state']
            return
        assert (snapshot['state'] == 'LOADING') == job['running'], (snapshot['state'], job['running'], job['phase'])
        assert job['done'] <= job['todo'], job
        assert job['learned'] + job['unchanged'] + job['moved'] + job['failed'] <= job['found'], job
        assert job['eta_s'] is None or job['eta_s'] >= 0
        assert 0 <= job['fraction'] <= 1
        assert job['running'] == (job['outcome'] is None), job
        old = before and before['job']
        if old and old['number'] == job['number']:
            for name in (*COUNTS, 'fraction', 'elapsed_s', 'seq'):
                assert job[name] >= old[name], f'{name}: {old[name]} -> {job[name]} in job {job["number"]}'
        elif old:
            assert job['number'] == old['number'] + 1, (old['number'], job['number'])
            assert old['number'] in self.ended, f'the end of job {old["number"]} was not told'
        if not job['running']:
            assert job['phase'] == 'ready', job
            self.ended.add(job['number'])


class Crowd:
    def __init__(self, place, server, seed):
        self.place, self.server, self.seed = place, server, seed
        self.still, self.stop, self.wrong = threading.Event(), threading.Event(), []  # still: nobody steers any more
        self.done = dict.fromkeys(('search', 'similar', 'browse', 'thumb', 'stream', 'resumed', 'job'), 0)
        self.jobs = 0

    def start(self, *workers):
        threads = [threading.Thread(target=self.run, args=(worker, number)) for number, worker in enumerate(workers)]
        for thread in threads:
            thread.start()
        return threads

    def run(self, worker, number):
        try:
            worker(random.Random(self.seed * 100 + number))
        except Exception as wrong:  # noqa: told at the end
            import traceback
            if not self.stop.is_set() or isinstance(wrong, AssertionError):
                self.wrong.append(f'{worker.__name__}: {wrong!r}\n{traceback.format_exc()}')
                self.still.set()
                self.stop.set()

    def search(self, rng):
        while not self.stop.is_set():
            kind = rng.choice(('search', 'browse', 'similar', 'thumb'))
            if kind == 'search':
                query = rng.choice(('dog', 'red', 'a+beach', 'people')) + f'&n={rng.randrange(1, 50)}'
                answer = self.server.get(f'/api/v1/search?q={query}')
            elif kind == 'browse':
                answer = self.server.get(f'/api/v1/search?q=&sort={rng.choice(("date", "-date", "name"))}')
            elif kind == 'similar':
                answer = self.server.post('/api/v1/similar', {'ids': [rng.randrange(1, 60)], 'n': 5})
            else:
                answer = self.server.get(f'/api/v1/photos/{rng.randrange(1, 60)}/thumb')
            assert answer and answer.code in (200, 404), answer
            self.done[kind] += 1
            time.sleep(rng.uniform(0, 0.02))  # the job wants some of the machine too

    def stream(self, rng):
        """Stays; comes back with Last-Event-ID at random, and must have missed nothing."""
        checker, events = Checker(), Events(self.server)
        leave = time.monotonic() + rng.uniform(1, 4)
        while not self.stop.is_set() or not self.is_complete(checker):
            stopping = self.stop.is_set()
            try:
                event = events.next(60 if stopping else 1)
            except TimeoutError:
                assert not stopping, 'the end was never told'
                continue
            assert event, 'the stream ended'
            checker.check(event[1], event[2])
            self.done['stream'] += 1
            if time.monotonic() > leave and not self.stop.is_set():
                events.close()
                events = Events(self.server, headers={'Last-Event-ID': str(checker.last['seq'])})
                event = events.next()
                if event[1] == checker.last['seq']:
                    assert event[2]['log'] == [], event[2]['log']  # the same again
                else:
                    checker.check(event[1], event[2])
                leave = time.monotonic() + rng.uniform(1, 4)
                self.done['resumed'] += 1
        assert checker.ended == set(range(checker.first_job, self.jobs + 1)), (sorted(checker.ended), self.jobs)
        events.close()

    def is_complete(self, checker):
        job = checker.last and checker.last['job']
        return bool(job) and not job['running'] and job['number'] >= self.jobs

    def steer(self, rng):
        while not self.still.is_set():
            what = rng.choice(('pause', 'resume', 'resume', 'cancel', 'retry', 'speed', 'new', 'new', 'look'))
            if what == 'new':
                answer = self.server.post('/api/v1/job', {'roots': [str(self.place.photos)]})
                assert answer.code in (202, 409), answer
            elif what == 'speed':
                answer = self.server.post('/api/v1/job/speed', {'speed': rng.choice(('gentle', 'normal', 'full'))})
                assert answer.code == 202, answer
            elif what == 'look':
                answer = self.server.get('/api/v1/snapshot')
                assert answer.code == 200, answer
            else:
                answer = self.server.post(f'/api/v1/job/{what}')
                assert answer.code in (202, 409) or (what == 'retry' and answer.code == 400), (what, answer)
            self.done['job'] += 1
            time.sleep(rng.uniform(0.1, 1))


def stress(place, n_pictures, seed):
    server = place.serve()
    assert server.post('/api/v1/job', {'roots': [str(place.photos)]}).code == 202
    crowd = Crowd(place, server, seed)
    threads = crowd.start(crowd.stream, crowd.stream, crowd.stream, crowd.search, crowd.search, crowd.search, crowd.search,
                          crowd.steer)
    begun = time.monotonic()
    while not crowd.stop.is_set():
        time.sleep(0.5)
        snapshot = server.snapshot()
        library = snapshot['library'] or {'learned': 0}
        if library['learned'] >= n_pictures and time.monotonic() - begun > 10:
            break
    # nobody steers any more: what runs is brought to its end, and then every stream must have seen the end of every job
    crowd.still.set()
    threads[-1].join()
    server.post('/api/v1/job/speed', {'speed': 'full'})
    while not crowd.stop.is_set():
        job = server.snapshot()['job']
        if not job['running'] and not job['retry_waits']:
            break
        server.post('/api/v1/job/resume')
        time.sleep(0.2)
    crowd.jobs = server.snapshot()['job']['number']
    crowd.stop.set()
    for thread in threads:
        thread.join(120)
        if thread.is_alive():
            crowd.wrong.append('a client waits for ever')
    stopped = server.stop()
    print(f'{n_pictures} pictures, seed {seed}, {time.monotonic() - begun:.0f} s: {crowd.jobs} jobs, {crowd.done}, '
          f'ended in {stopped:.1f} s')
    noise = (place.root / 'stderr').read_text()
    if 'Sanitizer' in noise or server.process.returncode != 0:
        crowd.wrong.append(f'exit code {server.process.returncode}\n{noise[-6000:]}')
    return crowd.wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--program', type=pathlib.Path, required=True)
    parser.add_argument('--pictures', type=int, default=400)
    parser.add_argument('--seed', type=int, default=time.time_ns() % 1_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as root:
        place = ServerPlace(root, arguments.program, pathlib.Path(__file__).parents[2], 0)
        for i in range(arguments.pictures // 50 + 1):
            folder = place.photos / f'{i:03}'
            folder.mkdir()
            place.add_pictures(min(50, arguments.pictures - 50 * i), first=50 * i + 1, side=96, folder=folder)
        try:
            wrong = stress(place, arguments.pictures, arguments.seed)
        finally:
            place.end()
    for text in wrong:
        print(f'FAIL {text}')
    print('FAIL stress' if wrong else 'ok   every stream was consistent and complete')
    return int(bool(wrong))


if __name__ == '__main__':
    sys.exit(main())

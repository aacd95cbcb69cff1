#!/usr/bin/env python3
"""test_jobs.py PROGRAM SOURCE: learning as the page sees it: snapshots, events, steering."""
import os
import subprocess
import sys
import time

from server_place import Events, Skip, main, png, unprepared, within
from stress import Checker


def follow(events, until, timeout=90):
    """Snapshots up to the one that is waited for, each checked."""
    checker, deadline = Checker(), time.monotonic() + timeout
    while True:
        event = events.next(max(0.1, deadline - time.monotonic()))
        assert event, 'the stream ended'
        checker.check(event[1], event[2])
        if until(event[2]):
            return checker, event[2]


def ended(snapshot):
    return bool(snapshot['job']) and not snapshot['job']['running']


@unprepared
def a_job_is_told_from_its_first_to_its_last_moment(place):
    place.add_pictures(40, first=10)
    (place.photos / 'broken.jpg').write_bytes(b'\xff\xd8\xff no picture')
    server = place.serve()
    events = Events(server)
    first = events.next()
    assert first[2]['state'] == 'FAST_UI' and first[2]['job'] is None, first
    started = server.learn(place.photos)
    assert started['state'] == 'LOADING' and started['job']['number'] == 1
    assert started['job']['roots'] == [str(place.photos)]
    checker, last = follow(events, ended)
    job = last['job']
    assert last['state'] == 'ADVANCED' and job['phase'] == 'ready' and job['outcome'] == 'partial', last
    assert job['learned'] == 43 and job['failed'] == 1 and job['fraction'] == 1 and job['errors'], job
    assert len(job['newest']) == 24 and len({n['id'] for n in job['newest']}) == 24
    assert last['library']['learned'] == 43 and last['library']['files'] == 44, last['library']
    assert last['library']['roots'] == [{'path': str(place.photos), 'photos': 44, 'offline': False}], last['library']
    assert checker.line >= 3 and last['error'] is None
    assert server.snapshot()['job'] == job


def newest_photos_can_be_fetched_at_once(place):
    place.add_pictures(30, first=10)
    server = place.serve()
    events = Events(server)
    server.learn(place.photos)
    seen = set()
    while True:
        snapshot = events.next(60)[2]
        for new in (snapshot['job'] or {'newest': []})['newest']:
            if new['id'] not in seen:
                seen.add(new['id'])
                answer = server.get(f'/api/v1/photos/{new["id"]}/thumb')
                assert answer.code == 200 and new['width'] == 64, (new, answer)
        if ended(snapshot):
            break
    assert len(seen) >= 24


def a_stream_that_comes_back_misses_no_line(place):
    place.add_pictures(30, first=10)
    for i in range(20):
        (place.photos / f'bad-{i}.jpg').write_bytes(b'\xff\xd8\xff' + bytes([i]) * 50)
    server = place.serve()
    watcher, line, seq = Events(server), 0, None
    server.learn(place.photos)
    follow(watcher, ended)
    now = server.until(lambda s: s['annotation'] and not s['annotation']['running'])  # which has lines of its own
    everything = now['log'][-1]['n']
    for how in ('header', 'parameter'):
        line, seq = 0, None
        for _ in range(100):
            headers = {'Last-Event-ID': str(seq)} if seq and how == 'header' else {}
            events = Events(server, '/api/v1/events' + (f'?after={seq}' if seq and how != 'header' else ''), headers)
            _, seq, snapshot = events.next()
            events.close()
            for entry in snapshot['log']:
                assert entry['n'] == line + 1, (entry['n'], line)
                line = entry['n']
            if line >= everything:
                break
            if line > 3:  # back to a moment in the middle
                line, seq = line, seq
        assert line >= everything, (line, everything)
    again = Events(server, f'/api/v1/events?after={seq}')
    assert again.next()[2]['log'] == []
    for nonsense in ('x', '-1', '99999999', ''):
        assert Events(server, f'/api/v1/events?after={nonsense}').next()[2]['log'][0]['n'] == 1, nonsense


def twenty_tabs_see_the_same(place):
    place.add_pictures(30, first=10)
    server = place.serve()
    tabs = [Events(server) for _ in range(20)]
    server.learn(place.photos)
    lasts = [follow(tab, ended)[1] for tab in tabs]
    assert all(last['job'] == lasts[0]['job'] and last['state'] == 'ADVANCED' for last in lasts)
    for tab in tabs:
        tab.close()


def at_most_ten_snapshots_a_second_reach_a_stream(place):
    place.add_pictures(80, first=10)
    server = place.serve()
    events = Events(server)
    n, begun = 1, time.monotonic()  # a client that is slow sees several at once: what counts is how many there are in all
    server.learn(place.photos)
    while not ended(events.next()[2]):
        n += 1
    took = time.monotonic() - begun
    assert n <= 10 * took + 2, (n, took)


def pause_resume_cancel_and_speed(place):
    place.add_pictures(150, first=10, side=200)
    server = place.serve()
    server.learn(place.photos)
    assert server.post('/api/v1/job/speed', {'speed': 'gentle'}).json()['job']['speed'] == 'gentle'
    paused = server.post('/api/v1/job/pause')
    assert paused.code == 202 and paused.json()['job']['paused'] and paused.json()['state'] == 'LOADING', paused
    done, now = -1, server.snapshot()['job']
    while now['done'] != done:  # what was begun comes to its end
        time.sleep(2)
        done, now = now['done'], server.snapshot()['job']
    assert now['done'] < 153 and now['running'] and now['paused'], (done, now)
    resumed = server.post('/api/v1/job/resume').json()['job']
    assert not resumed['paused']
    server.until(lambda s: s['job']['done'] > now['done'])
    server.post('/api/v1/job/pause')  # it is not over before it is cancelled
    server.post('/api/v1/job/speed', {'speed': 'full'})
    assert server.post('/api/v1/job/cancel').code == 202
    last = server.wait_job()
    assert last['job']['outcome'] == 'cancelled' and last['error'] is None, last
    assert server.post('/api/v1/job/cancel').code == 409 and server.post('/api/v1/job/pause').code == 409
    kept = last['library']['learned']
    server.learn(place.photos)
    last = server.wait_job()
    assert last['library']['learned'] == 153 and last['job']['learned'] == 153 - kept, last['job']
    assert last['job']['number'] == 2 and last['job']['speed'] == 'full'


def one_job_at_a_time(place):
    place.add_pictures(100, first=10, side=200)
    server = place.serve()
    server.learn(place.photos)
    server.post('/api/v1/job/pause')
    second = server.post('/api/v1/job', {'roots': [str(place.photos)]})
    assert second.code == 409 and second.json()['error']['status'] == 'busy', second
    assert server.snapshot()['job']['number'] == 1
    server.post('/api/v1/job/resume')
    Events(server).until(lambda s: s['job']['done'] > 0)  # from here on the library knows the folder
    server.post('/api/v1/job/cancel')
    server.wait_job()
    everything = server.post('/api/v1/job')
    assert everything.code == 202, everything
    assert everything.json()['job']['number'] == 2 and everything.json()['job']['roots'] == [str(place.photos)]
    server.wait_job()


def retry_waits_for_the_end_of_a_job(place):
    bad = place.photos / 'bad.png'
    bad.write_bytes(png(9)[:200])
    place.add_pictures(60, first=10, side=150)
    server = place.serve()
    events = Events(server)
    server.learn(place.photos)
    answer = server.post('/api/v1/job/retry')
    assert answer.code == 202, answer
    if answer.json()['job']['number'] == 1:
        assert answer.json()['job']['retry_waits'] is True, answer
    checker, last = follow(events, lambda s: ended(s) and s['job']['number'] == 2)
    assert checker.ended == {1, 2}, 'the end of the first job was told too'
    assert last['job']['learned'] == 0 and last['job']['failed'] == 1 and not last['job']['retry_waits'], last['job']
    bad.write_bytes(png(9))
    os.utime(bad, ns=(1, 1))
    server.post('/api/v1/job/retry')
    last = server.wait_job()
    assert last['job']['outcome'] == 'ok' and last['library']['errors'] == 0, last


@unprepared  # so it learns for a while
def another_process_that_learns_is_named(place):
    place.add_pictures(200, first=10, side=200)
    server = place.serve()
    other = subprocess.Popen([place.program, 'index', place.photos], env=place.environment,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        lock = place.library / 'learner.lock'
        within(20, lambda: lock.exists() and lock.read_text().strip(), 'the lock', 0.002)
        answer = server.post('/api/v1/job', {'roots': [str(place.photos)]})
        assert answer.code == 409 and str(other.pid) in answer.sentence(), answer
        assert server.snapshot()['state'] != 'ERROR'
    finally:
        other.kill()
        other.wait()
    assert server.learn(place.photos)['job']['number'] == 1
    server.wait_job()


def a_damaged_library_is_an_error_that_can_be_tried_again(place):
    place.library.mkdir(parents=True)
    catalogue = place.library / 'catalogue.sqlite'
    catalogue.write_bytes(b'no database at all' * 500)
    server = place.serve()
    last = Events(server).until(lambda s: s['state'] == 'ERROR')[-1]
    error = last['error']
    assert error['status'] == 'corrupt' and 'damaged' in error['message'] and error['kept'] and error['advice'], error
    assert 'corrupt' in error['details'] and last['preparation'][0]['state'] == 'failed'
    catalogue.unlink()
    assert server.post('/api/v1/job/retry').code == 202
    last = Events(server).until(lambda s: s['model']['state'] == 'ready')[-1]
    assert last['state'] == 'FAST_UI' and last['error'] is None, last


def a_job_that_is_ended_by_an_error_says_what_is_kept(place):
    small = place.root / 'small'
    small.mkdir()
    if os.getuid() != 0 or subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', small],
                                          capture_output=True).returncode != 0:
        raise Skip('a small file system can be mounted by root only')
    try:
        place.environment['XDG_DATA_HOME'] = str(small)
        place.add_pictures(40, first=10)
        server = place.serve()
        events = Events(server)
        server.learn(place.photos)
        last = follow(events, ended)[1]
        assert last['state'] == 'ERROR' and last['error']['status'] == 'full', last
        assert 'kept' in last['error']['kept'] and 'room' in last['error']['advice'], last['error']
        subprocess.run(['mount', '-o', 'remount,size=40m', small], check=True)
        assert server.post('/api/v1/job/retry').json()['error'] is None
        last = follow(events, lambda s: ended(s) and s['job']['number'] == 2)[1]
        assert last['state'] == 'ADVANCED' and last['library']['learned'] == 43, last
        server.stop()
    finally:
        place.end()
        subprocess.run(['umount', small], check=True)


def a_model_that_is_missing_is_said(place):
    server = place.serve('--model', 'none-of-that-name')
    answer = server.post('/api/v1/job', {'roots': [str(place.photos)]})
    assert answer.code == 404 and 'none-of-that-name' in answer.sentence(), answer
    last = Events(server).until(lambda s: s['model']['state'] == 'missing')[-1]
    assert 'none-of-that-name' in last['preparation'][1]['message'], last


if __name__ == '__main__':
    sys.exit(main(globals()))

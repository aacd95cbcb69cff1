#!/usr/bin/env python3
"""test_endings.py PROGRAM SOURCE: beginning and ending: ports, a second server, signals, crowds, kill -9."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

from server_place import Events, Skip, main, patience, png, read_answer, unprepared, within


def run(where, *arguments, code):
    done = subprocess.run([where.program, *map(str, arguments)], env=where.environment, cwd=where.root,
                          capture_output=True, timeout=60)
    assert done.returncode == code, (arguments, done)
    return done.stdout.decode(), done.stderr.decode()


def the_address_is_the_first_line(place):
    server = place.serve()
    assert server.port > 0
    server.stop()
    assert server.process.returncode == 0
    assert 'browser' in (place.root / 'stderr').read_text()


def without_a_command_it_is_the_page(place):
    for words in ((), (place.photos,)):
        process = subprocess.Popen([place.program, '--no-open', '--listen', '127.0.0.1:0', *map(str, words)],
                                   env=place.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert process.stdout.readline().startswith(b'http://127.0.0.1:')
        process.terminate()
        assert process.wait(120) == 0
        process.stdout.close()
    _, errors = run(place, place.photos / 'none', code=2)
    assert 'is no command' in errors


def the_start_touches_nothing_heavy(place):
    place.learned().stop()
    server = place.serve()
    here = pathlib.Path(f'/proc/{server.process.pid}')

    def opened():
        files = []
        for fd in (here / 'fd').iterdir():
            try:
                files.append(os.readlink(fd))
            except FileNotFoundError:
                pass  # closed meanwhile
        return [line.split()[-1] for line in (here / 'maps').read_text().splitlines()] + files
    answer = server.get('/api/v1/snapshot')
    assert answer.code == 200 and answer.json()['library'] is None and answer.json()['model']['state'] == 'cold', answer
    assert not [f for f in opened() if 'catalogue' in f or f.endswith(('.vectors', '.prepared', '.safetensors'))], opened()
    assert server.get('/api/v1/status').json()['learned'] == 3
    assert [f for f in opened() if 'catalogue' in f], 'or nothing was checked'
    assert server.get('/api/v1/search?q=dog').code == 200 and server.get('/').code == 200
    heavy = re.compile(r'lib(vips|heif|jxl|raw|glib|gobject|jpeg|png|webp|tiff|exif)')
    assert not [f for f in opened() if heavy.search(f)], opened()
    assert not any(task.read_text() for task in here.glob('task/*/children')), 'no decoder runs'


def folders_on_the_command_line_are_learned_at_once(place):
    server = place.serve(folders=[place.photos])
    assert server.wait_job()['library']['learned'] == 3
    server.stop()
    for folder in (place.root / 'none', place.photos / '1.png'):
        _, errors = run(place, 'serve', '--no-open', folder, code=3)
        assert 'not a folder' in errors


def addresses_that_make_no_sense_are_refused(place):
    for listen in ('0.0.0.0:0', '192.168.1.1:80', 'example.com:80', '[::]:80', '[::2]:1'):
        _, errors = run(place, 'serve', '--no-open', '--listen', listen, code=2)
        assert 'ssh -L' in errors, errors
    for listen in ('127.0.0.1', '7733', '127.0.0.1:99999', ':80', '127.0.0.1:x', '[::1'):
        run(place, 'serve', '--no-open', '--listen', listen, code=2)
    run(place, 'serve', '--no-open', '--browse-root', place.root / 'none', code=3)


def the_other_loopback_works_too(place):
    try:
        socket.socket(socket.AF_INET6).bind(('::1', 0))
    except OSError:
        raise Skip('there is no IPv6 here')
    server = place.serve(listen='[::1]:0')
    assert server.get('/', {'Host': f'[::1]:{server.port}'}).code == 200


def a_port_that_is_taken(place):
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        _, errors = run(place, 'serve', '--no-open', '--listen', f'127.0.0.1:{port}', code=3)
        assert 'taken' in errors
    held = []
    for port in (7733, 7734):
        try:
            held.append(socket.create_server(('127.0.0.1', port)))
        except OSError:
            pass  # taken by somebody else, as well
    server = place.serve(listen=None)
    assert 7735 <= server.port < 7833, server.port
    for sock in held:
        sock.close()


def a_second_serve_shows_the_first_ones_page(place):
    server = place.serve()
    words, errors = run(place, 'serve', '--no-open', code=0)
    assert words == server.url + '\n' and 'open already' in errors, (words, errors)
    words, errors = run(place, 'serve', '--no-open', '--listen', '127.0.0.1:0', place.photos, code=0)
    assert words == server.url + '\n' and 'choose the folder there' in errors
    assert server.snapshot()['job'] is None
    other = place.serve('--library', place.root / 'another')
    assert other.port != server.port
    server.kill()
    assert place.serve().url != server.url


def the_browser_is_opened_where_there_is_a_screen(place):
    programs = place.root / 'bin'
    programs.mkdir()
    opened = place.root / 'opened'
    (programs / 'xdg-open').write_text(f'#!/bin/sh\necho "$1" >{opened}.tmp; mv {opened}.tmp {opened}; sleep 100\n')
    (programs / 'xdg-open').chmod(0o755)
    place.environment.update(PATH=f'{programs}:{place.environment["PATH"]}', DISPLAY=':7')
    process = subprocess.Popen([place.program, 'serve', '--listen', '127.0.0.1:0'], env=place.environment,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    url = process.stdout.readline()
    within(10, opened.exists, 'the browser')
    assert opened.read_bytes() == url
    process.terminate()
    assert process.wait(80) == 0, 'it does not wait for the browser'
    process.stdout.close()


@unprepared
def it_ends_in_time_whatever_goes_on(place):
    place.add_pictures(400, first=10, side=150)
    for how in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        server = place.serve(folders=[place.photos])
        streams = [Events(server) for _ in range(10)]
        count = Events(server, f'/api/v1/folders/count?path={place.root}')
        upload = server.connect()
        upload.sendall(server.head('POST', '/api/v1/similar', {'Content-Length': '1000000'}) + b'x' * 1000)
        silent = [server.connect() for _ in range(20)]
        streams[0].until(lambda s: s['job'] and s['job']['done'] > 0)
        took = server.stop(how)
        assert server.process.returncode == 0 and took < 5 * patience(), (how, took)
        last = None
        while (event := streams[1].next()) is not None:
            last = event[2]
        assert last['job']['outcome'] == 'cancelled', 'the last thing that is told is the end'
        for sock in (upload, *silent):
            sock.close()
        for stream in (*streams, count):
            stream.close()
        status = ask_program(place, 'status')
        assert status['learned'] >= last['job']['learned'] and status['job'] is None, (status, last['job'])
        for name in ('serve.url',):
            assert not (place.library / name).exists()


def ask_program(where, *arguments):
    return json.loads(run(where, *arguments, '--json', code=0)[0])


def silent_connections_keep_nobody_out(place):
    server = place.learned()
    silent = [server.connect() for _ in range(200)]
    begun = time.monotonic()
    for _ in range(20):
        assert server.get('/api/v1/search?q=dog').code == 200
    assert time.monotonic() - begun < 5 * patience()
    for sock in silent[:100]:
        sock.sendall(b'GET / HTTP/1.1\r\nHos')
    more = [server.connect() for _ in range(400)]  # far more than there is room for
    for _ in range(20):
        assert server.get('/api/v1/snapshot').code == 200
    for sock in (*silent, *more):
        sock.close()
    server.stop()


def too_many_streams_are_told_so(place):
    server = place.serve()
    streams = [Events(server) for _ in range(64)]
    assert all(s.answer.code == 200 for s in streams)
    answer = server.get('/api/v1/events')
    assert answer.code == 503 and int(answer.headers['retry-after']) > 0 and 'pages' in answer.sentence(), answer
    assert server.get('/api/v1/snapshot').code == 200, 'others are served'
    streams[0].close()

    def is_one_free():
        again = Events(server)
        if again.answer.code == 200:
            return True
        again.close()
        server.post('/api/v1/job', {'roots': [str(place.photos)]})  # a change makes the server notice who is gone
    within(40, is_one_free, 'a place that became free', 0.1)


def a_reader_that_never_reads_holds_nobody_up(place):
    place.add_pictures(60, first=10)
    server = place.serve()
    lazy = [server.connect() for _ in range(5)]
    for sock in lazy:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        sock.sendall(server.head('GET', '/api/v1/events'))
    server.learn(place.photos)
    assert server.wait_job()['library']['learned'] == 63
    assert server.get('/api/v1/search?q=').code == 200
    server.stop()
    for sock in lazy:
        sock.close()


def connections_are_used_again(place):
    server = place.learned()
    with server.connect() as sock:
        for path in ('/', '/api/v1/snapshot', '/app.js', '/api/v1/photos/1/thumb', '/api/v1/search?q=dog') * 5:
            sock.sendall(server.head('GET', path))
            answer = read_answer(sock)
            assert answer and answer.code == 200, (path, answer)


def kill_nine_loses_at_most_a_batch(place):
    place.add_pictures(120, first=10, side=150)
    learned = 0
    for _ in range(3):
        server = place.serve(folders=[place.photos])
        Events(server).until(lambda s: s['library'] and s['library']['learned'] > learned or
                             s['job'] and not s['job']['running'])
        learned = server.snapshot()['library']['learned']
        server.kill()
        status = ask_program(place, 'status')
        assert status['learned'] >= learned, (status, learned)
        learned = status['learned']
    server = place.serve(folders=[place.photos])
    last = server.wait_job()
    assert last['library']['learned'] == 123 and last['job']['learned'] <= 123 - learned, last


def files_are_not_left_open(place):
    server = place.learned()
    photo = server.get('/api/v1/search?q=').json()['hits'][0]['id']
    events = Events(server)  # what is learned is tagged, which has files of its own
    events.until(lambda s: s['annotation'] and not s['annotation']['running'], 240)
    events.close()
    fds = pathlib.Path(f'/proc/{server.process.pid}/fd')

    def use():
        for path in (f'photos/{photo}/thumb', 'search?q=dog', 'folders', f'folders/count?path={place.photos}', 'errors'):
            server.get('/api/v1/' + path)
        server.post('/api/v1/similar', png(4))
        server.get(f'/api/v1/photos/{photo}/thumb', {'Range': 'bytes=99999999-'})
        server.get(f'/api/v1/photos/{photo}/thumb', {'If-None-Match': '*'})
    use()
    time.sleep(0.3)
    before = len(list(fds.iterdir()))
    for _ in range(20):
        use()
    deadline = time.monotonic() + 60  # connections are closed a moment after their answers
    while (after := len(list(fds.iterdir()))) > before + 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert after <= before + 2, (before, after)


if __name__ == '__main__':
    sys.exit(main(globals()))

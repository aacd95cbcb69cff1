#!/usr/bin/env python3
"""memory.py: what a program that runs all day keeps in memory, and how long the first question takes after a rest.

    python3 bench/memory.py [--rounds 5] [--photos 100000] [--pictures FOLDER] [--random b32] [--write]

A server with an idle time of 2 s, beside a library of 100,000 photos (made by build/bench/make_library), is looked at
after its start (the page was sent), once model and catalogue are ready, after a question of words, while it learns
FOLDER (the greatest value of looks 20 ms apart), and after the idle time: RssAnon and RssFile of the server (decoders
are processes of their own, and are counted), and the files of models and of the library that are mapped. Then a
question is asked: the model is cold, and everything comes back. "cold process" is a whole `search`: start, model map,
text tower, columns, scan, answer. Files are in the system's cache; models are prepared, but for the rows "never
prepared". Once with the model that ships and once with a checkpoint of full size with random weights
(build/bench/random_checkpoint). --write puts the tables into bench/results/memory-<cpu>.csv.
"""
import argparse
import csv
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

from startup import ask, must
from whole import Place, children_of, cpu_name

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
COLUMNS = ['model', 'measure', 'unit', 'min', 'median', 'max', 'rounds']
IDLE_S = 2
QUESTIONS = ['a dog on the beach', 'two people in the snow', 'a red car at night', 'a cake with candles', 'an old church',
             'a boat on a lake', 'a cat asleep', 'mountains at dawn', 'a child with a kite', 'street market']
HEAVY = ('.prepared', '.safetensors', '.vectors', '/columns')


def memory(pid):
    status = pathlib.Path(f'/proc/{pid}/status').read_text()
    return {name: int(re.search(rf'^{name}:\s+(\d+) kB', status, re.M)[1]) / 1024 for name in ('RssAnon', 'RssFile')}


def heavy_files(pid):
    """Names of the files of models and of the library that are mapped."""
    maps = pathlib.Path(f'/proc/{pid}/maps').read_text()
    paths = {line.split(None, 5)[5] for line in maps.splitlines() if len(line.split(None, 5)) == 6}
    return sorted(pathlib.Path(path).name for path in paths if any(part in path for part in HEAVY))


class Server:
    def __init__(self, program, place, model):
        command = [str(program), 'serve', '--no-open', '--listen', '127.0.0.1:0', '--idle-unload', str(IDLE_S), '--model',
                   str(model), *place.options]
        self.process = subprocess.Popen(command, env=place.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        found = re.fullmatch(r'http://([\d.]+):(\d+)(/\?token=([0-9a-f]+))\n', self.process.stdout.readline().decode())
        self.address, self.head = (found[1], int(found[2])), [f'Authorization: Bearer {found[4]}']
        _, head, _ = must(ask(self.address, found[3], []), 303, 'the address')
        cookie = re.search(r'^Set-Cookie: ([^;]+)', head, re.M | re.I)[1]
        must(ask(self.address, '/', [f'Cookie: {cookie}', 'Accept-Encoding: gzip']), 200, 'the page')
        self.pid, self.asked = self.process.pid, 0

    def get(self, path):
        return json.loads(must(ask(self.address, path, self.head), 200, path)[2])

    def post(self, path, document):
        import http.client
        connection = http.client.HTTPConnection(*self.address)
        connection.request('POST', path, json.dumps(document), {'Content-Type': 'application/json',
                                                                'Authorization': self.head[0].split(': ', 1)[1]})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 202):
            sys.exit(f'{path} was answered with {answer.status}: {text[:300]!r}')
        connection.close()

    def question(self):
        """ms of a question of words that were not asked before."""
        words = f'{QUESTIONS[self.asked % len(QUESTIONS)]} {self.asked}'
        self.asked += 1
        begun = time.perf_counter()
        must(ask(self.address, f'/api/v1/search?n=50&q={urllib.parse.quote(words)}', self.head), 200, 'search')
        return 1000 * (time.perf_counter() - begun)

    def wait(self, what, holds, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if holds():
                return
            time.sleep(0.02)
        sys.exit(f'{what} does not come')

    def end(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


class Notes:
    def __init__(self, model):
        self.model, self.values, self.files = model, {}, {}

    def note(self, measure, unit, value):
        self.values.setdefault((measure, unit), []).append(value)

    def note_memory(self, moment, server, peak=None):
        now = peak or memory(server.pid)
        for name, value in now.items():
            self.note(f'{name}, {moment}', 'MB', value)
        self.files[moment] = heavy_files(server.pid)
        self.note(f'mapped files, {moment}', 'files', len(self.files[moment]))

    def rows(self):
        for (measure, unit), values in self.values.items():
            yield [self.model, measure, unit, f'{min(values):.2f}', f'{statistics.median(values):.2f}', f'{max(values):.2f}',
                   len(values)]


def learn(server, notes, pictures):
    peak, files = {'RssAnon': 0, 'RssFile': 0}, []
    server.post('/api/v1/job', {'roots': [str(pictures)]})
    while (server.get('/api/v1/snapshot')['job'] or {}).get('running', True):
        now = memory(server.pid)
        peak = {name: max(peak[name], now[name]) for name in peak}
        files = heavy_files(server.pid) or files
        time.sleep(0.02)
    notes.note_memory('learning (most)', server, peak)
    notes.files['learning (most)'] = files


def one_round(program, place, model, pictures, notes):
    server = Server(program, place, model)
    try:
        notes.note_memory('start', server)
        server.get('/api/v1/snapshot')
        server.get('/api/v1/status')
        server.wait('the model', lambda: server.get('/api/v1/snapshot')['model']['state'] == 'ready')
        notes.note_memory('model ready', server)
        server.question()
        notes.note_memory('after a question', server)
        notes.note('question, warm', 'ms', min(server.question() for _ in range(3)))
        learn(server, notes, pictures)
        server.wait('the end of tags', lambda: not (server.get('/api/v1/snapshot')['annotation'] or {}).get('running'), 1200)
        server.wait('the rest', lambda: not heavy_files(server.pid) and not children_of(server.pid))
        time.sleep(0.3)
        notes.note_memory('after the idle time', server)
        notes.note('first question, running server, cold model', 'ms', server.question())
        notes.note('the next one', 'ms', server.question())
        server.wait('the rest', lambda: not heavy_files(server.pid))
        time.sleep(0.3)
        notes.note_memory('after the idle time again', server)
    finally:
        server.end()


def cold_process(program, place, model, round_number):
    begun = time.perf_counter()
    subprocess.run([str(program), 'search', '--json', '--model', str(model), *place.options,
                    f'{QUESTIONS[round_number % len(QUESTIONS)]} process'], env=place.environment, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return 1000 * (time.perf_counter() - begun)


def measure(name, model, arguments, scratch):
    place, notes = Place(scratch, name), Notes(name)
    library = place.folder / 'library'
    library.mkdir(parents=True)
    subprocess.run([ROOT / 'build/bench/make_library', library, model, str(arguments.photos)], check=True,
                   env=place.environment)
    cold_process(arguments.program, place, model, 0)  # makes vectors and columns
    for i in range(arguments.rounds):
        pictures = place.folder / f'pictures-{i}'
        shutil.copytree(arguments.pictures, pictures)
        for number, path in enumerate(sorted(pictures.rglob('*'))):  # contents that are not known yet
            if path.is_file():
                with open(path, 'ab') as file:
                    file.write(f'round {i} {number}'.encode())
        one_round(arguments.program, place, model, pictures, notes)
        notes.note('cold process, prepared', 'ms', cold_process(arguments.program, place, model, i))
        if i < arguments.unprepared:
            shutil.rmtree(place.folder / 'cache/pixel-detective/prepared')
            notes.note('cold process, never prepared', 'ms', cold_process(arguments.program, place, model, i))
    return notes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--program', type=pathlib.Path, default=ROOT / 'build/pixel-detective')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--unprepared', type=int, default=2, help='rounds in which the model is prepared anew')
    parser.add_argument('--photos', type=int, default=100_000)
    parser.add_argument('--pictures', type=pathlib.Path, default=ROOT.parent / 'shared/photos/camera')
    parser.add_argument('--random', default='b32', help='a checkpoint with random weights beside the shipped one; none: without')
    parser.add_argument('--write', action='store_true')
    arguments = parser.parse_args()
    arguments.program = arguments.program.resolve()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        models = {'tiny': ROOT / 'models/tiny'}
        if arguments.random != 'none':
            models[f'random {arguments.random}'] = scratch / arguments.random
            subprocess.run([ROOT / 'build/bench/random_checkpoint', arguments.random, scratch / arguments.random,
                            '--tokenizer', ROOT / 'models/tiny'], check=True)
        print(f'{cpu_name()}, {os.cpu_count()} CPUs, {arguments.photos:,} photos, idle time {IDLE_S} s')
        for model, folder in models.items():
            notes = measure(model, folder, arguments, scratch)
            for row in notes.rows():
                print(f'{row[0]:<12} {row[1]:<46} {row[3]:>9} min {row[4]:>9} median {row[5]:>9} max  {row[2]}  n={row[6]}')
                rows.append(row)
            for moment, files in notes.files.items():
                print(f'{model:<12} mapped, {moment}: {" ".join(files) or "nothing"}')
    if arguments.write:
        (HERE / 'results').mkdir(exist_ok=True)
        with open(HERE / f'results/memory-{cpu_name()}.csv', 'w', newline='') as file:
            writer = csv.writer(file, lineterminator='\n')
            writer.writerow(COLUMNS)
            writer.writerows(rows)


if __name__ == '__main__':
    main()

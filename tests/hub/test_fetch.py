#!/usr/bin/env python3
"""test_fetch.py PROGRAM: pixel-detective-fetch against a hub that misbehaves. One line a case."""
import hashlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from hub_server import Hub, safetensors, small_model

PROGRAM = os.path.abspath(sys.argv[1])
NEEDED = {'config.json', 'preprocessor_config.json', 'vocab.json', 'merges.txt', 'tokenizer_config.json', 'model.safetensors'}


class Skip(Exception):
    pass


class Place:
    started_by = []  # a command that is given the program

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.models = self.root / 'models'
        self.hub = self.open_hub()
        self.files = self.hub.add('owner/name', small_model())
        self.environment = {k: v for k, v in os.environ.items() if 'proxy' not in k.lower() and not k.startswith('SSL_CERT_')}
        self.reports = []

    def open_hub(self):
        return Hub()

    def start(self, **changes):
        request = {'version': 1, 'endpoint': self.hub.url, 'token': None, 'repository': 'owner/name', 'revision': 'main',
                   'key': 'owner--name', 'models_dir': str(self.models), 'stall_ms': 1000, 'retry_ms': 20, **changes}
        process = subprocess.Popen([*self.started_by, PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self.environment)
        process.stdin.write(json.dumps(request).encode() + b'\n')
        process.stdin.flush()
        return process

    def finish(self, process):
        self.reports = [json.loads(line) for line in process.stdout]
        process.stdin.close()
        code = process.wait(timeout=30)
        last = self.reports[-1]
        assert (code == 0) == (last['outcome'] == 'ok'), (code, last)
        assert all('outcome' not in report for report in self.reports[:-1]), self.reports
        return last

    def pull(self, outcome='ok', says='', **changes):
        last = self.finish(self.start(**changes))
        assert last['outcome'] == outcome, last
        assert says in last['message'], last
        assert outcome == 'ok' or len(last['message']) > 25, last
        if outcome == 'ok':
            self.check(changes.get('key', 'owner--name'), changes.get('repository', 'owner/name'))
        return last

    def check(self, key='owner--name', repository='owner/name'):
        folder = self.models / key
        assert not (self.models / (key + '.part')).exists()
        served = self.hub.repositories[repository]
        there = {path.name for path in folder.iterdir()} - {'pull.json'}
        assert there <= set(served), there
        for name in there:
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == served[name].sha256, name
        record = json.loads((folder / 'pull.json').read_text())
        assert record['complete'] and record['revision'] == self.hub.commits[repository], record
        assert {file['name']: file['sha256'] for file in record['files']} == {n: served[n].sha256 for n in there}
        return there

    def begun(self):
        return json.loads((self.models / 'owner--name.part/pull.json').read_text())

    def bytes_sent(self):
        return sum(int(h['range'].split('-')[1]) - int(h['range'].split('=')[1].split('-')[0]) + 1
                   for path, h in self.hub.asked('model.safetensors') if 'range' in h)


def what_a_model_needs_is_fetched_and_nothing_else(place):
    place.pull()
    assert place.check() == NEEDED
    paths = [path for path, _ in place.hub.requests]
    assert paths[0].startswith('/api/models/owner/name/revision/main') and not any('README' in p or '.bin' in p for p in paths)
    done = [report['done'] for report in place.reports]
    assert done == sorted(done) and place.reports[-1]['done'] == place.reports[-1]['total']
    assert place.bytes_sent() == place.files['model.safetensors'].size, 'nothing comes twice'


def the_image_tower_comes_before_the_words(place):
    place.hub.fault('model.safetensors', 'slow', times=None, rate=2_000_000)
    place.pull()
    ready = next(i for i, report in enumerate(place.reports) if report['vision_ready'])
    assert place.reports[ready]['phase'] == 'vision' and place.reports[ready]['done'] < place.reports[ready]['total']
    assert place.reports[ready]['vision_bytes'] == place.reports[ready]['done'], 'it was told when that would be'
    assert {r['vision_bytes'] for r in place.reports} == {0, place.reports[ready]['done']}, 'as soon as the header was here'
    assert any(r['vision_bytes'] and not r['vision_ready'] for r in place.reports), 'before it was so'
    assert place.reports[ready]['sha256'] == place.files['model.safetensors'].sha256
    phases = [report['phase'] for report in place.reports]
    order = ['list', 'small', 'vision', 'rest', 'check', 'ready']
    assert [p for i, p in enumerate(phases) if i == 0 or phases[i - 1] != p] == order, phases


def a_connection_that_drops_is_taken_up_again(place):
    place.hub.fault('model.safetensors', 'drop', times=6, after=70_000)
    place.pull()
    ranges = [headers.get('range') for _, headers in place.hub.asked('model.safetensors')]
    assert len(ranges) >= 7 and len(set(ranges)) == len(ranges), ranges
    assert all(h.get('if-range') == place.files['model.safetensors'].etag for _, h in place.hub.asked('model.safetensors')[1:])


def one_that_always_drops_is_given_up_and_kept(place):
    place.hub.fault('model.safetensors', 'drop', times=None, after=0)
    place.pull('network', 'kept')
    assert len(place.hub.asked('model.safetensors')) == 7
    place.hub.faults.clear()
    n = len(place.hub.requests)
    place.pull()
    assert not any('config.json' in path for path, _ in place.hub.requests[n:]), 'small files are here already'


def silence_is_not_waited_for(place):
    place.hub.fault('model.safetensors', 'stall', times=2, after=100_000, seconds=20)
    begun = time.time()
    place.pull(stall_ms=1000)
    assert time.time() - begun < 15


def a_length_that_lies_does_no_harm(place):
    place.hub.fault('model.safetensors', 'longer', times=2, by=5000)
    place.hub.fault('model.safetensors', 'shorter', times=3, by=50_000)
    place.hub.fault('vocab.json', 'shorter', times=1, by=1)
    place.pull()


def more_than_was_asked_for_is_not_taken(place):
    place.hub.fault('model.safetensors', 'more', times=None)
    last = place.finish(place.start())
    assert last['outcome'] in ('ok', 'corrupt'), last
    if last['outcome'] == 'ok':
        place.check()
    else: # bytes of another place: seen by the checksum
        assert 'SHA-256' in last['message'], last


def a_server_that_refuses_ranges_is_read_from_the_beginning(place):
    place.hub.fault('model.safetensors', 'ranges', times=None)
    place.hub.fault('model.safetensors', 'drop', times=2, after=400_000)
    place.pull()
    assert any(report['vision_ready'] for report in place.reports)
    assert all(report['vision_bytes'] <= report['total'] for report in place.reports)


def content_that_changes_in_between_is_fetched_anew(place):
    other = small_model(seed=2)['model.safetensors']
    place.hub.fault('model.safetensors', 'drop', times=1, after=100_000)
    process = place.start()
    while place.reports[-1:] == [] or not place.hub.asked('model.safetensors'):
        place.reports.append(json.loads(process.stdout.readline()))
    place.hub.add('owner/name', {**small_model(), 'model.safetensors': other})
    place.finish(process)
    assert place.reports[-1]['outcome'] == 'ok', place.reports[-1]
    place.check()
    assert len(place.hub.asked('/api/')) >= 2, 'the list was asked for again'


def content_that_changes_between_two_pulls_is_fetched_anew(place):
    place.hub.fault('model.safetensors', 'drop', times=None, after=50_000)
    process = place.start()
    time.sleep(0.4)
    process.stdin.close()
    process.wait(timeout=20)
    place.hub.faults.clear()
    place.hub.add('owner/name', small_model(vision=310_000, seed=3))
    place.pull()


def wrong_bytes_are_refused_and_not_kept(place):
    place.hub.fault('model.safetensors', 'garbage', times=None)
    place.hub.fault('model.safetensors', 'ranges', times=None)
    last = place.finish(place.start())
    assert last['outcome'] in ('corrupt', 'format'), last
    place.hub.faults.clear()
    place.pull()


def bytes_that_went_wrong_once_are_fetched_again(place):
    body = small_model()['model.safetensors']
    end_of_tower = len(body) - 1000
    place.pull()
    folder = place.models / 'owner--name'
    # as after a power cut: the record says that all is here, but the bytes are not
    part = place.models / 'owner--name.part'
    folder.rename(part)
    record = json.loads((part / 'pull.json').read_text())
    for file in record['files']:
        file['here'] = [[0, file['size']]]
    (part / 'pull.json').write_text(json.dumps(record))
    with open(part / 'model.safetensors', 'r+b') as file:
        file.seek(end_of_tower)
        file.write(bytes(500))
    place.pull()


def a_killed_fetch_goes_on_where_it_was(place):
    place.hub.add('owner/name', small_model(2_000_000, 2_000_000))
    place.files = place.hub.repositories['owner/name']
    place.hub.fault('model.safetensors', 'slow', times=None, rate=1_500_000)
    for _ in range(2):
        process = place.start()
        time.sleep(1.3)
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
    here = sum(end - begin for file in place.begun()['files'] for begin, end in file['here'])
    assert here > 500_000, here
    place.hub.faults.clear()
    n = len(place.hub.requests)
    place.pull()
    assert place.reports[1]['done'] >= here, place.reports[:3]


def what_others_left_lying_does_not_come_along(place):
    part = place.models / 'owner--name.part'
    part.mkdir(parents=True)
    for name in ('pull.json.tmp-1-2', 'of-another-revision.json'):
        (part / name).write_text('{')
    place.pull()
    assert place.check() == NEEDED


def the_end_of_the_pipe_cancels_and_keeps(place):
    place.hub.fault('model.safetensors', 'slow', times=None, rate=200_000)
    process = place.start()
    time.sleep(0.8)
    process.stdin.close()
    last = [json.loads(line) for line in process.stdout][-1]
    assert last['outcome'] == 'cancelled' and process.wait(timeout=5) == 1, last
    assert last['dir'].endswith('owner--name.part')
    assert sum(end - begin for file in place.begun()['files'] for begin, end in file['here']) > 10_000
    place.hub.faults.clear()
    place.pull()


def refusals_are_explained(place):
    for code, outcome, says in ((401, 'network', '401'), (403, 'network', 'conditions'), (404, 'not_found', 'name right'),
                                (400, 'network', '400')):
        place.hub.fault('/api/', 'status', code=code)
        place.pull(outcome, says)
    place.hub.fault('/api/', 'status', code=401)
    place.pull('network', 'does not accept your HF_TOKEN', token='hf_x')
    place.hub.fault('/api/', 'status', code=403, headers={'X-Error-Code': 'GatedRepo'})
    place.pull('network', 'set HF_TOKEN')
    place.pull('not_found', 'no revision', revision='v9')
    place.pull('network', 'is the name right', repository='owner/nothing', key='owner--nothing')
    for code, says in ((500, '500'), (503, '503'), (429, '429')):
        place.hub.fault('/api/', 'status', code=code, times=3)
        place.pull('network', says)
        place.hub.faults.clear()
    place.hub.fault('vocab.json', 'status', code=404)
    place.pull('not_found', 'name right')


def trouble_that_passes_is_waited_for(place):
    place.hub.fault('/api/', 'status', code=503, times=2)
    place.hub.fault('model.safetensors', 'status', code=429, headers={'Retry-After': '1'})
    place.hub.fault('merges.txt', 'status', code=502, times=4)
    begun = time.time()
    place.pull()
    assert time.time() - begun >= 1, 'the hub asked for a second'
    place.hub.fault('/api/', 'status', code=429, headers={'Retry-After': '3600'})
    place.pull('network', '429')


def a_token_goes_to_the_hub_alone(place):
    store = Hub('localhost')  # the same computer under another name, and another port
    store.repositories, store.commits = place.hub.repositories, place.hub.commits
    place.hub.store = store.url
    place.pull(token='hf_secret')
    assert all(h.get('authorization') == 'Bearer hf_secret' for _, h in place.hub.requests)
    assert store.asked('model.safetensors') and all('authorization' not in h for _, h in store.requests)
    assert 'hf_secret' not in ''.join(json.dumps(r) for r in place.reports)
    assert b'hf_secret' not in b''.join(p.read_bytes() for p in place.models.rglob('*') if p.is_file())
    store.close()


def redirects_end_somewhere(place):
    place.hub.fault('config.json', 'redirect', times=3, to=place.hub.url)
    place.pull()
    place.hub.add('owner/name', small_model(seed=5))
    place.hub.fault('config.json', 'redirect', times=None, to=place.hub.url)
    place.pull('network', 'without an end')
    place.hub.faults.clear()
    for to in ('http://192.0.2.1', 'ftp://127.0.0.1', 'file://'):
        place.hub.fault('config.json', 'redirect', to=to)
        place.pull('network', 'not asked')


def only_https_leaves_this_computer(place):
    place.pull('usage', 'https://', endpoint='http://example.com')
    place.pull('usage', 'https://', endpoint='ftp://127.0.0.1/')
    place.pull('usage', 'address', endpoint='no address at all')


def no_network_is_said_soon(place):
    with socket.socket() as unused:
        unused.bind(('127.0.0.1', 0))
        port = unused.getsockname()[1]
    begun = time.time()
    place.pull('network', 'online', endpoint=f'http://127.0.0.1:{port}')
    place.pull('network', 'online', endpoint='https://no-such-host.invalid')
    assert time.time() - begun < 20
    place.environment['https_proxy'] = 'http://no-such-proxy.invalid:1'
    place.pull('network', 'proxy', endpoint='https://no-such-host.invalid')


def what_is_no_model_is_refused_early(place):
    files = small_model()
    for change, outcome, says in (
            ({'config.json': None}, 'unsupported', 'config.json'),
            ({'model.safetensors': None, 'pytorch_model.bin': None}, 'unsupported', 'weights'),
            ({'config.json': b'{"architectures": ["LlamaForCausalLM"]}'}, 'unsupported', 'LlamaForCausalLM'),
            ({'config.json': b'not json'}, 'format', 'config.json'),
            ({'model.safetensors': b'\xff' * 100}, 'format', 'safetensors'),
            ({'model.safetensors': b'abc'}, 'format', 'safetensors'),
            ({'model.safetensors': (50).to_bytes(8, 'little') + b'{"vision_model.a":{"data_offsets":[0,99999]}}' + b' ' * 20},
             'format', 'safetensors')):
        place.hub.add('owner/name', {k: v for k, v in {**files, **change}.items() if v is not None})
        n = len(place.hub.asked('model.safetensors'))
        place.pull(outcome, says)
        assert 'model.safetensors' in change or len(place.hub.asked('model.safetensors')) == n, 'nothing large was fetched'
        assert outcome != 'unsupported' or not (place.models / 'owner--name.part').exists(), 'there is nothing to go on with'


def shards_and_pickles_are_fetched_where_there_is_nothing_else(place):
    files = small_model()
    whole = files.pop('model.safetensors')
    place.hub.add('owner/name', files)
    place.pull()
    assert 'pytorch_model.bin' in place.check()
    half = len(whole) // 2
    files |= {'model.safetensors.index.json': b'{"weight_map": {}}', 'model-00001-of-00002.safetensors': whole[:half],
              'model-00002-of-00002.safetensors': whole[half:]}
    place.hub.add('owner/name', files)
    place.pull()
    assert {'model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'} <= place.check()
    assert 'pytorch_model.bin' not in place.check() and not any(r['vision_ready'] or r['vision_bytes'] for r in place.reports)


def a_hub_that_tells_no_sizes_is_asked_for_them(place):
    place.hub.tells_sizes = False
    place.pull()
    assert any(report['vision_ready'] for report in place.reports), 'x-linked-etag is a promise, too'


def a_list_that_is_none_is_refused(place):
    for body in (b'{"siblings": []}', b'[]', b'<html>', b'{"sha": "' + b'a' * 40 + b'", "siblings": 3}'):
        place.hub.fault('/api/', 'status', code=200)
        place.pull('format', 'no list')
        place.hub.faults.clear()


def two_do_not_fetch_the_same(place):
    place.hub.fault('model.safetensors', 'slow', times=None, rate=60_000)
    first = place.start()
    time.sleep(0.5)
    place.pull('busy', 'another process')
    first.stdin.close()
    first.wait(timeout=10)
    first.stdout.close()
    place.hub.faults.clear()
    place.pull()


def a_new_revision_takes_the_place_of_the_old_one(place):
    place.pull()
    place.hub.add('owner/name', small_model(seed=7))
    place.pull()
    place.check()
    assert sorted(p.name for p in place.models.iterdir()) == ['owner--name']


def a_file_that_somebody_cut_is_fetched_again(place):
    place.hub.fault('model.safetensors', 'slow', times=None, rate=100_000)
    process = place.start()
    time.sleep(0.6)
    process.stdin.close()
    process.wait(timeout=20)
    process.stdout.close()
    part = place.models / 'owner--name.part'
    os.truncate(part / 'model.safetensors', 1000)
    (part / 'config.json').unlink()
    place.hub.faults.clear()
    place.pull()
    place.hub.add('owner/name', small_model(seed=8))
    place.pull()


def a_damaged_record_costs_what_it_recorded(place):
    part = place.models / 'owner--name.part'
    for text in (b'', b'{', b'{"version":1}', b'{"version":9,"files":[]}', b'[' * 3000,
                 b'{"version":1,"repository":"owner/name","files":[{"name":"../x","size":3,"weights":false}]}'):
        part.mkdir(parents=True)
        (part / 'pull.json').write_bytes(text)
        place.pull()
        place.hub.add('owner/name', small_model(seed=len(text)))


def a_full_disk_is_said_before_and_on_the_way(place):
    place.models.mkdir()
    if os.getuid() != 0 or subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=1500k', 'tmpfs', place.models],
                                          capture_output=True).returncode != 0:
        raise Skip('a small file system can be mounted by root only')
    try:
        place.pull('full', 'room')
        assert not place.hub.asked('config.json'), 'said before anything was fetched'
        place.hub.add('owner/name', small_model(100_000, 100_000))
        place.hub.fault('model.safetensors', 'slow', times=None, rate=100_000)
        process = place.start()
        time.sleep(0.7)
        free = os.statvfs(place.models)
        (place.models / 'other').write_bytes(b'x' * (free.f_bavail * free.f_frsize - 8192))
        last = place.finish(process)
        assert last['outcome'] == 'full' and len(last['message']) > 25, last
        (place.models / 'other').unlink()
        place.hub.faults.clear()
        place.pull()
    finally:
        subprocess.run(['umount', '-l', place.models], check=True)


def nonsense_on_the_pipe_is_refused(place):
    for line in (b'', b'\n', b'{}\n', b'{"version":2}\n', b'[1]\n', b'x' * 70000 + b'\n'):
        done = subprocess.run([PROGRAM], input=line, capture_output=True, timeout=10)
        last = json.loads(done.stdout.splitlines()[-1])
        assert done.returncode == 1 and last['outcome'] != 'ok' and len(last['message']) > 15, last
    for change in ({'repository': '../x'}, {'repository': 'a/b/c'}, {'key': 'a/b'}, {'key': '..'}, {'models_dir': 'here'},
                   {'token': 'a\r\nX: y'}):
        place.pull('usage', 'request', **change)
    assert not place.hub.requests


def run_cases(names, least, place=Place):
    """Each function of one argument called `place`, those with the text in argv[2] in their name when there is one."""
    cases = [value for value in names.values()
             if callable(value) and getattr(value, '__code__', None) and value.__code__.co_varnames[:1] == ('place',)]
    failed = 0
    for case in cases:
        if len(sys.argv) > 2 and sys.argv[2] not in case.__name__:
            continue
        with tempfile.TemporaryDirectory(prefix='pd-fetch-') as root:
            here, begun = place(root), time.time()
            try:
                case(here)
                print('ok  ', case.__name__, f'({time.time() - begun:.1f} s)', flush=True)
            except Skip as skip:
                print('ok  ', case.__name__, f'(in part: {skip})')
            except (AssertionError, subprocess.SubprocessError, OSError, KeyError, ValueError, IndexError) as error:
                failed += 1
                print('FAIL', case.__name__, '-', repr(error)[:2000], flush=True)
            finally:
                here.hub.close()
    return 1 if failed or len(cases) < least else 0


if __name__ == '__main__':
    sys.exit(run_cases(dict(globals()), 20))

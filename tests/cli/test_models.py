#!/usr/bin/env python3
"""test_models.py PROGRAM SOURCE: models from the command line, and a pull that is used before it is complete."""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading

from cli_place import Skip, main, within
from authority import Authority
from connect_proxy import Proxy
from hub_server import Hub, small_model
from server_place import Server, good

API = '/api/v1/'


def model_files(p, mark):
    """The shipped model as another one: it computes the same, under an id of its own."""
    files = {f.name: f.read_bytes() for f in p.tiny.iterdir() if f.suffix in ('.json', '.txt') or f.name == 'model.safetensors'}
    files.pop('eval.json', None)
    files['special_tokens_map.json'] += b'\n' * mark
    return files


class HeldWords(bytes):
    """Weights whose image tower comes at once; the words come for a minute, or at once as soon as they are let go."""
    begin, end = 2_000_000, 9_000_000

    def __init__(self, _):
        self.let_go = threading.Event()

    def __getitem__(self, at):
        if self.begin <= at.start < self.end:
            self.let_go.wait(0.6)
        return super().__getitem__(at)


def hold_words(hub):
    file = hub.repositories['owner/name']['model.safetensors']
    file.content = HeldWords(file.content)
    return file.content.let_go


def open_hub(p, mark=1, tls=None):
    hub = Hub(tls=tls)
    hub.add('owner/name', model_files(p, mark))
    p.environment['HF_ENDPOINT'] = hub.url
    for name in [name for name in os.environ if 'proxy' in name.lower()]:
        p.environment.pop(name, None)
    return hub


def models_of(p):
    return {m['key']: m for m in p.json('model')['models']}


def folder_of(p):
    return p.models / 'owner--name'


def the_catalogue_is_listed(place):
    models = models_of(place)
    assert {'tiny', 'openai--clip-vit-base-patch32', 'openai--clip-vit-base-patch16', 'openai--clip-vit-large-patch14',
            'Salesforce--blip-image-captioning-base'} <= set(models)
    tiny, clip = models['tiny'], models['openai--clip-vit-base-patch32']
    assert tiny['built_in'] and tiny['complete'] and tiny['answering'] and tiny['chosen'] and tiny['kind'] == 'search'
    assert not clip['complete'] and clip['state'] == 'absent' and clip['download_bytes'] > 600_000_000 and clip['licence'] == 'MIT'
    text = place.run('model', code=0)
    assert text == place.run('model', 'list', code=0) and '* tiny ' in text and 'openai/clip-vit-base-patch32' in text
    assert 'licence' in place.run('model', 'info', 'CLIP B/32', code=0)
    place.run('model', 'info', 'who/knows', code=3, says='model pull who/knows')
    for wrong in (['what'], ['pull'], ['list', 'x'], ['use', 'a', 'b']):
        place.run('model', *wrong, code=2, says='model pull NAME')
    place.run('model', 'pull', 'no name at all', code=2, says='model list')
    place.run('model', 'pull', 'tiny', code=2, says='came with the program')
    place.run('model', 'remove', 'tiny', code=2, says='came with the program')
    place.run('model', 'info', 'nobody', code=3, says="'model list'")
    for wrong in ('', '.', '..'):
        place.run('model', 'use', wrong, code=2, says='no name of a model')
        place.run('model', 'remove', wrong, code=2, says='no name of a model')
    place.run('--model', 'tiny-caption', 'index', place.photos, code=3, says='VisionEncoderDecoderModel')


def a_model_is_fetched_used_and_removed(place):
    hub = open_hub(place)
    place.run('index', place.photos, code=0)
    assert 'model use owner/name' in place.run('model', 'pull', 'owner/name', code=0)
    assert not hub.asked('README') and (folder_of(place) / 'pull.json').is_file()
    done = place.json('model', 'pull', 'owner/name')
    assert done['outcome'] == 'ok' and done['key'] == 'owner--name' and done['revision'] == hub.commits['owner/name']
    used = place.json('model', 'use', 'owner/name')
    assert used['learned'] == 0 and used['files'] == 3, used
    assert place.json('search', 'x')['model'] == 'tiny', 'the old one answers until the new one has learned'
    assert place.json('index', place.photos)['files'] == 3
    assert place.json('search', 'x')['model'] == 'owner--name' and models_of(place)['owner--name']['answering']
    place.run('model', 'remove', 'owner/name', code=5, says='in use')
    back = place.run('model', 'use', 'tiny', code=0)
    assert 'knows 3 of 3' in back and 'index' not in back, back
    assert place.json('search', 'x')['model'] == 'tiny'
    prepared = {p.name for p in place.prepared.iterdir()}
    place.run('model', 'remove', 'owner/name', code=0)
    assert not folder_of(place).exists() and 'owner--name' not in models_of(place)
    left = {p.name for p in place.prepared.iterdir()}
    assert len(prepared - left) == 2, 'what was prepared of it goes, and nothing else'
    place.run('model', 'remove', 'owner/name', code=3, says='owner--name')
    place.run('search', 'x', code=0)
    hub.close()


def what_was_learned_with_a_removed_model_stays_or_goes(place):
    hub = open_hub(place)
    place.run('index', place.photos, code=0)
    place.run('model', 'pull', 'owner/name', code=0)
    before = prepared_of(place)
    place.run('model', 'use', 'owner/name', code=0)
    place.run('index', place.photos, code=0)
    place.run('model', 'remove', 'owner/name', '--embeddings', code=5, says='in use')
    place.run('model', 'use', 'tiny', code=0)
    prepared = sum((place.prepared / name).stat().st_size for name in prepared_of(place).keys() - before.keys())
    plan = place.json('model', 'remove', 'owner/name', '--dry-run')
    assert plan['would_remove'] == 'owner/name' and plan['photos'] == 3 and plan['embeddings'] is False, plan
    assert plan['files_bytes'] > 15_000_000 and plan['prepared_bytes'] == prepared and plan['embeddings_bytes'] > 3000, plan
    said = place.run('model', 'remove', 'owner/name', '--dry-run', code=0)
    assert said.startswith('would remove owner/name: ') and 'about 3 photos stays' in said, said
    assert folder_of(place).is_dir() and len(learned_vectors(place)) == 3
    said = place.run('model', 'remove', 'owner/name', code=0)
    assert said.startswith('removed owner/name: ') and len(learned_vectors(place)) == 3, said

    place.run('model', 'pull', 'owner/name', code=0)
    vectors = {p.name for p in (place.library / 'vectors').iterdir()}
    said = place.run('model', 'remove', 'owner/name', '--embeddings', '--dry-run', code=0)
    assert 'of that what it learned about 3 photos' in said and len(learned_vectors(place)) == 3, said
    gone = place.json('model', 'remove', 'owner/name', '--embeddings')
    assert gone['removed'] == 'owner/name' and gone['embeddings'] and gone['photos'] == 3, gone
    assert learned_vectors(place) == [] and len(vectors - {p.name for p in (place.library / 'vectors').iterdir()}) == 1
    assert place.json('search', 'x')['total'] == 3, 'what others learned stays'
    place.run('model', 'list', '--embeddings', code=2, says='model remove')

    place.run('model', 'pull', 'owner/name', code=0)  # one that cannot be read any more is still known by its name
    place.run('model', 'use', 'owner/name', code=0)
    place.run('index', place.photos, code=0)
    place.run('model', 'use', 'tiny', code=0)
    (folder_of(place) / 'model.safetensors').write_bytes(b'')
    assert place.json('model', 'remove', 'owner/name', '--embeddings')['photos'] == 3 and learned_vectors(place) == []
    hub.close()


def the_model_in_use_keeps_what_it_learned_by_another_name(place):
    """The same bytes are the same model."""
    place.run('index', place.photos, code=0)
    shutil.copytree(place.tiny, place.models / 'twin')
    place.run('model', 'remove', 'twin', '--embeddings', code=5, says='is tiny by another name')
    assert place.json('search', 'x')['total'] == 3
    place.run('model', 'remove', 'twin', code=0)
    assert place.json('search', 'x')['total'] == 3 and not (place.models / 'twin').exists()


def the_captioner_in_use_stays(place):
    """It is told of as such, also by its directory."""
    mine, fetched = place.root / 'mine', place.models / 'writer'
    place.run('index', place.photos, code=0)
    for folder in (mine, fetched):
        shutil.copytree(place.source / 'models/tiny-caption', folder)
        (folder.parent / 'tiny').symlink_to(place.tiny)
    assert place.run('model', 'use', str(mine), code=0) == f'{mine} writes captions from now on.\n'
    used = models_of(place)[str(mine.resolve())]
    assert used['chosen'] and used['kind'] == 'captions' and not models_of(place)['tiny-caption']['chosen']
    assert 'it writes captions' in place.run('model', 'info', str(mine), code=0)
    place.run('model', 'use', 'writer', code=0)
    place.run('model', 'remove', 'writer', code=5, says='model use tiny-caption')
    assert place.json('caption', place.photos / '0.png')['pictures'][0]['caption']
    place.run('model', 'use', 'tiny-caption', code=0)
    place.run('model', 'remove', 'writer', code=0)
    assert not fetched.exists()


def another_revision_of_the_one_in_use_is_told_to_learn(place):
    hub = open_hub(place)
    place.run('index', place.photos, code=0)
    place.run('model', 'pull', 'owner/name', code=0)
    place.run('model', 'use', 'owner/name', code=0)
    place.run('index', place.photos, code=0)
    again = place.run('model', 'pull', 'owner/name', code=0)
    assert 'Now' not in again, 'the same one is in use, and knows all: ' + again
    hub.add('owner/name', model_files(place, 2))
    renewed = place.run('model', 'pull', 'owner/name', code=0)
    assert 'learn with it' in renewed and f'index {place.photos}' in renewed, renewed
    assert models_of(place)['owner--name']['learned'] == 0 and place.json('status')['learned'] == 0
    assert place.json('index', place.photos)['learned'] == 3
    assert place.json('search', 'x')['model'] == 'owner--name'
    hub.close()


def progress_is_told(place):
    hub = open_hub(place)
    hub.fault('model.safetensors', 'slow', times=None, rate=12_000_000)
    done = place.ask('model', 'pull', 'owner/name', '--progress', 'json', '--json')
    states = [json.loads(line) for line in done.stderr.decode().splitlines()]
    assert done.returncode == 0 and states[-1]['phase'] == 'ready' and states[-1]['outcome'] == 'ok', done.stderr[-500:]
    bytes_done = [s['done_bytes'] for s in states]
    assert bytes_done == sorted(bytes_done) and len(states) > 5
    assert any(s['vision_ready'] and s['done_bytes'] < s['total_bytes'] for s in states)
    early = [s for s in states if s['vision_bytes'] and not s['vision_ready']]
    assert early and all(s['done_bytes'] < s['vision_bytes'] < s['total_bytes'] for s in early) and states[0]['vision_bytes'] is None
    assert any(s['rate'] for s in states) and all(s['eta_s'] is None or s['eta_s'] >= 0 for s in states)
    hub.close()
    assert place.ask('model', 'pull', 'owner/name', '--progress', 'bar').returncode == 8, 'the hub is gone'


def an_interrupted_pull_goes_on(place):
    hub = open_hub(place)
    hub.fault('model.safetensors', 'slow', times=None, rate=5_000_000)
    process = place.start('model', 'pull', 'owner/name', '--progress', 'json', stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for line in process.stderr:
        if json.loads(line)['done_bytes'] > 4_000_000:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130 and b'Stopped.' in out and b'goes on from there' in out, (process.returncode, out, err)
    assert models_of(place)['owner--name']['state'] == 'partial' and 'begun' in place.run('model', code=0)
    place.run('model', 'use', 'owner/name', code=3, says='model pull')
    hub.faults.clear()
    n = len(hub.asked('model.safetensors'))
    place.run('model', 'pull', 'owner/name', code=0)
    again = sum(int(h['range'].split('-')[1]) - int(h['range'][6:].split('-')[0]) + 1
                for _, h in hub.asked('model.safetensors')[n:])
    assert again < 12_500_000, again
    hub.close()


def what_goes_wrong_has_its_exit_code(place):
    hub = open_hub(place)
    place.environment['HF_HUB_OFFLINE'] = '1'
    place.run('model', 'pull', 'owner/name', code=8, says='HF_HUB_OFFLINE')
    assert not hub.requests
    place.environment['HF_HUB_OFFLINE'] = '0'
    place.environment['HF_TOKEN'] = 'hf_secret'
    for code, times, says in ((401, 1, 'HF_TOKEN'), (403, 1, 'conditions'), (429, 3, 'asks to wait (429'), (500, 3, 'trouble of its own (500)'),
                              (503, 3, 'trouble of its own (503)')):
        hub.fault('/api/', 'status', code=code, times=times)
        place.run('model', 'pull', 'owner/name', code=8, says=says)
    hub.fault('/api/', 'status', code=404)
    place.run('model', 'pull', 'owner/name', code=3, says='is the name right')
    place.run('model', 'pull', 'owner/none', code=8, says='owner/none')
    assert not (place.models / 'owner--none.part').exists(), 'nothing is left of what never came'
    place.run('model', 'pull', 'owner/name@v9', code=3, says='v9')
    hub.add('owner/other', {'config.json': b'{"architectures":["BertModel"]}', 'model.safetensors': b'x' * 50})
    place.run('model', 'pull', 'owner/other', code=3, says='BertModel')
    hub.add('owner/hollow', small_model())
    place.run('model', 'pull', 'owner/hollow', code=0)
    place.run('model', 'use', 'owner/hollow', code=3, says='')
    assert models_of(place)['tiny']['chosen'], 'what cannot be used leaves the old one in use'
    assert all('hf_secret' == h['authorization'].removeprefix('Bearer ') for _, h in hub.requests)
    for path in place.root.rglob('*'):
        assert not path.is_file() or b'hf_secret' not in path.read_bytes(), path
    place.environment['HF_ENDPOINT'] = 'http://example.org'
    place.run('model', 'pull', 'owner/name', code=2, says='https://')
    hub.close()


def by_https_the_program_hands_on_whom_to_trust_and_what_leads_there(place):
    authority = Authority(place.root / 'authority')
    hub, proxy = open_hub(place, tls=authority.server()), Proxy()
    place.environment['HF_TOKEN'] = 'hf_secret'
    place.run('model', 'pull', 'owner/name', code=8, says='SSL_CERT_FILE')
    assert not hub.requests and not list(place.models.iterdir())
    place.environment['SSL_CERT_FILE'] = 'authority/authority.pem'  # from where the program was started
    place.run('model', 'pull', 'owner/name', code=0)
    files = {path: path.read_bytes() for path in folder_of(place).iterdir()}
    hub.add('owner/name', model_files(place, 2))
    stranger = Hub(tls=Authority(place.root / 'other', 'Another authority').server())
    hub.fault('model.safetensors', 'redirect', to=stranger.url)
    place.run('model', 'pull', 'owner/name', code=8, says='nobody whom this computer trusts')
    assert {path: path.read_bytes() for path in folder_of(place).iterdir()} == files, 'the old one stays as it was'
    del place.environment['SSL_CERT_FILE']
    place.environment.update(SSL_CERT_DIR=str(authority.directory(place.root / 'trusted')), HTTPS_PROXY=f'http://{proxy.address}')
    place.run('model', 'pull', 'owner/name', code=0)
    assert proxy.asked() and json.loads((folder_of(place) / 'pull.json').read_text())['revision'] == hub.commits['owner/name']
    hub.add('owner/name', model_files(place, 3))
    n, place.environment['NO_PROXY'] = len(proxy.heads), '127.0.0.1'
    place.run('model', 'pull', 'owner/name', code=0)
    assert len(proxy.heads) == n and not stranger.requests
    for server in (hub, proxy, stranger):
        server.close()


def a_full_disk_is_said(place):
    hub = open_hub(place)
    small = place.root / 'small'
    small.mkdir()
    if os.getuid() != 0 or subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', small],
                                          capture_output=True).returncode != 0:
        raise Skip('a small file system can be mounted by root only')
    try:
        place.environment['XDG_DATA_HOME'] = str(small)
        place.run('model', 'pull', 'owner/name', code=6, says='room')
        place.run('model', code=0)
    finally:
        subprocess.run(['umount', small], check=True)
        hub.close()


def the_main_program_knows_no_curl(place):
    linked = subprocess.run(['ldd', place.program], capture_output=True, text=True).stdout
    assert 'libsqlite3' in linked and 'libcurl' not in linked, linked
    fetch = pathlib.Path(place.program).parent / 'pixel-detective-fetch'
    assert 'libcurl' in subprocess.run(['ldd', fetch], capture_output=True, text=True).stdout
    hub = open_hub(place)
    hub.fault('model.safetensors', 'slow', times=None, rate=8_000_000)
    process = place.start('model', 'pull', 'owner/name', stdout=subprocess.DEVNULL)
    tasks = pathlib.Path(f'/proc/{process.pid}/task')

    def children():
        return {c for t in tasks.iterdir() for c in (t / 'children').read_text().split()}
    within(20, lambda: hub.asked('model.safetensors'), 'a fetch')
    maps = pathlib.Path(f'/proc/{process.pid}/maps').read_text()
    assert 'libsqlite3' in maps and 'libcurl' not in maps
    arguments = [pathlib.Path(f'/proc/{c}/cmdline').read_bytes() for c in children()]
    assert len(arguments) == 1 and arguments[0].count(b'\0') == 1, f'nothing on its command line: {arguments}'
    process.kill()
    process.wait()
    hub.close()


def pull_and_use(server):
    """Until the pictures are learned with the image tower; the words are held."""
    good(server.post(API + 'models/pull', {'model': 'owner/name', 'use': True}), 202)
    now = server.until(lambda s: s['pull'] and s['job'] and s['job']['learned'] + s['job']['unchanged'] == 3 and
                       s['pull']['phase'] != 'vision')
    early = now['pull']
    assert early['running'] and early['done_bytes'] < early['total_bytes'], (early, now['models'], now['log'])
    assert early['vision_ready'] and early['phase'] == 'rest', early


def pictures_are_learned_while_the_words_arrive(place):
    hub = open_hub(place)
    place.run('index', place.photos, code=0)
    let_go = hold_words(hub)
    server = Server(place)
    try:
        pull_and_use(server)
        let_go.set()
        done = server.until(lambda s: not s['pull']['running'])
        assert done['pull']['outcome'] == 'ok', done['pull']
        server.wait_job()
        found = good(server.get(API + 'search?q=a%20picture'))
        assert found['model'] == 'owner--name' and found['total'] == 3, found
    finally:
        server.stop(seconds=30)
        hub.close()
    weights = (folder_of(place) / 'model.safetensors').read_bytes()
    assert hashlib.sha256(weights).hexdigest() == hub.repositories['owner/name']['model.safetensors'].sha256
    assert place.json('index', place.photos)['learned'] == 0, 'what was learned early is what would be learned now'


def what_was_learned_with_wrong_bytes_goes(place):
    hub = open_hub(place)
    place.run('index', place.photos, code=0)
    right = hub.repositories['owner/name']['model.safetensors']
    wrong = bytearray(right.content)
    wrong[-200_000] ^= 1  # somewhere: the promise cannot be kept
    right.content = bytes(wrong)
    let_go = hold_words(hub)
    server = Server(place)
    try:
        pull_and_use(server)
        let_go.set()
        done = server.until(lambda s: not s['pull']['running'], 120)
        assert done['pull']['outcome'] == 'corrupt' and 'SHA-256' in done['pull']['message'], done['pull']
        assert good(server.get(API + 'search?q=a%20picture'))['model'] == 'tiny'
        models = {m['key']: m for m in good(server.get(API + 'models'))['models']}
        assert models['tiny']['chosen'] and not models['owner--name']['learned'], models['owner--name']
    finally:
        server.stop(seconds=30)
        hub.close()
    assert place.json('search', 'x')['model'] == 'tiny'


def negate(weights, name):
    """The weights with every second number of a tensor of halves negated: finite, and another model."""
    changed = bytearray(weights)
    header = int.from_bytes(weights[:8], 'little')
    begin, end = json.loads(weights[8:8 + header])[name]['data_offsets']
    for at in range(8 + header + begin + 1, 8 + header + end, 4):
        changed[at] ^= 0x80
    return bytes(changed)


def learned_vectors(p):
    with sqlite3.connect(p.library / 'catalogue.sqlite') as catalogue:
        return sorted(catalogue.execute("SELECT hex(c.sha256), hex(e.vec) FROM embedding e JOIN content c ON c.id = e.content_id "
                                        "JOIN model m ON m.id = e.model_id WHERE m.name = 'owner--name'"))


def prepared_of(p):
    return {f.name: f.stat().st_ino for f in p.prepared.glob('*.prepared')}


def learn_early_and_be_killed(p, hub):
    prepared = prepared_of(p)
    let_go = hold_words(hub)
    server = Server(p)
    try:
        pull_and_use(server)
    finally:
        server.kill()
        let_go.set()
    assert prepared_of(p) == prepared, 'nothing that was made of unchecked bytes is kept'


def what_a_killed_pull_learned_is_judged_when_all_is_here(place):
    """Wrong bytes are found by whoever fetches the rest: another process, which uses nothing and knows of nothing."""
    hub = open_hub(place)
    place.run('index', place.photos, code=0)
    weights = hub.repositories['owner/name']['model.safetensors']
    right = weights.content
    weights.content = negate(right, 'visual_projection.weight')
    learn_early_and_be_killed(place, hub)
    wrong = learned_vectors(place)
    weights.content = right
    place.run('model', 'pull', 'owner/name', code=0)
    assert hashlib.sha256((folder_of(place) / 'model.safetensors').read_bytes()).hexdigest() == weights.sha256
    place.run('index', place.photos, code=0)
    good = learned_vectors(place)
    assert len(wrong) == len(good) == 3 and all(a != b for a, b in zip(wrong, good)), 'what was learned of wrong bytes goes'
    assert place.json('search', 'a picture')['model'] == 'owner--name'

    place.run('model', 'use', 'tiny', code=0)
    place.run('model', 'remove', 'owner/name', code=0)
    hub.add('owner/name', model_files(place, 2))  # the same model under another id
    learn_early_and_be_killed(place, hub)
    early = [v for v in learned_vectors(place)]
    assert len(early) == 6 and {v for _, v in early} == {v for _, v in good}, 'right bytes compute the same, and nothing of others is left'
    place.run('model', 'pull', 'owner/name', code=0)
    place.run('model', 'use', 'owner/name', code=0)
    assert place.json('index', place.photos)['learned'] == 0, 'what was learned of the right bytes stays'

    place.run('model', 'use', 'tiny', code=0)
    place.run('model', 'remove', 'owner/name', '--embeddings', code=0)
    hub.add('owner/name', model_files(place, 3))
    learn_early_and_be_killed(place, hub)
    hub.add('owner/name', {**model_files(place, 3), 'model.safetensors': negate(right, 'visual_projection.weight')})
    assert len(learned_vectors(place)) == 6
    place.run('model', 'pull', 'owner/name', code=0)  # another model by now
    place.run('model', 'use', 'owner/name', code=0)
    assert {v for _, v in learned_vectors(place)} == {v for _, v in good} and len(learned_vectors(place)) == 3, 'of the old one nothing'
    hub.close()


if __name__ == '__main__':
    sys.exit(main(globals()))

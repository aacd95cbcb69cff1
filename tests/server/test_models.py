#!/usr/bin/env python3
"""test_models.py PROGRAM SOURCE: models that come and go, are fetched and exchanged, and what they write, over HTTP."""
import json
import os
import pathlib
import select
import shutil
import sys
import time

from server_place import Events, SANITIZED, good, main, patience, read_answer, within
from hub_server import Hub  # noqa: E402, tests/place.py knows where

API = '/api/v1/'


def models(server):
    return {m['key']: m for m in good(server.get(API + 'models'))['models']}


def small_clip(where, name='second', damage=None):
    """The random CLIP model of the shared fixtures, where this library finds it. Gone without the fixtures."""
    source, folder = where.fixture('models/vit-fixture'), where.models / name
    folder.mkdir(parents=True)
    for file in ('config.json', 'preprocessor_config.json', 'vocab.json', 'merges.txt', 'tokenizer_config.json',
                 'special_tokens_map.json', 'model.safetensors'):
        shutil.copy(source / file, folder / file)
    if damage:
        damage(folder)
    return folder


def endless(folder):
    """The weights get so large that to read them takes longer than any case: a hole of 16 GiB, under a name nobody knows."""
    path, size = folder / 'model.safetensors', 16 << 30
    weights = path.read_bytes()
    end = 8 + int.from_bytes(weights[:8], 'little')
    header, data = json.loads(weights[8:end]), weights[end:]
    header['hole'] = {'dtype': 'U8', 'shape': [size], 'data_offsets': [len(data), len(data) + size]}
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    path.unlink()
    with path.open('wb') as file:
        file.write(len(text).to_bytes(8, 'little') + text + data)
        file.truncate(8 + len(text) + len(data) + size)


def order(server, path):
    """Asks for it, and does not wait for the answer."""
    sock = server.connect()
    sock.sendall(server.head('POST', API + path, {'Content-Length': '0'}))
    return sock


def is_answered(sock):
    return bool(select.select([sock], [], [], 0)[0])


def state_in(snapshot, key):
    return next((m['state'] for m in snapshot['models'] if m['key'] == key), None)


def rested(where, *options):
    """A server that has learned, and given its tags: nothing borrows a model any more."""
    server = where.learned(*options)
    within(60, lambda: (now := server.snapshot()['annotation']) and not now['running'], 'the end of tagging')
    return server


def small_blip(where, name='seer'):
    """The random BLIP captioner of the shared fixtures, where this library finds it. Gone without the fixtures."""
    folder = where.models / name
    shutil.copytree(where.fixture('golden/parity/blip'), folder, ignore=shutil.ignore_patterns('golden.*'))
    (folder / 'generation_config.json').write_text('{"min_new_tokens": 6}')  # left alone it often says nothing
    return folder


def open_page(server, seen=None):
    """As a browser does: the page, and its stream, until the model is ready. `seen` takes the snapshots: when nothing else
    goes on, the one that says so is the last for long."""
    assert server.get('/').code == 200
    events = Events(server)
    came = events.until(lambda s: all(step['state'] == 'ready' for step in s['preparation']) and s['model']['state'] == 'ready')
    if seen is not None:
        seen += came
    return events


def resident(server):
    text = pathlib.Path(f'/proc/{server.process.pid}/status').read_text()
    return {line.split(':')[0]: int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith('Rss')}


def comes_back_to(server, start):
    """Within what the page may cost. Sanitizers keep what is freed for a while."""
    if not SANITIZED:
        within(20, lambda: resident(server)['RssAnon'] - start < 8 << 20, 'the memory of the start')


def mapped(server):
    return pathlib.Path(f'/proc/{server.process.pid}/maps').read_text()


def the_catalogue_is_listed_with_what_is_here(place):
    server = place.learned()
    listed = models(server)
    tiny, captioner = listed['tiny'], listed['tiny-caption']
    assert tiny['built_in'] and tiny['complete'] and tiny['chosen'] and tiny['answering'] and tiny['learned'] == 3, tiny
    assert tiny['kind'] == 'search' and captioner['kind'] == 'captions' and captioner['chosen'], captioner
    far = [m for m in listed.values() if m['state'] == 'absent']
    assert far and all(m['repository'] and m['licence'] and m['download_bytes'] > 1e6 and not m['complete'] for m in far), far
    answer = good(server.get(API + 'models'))
    assert 1e6 < answer['memory_bytes'] < 1e9 and answer['resting_bytes'] is None, answer['memory_bytes']


def a_model_is_loaded_and_put_away(place):
    server = rested(place)
    assert good(server.post(API + 'models/tiny/load'), 202)['models']
    ready = within(20, lambda: models(server)['tiny'] if models(server)['tiny']['state'] == 'ready' else None, 'the model')
    assert ready['memory_bytes'] > 0 and ready['load_ms'] > 0, ready
    one = next(m for m in server.snapshot()['models'] if m['key'] == 'tiny')
    assert one['state'] == 'ready' and one['memory_bytes'] > 0 and one['kind'] == 'search' and one['error'] is None, one
    within(20, lambda: server.post(API + 'models/tiny/unload').code == 202, 'an unloading')
    within(10, lambda: models(server)['tiny']['state'] == 'idle', 'idle')
    assert server.snapshot()['model']['state'] == 'idle'
    assert good(server.get(API + 'search?q=sea'))['total'] == 3  # and comes back by itself
    assert within(10, lambda: server.snapshot()['model']['state'] == 'ready', 'ready')


def opening_the_page_begins_to_load_what_questions_need(place):
    server = rested(place)
    within(20, lambda: server.post(API + 'models/tiny/unload').code == 202, 'an unloading')
    seen = []
    events = open_page(server, seen)
    assert seen[-1]['model']['ms'] > 0 and seen[-1]['model']['next'] is None, seen[-1]['model']
    within(20, lambda: server.post(API + 'models/tiny/unload').code == 202, 'an unloading')
    events.until(lambda s: s['model']['state'] == 'idle')
    assert server.get(API + 'query?q=se').code == 200  # somebody types
    events.until(lambda s: s['model']['state'] == 'ready')
    events.close()


def a_question_without_a_page_is_told_of_as_well(place):
    place.learned().stop()
    server = place.serve()
    assert server.snapshot()['models'] == []
    assert good(server.get(API + 'search?q=stripes'))['total'] > 0
    within(20, lambda: server.snapshot()['model']['state'] == 'ready', 'the model that answers in the snapshot')
    assert [m['key'] for m in server.snapshot()['models']] == ['tiny'], server.snapshot()['models']


def memory_comes_back_after_the_idle_time(place):
    server = place.serve('--idle-unload', '1')
    start = resident(server)['RssAnon']
    events = open_page(server)
    server.learn(place.photos)
    events.until(lambda s: s['job'] and not s['job']['running'])
    assert good(server.get(API + 'search?q=sea'))['total'] == 3
    events.until(lambda s: s['models'] and all(m['state'] == 'idle' for m in s['models']) and
                 not (s['annotation'] and s['annotation']['running']))
    events.close()
    within(20, lambda: '.prepared' not in mapped(server) and '.vectors' not in mapped(server) and
           'model.safetensors' not in mapped(server), 'nothing mapped')
    comes_back_to(server, start)
    answer = good(server.get(API + 'models'))
    assert answer['resting_bytes'] and answer['resting_bytes'] <= answer['memory_bytes'] + (4 << 20), answer
    assert good(server.get(API + 'search?q=sea'))['total'] == 3


def another_model_is_used_while_the_old_one_answers(place):
    small_clip(place)
    server = place.learned()
    seen = []
    events = open_page(server, seen)
    first = seen[-1]['job']['number']
    place.add_pictures(40, first=100)
    answer = good(server.post(API + 'models/second/use'), 202)
    assert answer['state'] == 'LOADING' or answer['job']['number'] > first, answer
    while True:
        found = good(server.get(API + 'search?q=sea'))  # it never stops answering
        assert found['total'] >= 3, found
        now = server.snapshot()
        if now['job']['number'] > first and not now['job']['running']:
            break
        assert now['model']['name'] == 'tiny' and now['model']['next'] == 'second', now['model']
    assert now['job']['outcome'] == 'ok' and now['job']['learned'] == 43, now['job']
    assert good(server.get(API + 'search?q=sea'))['total'] == 43
    taken = within(10, lambda: (s := server.snapshot()['model'])['name'] == 'second' and s['next'] is None and s, 'the new model')
    assert taken['state'] == 'ready', taken
    listed = models(server)
    assert listed['second']['answering'] and listed['second']['chosen'] and not listed['tiny']['chosen'], listed['second']
    assert listed['second']['learned'] == 43 and listed['tiny']['learned'] == 3, listed['tiny']
    refused = server.post(API + 'models/second/remove')
    assert refused.code == 409 and len(refused.sentence()) > 20, refused
    good(server.post(API + 'models/tiny/use'), 202)  # and back: it knows what it knew
    within(60, lambda: (s := server.snapshot())['model']['name'] == 'tiny' and not s['job']['running'], 'tiny again')
    assert models(server)['tiny']['learned'] == 43
    within(60, lambda: server.post(API + 'models/second/remove', {'embeddings': True}).code == 202, 'its removal')
    assert 'second' not in models(server) and not (place.library / 'models/second').exists()
    events.close()


def the_choice_outlives_the_server(place):
    small_clip(place)
    server = place.learned()
    good(server.post(API + 'models/second/use'), 202)
    within(60, lambda: models(server)['second']['answering'] and not server.snapshot()['job']['running'], 'second')
    server.stop()
    server = place.serve()
    assert models(server)['second']['answering'] and server.snapshot()['model']['name'] in ('second', 'tiny')
    seen = []
    events = open_page(server, seen)
    assert seen[-1]['model']['name'] == 'second'
    events.close()


def what_cannot_be_used_is_refused_and_the_old_one_stays(place):
    def cut(folder):
        weights = folder / 'model.safetensors'
        weights.write_bytes(weights.read_bytes()[:-1000])

    def other_family(folder):
        config = json.loads((folder / 'config.json').read_text())
        config['architectures'] = ['LlamaForCausalLM']
        (folder / 'config.json').write_text(json.dumps(config))

    small_clip(place, 'cut', cut)
    small_clip(place, 'other', other_family)
    server = place.learned()
    for key in ('cut', 'other'):
        answer = server.post(f'{API}models/{key}/use')
        assert answer.code in (415, 500) and len(answer.sentence()) > 30, answer
    listed = models(server)
    assert listed['tiny']['chosen'] and listed['tiny']['answering'], listed['tiny']
    assert good(server.get(API + 'search?q=sea'))['total'] == 3
    now = server.snapshot()
    assert now['job']['number'] == 1 and now['model']['name'] == 'tiny', now
    failed = [m for m in now['models'] if m['state'] == 'failed']
    assert failed and all(len(m['error']) > 20 for m in failed), now['models']


def a_choice_is_told_while_it_loads_and_holds_without_its_page(place):
    small_clip(place, 'long', endless)
    small_clip(place, 'second')
    server = rested(place)
    order(server, 'models/second/use').close()
    within(20, lambda: models(server)['second']['chosen'], 'the choice')
    events = open_page(server)
    sock = order(server, 'models/long/use')
    events.until(lambda s: state_in(s, 'long') == 'loading')  # the page sees it ...
    assert not is_answered(sock)  # ... before there is an answer
    sock.close()
    time.sleep(0.5)  # ten looks whether somebody hung up
    assert state_in(server.snapshot(), 'long') == 'loading'
    events.close()


def put_away_and_make_endless(server, seer):
    """The captioner is chosen, and to load it takes longer than any case."""
    good(server.post(API + 'models/seer/use'), 202)
    within(20, lambda: server.post(API + 'models/seer/unload').code == 202, 'an unloading')
    endless(seer)


def who_hangs_up_waits_for_no_model(place):
    seer = small_blip(place)
    server = rested(place)
    events = open_page(server)
    put_away_and_make_endless(server, seer)
    sock = order(server, 'photos/1/describe')
    events.until(lambda s: state_in(s, 'seer') == 'loading')
    assert not is_answered(sock)
    sock.close()
    ends = events.until(lambda s: state_in(s, 'seer') != 'loading')[-1]
    assert state_in(ends, 'seer') == 'idle', ends['models']  # as it was
    assert good(server.get(API + 'search?q=sea'))['total'] == 3
    events.close()


def who_still_waits_for_a_model_keeps_it_loading(place):
    seer = small_blip(place)
    server = rested(place)
    events = open_page(server)
    put_away_and_make_endless(server, seer)
    one, other = order(server, 'photos/1/describe'), order(server, 'photos/2/describe')
    events.until(lambda s: state_in(s, 'seer') == 'loading')
    one.close()
    time.sleep(1)  # many looks whether somebody is there
    assert state_in(server.snapshot(), 'seer') == 'loading' and not is_answered(other)
    good(server.post(API + 'models/seer/load'), 202)  # and who wants it in memory waits for nobody
    other.close()
    time.sleep(1)
    assert state_in(server.snapshot(), 'seer') == 'loading'
    within(20, lambda: server.post(API + 'models/seer/unload').code == 202, 'an unloading')
    events.until(lambda s: state_in(s, 'seer') == 'idle')
    events.close()


def the_end_waits_for_no_model(place):
    """Whoever waits: the page that was opened, somebody who asks, and nobody."""
    for key in ('long', 'spare'):
        small_clip(place, key, endless)
    rested(place).stop()
    prepared = lambda: {p.name for p in place.prepared.glob('*.prepared*')}
    before = prepared()
    server = place.serve('--model', 'long')
    assert server.get('/').code == 200
    events = Events(server)
    sock = order(server, 'photos/1/describe')
    good(server.post(API + 'models/spare/load'), 202)
    seen = events.until(lambda s: state_in(s, 'long') == 'loading' and state_in(s, 'spare') == 'loading')
    assert not is_answered(sock)
    server.stop()
    assert 'leaving it behind' not in (place.root / 'stderr').read_text()
    while last := events.next():
        seen.append(last[2])
    assert not [m for s in seen for m in s['models'] if m['error']] and not [x for x in seen[-1]['log'] if x['level'] == 'error'], seen[-1]
    answer = read_answer(sock)
    assert answer is None or (answer.code == 503 and answer.json()['error']['status'] == 'cancelled'), answer
    assert prepared() == before
    sock.close()


def poison(folder, tensor):
    """The last value of a tensor is no number."""
    path = folder / 'model.safetensors'
    weights = bytearray(path.read_bytes())
    header = int.from_bytes(weights[:8], 'little')
    facts = json.loads(weights[8:8 + header])[tensor]
    nan = {'F32': b'\x00\x00\xc0\x7f', 'F16': b'\x00\x7e', 'BF16': b'\xc0\x7f'}[facts['dtype']]
    end = 8 + header + facts['data_offsets'][1]
    weights[end - len(nan):end] = nan
    path.write_bytes(weights)


def weights_that_are_no_numbers_are_refused_and_the_old_one_stays(place):
    """One value of either tower, and of the table of words, which is read in place."""
    tensors = {'seeing': 'visual_projection.weight', 'reading': 'text_model.encoder.layers.0.mlp.fc1.weight',
               'words': 'text_model.embeddings.token_embedding.weight'}
    for name, tensor in tensors.items():
        small_clip(place, name, lambda folder, tensor=tensor: poison(folder, tensor))
    server = place.learned()
    for name, tensor in tensors.items():
        for again in range(2):  # what was prepared of the other tower does not help it
            answer = server.post(f'{API}models/{name}/use')
            assert answer.code == 415 and tensor in answer.sentence() and 'not a finite number' in answer.sentence(), answer
        assert models(server)[name]['state'] == 'failed' and tensor in models(server)[name]['error'], models(server)[name]
    listed = models(server)
    assert listed['tiny']['chosen'] and listed['tiny']['answering'], listed['tiny']
    assert good(server.get(API + 'search?q=sea'))['model'] == 'tiny' and server.snapshot()['job']['number'] == 1


def a_pull_of_weights_that_are_no_numbers_changes_nothing(place):
    source = small_clip(place, 'spare', lambda folder: poison(folder, 'visual_projection.weight'))
    hub = Hub()
    hub.add('owner/clip', {p.name: p.read_bytes() for p in source.iterdir()})
    shutil.rmtree(source)
    place.environment.update(HF_ENDPOINT=hub.url)
    server = place.learned()
    good(server.post(API + 'models/pull', {'model': 'owner/clip', 'use': True}), 202)
    last = within(30, lambda: (p := server.snapshot()['pull']) and not p['running'] and p, 'its end')
    assert last['outcome'] == 'format' and 'not a finite number' in last['message'], last
    listed = models(server)
    assert listed['tiny']['chosen'] and listed['tiny']['answering'] and not listed['owner--clip']['learned'], listed['owner--clip']
    assert good(server.get(API + 'search?q=sea'))['model'] == 'tiny'
    hub.close()


def what_would_go_with_a_model_is_told(place):
    folder = small_clip(place)
    server = place.learned()
    refused = server.post(API + 'models/tiny/remove', {'dry_run': True})
    assert refused.code in (400, 409) and len(refused.sentence()) > 20, refused
    good(server.post(API + 'models/second/use'), 202)
    within(60, lambda: (s := server.snapshot())['model']['name'] == 'second' and not s['job']['running'], 'its answers')
    good(server.post(API + 'models/tiny/use'), 202)
    within(60, lambda: (s := server.snapshot())['model']['name'] == 'tiny' and not s['job']['running'], 'the old one')
    told = good(server.post(API + 'models/second/remove', {'embeddings': True, 'dry_run': True}))
    size = sum(p.stat().st_size for p in folder.iterdir())
    assert told['would_remove'] == 'second' and told['embeddings'] and told['files_bytes'] == size and told['photos'] == 3, told
    assert told['prepared_bytes'] > 100_000 and told['embeddings_bytes'] > 0 and folder.is_dir(), told
    assert server.post(API + 'models/second/remove', {'dry_run': 'yes'}).code == 400
    # 409 while the words for its tags are still being prepared
    within(30, lambda: server.post(API + 'models/second/remove', {'embeddings': True}).code == 202, 'its removal')
    assert not folder.exists() and 'second' not in models(server)


def hub_with_a_model(where, **more):
    source = small_clip(where, 'spare')
    hub = Hub()
    hub.add('owner/clip', {p.name: p.read_bytes() for p in source.iterdir()})
    shutil.rmtree(source)
    where.environment.update(HF_ENDPOINT=hub.url, **more)
    return hub


def a_model_is_fetched_and_used(place):
    hub = hub_with_a_model(place)
    server = place.learned()
    events = open_page(server)
    good(server.post(API + 'models/pull', {'model': 'owner/clip', 'use': True}), 202)
    seen = events.until(lambda s: s['pull'] and not s['pull']['running'])
    last = seen[-1]['pull']
    assert last['outcome'] == 'ok' and last['key'] == 'owner--clip' and last['done_bytes'] == last['total_bytes'], last
    amounts = [s['pull']['done_bytes'] for s in seen if s['pull'] and s['pull']['phase'] != 'list']
    assert amounts == sorted(amounts), amounts
    within(60, lambda: (s := server.snapshot())['model']['name'] == 'owner--clip' and not s['job']['running'], 'its answers')
    assert models(server)['owner--clip']['learned'] == 3
    assert any('fetched' in line['text'] for line in server.snapshot()['log'])
    events.close()
    hub.close()


def another_revision_of_the_one_in_use_is_learned_with(place):
    hub = hub_with_a_model(place)
    server = place.learned()
    events = open_page(server)
    good(server.post(API + 'models/pull', {'model': 'owner/clip', 'use': True}), 202)
    within(60, lambda: (s := server.snapshot())['model']['name'] == 'owner--clip' and not s['job']['running'], 'its answers')
    first = good(server.get(API + 'search?q=x'))
    number = server.snapshot()['job']['number']
    files = {name: file.content for name, file in hub.repositories['owner/clip'].items()}
    hub.add('owner/clip', {**files, 'config.json': files['config.json'] + b'\n'})  # computes the same, by another id
    good(server.post(API + 'models/pull', {'model': 'owner/clip'}), 202)
    within(60, lambda: (job := server.snapshot()['job'])['number'] > number and not job['running'] and job['learned'] == 3,
           'a job that learned anew')
    server.post(API + 'models/owner--clip/unload')  # at once, or as soon as its tags are written
    again = good(server.get(API + 'search?q=x'))
    assert again['model'] == 'owner--clip' and again['total'] == first['total'] == 3, again
    events.close()
    hub.close()


def nothing_is_kept_that_was_prepared_of_wrong_bytes(place):
    """Prepared weights are found by what the hub promised: those of bytes that nobody checked would be taken for it later."""
    hub = hub_with_a_model(place)
    server = place.learned()
    weights = hub.repositories['owner/clip']['model.safetensors'].content
    hub.fault('model.safetensors', 'garbage', times=None, beyond=len(weights) * 9 // 10)
    hub.fault('model.safetensors', 'slow', times=None, rate=len(weights) // 2)
    events = open_page(server)
    good(server.post(API + 'models/pull', {'model': 'owner/clip', 'use': True}), 202)
    prepared = lambda: {p.name for p in place.root.rglob('*.prepared')}
    before = prepared()
    early = lambda s: any(m['key'] == 'owner--clip.part' and m['state'] == 'ready' for m in s['models'])
    assert events.until(early)[-1]['pull']['running'], 'an image tower before all is here'
    assert prepared() == before, prepared()
    seen = events.until(lambda s: s['pull'] and not s['pull']['running'])
    assert seen[-1]['pull']['outcome'] != 'ok', seen[-1]['pull']
    assert prepared() == before, prepared()
    assert server.snapshot()['model']['name'] == 'tiny'
    events.close()
    hub.close()


def the_end_gives_back_what_a_fetch_chose_early(place):
    """The one before is not in memory, and nothing is loaded at the end any more."""
    hub = hub_with_a_model(place)
    server = rested(place)
    weights = hub.repositories['owner/clip']['model.safetensors'].content
    hub.fault('model.safetensors', 'slow', times=None, rate=len(weights) // 20)
    good(server.post(API + 'models/pull', {'model': 'owner/clip', 'use': True}), 202)
    within(60, lambda: models(server).get('owner--clip', {}).get('chosen'), 'an early choice')
    within(30, lambda: server.post(API + 'models/tiny/unload').code == 202, 'an unloading')
    assert server.snapshot()['pull']['running']
    server.stop()
    listed = models(place.serve())
    assert listed['tiny']['chosen'] and not listed['owner--clip']['chosen'], listed['owner--clip']
    hub.close()


def one_fetch_at_a_time_and_it_can_be_ended(place):
    hub = hub_with_a_model(place)
    hub.fault('model.safetensors', 'slow', times=None, rate=20000)
    server = place.serve()
    good(server.post(API + 'models/pull', {'model': 'owner/clip'}), 202)
    within(20, lambda: (server.snapshot()['pull'] or {}).get('phase') in ('vision', 'rest'), 'some bytes')
    answer = server.post(API + 'models/pull', {'model': 'owner/other'})
    assert answer.code == 409 and 'owner/clip' in answer.sentence(), answer
    assert models(server)['owner--clip']['state'] == 'partial'
    good(server.post(API + 'models/pull/cancel'), 202)
    within(20, lambda: not server.snapshot()['pull']['running'], 'its end')
    assert server.snapshot()['pull']['outcome'] == 'cancelled'
    assert models(server)['owner--clip']['state'] == 'partial'  # kept for the next time
    assert server.post(API + 'models/pull/cancel').code == 409
    assert server.stop() < 5 * patience()
    hub.close()


def a_fetch_that_fails_says_why(place):
    hub = hub_with_a_model(place)
    server = place.serve()
    good(server.post(API + 'models/pull', {'model': 'owner/none'}), 202)
    last = within(20, lambda: (p := server.snapshot()['pull']) and not p['running'] and p, 'its end')
    assert last['outcome'] != 'ok' and len(last['message']) > 20, last
    hub.close()


def nothing_is_asked_of_the_network_unless_told(place):
    hub = hub_with_a_model(place)
    server = place.learned()
    events = open_page(server)
    models(server)
    good(server.post(API + 'models/tiny/load'), 202)
    good(server.get(API + 'settings'))
    events.close()
    server.stop()
    assert not hub.requests, hub.requests
    hub.close()


def the_hub_that_would_be_asked_is_named(place):
    hub = lambda: good(place.serve().get(API + 'models'))['hub']
    assert hub() == {'name': 'huggingface.co', 'offline': False}
    place.end()
    place.environment.update(HF_ENDPOINT='https://me:secret@mirror.example:8443/hf/', HF_HUB_OFFLINE='1')
    assert hub() == {'name': 'mirror.example:8443/hf', 'offline': True}, 'and nobody is told who asks'


def settings_are_kept_with_the_library(place):
    server = place.learned()
    before = good(server.get(API + 'settings'))
    assert before['idle_s'] == 300 and before['captions'] is False and 1 <= before['threads'] <= before['threads_max'], before
    after = good(server.post(API + 'settings', {'idle_s': 20, 'threads': 1, 'captions': True}))
    assert after == {**before, 'idle_s': 20, 'threads': 1, 'captions': True}, after
    assert server.snapshot()['captions'] is True
    assert good(server.post(API + 'settings', {'idle_s': -1}))['threads'] == 1
    refused = server.post(API + 'settings', {'idle_s': 30, 'threads': 100000})
    assert refused.code == 400 and good(server.get(API + 'settings'))['idle_s'] == -1, refused  # all or nothing
    server.stop()
    again = good(place.serve().get(API + 'settings'))
    assert again['captions'] is True and again['threads'] == 1 and again['idle_s'] == 300, again


def work_of(server, photo):
    return good(server.get(f'{API}photos/{photo}'))['work']


def machine_captions(server):
    return [work_of(server, photo)['caption_machine'] for photo in (1, 2, 3)]


def a_photo_is_described_at_once_and_the_user_wins(place):
    server = place.learned()
    shown = good(server.post(API + 'photos/1/describe'))
    work = shown['work']
    assert work['caption'] and work['caption_by'] == 'machine' and 0 <= work['caption_score'] <= 1, work
    assert work['caption_machine'] == work['caption'] and isinstance(work['caption_doubtful'], bool), work
    good(server.post(API + 'edit', {'photos': [1], 'caption': 'Rex'}))
    work = good(server.post(API + 'photos/1/describe'))['work']
    assert work['caption'] == 'Rex' and work['caption_by'] == 'user' and work['caption_score'] is None, work
    assert work['caption_machine'] and work['caption_machine'] != 'Rex'
    good(server.post(API + 'edit', {'photos': [1], 'caption': ''}))
    assert good(server.post(API + 'photos/1/describe'))['work']['caption'] is None
    good(server.post(API + 'edit', {'photos': [1], 'caption': None}))
    assert work_of(server, 1)['caption'] == work['caption_machine']


def the_queue_writes_after_learning_and_goes_on(place):
    place.add_pictures(20, first=50)
    server = place.serve()
    events = open_page(server)
    good(server.post(API + 'settings', {'captions': True}))
    server.learn(place.photos)
    seen = events.until(lambda s: s['annotation'] and not s['annotation']['running'] and not s['job']['running'] and
                        s['annotation']['outcome'] == 'ok', 120)
    last = seen[-1]['annotation']
    assert last['failed'] == 0, last
    within(10, lambda: all(work_of(server, photo)['caption'] for photo in range(1, 24)), 'a caption for each')
    assert seen[-1]['captions'] is True
    place.add_pictures(1, first=90)
    server.post(API + 'job')
    events.until(lambda s: s['job']['number'] == 2 and not s['job']['running'])
    within(60, lambda: work_of(server, 24)['caption'], 'a caption of the new one')
    events.close()


def another_captioner_writes_in_the_queue_and_is_put_away(place):
    """With an image tower of its own: all that the shipped one said is written anew, but for what the user wrote."""
    small_blip(place)
    server = place.serve('--idle-unload', '1')
    start = resident(server)['RssAnon']
    events = open_page(server)
    good(server.post(API + 'settings', {'captions': True}))
    server.learn(place.photos)
    events.until(lambda s: s['job'] and not s['job']['running'])
    within(60, lambda: all(machine_captions(server)), 'captions of the shipped one')
    before = machine_captions(server)
    good(server.post(API + 'edit', {'photos': [2], 'caption': 'Rex'}))
    assert models(server)['seer']['kind'] == 'captions' and not models(server)['seer']['chosen']
    good(server.post(API + 'models/seer/use'), 202)
    assert models(server)['seer']['chosen'] and not models(server)['tiny-caption']['chosen']
    within(60, lambda: not set(before) & set(machine_captions(server)), 'captions of the new one')
    assert all(machine_captions(server)) and server.snapshot()['annotation']['failed'] == 0
    assert work_of(server, 2)['caption'] == 'Rex' and work_of(server, 1)['caption_by'] == 'machine'
    events.until(lambda s: s['models'] and all(m['state'] == 'idle' for m in s['models']) and not s['annotation']['running'])
    events.close()
    within(20, lambda: '.prepared' not in mapped(server) and 'model.safetensors' not in mapped(server), 'nothing mapped')
    comes_back_to(server, start)
    server.stop()
    server = place.serve()
    assert models(server)['seer']['chosen']  # the choice outlives the server
    good(server.post(API + 'models/tiny-caption/use'), 202)
    within(60, lambda: machine_captions(server) == before, 'the captions of before')


def without_the_captioner_there_are_tags_all_the_same(place):
    """It went with another library's 'model remove', say."""
    shutil.copytree(place.source / 'models/tiny-caption', place.models / 'writer')
    (place.models / 'tiny').symlink_to(place.source / 'models/tiny')
    server = place.serve()
    events = open_page(server)
    good(server.post(API + 'models/writer/use'), 202)
    good(server.post(API + 'settings', {'captions': True}))
    shutil.rmtree(place.models / 'writer')
    server.learn(place.photos)
    seen = events.until(lambda s: s['annotation'] and not s['annotation']['running'] and not s['job']['running'], 120)
    assert seen[-1]['annotation']['outcome'] == 'ok' and seen[-1]['annotation']['tagged'] > 0, seen[-1]['annotation']
    lines = [line['text'] for line in good(server.get(API + 'snapshot'))['log'] if line['level'] == 'warning']
    assert any(text.startswith('no captions are written: ') and 'writer' in text for text in lines), lines
    events.close()


def the_queue_is_paused_and_looks_where_people_look(place):
    place.add_pictures(60, first=50)
    server = rested(place)
    events = open_page(server)
    good(server.post(API + 'settings', {'captions': True}))
    events.until(lambda s: s['annotation'] and s['annotation']['running'] and s['annotation']['phase'] == 'captions')
    assert good(server.post(API + 'annotate', {'do': 'pause'}), 202)['annotation']['paused']
    wanted = next(i for i in range(1, 64) if not work_of(server, i)['caption'])
    assert server.post(API + 'looking', {'photos': [wanted]}).code == 204
    busy = server.post(API + 'annotate', {'do': 'start'})
    assert busy.code == 409 and len(busy.sentence()) > 20, busy
    good(server.post(API + 'annotate', {'do': 'resume'}), 202)
    within(30, lambda: work_of(server, wanted)['caption'], 'what is looked at')
    good(server.post(API + 'annotate', {'do': 'cancel'}), 202)
    ended = events.until(lambda s: not s['annotation']['running'])[-1]['annotation']
    assert ended['outcome'] in ('cancelled', 'ok'), ended
    assert server.post(API + 'annotate', {'do': 'pause'}).code == 409
    events.close()
    assert server.stop() < 5 * patience()


def sidecars_are_written_and_told(place):
    server = place.learned()
    good(server.post(API + 'edit', {'photos': [1, 2], 'tag': 'beach'}))

    def sidecars(**more):
        body = json.dumps({'photos': [1, 2, 3], **more}).encode()
        with server.connect() as sock:
            sock.sendall(server.head('POST', API + 'sidecars', {'Content-Type': 'application/json',
                                                                'Content-Length': str(len(body))}) + body)
            data = b''
            while piece := sock.recv(65536):
                data += piece
                if b'"complete":true' in data:
                    break
        line = [x for x in data.decode().splitlines() if x.startswith('data: ')][-1]
        return json.loads(line[6:])
    told = sidecars(dry_run=True)
    assert told['written'] == 2 and told['of'] == 3 and not list(place.photos.glob('*.xmp')), told
    told = sidecars()
    assert told['written'] == 2 and told['failed'] == 0 and told['unchanged'] == 1 and told['message'] is None, told
    assert len(list(place.photos.glob('*.xmp'))) == 2
    assert sidecars()['written'] == 0


if __name__ == '__main__':
    sys.exit(main(globals()))

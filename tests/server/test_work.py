#!/usr/bin/env python3
"""test_work.py PROGRAM SOURCE: over HTTP: results and their windows, how queries are read, values to click on, what the
user does and keeps, exports, copies, and an end that waits for nothing."""
import csv
import io
import json
import os
import pathlib
import struct
import sys
import threading
import time
import urllib.parse
import zlib

from server_place import Events, good, main, patience, png

API = '/api/v1/'


def add_large_pictures(folder, n, side):
    """Pictures that take a decoder a while and Python none."""
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    for i in range(n):
        row = b'\0' + (bytes((i * 7 + k * k) % 256 for k in range(3 * 64)) * (side // 64 + 1))[:3 * side]
        data = zlib.compress(row * (side // 2) + bytes(len(row)) * (side - side // 2), 1)
        (folder / f'large-{i}.png').write_bytes(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', side, side, 8, 2, 0, 0, 0)) +
                                                chunk(b'IDAT', data) + chunk(b'IEND', b''))


def ask(server, what, **params):
    query = urllib.parse.urlencode({k: v for k, v in params.items() if v is not None})
    return server.get(f'{API}{what}?{query}')


def search(server, q='', **params):
    return good(ask(server, 'search', q=q, **params))


def edit(server, **what):
    return good(server.post(API + 'edit', what))


def names(found):
    return [pathlib.Path(h['path']).name for h in found['hits']]


def copies(server, body):
    """Events of a copy up to its end."""
    data = json.dumps(body).encode()
    with server.connect() as sock:
        sock.sendall(server.head('POST', API + 'copy', {'Content-Type': 'application/json', 'Content-Length': str(len(data))}) + data)
        raw = b''
        while True:
            piece = sock.recv(65536)
            if not piece:
                break
            raw += piece
            if b'\r\n0\r\n' in raw:
                break
    assert b'text/event-stream' in raw, raw
    return [json.loads(line[6:]) for line in raw.decode().replace('\r\n', '\n').split('\n') if line.startswith('data: ')]


def a_result_stays_as_it_is_and_is_asked_for_by_window(place):
    place.add_pictures(7, first=10)
    server = place.learned()
    first = search(server, 'red', n=4)
    assert first['total'] == 10 and len(first['hits']) == 4 and first['offset'] == 0 and first['sort'] == 'score', first
    assert first['result'] and first['model'] == 'tiny' and isinstance(first['strong'], int)
    assert first['parts'][0]['kind'] == 'meaning' and all(0 <= h['match'] <= 100 for h in first['hits'])
    place.add_pictures(5, first=30)
    server.learn(place.photos)
    server.wait_job()
    rest = search(server, result=first['result'], offset=4, n=100)
    assert rest['total'] == 10 and len(rest['hits']) == 6 and rest['offset'] == 4, rest
    ids = [h['id'] for h in first['hits'] + rest['hits']]
    assert len(set(ids)) == 10, ids
    again = search(server, 'red', n=4)
    assert again['total'] == 15 and again['result'] != first['result']
    same = search(server, 'red', n=2, offset=2)
    assert same['result'] == again['result'] and [h['id'] for h in same['hits']] == [h['id'] for h in again['hits']][2:4]


def every_order_is_kept_over_windows(place):
    place.add_pictures(6, first=10, side=80)
    server = place.learned()
    everything = search(server)
    assert everything['sort'] == '-date' and everything['strong'] is None and everything['model'] is None, everything
    for sort in ('date', '-date', 'name', '-name', 'size', '-size', 'score'):
        whole = search(server, sort=sort)
        parts = [search(server, result=whole['result'], offset=at, n=4) for at in (0, 4, 8)]
        assert [h['id'] for p in parts for h in p['hits']] == [h['id'] for h in whole['hits']], sort
        assert whole['sort'] == sort or sort == 'score', whole['sort']
        assert search(server, f'sort:{sort}')['sort'] == whole['sort']
    assert names(search(server, sort='name')) == sorted(names(everything))
    assert search(server, 'sort:name', sort='-name')['sort'] == '-name'


def a_query_is_read_part_by_part(place):
    server = place.serve()
    text = 'été -camera:canon 2*red iso:fast'
    reading = good(ask(server, 'query', q=text))
    assert [p['kind'] for p in reading['parts']] == ['meaning', 'filter', 'meaning', 'meaning'], reading
    for part in reading['parts']:
        assert set(part) == {'kind', 'field', 'negated', 'weight', 'text', 'note', 'begin', 'end', 'without'}
        piece = text[part['begin']:part['end']]
        assert piece and piece not in part['without'].split(' '), part
    assert reading['parts'][1]['field'] == 'camera' and reading['parts'][1]['negated'] and reading['parts'][2]['weight'] == 2
    assert reading['parts'][3]['note'] and 'typing' not in reading
    pairs = good(ask(server, 'query', q='😀 camera:x'))['parts'][1]
    assert (pairs['begin'], pairs['end']) == (3, 11), 'as JavaScript counts'
    printed = good(ask(server, 'query', q=reading['print']))['print']
    assert printed == reading['print'], 'a fixed point'


def what_can_be_typed_is_offered(place):
    server = place.learned_untagged()
    photo = search(server)['hits'][0]['id']
    edit(server, photos=[photo], tag='beach, "old"')
    edit(server, photos=[photo], tag='beard')
    typing = good(ask(server, 'query', q='dog cam', cursor=7))['typing']
    assert (typing['begin'], typing['end']) == (4, 7), typing
    assert typing['items'][0]['insert'] == 'camera:' and typing['items'][0]['count'] is None and typing['items'][0]['label']
    typing = good(ask(server, 'query', q='dog tag:bea x', cursor=11))['typing']
    assert (typing['begin'], typing['end']) == (8, 11) and len(typing['items']) == 2, typing
    for item in typing['items']:
        text = 'dog tag:bea x'[:8] + item['insert'] + 'dog tag:bea x'[11:]
        parts = good(ask(server, 'query', q=text))['parts']
        assert [p['kind'] for p in parts] == ['meaning', 'filter', 'meaning'] and item['count'] == 1, (text, parts)
        assert search(server, f'tag:{item["insert"]}')['total'] == 1, item
    good(server.post(API + 'saved', {'name': 'camping', 'query': 'tent year:2019'}))
    typing = good(ask(server, 'query', q='camp', cursor=4))['typing']
    assert {'insert': 'tent year:2019', 'label': 'saved: camping', 'count': None} in typing['items'], typing


def values_can_be_clicked_whatever_they_are(place):
    place.add_pictures(4, first=10)
    server = place.learned_untagged()
    hits = search(server, sort='name')['hits']
    odd = ['a"b', 'x, y', '-minus', '(group)', 'a:b', '*', 'ünï', 'sort:name', "it's", 'a  b', '2*x', 'like:1', '\\']
    for i, tag in enumerate(odd):
        edit(server, photos=[h['id'] for h in hits[:1 + i % 5]], tag=tag)
    panel = good(ask(server, 'values', q='', fields='tag,type,year', n=50))
    assert panel['total'] == 7 and [f['field'] for f in panel['fields']] == ['tag', 'type', 'year'], panel
    values = {v['value']: v for v in panel['fields'][0]['values']}
    assert set(values) == {t if t != 'a  b' else t for t in odd}, set(values) ^ set(odd)
    types = panel['fields'][1]['values']
    assert [(v['value'], v['count'], v['only']) for v in types] == [('png', 7, 'type:png')], types
    for tag, value in values.items():
        if '*' not in tag:
            assert search(server, value['only'])['total'] == value['count'], value
        for base in ('', 'dog', 'sort:name', '"open', '-(half', 'tag:x'):
            added = good(ask(server, 'values', q=base, fields='tag', n=50))['fields'][0]
            add = next(v['add'] for v in added['values'] if v['value'] == tag)
            before = good(ask(server, 'query', q=base))['parts']
            after = good(ask(server, 'query', q=add))['parts']
            filters = [p for p in after if p['kind'] == 'filter' and p['field'] == 'tag']
            assert len(filters) == 1 and len(after) == len(before) + (base != 'tag:x'), (base, add, after)
    chosen = good(ask(server, 'values', q='tag:"x, y",a:b type:png', fields='tag'))['fields'][0]
    assert chosen['chosen'] == ['x, y', 'a:b'], chosen
    beginning = good(ask(server, 'values', q='', fields='tag', prefix='x'))['fields'][0]['values']
    assert [v['value'] for v in beginning] == ['x, y'], beginning


def a_newer_question_of_a_tab_ends_the_older_one(place):
    server = place.learned()
    server.get(API + 'search?q=warm')
    answers, lock = [], threading.Lock()

    def question(i):
        answer = ask(server, 'search', q=f'number {i} of many words that nobody asked before', tab='one', n=3)
        with lock:
            answers.append(answer)
    threads = [threading.Thread(target=question, args=(i,)) for i in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    codes = [a.code for a in answers]
    assert set(codes) <= {200, 409} and 200 in codes, codes
    for answer in answers:
        assert answer.code == 200 or answer.json()['error']['status'] == 'cancelled', answer
    assert ask(server, 'search', q='another', tab='two').code == 200


def what_is_done_is_found_and_taken_back(place):
    server = place.learned()
    hits = search(server, sort='name')['hits']
    one, two = hits[0]['id'], hits[1]['id']
    assert good(server.get(API + 'undo')) == {'step': None, 'sentence': None}
    done = edit(server, photos=[one, two, 999999], tag='beach')
    assert done['edited'] == 2 and done['step'] and 'beach' in done['sentence'], done
    assert edit(server, photos=[one], tag='beach') == {'edited': 0, 'step': None, 'sentence': None}
    edit(server, photos=[one], rating=4)
    edit(server, photos=[two], favorite=True)
    edit(server, photos=[one], caption='a boat')
    edit(server, photos=[two], album='Italy')
    assert search(server, 'tag:beach')['total'] == 2 and search(server, 'rating:>=4')['hits'][0]['id'] == one
    found = search(server, 'favorite:yes')['hits'][0]
    assert found['id'] == two and found['favorite'] is True and found['rating'] == 0, found
    assert search(server, 'album:italy')['total'] == 1 and search(server, 'caption:boat')['total'] == 1
    photo = good(server.get(f'{API}photos/{one}'))
    assert photo['work'] == {'rating': 4, 'rating_by': 'user', 'favorite': False, 'caption': 'a boat', 'caption_by': 'user',
                             'caption_doubtful': False, 'caption_score': None, 'caption_machine': None,
                             'tags': [{'name': 'beach', 'by': 'user', 'score': None, 'doubtful': False}], 'albums': []}, photo['work']
    assert photo['rating'] == 4 and photo['caption'] == 'a boat'
    whole = search(server, 'sort:name', n=1)
    assert edit(server, result=whole['result'], tag='all')['edited'] == 3
    assert edit(server, result=whole['result'], first=1, n=1, untag='all')['edited'] == 1
    assert search(server, 'tag:all', sort='name')['hits'][1]['id'] == hits[2]['id']
    for total in (3, 0):
        step = good(server.get(API + 'undo'))
        back = good(server.post(API + 'undo', {'step': step['step']}))
        assert back == step and search(server, 'tag:all')['total'] == total, (back, step)
    assert server.post(API + 'undo', {'step': step['step']}).code == 404, 'it is gone'
    for _ in range(5):
        good(server.post(API + 'undo', {}))
    assert search(server, 'tag:beach')['total'] == 0 and server.post(API + 'undo').code == 404
    edit(server, photos=[one], rating=0)
    edit(server, photos=[one], rating=None)
    assert good(server.get(f'{API}photos/{one}'))['work']['rating_by'] is None


def albums_searches_and_history_are_kept(place):
    server = place.learned()
    photo = search(server)['hits'][0]['id']
    assert good(server.post(API + 'albums', {'make': 'Italy'}))['sentence']
    edit(server, photos=[photo], album='Snow "2020"')
    listed = {a['name']: a for a in good(server.get(API + 'albums'))['albums']}
    assert listed['Italy']['photos'] == 0 and listed['Italy']['cover'] is None
    assert listed['Snow "2020"']['photos'] == 1 and listed['Snow "2020"']['cover'] == photo, listed
    assert server.post(API + 'albums', {'rename': 'Italy', 'to': 'Snow "2020"'}).code == 400
    good(server.post(API + 'albums', {'rename': 'Italy', 'to': 'Rome'}))
    good(server.post(API + 'albums', {'remove': 'Snow "2020"'}))
    assert [a['name'] for a in good(server.get(API + 'albums'))['albums']] == ['Rome']
    good(server.post(API + 'undo'))
    assert len(good(server.get(API + 'albums'))['albums']) == 2
    saved = good(server.post(API + 'saved', {'name': 'best', 'query': 'rating:>=4'}))['saved']
    assert [(s['name'], s['query']) for s in saved] == [('best', 'rating:>=4')] and saved[0]['at'].endswith('Z')
    good(server.post(API + 'saved', {'name': 'best', 'query': 'rating:5'}))
    assert [s['query'] for s in good(server.get(API + 'saved'))['saved']] == ['rating:5']
    assert good(server.post(API + 'saved', {'remove': 'best'})) == {'saved': []}
    for query in ('dog', 'cat', 'dog'):
        kept = good(server.post(API + 'history', {'add': query}))['history']
    assert [h['query'] for h in kept] == ['dog', 'cat'], kept
    assert len(good(server.get(API + 'history?n=1'))['history']) == 1
    assert good(server.post(API + 'history', {'clear': True})) == {'history': []}


def results_are_files_to_keep(place):
    odd = place.photos / 'a, "b".png'
    odd.write_bytes(png(77))
    place.add_pictures(520, first=100, side=8)
    server = place.learned()
    whole = search(server, sort='name', n=10000)
    assert whole['total'] == 524
    table = ask(server, 'export', result=whole['result'], form='csv')
    assert table.headers['content-disposition'] == 'attachment; filename="photos.csv"', table.headers
    rows = list(csv.DictReader(io.StringIO(dechunk(table.body))))
    assert [int(r['id']) for r in rows] == [h['id'] for h in whole['hits']], (len(rows), rows[:2])
    assert any(r['path'] == str(odd) for r in rows)
    listed = dechunk(ask(server, 'export', result=whole['result'], form='list').body).splitlines()
    assert listed == [h['path'] for h in whole['hits']]
    document = json.loads(dechunk(ask(server, 'export', result=whole['result'], form='json').body))
    assert document['hits'] == whole['hits']
    for first, n in ((0, 3), (510, 10), (519, 500), (600, 5)):
        part = dechunk(ask(server, 'export', result=whole['result'], first=first, n=n, form='list').body).splitlines()
        assert part == [h['path'] for h in whole['hits']][first:first + n], (first, n, len(part))
    some = json.loads(dechunk(ask(server, 'export', ids='2,999999,1', form='json').body))['hits']
    assert [h['id'] for h in some] == [2, 1] and some[0]['score'] is None, some
    assert ask(server, 'export', result=999999, form='csv').code == 404


def dechunk(body):
    out = b''
    while body:
        size, _, rest = body.partition(b'\r\n')
        n = int(size, 16)
        if n == 0:
            break
        out += rest[:n]
        body = rest[n + 2:]
    return out.decode()


def copies_never_overwrite(place):
    (place.photos / 'sub').mkdir()
    (place.photos / 'sub/1.png').write_bytes(png(50))
    server = place.learned()
    whole = search(server, sort='name')
    folder = place.root / 'copies/new'
    end = copies(server, {'result': whole['result'], 'folder': str(folder)})[-1]
    assert end['complete'] and end['copied'] == end['of'] == 4 and end['renamed'] == 1 and end['failed'] == 0, end
    assert sorted(p.name for p in folder.iterdir()) == ['1 (2).png', '1.png', '2.png', '3.png']
    for hit in whole['hits']:
        original = pathlib.Path(hit['path'])
        twins = [p for p in folder.iterdir() if p.read_bytes() == original.read_bytes()]
        assert len(twins) == 1 and int(twins[0].stat().st_mtime) == int(original.stat().st_mtime)
    (place.photos / '2.png').unlink()
    end = copies(server, {'photos': [h['id'] for h in whole['hits']], 'folder': str(folder)})[-1]
    assert end['copied'] == 3 and end['renamed'] == 3 and end['failed'] == 1 and '2.png' in end['message'], end
    assert (folder / '1 (4).png').exists() and not list(folder.glob('.*'))


def work_goes_out_and_comes_in_again(place):
    server = place.learned()
    hits = search(server, sort='name')['hits']
    ids = [h['id'] for h in hits]
    edit(server, photos=ids[:2], tag='beach')
    edit(server, photos=ids[1:], album='Italy')
    edit(server, photos=ids[:1], rating=5)
    edit(server, photos=ids[:1], favorite=True)
    edit(server, photos=ids[2:], caption='')
    good(server.post(API + 'albums', {'make': 'empty'}))
    good(server.post(API + 'saved', {'name': 'best', 'query': 'rating:5'}))
    out = server.get(API + 'work')
    assert out.code == 200 and 'attachment' in out.headers['content-disposition'], out
    document = out.json()
    assert document['program'] == 'pixel-detective' and document['work'] == 1 and len(document['searches']) == 1, document
    counts = good(server.post(API + 'work', out.body, {'Content-Type': 'application/json'}))
    assert counts['waiting'] == 0 and counts['searches'] == 1 and counts['albums'] == 2, counts
    for _ in range(6):
        good(server.post(API + 'undo'))
    assert search(server, 'tag:beach')['total'] == 0
    counts = good(server.post(API + 'work', out.body, {'Content-Type': 'application/json'}))
    assert counts['edits'] == 8 and counts['photos'] == 7, counts
    assert search(server, 'tag:beach')['total'] == 2 and search(server, 'album:Italy')['total'] == 2
    assert server.get(API + 'work').json()['edits'] == document['edits']
    for broken in (b'', b'{}', b'[]', b'{"program":"pixel-detective","work":1,"edits":[{"do":"burn","photos":[]}],"searches":[]}',
                   b'{"program":"pixel-detective","work":1,"edits":[{"do":"tag","text":"a","photos":[["12","x"]]}],"searches":[]}',
                   b'{"program":"pixel-detective","work":1,"edits":[]}'):
        assert server.post(API + 'work', broken, {'Content-Type': 'application/json'}).code == 400, broken
    newer = b'{"program":"pixel-detective","work":2,"edits":[],"searches":[]}'
    assert server.post(API + 'work', newer, {'Content-Type': 'application/json'}).code == 415


def edits_and_a_learner_do_not_mind_each_other(place):
    place.add_pictures(3, first=10)
    server = place.learned()
    ids = [h['id'] for h in search(server)['hits']]
    add_large_pictures(place.photos, 60, 256)
    server.learn(place.photos)
    for i in range(20):
        assert edit(server, photos=ids, tag=f'round {i}')['edited'] == 6
    last = server.wait_job()
    assert last['job']['outcome'] == 'ok' and last['job']['learned'] == 60, last['job']
    assert search(server, 'tag:"round 19"')['total'] == 6


def unknown_addresses_show_the_page(place):
    server = place.serve()
    page = server.get('/', token=False)
    for path in ('/nonsense', '/photo/x', '/photo/', '/search/', '/a/b/c'):
        answer = server.get(path, {'If-None-Match': page.headers['etag']}, token=False)
        assert answer.code == 404 and answer.body == page.body and 'text/html' in answer.headers['content-type'], path
    for path in ('/nonsense.js', '/favicon.png', '/.git/config'):
        answer = server.get(path, token=False)
        assert answer.code == 404 and answer.json()['error']['status'] == 'not_found', path


def a_folder_that_goes_away_is_said(place):
    away = place.root / 'drive'
    away.mkdir()
    add_large_pictures(away, 150, 512)
    server = place.serve()
    events = Events(server)
    server.post(API + 'job/speed', {'speed': 'gentle'})
    server.learn(away)
    events.until(lambda s: s['job'] and s['job']['learned'] > 5)
    assert server.post(API + 'job/pause').code == 202
    away.rename(place.root / 'elsewhere')
    server.post(API + 'job/resume')
    job = events.until(lambda s: s['job'] and not s['job']['running'])[-1]['job']
    events.close()
    assert job['outcome'] == 'partial' and 'offline' in (job['message'] or ''), job
    snapshot = server.snapshot()
    assert snapshot['state'] == 'ADVANCED' and snapshot['library']['roots'][0]['offline'], snapshot['library']
    assert search(server)['total'] == job['learned']


def the_end_waits_for_no_question(place):
    add_large_pictures(place.photos, 8, 2500)
    server = place.learned()
    photo = search(server)['hits'][0]['id']
    stop = threading.Event()

    def busy(path, method='GET', body=None):
        while not stop.is_set():
            try:
                server.ask(method, path, body=body)
            except OSError:
                return
    upload = (place.photos / 'large-1.png').read_bytes()
    work = [(f'{API}search?q=some+words+{i}',) for i in range(6)]
    work += [(f'{API}photos/{photo + i}/view?size={400 + i}',) for i in range(6)]
    work += [(f'{API}similar', 'POST', upload)] * 4
    threads = [threading.Thread(target=busy, args=w, daemon=True) for w in work]
    counting = Events(server, f'{API}folders/count?path={urllib.parse.quote(str(place.root))}')
    for thread in threads:
        thread.start()
    time.sleep(0.7)
    took = server.stop()
    stop.set()
    counting.close()
    assert took < 3.5 * patience(), took


if __name__ == '__main__':
    sys.exit(main(globals()))

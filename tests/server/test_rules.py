#!/usr/bin/env python3
"""test_rules.py PROGRAM SOURCE: who may ask, and what is said to bad requests (docs/http.md, docs/http-errors.md).
With a further argument --renew-docs: writes docs/http-errors.md."""
import os
import re
import sys
import urllib.parse

from server_place import Events, main, png, read_answer

PAGE_POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
               "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
EVERYWHERE = {'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'x-frame-options': 'DENY',
              'cross-origin-opener-policy': 'same-origin', 'cross-origin-resource-policy': 'same-origin'}


def token_is_needed_for_everything_under_api(place):
    server = place.serve()
    text = (place.source / 'src/server/routes.c').read_text()
    rows = re.findall(r'\{ "(GET|POST)", "(/api/[^"]+)"', text)
    assert len(rows) >= 33, rows
    for method, path in rows:
        path = path.replace('ID', '1').replace('KEY', 'tiny')
        for headers in ({}, {'Authorization': 'Bearer ' + '0' * 64}, {'Authorization': 'Bearer ' + server.token[:-1]},
                        {'Authorization': f'Basic {server.token}'}, {'Cookie': f'pd_token_{server.port}='},
                        {'Cookie': f'pd_token_1={server.token}'}):
            answer = server.ask(method, path, headers, body=b'' if method == 'POST' else None, token=False)
            assert answer.code == 401 and answer.json()['error']['status'] == 'unauthorized', (method, path, answer)
    assert server.get('/api/v1/snapshot?token=' + server.token, token=False).code == 401


def address_sets_the_cookie_and_leaves_the_address_bar(place):
    server = place.serve()
    answer = server.get(f'/?token={server.token}', token=False)
    assert answer.code == 303 and answer.headers['location'] == '/', answer
    cookie = answer.headers['set-cookie']
    assert cookie == f'pd_token_{server.port}={server.token}; Path=/; HttpOnly; SameSite=Strict', cookie
    assert answer.headers['cache-control'] == 'no-store'
    good = server.get('/api/v1/snapshot', {'Cookie': cookie.split(';')[0]}, token=False)
    assert good.code == 200
    for wrong in ('', '0' * 64, server.token[:-1], server.token + '0'):
        answer = server.get(f'/?token={wrong}', token=False)
        assert answer.code == 303 and answer.headers['location'] == '/' and 'set-cookie' not in answer.headers, answer
    through_tunnel = server.get(f'/?token={server.token}', {'Host': 'localhost:8000'}, token=False)
    assert through_tunnel.headers['set-cookie'].startswith('pd_token_8000='), through_tunnel


def token_is_new_at_each_start_and_only_its_owner_reads_it(place):
    first = place.serve()
    url = place.library / 'serve.url'
    assert url.read_text() == first.url and url.stat().st_mode & 0o777 == 0o600
    first.stop()
    assert not url.exists()
    assert place.serve().token != first.token


def only_loopback_names_are_answered(place):
    server = place.serve()
    for host in ('127.0.0.1', 'localhost', '[::1]', 'LOCALHOST', f'localhost:{server.port}', '127.0.0.1:1'):
        assert server.get('/', {'Host': host}, token=False).code == 200, host
    for host in ('evil.example', f'evil.example:{server.port}', '10.0.0.1', '127.0.0.1.evil.example', 'localhost.', '0'):
        for path in ('/', '/app.js', '/api/v1/snapshot'):
            answer = server.get(path, {'Host': host})
            assert answer.code == 421 and 'localhost' in answer.sentence(), (host, answer)
    with server.connect() as sock:
        sock.sendall('GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n'.encode())
        assert read_answer(sock).code in (400, 421)


def other_sites_may_neither_read_nor_write(place):
    server = place.serve()
    for site in ('cross-site', 'same-site', 'anything'):
        for method, path in (('GET', '/api/v1/snapshot'), ('GET', '/api/v1/photos/1/thumb'), ('POST', '/api/v1/job/cancel')):
            answer = server.ask(method, path, {'Sec-Fetch-Site': site}, body=b'' if method == 'POST' else None)
            assert answer.code == 403 and answer.json()['error']['status'] == 'forbidden', answer
    assert server.get('/', {'Sec-Fetch-Site': 'cross-site'}, token=False).code == 200
    for site in ('same-origin', 'none'):
        assert server.get('/api/v1/snapshot', {'Sec-Fetch-Site': site}).code == 200
    own = f'http://127.0.0.1:{server.port}'
    for origin in ('http://evil.example', 'null', f'https://127.0.0.1:{server.port}', f'http://localhost:{server.port}',
                   'http://127.0.0.1', own + '.evil.example', ''):
        answer = server.ask('POST', '/api/v1/job/retry', {'Origin': origin}, body=b'')
        assert answer.code == 403, (origin, answer)
    assert server.ask('POST', '/api/v1/job/speed', {'Origin': own}, body=b'{"speed":"full"}').code == 202


def every_answer_carries_its_policies(place):
    server = place.learned()
    page = server.get('/', token=False)
    assert page.code == 200 and page.headers['content-security-policy'] == PAGE_POLICY
    assert page.headers['cache-control'] == 'no-cache' and page.headers['content-type'].startswith('text/html')
    assert b'<script>' not in page.body and b'<style' not in page.body and b'style=' not in page.body, 'inline code'
    api = server.get('/api/v1/snapshot')
    assert api.headers['content-security-policy'].startswith("default-src 'none'")
    assert api.headers['cache-control'] == 'no-store' and api.headers['content-type'] == 'application/json'
    photo = server.get('/api/v1/search?q=').json()['hits'][0]['id']
    picture = server.get(f'/api/v1/photos/{photo}/thumb')
    assert picture.headers['content-security-policy'] == "default-src 'none'; sandbox"
    assert picture.headers['content-type'] == 'image/webp' and picture.headers['cache-control'] == 'private, no-cache'
    errors = [server.get('/api/v1/none'), server.get('/api/v1/snapshot', token=False), server.get('/nothing')]
    stream = Events(server)
    for answer in (page, api, picture, stream.answer, *errors):
        for name, value in EVERYWHERE.items():
            assert answer.headers.get(name) == value, (name, answer)
        assert 'access-control-allow-origin' not in answer.headers
    assert stream.answer.headers['content-type'] == 'text/event-stream'


def the_disk_is_out_of_reach(place):
    server = place.serve()
    for path in ('/../../../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/..%2f..%2fetc%2fpasswd', '//etc/passwd',
                 '/%252e%252e/etc/passwd', '/assets/../../../etc/passwd', '/app.js/../../etc/passwd', '/.git/config',
                 '/api/v1/photos/../../../../etc/passwd', '/api/v1/photos/%2e%2e%2f1/thumb', '/etc/passwd', '/app.js%2500',
                 '/photo/../../etc/passwd'):
        answer = server.get(path)
        assert answer.code in (400, 404) and b'root:' not in answer.body, (path, answer)


def the_folder_browser_lists_folders_only(place):
    (place.photos / 'sub').mkdir()
    (place.photos / '.hidden').mkdir()
    (place.photos / 'link').symlink_to(place.root)
    answer = place.serve().get(f'/api/v1/folders?path={place.photos}').json()
    assert [f['name'] for f in answer['folders']] == ['link', 'sub'] and answer['path'] == str(place.photos), answer
    assert answer['parent'] == str(place.root) and not answer['truncated']
    assert {'kind': 'home', 'name': place.root.name, 'path': str(place.root), 'bytes': None} in answer['places']


def nothing_outside_the_browse_root_is_looked_at(place):
    inside, outside = place.photos / 'inside', place.root / 'outside'
    inside.mkdir()
    outside.mkdir()
    place.add_pictures(2, folder=outside)
    (inside / 'link').symlink_to(outside)
    server = place.serve('--browse-root', place.photos)
    assert server.get('/api/v1/folders').json()['path'] == str(place.photos)
    listing = server.get(f'/api/v1/folders?path={inside}').json()
    assert listing['folders'] == [] and all(p['path'].startswith(str(place.photos)) for p in listing['places']), listing
    assert server.get(f'/api/v1/folders?path={place.photos}').json()['parent'] is None
    for path in (outside, inside / 'link', inside / '..' / '..', place.root, '/', '/etc', f'{outside}/none', '~/outside',
                 f'{place.photos}x'):
        for what in ('folders', 'folders/count'):
            answer = server.get(f'/api/v1/{what}?path={path}')
            assert answer.code == 403 and 'outside' in answer.sentence(), (path, answer)
        look = server.get(f'/api/v1/folders/look?path={path}').json()
        assert look['kind'] == 'outside' and look['suggestion'] is None and look['completion'] is None, look
        assert server.post('/api/v1/job', {'roots': [str(path)]}).code == 403
        picture = f'{path}/1.png' if not str(path).endswith('.png') else str(path)
        assert server.get('/api/v1/search?q=' + urllib.parse.quote(f'like:"{picture}"')).code == 403, picture
        assert server.post('/api/v1/similar', {'paths': [picture]}).code == 403, picture
        assert server.post('/api/v1/similar', {'ids': [1], 'q': f'like:"{picture}"'}).code == 403, picture
        assert server.post('/api/v1/copy', {'photos': [1], 'folder': str(path)}).code == 403
    for path in (f'{inside}/new/../../../outside/x', f'{inside}/none/..'):
        assert server.post('/api/v1/copy', {'photos': [1], 'folder': path}).code in (400, 403), path
    assert not (outside / 'x').exists() and not (inside / 'new').exists()
    assert server.snapshot()['job'] is None
    assert server.post('/api/v1/job', {'roots': [str(inside)]}).code == 202


def a_link_out_of_a_root_shows_nothing(place):
    server = place.learned()
    hits = {h['path']: h['id'] for h in server.get('/api/v1/search?q=').json()['hits']}
    victim = place.photos / '1.png'
    secret = place.root / 'secret.png'
    secret.write_bytes(png(99))
    victim.unlink()
    victim.symlink_to(secret)
    view = server.get(f'/api/v1/photos/{hits[str(victim)]}/view?size=512')
    assert view.code == 404 and view.headers['content-type'] == 'application/json', view


def pictures_have_no_other_type(place):
    (place.photos / 'page.jpg').write_bytes(b'<html><script>alert(1)</script></html>')
    server = place.serve()
    server.learn(place.photos)
    server.wait_job()
    found = server.get('/api/v1/errors').json()
    assert found['total'] == 1 and found['errors'][0]['path'].endswith('page.jpg'), found
    for photo in range(1, 6):
        for what in ('thumb', 'view?size=320'):
            answer = server.get(f'/api/v1/photos/{photo}/{what}')
            kind = answer.headers['content-type']
            assert kind in ('image/webp', 'image/jpeg') if answer.code == 200 else kind == 'application/json', answer


def bad_requests(server, place):
    """(what, expected code, request bytes) of every row of docs/http-errors.md."""
    api = '/api/v1/'

    def ask(method, path, headers=None, body=b'', token=True):
        headers = dict(headers or {})
        if method == 'POST' and 'Content-Length' not in headers and 'Transfer-Encoding' not in headers:
            headers['Content-Length'] = str(len(body))
        return server.head(method, path, headers, token) + body
    json_type = {'Content-Type': 'application/json'}
    picture = png(5, 200)
    yield 'no token', 401, ask('GET', api + 'snapshot', token=False)
    yield 'wrong token', 401, ask('GET', api + 'snapshot', {'Authorization': 'Bearer ' + 'f' * 64})
    yield 'wrong Host', 421, ask('GET', api + 'snapshot', {'Host': 'evil.example'})
    yield 'no Host', 421, ask('GET', api + 'snapshot', {'Host': None})
    yield 'write with a foreign Origin', 403, ask('POST', api + 'job/cancel', {'Origin': 'http://evil.example'})
    yield 'asked by another site', 403, ask('GET', api + 'snapshot', {'Sec-Fetch-Site': 'cross-site'})
    yield 'unknown address', 404, ask('GET', api + 'nothing')
    yield 'unknown file of the page', 404, ask('GET', '/nothing.js')
    yield 'wrong method', 405, ask('GET', api + 'job')
    yield 'unknown method', 405, ask('BREW', api + 'snapshot')
    yield 'way out (../)', 404, ask('GET', '/../../etc/passwd')
    yield 'way out, encoded', 404, ask('GET', '/%2e%2e/%2e%2e/etc/passwd')
    yield 'way out, encoded twice', 404, ask('GET', '/%252e%252e/etc/passwd')
    yield 'broken escape', 400, ask('GET', api + 'search?q=%zz')
    yield 'NUL in the query', 400, ask('GET', api + 'search?q=a%00b')
    yield 'too many parameters', 400, ask('GET', api + 'search?' + 'a=1&' * 17)
    yield 'query of more than 4,096 bytes', 413, ask('GET', api + 'search?q=' + 'x' * 4097)
    yield 'number that is none', 400, ask('GET', api + 'search?q=x&n=many')
    yield 'offset too large', 400, ask('GET', api + 'search?q=x&offset=1000000001')
    yield 'more than 10,000 at once', 400, ask('GET', api + 'search?q=x&n=10001')
    yield 'result that is not kept any more', 404, ask('GET', api + 'search?result=999999')
    yield 'name of a tab too long', 400, ask('GET', api + 'search?tab=' + 'x' * 65)
    yield 'picture in the query that is not there', 404, ask('GET', api + 'search?q=like:/no/such.jpg')
    yield 'values of an unknown field', 400, ask('GET', api + 'values?q=&fields=camera,taste')
    yield 'values of too many fields', 413, ask('GET', api + 'values?q=&fields=' + 'iso,' * 33)
    yield 'cursor that is none', 400, ask('GET', api + 'query?q=x&cursor=end')
    yield 'unknown order', 400, ask('GET', api + 'search?q=x&sort=taste')
    yield 'unknown id', 404, ask('GET', api + 'photos/999999')
    yield 'id that is no number', 400, ask('GET', api + 'photos/one')
    yield 'thumbnail of an unknown id', 404, ask('GET', api + 'photos/999999/thumb')
    yield 'view too large', 400, ask('GET', api + 'photos/1/view?size=99999')
    yield 'body larger than announced limits', 413, ask('POST', api + 'similar', {'Content-Length': str((64 << 20) + 1)})
    yield 'JSON larger than 64 KiB', 413, ask('POST', api + 'job', {**json_type, 'Content-Length': '65537'})
    yield 'length that is none', 400, ask('POST', api + 'job', {**json_type, 'Content-Length': 'x'})
    yield 'endless body (chunked)', 411, ask('POST', api + 'similar', {'Transfer-Encoding': 'chunked'},
                                             b'ffff\r\n' + b'x' * 1000)
    yield 'broken JSON', 400, ask('POST', api + 'job', json_type, b'{"roots":[}')
    yield 'JSON of another shape', 400, ask('POST', api + 'job', json_type, b'[]')
    yield 'wrong type in JSON', 400, ask('POST', api + 'job', json_type, b'{"roots":"/tmp"}')
    yield 'wrong type in a list', 400, ask('POST', api + 'job', json_type, b'{"roots":[7]}')
    yield 'NUL in a path', 400, ask('POST', api + 'job', json_type, b'{"roots":["/tmp\\u0000/x"]}')
    yield 'path that is not absolute', 400, ask('POST', api + 'job', json_type, b'{"roots":["photos"]}')
    yield 'folder that is not there', 404, ask('POST', api + 'job', json_type, b'{"roots":["/no/such/folder"]}')
    yield 'file instead of a folder', 400, ask('POST', api + 'job', json_type,
                                               b'{"roots":["%s"]}' % os.fsencode(place.photos / '1.png'))
    yield 'pause without a job', 409, ask('POST', api + 'job/pause')
    yield 'unknown speed', 400, ask('POST', api + 'job/speed', json_type, b'{"speed":"warp"}')
    yield 'ids that are none', 400, ask('POST', api + 'similar', json_type, b'{"ids":["a"]}')
    yield 'paths that are none', 400, ask('POST', api + 'similar', json_type, b'{"paths":[7]}')
    yield 'example that is not there', 404, ask('POST', api + 'similar', json_type, b'{"paths":["/no/such.jpg"]}')
    yield 'edit of nothing', 400, ask('POST', api + 'edit', json_type, b'{"tag":"x"}')
    yield 'edit that does nothing', 400, ask('POST', api + 'edit', json_type, b'{"photos":[1]}')
    yield 'two edits at once', 400, ask('POST', api + 'edit', json_type, b'{"photos":[1],"tag":"x","rating":1}')
    yield 'rating above 5', 400, ask('POST', api + 'edit', json_type, b'{"photos":[1],"rating":6}')
    yield 'empty tag', 400, ask('POST', api + 'edit', json_type, b'{"photos":[1],"tag":"  "}')
    yield 'tag with a newline', 400, ask('POST', api + 'edit', json_type, b'{"photos":[1],"tag":"a\\nb"}')
    yield 'edit of a result that is not kept', 404, ask('POST', api + 'edit', json_type, b'{"result":999999,"tag":"x"}')
    yield 'body of an edit larger than 16 MiB', 413, ask('POST', api + 'edit', {**json_type, 'Content-Length': '16777217'})
    yield 'undo of another step', 404, ask('POST', api + 'undo', json_type, b'{"step":999}')
    yield 'album that is not there', 404, ask('POST', api + 'albums', json_type, b'{"remove":"none"}')
    yield 'album renamed to nothing', 400, ask('POST', api + 'albums', json_type, b'{"rename":"none"}')
    yield 'search saved without a name', 400, ask('POST', api + 'saved', json_type, b'{"query":"x"}')
    yield 'history without a query', 400, ask('POST', api + 'history', json_type, b'{}')
    yield 'export of nothing', 400, ask('GET', api + 'export?form=csv')
    yield 'export in an unknown form', 400, ask('GET', api + 'export?ids=1&form=pdf')
    yield 'copy to nowhere', 400, ask('POST', api + 'copy', json_type, b'{"photos":[1]}')
    yield 'copy to a relative folder', 400, ask('POST', api + 'copy', json_type, b'{"photos":[1],"folder":"x"}')
    yield 'copy into a file', 400, ask('POST', api + 'copy', json_type,
                                       b'{"photos":[1],"folder":"%s"}' % os.fsencode(place.photos / '1.png'))
    yield 'work that is none', 400, ask('POST', api + 'work', json_type, b'{"program":"another"}')
    yield 'work larger than 64 MiB', 413, ask('POST', api + 'work', {**json_type, 'Content-Length': '67108865'})
    yield 'model that is not there', 404, ask('POST', api + 'models/none--such/use')
    yield 'model with a name that is too long', 400, ask('POST', api + 'models/' + 'x' * 200 + '/load')
    yield 'loading a model that is not there', 404, ask('POST', api + 'models/none--such/load')
    yield 'putting a model away that is not there', 404, ask('POST', api + 'models/none--such/unload')
    yield 'removing a model that is not there', 404, ask('POST', api + 'models/none--such/remove')
    yield 'removing a model and nobody knows what', 400, ask('POST', api + 'models/none--such/remove', json_type,
                                                             b'{"embeddings":1}')
    yield 'fetching nothing', 400, ask('POST', api + 'models/pull', json_type, b'{}')
    yield 'fetching what is no name', 400, ask('POST', api + 'models/pull', json_type, b'{"model":"../x"}')
    yield 'fetching offline', 502, ask('POST', api + 'models/pull', json_type, b'{"model":"owner/name"}')
    yield 'ending a fetch that there is not', 409, ask('POST', api + 'models/pull/cancel')
    yield 'idle time of nothing', 400, ask('POST', api + 'settings', json_type, b'{"idle_s":0}')
    yield 'no threads', 400, ask('POST', api + 'settings', json_type, b'{"threads":0}')
    yield 'captions that are neither on nor off', 400, ask('POST', api + 'settings', json_type, b'{"captions":"on"}')
    yield 'writing what nobody knows', 400, ask('POST', api + 'annotate', json_type, b'{"do":"sing"}')
    yield 'pausing a queue that there is not', 409, ask('POST', api + 'annotate', json_type, b'{"do":"pause"}')
    yield 'describing an unknown photo', 404, ask('POST', api + 'photos/999999/describe')
    yield 'looking at nothing', 400, ask('POST', api + 'looking', json_type, b'{"photos":[]}')
    yield 'looking at too much', 413, ask('POST', api + 'looking', json_type, b'{"photos":[' + b'1,' * 1000 + b'1]}')
    yield 'sidecars of nothing', 400, ask('POST', api + 'sidecars', json_type, b'{"machine":true}')
    yield 'no ids', 400, ask('POST', api + 'similar', json_type, b'{"ids":[]}')
    yield 'too many ids', 413, ask('POST', api + 'similar', json_type, b'{"ids":[' + b'1,' * 64 + b'1]}')
    yield 'unknown id as an example', 404, ask('POST', api + 'similar', json_type, b'{"ids":[999999]}')
    yield 'upload that is no picture', 415, ask('POST', api + 'similar', {}, b'hello' * 100)
    yield 'upload cut short', 415, ask('POST', api + 'similar', {}, picture[:len(picture) // 2])
    yield 'empty upload', 415, ask('POST', api + 'similar')
    yield 'headers of more than 48 KiB', 431, ask('GET', api + 'snapshot', {'X-Long': 'x' * 60000})
    yield 'address of more than 48 KiB', 414, ask('GET', api + 'search?q=' + 'x' * 60000)


def table(rows):
    head = ('# What bad requests are told\n\nGenerated and checked by `tests/server/test_rules.py` (`--renew-docs` writes it). '
            'The sentence is `error.message`;\nwhere the HTTP library itself refuses, it is a short page of its own.\n\n'
            '| request | code | status | sentence |\n|---|---|---|---|\n')
    return head + ''.join(f'| {" | ".join(map(str, row))} |\n' for row in rows)


def bad_requests_get_a_code_and_a_sentence(place):
    place.environment['HF_HUB_OFFLINE'] = '1'
    server = place.learned()
    events = Events(server)  # what is learned is tagged
    events.until(lambda s: s['annotation'] and not s['annotation']['running'])
    events.close()
    rows, wrong = [], []
    for what, code, request in bad_requests(server, place):
        with server.connect() as sock:
            try:
                sock.sendall(request)
            except (BrokenPipeError, ConnectionResetError):
                pass
            answer = read_answer(sock)
        if answer is None or answer.code != code:
            wrong.append((what, code, answer))
            continue
        status, sentence = '', ''
        if answer.headers.get('content-type') == 'application/json':
            error = answer.json()['error']
            status, sentence = error['status'], re.sub(r' \([a-z]*vips.*\)', '', error['message'].replace(str(place.root), '/home/me'))
            sentence = sentence.replace(os.path.dirname(place.program), '/opt/pixel-detective').replace(str(place.source), '/src')
            sentence = re.sub(r'(threads. is a whole number from 1 to )\d+', r'\1N', sentence)  # as many as CPUs
            if len(sentence) < 15:
                wrong.append((what, 'no sentence', answer))
        rows.append((what, code, f'`{status}`' if status else '', sentence.replace('|', '\\|')))
    assert not wrong, wrong
    assert server.snapshot()['state'] == 'ADVANCED', 'the server is well'
    path = place.source / 'docs/http-errors.md'
    if RENEW:
        path.write_text(table(rows))
    assert path.read_text() == table(rows), 'docs/http-errors.md differs; renew it with --renew-docs'


def what_is_no_http_harms_nobody(place):
    server = place.serve()
    for noise in (b'\x16\x03\x01\x02\x00\x01\x00\r\n\r\n', b'\0' * 5000, b'GET\r\n\r\n', b'GET / HTTP/9.9\r\n\r\n',
                  b'GET / HTTP/1.1\r\nHost localhost\r\n\r\n', b'\r\n' * 3000, os.urandom(20000)):
        with server.connect() as sock:
            sock.sendall(noise)
            sock.shutdown(1)
            answer = read_answer(sock)
            assert answer is None or answer.code >= 400, answer
    assert server.snapshot()['seq'] >= 1


def docs_list_every_route(place):
    text = (place.source / 'docs/http.md').read_text()
    source = (place.source / 'src/server/routes.c').read_text()
    rows = re.findall(r'\{ "(GET|POST)", "(/api/[^"]+)"', source)
    documented = set()
    for line in re.findall(r'^\| `(?:GET|POST) /api/v1/.*', text, re.MULTILINE):
        documented |= set(re.findall(r'`(GET|POST) (/api/v1/[\w/]+)', line.split(' | ')[0]))
    for line in re.findall(r'^\| `POST /api/v1/job/pause`.*', text, re.MULTILINE):
        documented |= {('POST', '/api/v1/job/' + name) for name in re.findall(r'`(\w+)`', line.split('|')[1])}
    for line in re.findall(r'^\| `POST /api/v1/models/KEY/load`.*', text, re.MULTILINE):
        documented |= {('POST', '/api/v1/models/KEY/' + name) for name in re.findall(r'`(\w+)`', line.split(' | ')[0])}
    assert set(rows) == documented, set(rows) ^ documented
    server = place.serve()
    for method, path in rows:
        answer = server.ask(method, path.replace('ID', '1').replace('KEY', 'tiny'), token=False)
        assert answer.code == 401, (method, path, answer)


RENEW = '--renew-docs' in sys.argv
if RENEW:
    sys.argv.remove('--renew-docs')
if __name__ == '__main__':
    sys.exit(main(globals()))

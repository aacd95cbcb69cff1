"""A model hub on a loopback address, from folders, that misbehaves on command.

    hub = Hub()
    hub.add('owner/name', {'config.json': b'...', 'model.safetensors': pathlib.Path(...)})
    hub.fault('model.safetensors', 'drop', after=100_000, times=3)

With `tls`, an ssl.SSLContext (authority.py makes them), by HTTPS.

Faults, each for requests whose path holds the text, `times` times (None: always):
    drop     the connection ends after so many bytes of the body
    stall    after so many bytes nothing comes for `seconds`
    slow     so many `rate` bytes a second
    longer   Content-Length says more than comes (by `by`)
    shorter  Content-Length says less than there is (by `by`)
    more     more bytes come than Content-Length of the range promises in Content-Range (a 206 for all of the file)
    ranges   ranges are refused: 200 and all of it
    status   answers `code`, with `headers`
    garbage  the right number of wrong bytes; with `beyond`, from that place of the file on
    change   from now on the file has other bytes (`content`), then the request is answered
    redirect to `to` + path
"""
import hashlib
import http.server
import json
import os
import pathlib
import socket
import threading
import time

STEP = 1 << 16


class File:
    """Content of a file of a repository: bytes, or a path on disk."""

    def __init__(self, content, lfs):
        self.content = content
        self.size = content.stat().st_size if isinstance(content, pathlib.Path) else len(content)
        self.lfs = lfs
        digest = hashlib.sha256()
        for part in self.parts(0, self.size):
            digest.update(part)
        self.sha256 = digest.hexdigest()
        self.etag = '"' + (self.sha256 if lfs else self.sha256[:40]) + '"'

    def parts(self, begin, end, step=STEP):
        if isinstance(self.content, pathlib.Path):
            with open(self.content, 'rb') as file:
                file.seek(begin)
                while begin < end:
                    part = file.read(min(step, end - begin))
                    begin += len(part)
                    yield part
        else:
            for at in range(begin, end, step):
                yield self.content[at:min(at + step, end)]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer_json(self, document, code=200, headers=None):
        body = json.dumps(document).encode()
        self.send_response(code)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        hub = self.server.hub
        faults = hub.note(self)
        try:
            if 'status' in faults:
                self.answer_json({'error': 'as asked'}, faults['status']['code'], faults['status'].get('headers'))
            elif 'redirect' in faults:
                self.send_response(302)
                self.send_header('Location', faults['redirect']['to'] + self.path)
                self.send_header('Content-Length', '0')
                self.end_headers()
            elif self.path.startswith('/api/models/'):
                self.list_repository(hub)
            else:
                self.send_file(hub, faults)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def list_repository(self, hub):
        name, _, revision = self.path[len('/api/models/'):].split('?')[0].partition('/revision/')
        revision = revision.replace('%2F', '/')
        if name not in hub.repositories:
            self.answer_json({'error': 'Repository not found'}, 401, {'X-Error-Code': 'RepoNotFound'})
        elif revision not in ('main', hub.commits[name]):
            self.answer_json({'error': 'Revision not found'}, 404, {'X-Error-Code': 'RevisionNotFound'})
        else:
            siblings = []
            for path, file in hub.repositories[name].items():
                sibling = {'rfilename': path, 'size': file.size, 'blobId': '0' * 40}
                if file.lfs:
                    sibling['lfs'] = {'sha256': file.sha256, 'size': file.size, 'pointerSize': 134}
                siblings.append(sibling if hub.tells_sizes else {'rfilename': path})
            self.answer_json({'id': name, 'sha': hub.commits[name], 'siblings': siblings})

    def send_file(self, hub, faults):
        parts = self.path.lstrip('/').split('/')
        from_store = parts[0] == 'store'
        owner, name, _, revision, path = parts[1:6] if from_store else parts[:5]
        file = hub.repositories.get(f'{owner}/{name}', {}).get(path)
        if file is None or revision not in ('main', *hub.old_commits, hub.commits.get(f'{owner}/{name}')):
            self.answer_json({'error': 'Entry not found'}, 404, {'X-Error-Code': 'EntryNotFound'})
            return
        linked = {'X-Repo-Commit': revision, 'X-Linked-Size': str(file.size), 'X-Linked-ETag': file.etag}
        if file.lfs and hub.store and not from_store:
            self.send_response(302)
            for key, value in linked.items():
                self.send_header(key, value)
            self.send_header('Location', f'{hub.store}/store{self.path}')
            self.send_header('Content-Length', '0')
            self.end_headers()
            return
        self.send_bytes(file, faults, {} if from_store else linked)

    def send_bytes(self, file, faults, headers):
        begin, end, code = 0, file.size, 200
        wanted, condition = self.headers.get('Range'), self.headers.get('If-Range')
        if wanted and 'ranges' not in faults and condition in (None, file.etag):
            first, _, last = wanted.removeprefix('bytes=').partition('-')
            begin, end, code = int(first), min(int(last) + 1 if last else file.size, file.size), 206
            if begin >= end:
                self.answer_json({'error': 'range'}, 416, {'Content-Range': f'bytes */{file.size}'})
                return
        length = end - begin + faults.get('longer', {}).get('by', 0) - faults.get('shorter', {}).get('by', 0)
        self.send_response(code)
        if code == 206:
            self.send_header('Content-Range', f'bytes {begin}-{end - 1}/{file.size}')
            if 'more' in faults:
                begin, end, length = 0, file.size, file.size
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header('ETag', file.etag)
        self.send_header('Content-Length', str(length))
        self.end_headers()
        self.send_body(file, begin, min(end, begin + length), faults)
        if 'longer' in faults:
            self.close_connection = True

    def send_body(self, file, begin, end, faults):
        sent, rate = 0, faults.get('slow', {}).get('rate')
        for part in file.parts(begin, end, max(rate // 20, 1) if rate else STEP):
            spared = faults['garbage'].get('beyond', 0) - begin - sent if 'garbage' in faults else len(part)
            part = part[:max(0, spared)] + bytes(len(part) - min(max(0, spared), len(part)))
            for kind in ('drop', 'stall'):
                if kind in faults and sent + len(part) > faults[kind].get('after', 0):
                    self.wfile.write(part[:max(0, faults[kind].get('after', 0) - sent)])
                    self.wfile.flush()
                    if kind == 'stall':
                        time.sleep(faults[kind]['seconds'])
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
            self.wfile.write(part)
            sent += len(part)
            if rate:
                time.sleep(0.05)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


class Hub:
    def __init__(self, host='127.0.0.1', tls=None):
        self.lock = threading.Lock()
        self.repositories, self.commits, self.old_commits = {}, {}, []
        self.faults, self.requests = [], []
        self.store = None  # base address of the place where large files lie
        self.tells_sizes = True
        self.server = Server((host, 0), Handler)
        self.server.hub = self
        if tls:  # hands are shaken by the thread of the connection: by its first read
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.url = f'{"https" if tls else "http"}://{host}:{self.port}'
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def add(self, repository, files, lfs=('.safetensors', '.bin')):
        """Adds a repository, or a new commit of it."""
        made = {name: File(content, name.endswith(tuple(lfs))) for name, content in files.items()}
        with self.lock:
            if repository in self.commits:
                self.old_commits.append(self.commits[repository])
            self.repositories[repository] = made
            text = ''.join(name + file.sha256 for name, file in sorted(made.items()))
            self.commits[repository] = hashlib.sha1(text.encode()).hexdigest()
        return made

    def fault(self, match, kind, times=1, **options):
        with self.lock:
            self.faults.append({'match': match, 'kind': kind, 'times': times, **options})

    def note(self, handler):
        """Remembers the request; the faults that it meets, by kind."""
        met = {}
        with self.lock:
            self.requests.append((handler.path, {k.lower(): v for k, v in handler.headers.items()}))
            for fault in self.faults:
                if fault['match'] not in handler.path or fault['times'] == 0:
                    continue
                if fault['times'] is not None:
                    fault['times'] -= 1
                met[fault['kind']] = fault
            changed = met.get('change')
        if changed:
            repository = changed['repository']
            files = {name: file.content for name, file in self.repositories[repository].items()}
            files[changed['file']] = changed['content']
            self.add(repository, files)
        return met

    def asked(self, text):
        with self.lock:
            return [(path, headers) for path, headers in self.requests if text in path]


def safetensors(sizes, seed=1):
    """A file of tensors of random bytes: {name: bytes}."""
    import random
    header, at = {}, 0
    for name, size in sizes.items():
        header[name] = {'dtype': 'U8', 'shape': [size], 'data_offsets': [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    return len(text).to_bytes(8, 'little') + text + random.Random(seed).randbytes(at)


def small_model(vision=300_000, text=300_000, seed=1):
    """Files that look like a CLIP model; the weights have the text tower first, as real ones do."""
    return {
        'README.md': b'not needed',
        'config.json': json.dumps({'architectures': ['CLIPModel'], 'model_type': 'clip'}).encode(),
        'preprocessor_config.json': b'{"do_resize": true}',
        'vocab.json': b'{}', 'merges.txt': b'#version: 0.2\n', 'tokenizer_config.json': b'{}',
        'pytorch_model.bin': b'not needed, there is something better',
        'model.safetensors': safetensors({'logit_scale': 4, 'text_model.a': text, 'text_projection.weight': 1000,
                                          'vision_model.a': vision, 'vision_model.b': 5000,
                                          'visual_projection.weight': 2000}, seed),
    }

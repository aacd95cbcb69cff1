"""server_place.py: a scratch directory with pictures and a running server, and clients that say exactly what they are told.

Every request goes through a raw socket, so that what a browser would never send can be sent too."""
import json
import pathlib
import re
import select
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import place as shared  # noqa: E402
from place import Place, SANITIZED, Skip, patience, png, unprepared, within  # noqa: E402,F401


class Answer:
    def __init__(self, code, headers, body):
        self.code, self.headers, self.body = code, headers, body

    def json(self):
        return json.loads(self.body)

    def sentence(self):
        return self.json()['error']['message']

    def __repr__(self):
        return f'{self.code} {self.headers} {self.body[:300]!r}'


def read_answer(sock, head_only=False):
    """One answer from a socket; None when the other side closes without one."""
    data = b''
    while b'\r\n\r\n' not in data:
        piece = sock.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b'\r\n\r\n')
    lines = head.decode('latin-1').split('\r\n')
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(':')
        headers[name.strip().lower()] = value.strip()
    code = int(lines[0].split()[1])
    if head_only:
        return Answer(code, headers, body)
    length = int(headers.get('content-length', 0 if code in (204, 304) else -1))
    chunked = headers.get('transfer-encoding') == 'chunked'
    while not body.endswith(b'0\r\n\r\n') if chunked else length < 0 or len(body) < length:
        piece = sock.recv(65536)
        if not piece:
            break
        body += piece
    return Answer(code, headers, body)


def good(answer, code=200):
    """What it says; anything but this code is wrong."""
    assert answer.code == code, answer
    return answer.json() if answer.body else None


class Events:
    """A stream of server-sent events."""

    def __init__(self, server, path='/api/v1/events', headers=None):
        self.sock = server.connect()
        self.sock.sendall(server.head('GET', path, headers))
        self.answer = read_answer(self.sock, head_only=True)
        self.chunked = self.answer.headers.get('transfer-encoding') == 'chunked'
        self.raw, self.text = self.answer.body, b''

    def _unchunk(self):
        while True:
            line, sep, rest = self.raw.partition(b'\r\n')
            if not sep:
                return True
            size = int(line, 16)
            if size == 0:
                return False
            if len(rest) < size + 2:
                return True
            self.text += rest[:size]
            self.raw = rest[size + 2:]

    def next(self, timeout=60):
        """(event, id, data) or None at the end; raises TimeoutError. Comments are passed over."""
        deadline = time.monotonic() + timeout
        more = True
        while True:
            more = self._unchunk() if self.chunked else more
            while b'\n\n' in self.text:
                block, _, self.text = self.text.partition(b'\n\n')
                fields = dict(line.partition(': ')[::2] for line in block.decode().split('\n'))
                if 'event' in fields:
                    return fields['event'], int(fields.get('id', 0)), json.loads(fields['data'])
            if not more:
                return None
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                raise TimeoutError('no event came')
            piece = self.sock.recv(1 << 20)
            if not piece:
                return None
            self.raw += piece

    def until(self, wanted, timeout=60):
        """Snapshots up to and with the first for which wanted(snapshot) is true."""
        deadline = time.monotonic() + timeout * patience()
        seen = []
        while True:
            event = self.next(max(0.1, deadline - time.monotonic()))
            assert event, 'the stream ended'
            seen.append(event[2])
            if wanted(event[2]):
                return seen

    def close(self):
        self.sock.close()


class Server:
    def __init__(self, place, *options, folders=()):
        self.place = place
        command = [place.program, 'serve', '--no-open', *map(str, options), *map(str, folders)]
        self.process = subprocess.Popen(command, env=place.environment, cwd=place.root, stdout=subprocess.PIPE,
                                        stderr=(place.root / 'stderr').open('ab'))
        self.url = self.process.stdout.readline().decode().strip()
        found = re.fullmatch(r'http://(127\.0\.0\.1|\[::1\]):(\d+)/\?token=([0-9a-f]{64})', self.url)
        if not found:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f'no address: {self.url!r} {(place.root / "stderr").read_text()}')
        self.host, self.port, self.token = found[1].strip('[]'), int(found[2]), found[3]

    def connect(self, timeout=None):
        return socket.create_connection((self.host, self.port), timeout=timeout or 30 * patience())

    def head(self, method, path, headers=None, token=True):
        """A request's head. A header whose value is None is left out."""
        all_headers = {'Host': f'127.0.0.1:{self.port}'}
        if token:
            all_headers['Authorization'] = f'Bearer {self.token}'
        all_headers.update(headers or {})
        lines = [f'{method} {path} HTTP/1.1', *(f'{k}: {v}' for k, v in all_headers.items() if v is not None)]
        return ('\r\n'.join(lines) + '\r\n\r\n').encode('latin-1')

    def ask(self, method, path, headers=None, body=None, token=True):
        headers = dict(headers or {})
        if body is not None:
            headers.setdefault('Content-Length', str(len(body)))
        with self.connect() as sock:
            try:
                sock.sendall(self.head(method, path, headers, token) + (body or b''))
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before all of it was sent: the answer is there
            return read_answer(sock, head_only=method == 'HEAD')

    def get(self, path, headers=None, **more):
        return self.ask('GET', path, headers, **more)

    def post(self, path, value=None, headers=None):
        body = b'' if value is None else value if isinstance(value, bytes) else json.dumps(value).encode()
        headers = {'Content-Type': 'application/json', **(headers or {})} if not isinstance(value, bytes) else headers
        return self.ask('POST', path, headers, body)

    def snapshot(self):
        return self.get('/api/v1/snapshot').json()

    def learn(self, *folders):
        answer = self.post('/api/v1/job', {'roots': [str(f) for f in folders]})
        assert answer.code == 202, answer
        return answer.json()

    def until(self, wanted, timeout=60):
        """The first snapshot for which wanted(snapshot) is true."""
        events = Events(self)
        try:
            return events.until(wanted, timeout)[-1]
        finally:
            events.close()

    def wait_job(self, timeout=90):
        return self.until(lambda s: s['job'] and not s['job']['running'], timeout)

    def stop(self, how=signal.SIGTERM, seconds=5):
        """Ends it; gives the seconds it took. However busy the machine, it waits for nobody's silence (PD_SERVER_IDLE_S)."""
        begun = time.monotonic()
        self.process.send_signal(how)
        self.process.wait(max(25, seconds * patience()))
        self.process.stdout.close()
        return time.monotonic() - begun

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class ServerPlace(Place):
    """photos/ has 1.png, 2.png and 3.png; every server started here is ended with it."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.servers = []

    def serve(self, *options, folders=(), listen='127.0.0.1:0'):
        if listen:
            options = ('--listen', listen, *options)
        server = Server(self, *options, folders=folders)
        self.servers.append(server)
        return server

    def learned(self, *options):
        """A server whose library has learned photos/; it gives them tags from now on."""
        server = self.serve(*options)
        server.learn(self.photos)
        last = server.wait_job()
        assert last['state'] == 'ADVANCED', last
        return server

    def learned_untagged(self):
        """The same, and no machine says anything about them."""
        subprocess.run([self.program, 'index', '--no-tags', self.photos], env=self.environment, stdout=subprocess.DEVNULL, check=True)
        return self.serve()

    def end(self):
        for server in self.servers:
            server.kill()


def main(names):
    return shared.main(names, ServerPlace)

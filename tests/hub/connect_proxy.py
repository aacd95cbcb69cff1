"""A proxy on a loopback address that leads on what it is asked to (CONNECT), and remembers who asked for what."""
import select
import socket
import socketserver
import threading

HEAD_BYTES_MAX = 16384


class Handler(socketserver.BaseRequestHandler):
    def read_head(self):
        head = b''
        while b'\r\n\r\n' not in head and len(head) < HEAD_BYTES_MAX:
            part = self.request.recv(1)  # a byte at a time: what follows the head is not ours
            if not part or not (head or part.isalpha()):
                self.request.sendall(b'HTTP/1.1 400 no HTTP\r\n\r\n')
                return ''
            head += part
        return head.decode('latin-1')

    def handle(self):
        proxy, head = self.server.proxy, self.read_head()
        if not head:
            return
        proxy.heads.append(head)
        method, target, _ = head.split(' ', 2)
        code = proxy.code if method == 'CONNECT' else 405
        if code == 200:
            host, _, port = target.rpartition(':')
            try:
                other = socket.create_connection((host, int(port)), 10)
            except OSError:
                code = 502
        more = 'Location: http://127.0.0.1/\r\nContent-Length: 0\r\n' if code != 200 else ''
        self.request.sendall(f'HTTP/1.1 {code} as asked\r\n{more}\r\n'.encode())
        if code == 200:
            with other:
                lead(self.request, other)


def lead(a, b):
    """Bytes both ways until one side ends."""
    while True:
        for side in select.select([a, b], [], [])[0]:
            part = side.recv(1 << 16)
            if not part:
                return
            (b if side is a else a).sendall(part)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_):
        pass


class Proxy:
    def __init__(self, tls=None):
        self.heads, self.code = [], 200
        self.server = Server(('127.0.0.1', 0), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.server.proxy = self
        self.address = f'127.0.0.1:{self.server.server_address[1]}'
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def asked(self):
        """Where it was asked to lead."""
        return [head.split(' ')[1] for head in self.heads]

    def close(self):
        self.server.shutdown()
        self.server.server_close()

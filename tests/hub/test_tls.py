#!/usr/bin/env python3
"""test_tls.py PROGRAM: pixel-detective-fetch by HTTPS: whom it trusts, where it lets itself be led, and proxies. Keys and
certificates are made here. One line a case."""
import json
import pathlib
import socket
import subprocess
import sys

import test_fetch
from authority import Authority
from connect_proxy import Proxy
from hub_server import Hub, small_model
from test_fetch import Skip

HTTP2_FRONT = pathlib.Path(__file__).parent / 'http2_front.mjs'
PATIENT_MS = 60_000  # where nothing is to be given up: a loaded computer may take its time


class Place(test_fetch.Place):
    """With a hub that speaks HTTPS, and whose authority is trusted."""

    def __init__(self, root):
        super().__init__(root)
        self.trust(SSL_CERT_FILE=self.authority.file)

    def open_hub(self):
        self.authority = Authority(self.root / 'authority')
        self.tls = self.authority.server()
        return Hub(tls=self.tls)

    def trust(self, **variables):
        for name in ('SSL_CERT_FILE', 'SSL_CERT_DIR'):
            self.environment.pop(name, None)
        self.environment.update({name: str(value) for name, value in variables.items()})

    def start(self, **changes):
        return super().start(**{'stall_ms': PATIENT_MS, 'connect_ms': PATIENT_MS, **changes})

    def hub_with(self, host='127.0.0.1', **certificate):
        """The same repositories from another server."""
        return self.serve(Hub(host, self.authority.server(**certificate)))

    def serve(self, hub):
        hub.repositories, hub.commits, hub.old_commits = self.hub.repositories, self.hub.commits, self.hub.old_commits
        return hub

    def refuse(self, says, advice, **changes):
        """Ends with one sentence of what happened and what can be done; what was here stays, and nothing is begun."""
        before = {path: path.read_bytes() for path in self.models.rglob('*') if path.is_file()}
        message = self.pull('network', says, **changes)['message']
        assert advice in message and '\n' not in message and len(message) < 330, message
        assert {path: path.read_bytes() for path in self.models.rglob('*') if path.is_file()} == before
        assert not (self.models / 'owner--name.part').exists()
        return message


def a_model_comes_whole_and_goes_on_after_drops(place):
    place.hub.fault('model.safetensors', 'drop', times=6, after=70_000)
    place.pull(token='hf_secret')
    weights = place.hub.asked('model.safetensors')
    assert len(weights) >= 7 and len({headers['range'] for _, headers in weights}) == len(weights)
    assert all(headers['if-range'] == place.files['model.safetensors'].etag for _, headers in weights[1:])
    assert all(headers['authorization'] == 'Bearer hf_secret' for _, headers in place.hub.requests)


def what_came_before_a_kill_is_not_fetched_again(place):
    place.hub.fault('model.safetensors', 'slow', times=None, rate=300_000)
    process = place.start()
    for line in process.stdout:
        if json.loads(line)['done'] > 100_000:
            break
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()
    here = sum(end - begin for file in place.begun()['files'] for begin, end in file['here'])
    place.hub.faults.clear()
    n = len(place.hub.requests)
    place.pull()
    assert here > 0 and place.reports[1]['done'] >= here, (here, place.reports[:2])
    assert not any('config.json' in path for path, _ in place.hub.requests[n:])


def by_http_2_it_is_the_same(place):
    """As the large hubs speak it."""
    bare = place.serve(Hub())
    front = subprocess.Popen(['node', HTTP2_FRONT, *place.authority.certificate(), str(bare.port)], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    address = f'https://127.0.0.1:{int(front.stdout.readline())}'
    bare.fault('model.safetensors', 'drop', times=4, after=70_000)
    bare.fault('vocab.json', 'status', code=503)
    place.pull(endpoint=address, token='hf_secret')
    assert len(bare.asked('model.safetensors')) >= 5
    assert all(headers['authorization'] == 'Bearer hf_secret' for _, headers in bare.requests)
    bare.add('owner/name', small_model(seed=2))
    bare.tells_sizes = False  # answers of which the head is enough
    place.pull(endpoint=address)
    front.stdin.close()
    front.wait()
    front.stdout.close()
    bare.close()


def redirects_lead_to_other_servers_but_the_token_does_not(place):
    store = place.hub_with('localhost')
    place.hub.store = store.url
    place.pull(token='hf_secret')
    assert all(headers['authorization'] == 'Bearer hf_secret' for _, headers in place.hub.requests)
    assert store.asked('model.safetensors') and not any('authorization' in headers for _, headers in store.requests)
    store.close()


def nobody_is_led_out_of_https(place):
    place.pull()
    place.hub.add('owner/name', small_model(seed=2))
    bare = place.serve(Hub())
    place.hub.fault('/api/', 'redirect', to=bare.url)
    place.refuse('leads on to an address without https', 'HF_ENDPOINT', token='hf_secret')
    place.hub.faults.clear()
    place.hub.store = bare.url
    assert 'kept' not in place.pull('network', 'without https', token='hf_secret')['message']
    assert not bare.requests, 'by HTTP not even this computer is asked, once the hub is one by HTTPS'
    place.hub.store = None
    place.pull()
    bare.close()


def a_certificate_of_nobody_that_is_trusted(place):
    place.pull()
    place.hub.add('owner/name', small_model(seed=2))
    n = len(place.hub.requests)
    place.trust()  # the system's authorities, among whom ours is not
    place.refuse('nobody whom this computer trusts', 'SSL_CERT_FILE', token='hf_secret')
    place.trust(SSL_CERT_FILE=Authority(place.root / 'other', 'Another authority').file)
    place.refuse('nobody whom this computer trusts', 'SSL_CERT_FILE')
    place.trust(SSL_CERT_FILE='')
    place.refuse('nobody whom this computer trusts', 'SSL_CERT_FILE')
    assert len(place.hub.requests) == n, 'nobody was told what is wanted, or who wants it'
    place.trust(SSL_CERT_FILE=place.authority.file)
    place.pull()


def the_systems_own_are_trusted_when_nobody_is_named(place):
    """With other certificates in the system's place, for the program alone: in a file system of its own."""
    system, with_others = '/etc/ssl/certs', place.root / 'system'
    with_others.mkdir()
    place.trust()
    place.started_by = ['unshare', '-rm', 'sh', '-c', f'mount --bind "$0" {system} && exec "$1"', with_others]
    if subprocess.run([*place.started_by, 'true'], capture_output=True).returncode != 0:
        raise Skip(f'nothing can be mounted over {system} here')
    place.refuse('the package ca-certificates', 'SSL_CERT_FILE')
    bundle = with_others / 'ca-certificates.crt'
    bundle.write_bytes(place.authority.file.read_bytes())
    place.pull()
    place.hub.add('owner/name', small_model(seed=2))
    bundle.write_bytes(Authority(place.root / 'other', 'Another authority').file.read_bytes())
    place.refuse('nobody whom this computer trusts', 'SSL_CERT_FILE')
    place.authority.directory(with_others)
    place.pull()


def who_is_trusted_can_lie_in_a_directory(place):
    folder = place.authority.directory(place.root / 'trusted')
    place.trust(SSL_CERT_DIR=folder)
    place.pull()
    place.hub.add('owner/name', small_model(seed=2))
    place.trust(SSL_CERT_DIR=folder, SSL_CERT_FILE=Authority(place.root / 'other', 'Another authority').file)
    place.pull()


def certificates_that_cannot_be_read(place):
    place.trust(SSL_CERT_FILE=place.root / 'not-there')
    place.refuse('not-there', 'SSL_CERT_FILE')
    (place.root / 'wrong').write_text('no certificate')
    place.trust(SSL_CERT_FILE=place.root / 'wrong')
    place.refuse('wrong', 'SSL_CERT_FILE')


def certificates_that_do_not_fit(place):
    place.pull()
    place.hub.add('owner/name', small_model(seed=2))
    for certificate, says, advice in (({'names': 'DNS:elsewhere.example'}, 'another name', 'HF_ENDPOINT'),
                                      ({'begin': -20, 'end': -10}, 'run out', 'clock'),
                                      ({'begin': 10, 'end': 20}, 'not valid yet', 'clock')):
        wrong = place.hub_with(**certificate)
        place.refuse(says, advice, endpoint=wrong.url, token='hf_secret')
        assert not wrong.requests
        wrong.close()
    place.pull()


def a_store_that_is_not_trusted_is_named(place):
    store = place.hub_with('localhost', names='IP:127.0.0.1')
    place.hub.store = store.url
    assert 'localhost' in place.pull('network', 'another name')['message']
    assert not store.requests and (place.models / 'owner--name.part/config.json').is_file(), 'small files are kept'
    place.hub.store = None
    place.pull()
    store.close()


def one_that_does_not_speak_tls(place):
    bare = place.serve(Hub())
    place.refuse('no encrypted connection', 'HF_ENDPOINT', endpoint=f'https://127.0.0.1:{bare.port}')
    bare.close()


def hands_that_are_not_shaken(place):
    with socket.create_server(('127.0.0.1', 0)) as silent:  # the kernel answers for it, and nobody else does
        address = f'https://127.0.0.1:{silent.getsockname()[1]}'
        place.refuse('does not answer', 'HTTPS_PROXY', endpoint=address, connect_ms=300)
        place.hub.store = address
        place.pull('network', 'does not answer', connect_ms=300, retry_ms=1)
    place.hub.store = None
    place.pull()


def waiting_for_hands_to_be_shaken_can_be_cancelled(place):
    with socket.create_server(('127.0.0.1', 0)) as silent:
        process = place.start(endpoint=f'https://127.0.0.1:{silent.getsockname()[1]}', connect_ms=600_000)
        connected, _ = silent.accept()
        process.stdin.close()
        code = process.wait(timeout=60)
        last = json.loads(process.stdout.read().splitlines()[-1])
        assert code == 1 and last['outcome'] == 'cancelled', last
        process.stdout.close()
        connected.close()


def a_proxy_leads_to_the_hub_and_sees_nothing(place):
    proxy = Proxy()
    place.environment['HTTPS_PROXY'] = f'http://me:secret@{proxy.address}'
    place.pull(token='hf_secret')
    assert set(proxy.asked()) == {f'127.0.0.1:{place.hub.port}'}
    assert all('Proxy-Authorization: Basic ' in head and 'Bearer' not in head for head in proxy.heads), proxy.heads
    assert not any('proxy-authorization' in headers for _, headers in place.hub.requests)
    proxy.close()


def what_no_proxy_names_is_asked_directly(place):
    proxy, store = Proxy(), place.hub_with('localhost')
    place.hub.store = store.url
    place.environment.update(HTTPS_PROXY=f'http://{proxy.address}', NO_PROXY='example.org,127.0.0.1')
    place.pull()
    assert set(proxy.asked()) == {f'localhost:{store.port}'}, 'the hub directly, the store through it'
    proxy.close()
    store.close()


def a_proxy_that_refuses(place):
    proxy = Proxy()
    place.environment['https_proxy'] = f'http://{proxy.address}'
    for code, says in ((403, '(403)'), (407, 'name:password@'), (502, '(502)')):
        proxy.code = code
        place.refuse(says, 'HTTPS_PROXY')
    assert all(target == f'127.0.0.1:{place.hub.port}' for target in proxy.asked()), 'it does not lead elsewhere, either'
    place.environment['https_proxy'] = f'https://{proxy.address}'
    place.refuse('no encrypted connection', 'HTTPS_PROXY')
    proxy.close()
    place.refuse('does not answer', 'HTTPS_PROXY')


def a_proxy_that_speaks_https_is_trusted_as_the_hub_is(place):
    proxy, wrong = Proxy(place.tls), Proxy(place.authority.server(names='DNS:elsewhere.example'))
    place.environment['HTTPS_PROXY'] = f'https://{wrong.address}'
    place.refuse('certificate of the proxy', 'HTTPS_PROXY')
    place.environment['HTTPS_PROXY'] = f'https://{proxy.address}'
    place.pull()
    assert proxy.heads and not wrong.heads
    proxy.close()
    wrong.close()


def a_hub_on_this_computer_without_https_needs_no_proxy(place):
    proxy, bare = Proxy(), place.serve(Hub())
    for name in ('http_proxy', 'HTTP_PROXY', 'ALL_PROXY'):
        place.environment[name] = f'http://{proxy.address}'
    place.pull(endpoint=bare.url, token='hf_secret')
    assert bare.requests and not proxy.heads, 'a proxy would read the token'
    proxy.close()
    bare.close()


if __name__ == '__main__':
    sys.exit(test_fetch.run_cases(dict(globals()), 15, Place))

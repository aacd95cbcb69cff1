"""Certificates for servers on this computer, made anew by the program openssl for each test.

    authority = Authority(folder)                              # authority.file: the certificate that clients have to trust
    context = authority.server()                               # for localhost and 127.0.0.1, valid today
    context = authority.server(names='DNS:elsewhere.example')
    context = authority.server(begin=-20, end=-10)             # in days from now: expired
    authority.directory(folder)                                # the same certificate where OpenSSL finds it
"""
import datetime
import os
import ssl
import subprocess

HERE = 'DNS:localhost, IP:127.0.0.1'
CONFIGURATION = """
[ca]
default_ca = own
[own]
database = {folder}/database
new_certs_dir = {folder}
rand_serial = yes
private_key = {folder}/authority.key
certificate = {folder}/authority.pem
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = nothing
[nothing]
[authority]
basicConstraints = critical, CA:TRUE
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
subjectAltName = {names}
authorityKeyIdentifier = keyid
"""


def moment(days):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime('%y%m%d%H%M%SZ')


class Authority:
    def __init__(self, folder, name='An authority of the tests'):
        self.folder, self.n = folder, 0
        folder.mkdir(parents=True)
        (folder / 'database').touch()
        self.file = folder / 'authority.pem'
        self.make('req', '-x509', *self.new_key('authority', name), '-extensions', 'authority', '-days', '2', '-out', self.file)

    def make(self, command, *words, names=HERE):
        """One run of openssl; nothing of this user's or this system's settings counts."""
        configuration = self.folder / 'openssl.conf'
        configuration.write_text(CONFIGURATION.format(folder=self.folder, names=names))
        done = subprocess.run(['openssl', command, '-config', configuration, *words], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, env={'PATH': os.environ['PATH']})
        assert done.returncode == 0, done.stderr

    def new_key(self, stem, name):
        return ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', self.folder / f'{stem}.key',
                '-subj', f'/CN={name}')

    def server(self, **certificate):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate(**certificate))
        return context

    def certificate(self, names=HERE, begin=-1, end=1):
        """A new one: the files of the certificate and of its key."""
        self.n += 1
        stem = f'server{self.n}'
        request, certificate = self.folder / f'{stem}.request', self.folder / f'{stem}.pem'
        self.make('req', '-new', *self.new_key(stem, 'a server'), '-out', request)
        self.make('ca', '-batch', '-notext', '-in', request, '-out', certificate, '-extensions', 'server',
                  '-startdate', moment(begin), '-enddate', moment(end), names=names)
        return certificate, self.folder / f'{stem}.key'

    def directory(self, folder):
        """The certificate in a folder as OpenSSL looks them up there: by the hash of the name."""
        folder.mkdir(exist_ok=True)
        done = subprocess.run(['openssl', 'x509', '-in', self.file, '-noout', '-hash'], capture_output=True, text=True, check=True)
        (folder / f'{done.stdout.strip()}.0').write_bytes(self.file.read_bytes())
        return folder

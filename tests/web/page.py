"""A service with its page for tests: a sandbox, directory trees, `impomero watch`, and requests as bytes."""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

CARD = '# omero annotation file\nproject = {project}\nuser = {user}\ngroup = "lab"\n'
HOSTILE_NAME = b'a"><img src=x onerror=alert(1)>\xe9\x1b[31m&amp;.png'
HOSTILE_TEXT = '</script><script>alert(1)</script>'


class Page:
    """`with Page(impomero, sandbox, top) as p`: p.get('/...')."""

    def __init__(self, impomero, sandbox, top, sandbox_args=(), place=None, **settings):
        self.impomero, self.sandbox, self.top = impomero, sandbox, pathlib.Path(top)
        self.sandbox_args, self.place = sandbox_args, place
        self.settings = {'web_listen': '127.0.0.1:0', **settings}

    def __enter__(self):
        self.dir = pathlib.Path(os.path.realpath(tempfile.mkdtemp(prefix='impomero-web-')))
        self.share = pathlib.Path(self.place) if self.place else self.dir / 'share'
        shutil.copytree(self.top / 'sample', self.share, ignore=shutil.ignore_patterns('users.toml'))
        self.env = {'PATH': os.environ['PATH'], 'HOME': str(self.dir), 'OMERO_SERVER': 'localhost', 'OMERO_ROOT_PASSWORD': 'omero',
                    'IMPOMERO_SETTLE': '0', 'IMPOMERO_STATE': str(self.dir / 'state')}
        self.serve()
        return self

    def serve(self, port=0):
        with open(self.dir / 'sandbox.log', 'ab') as log:
            self.server = subprocess.Popen([self.sandbox, '--data', self.dir / 'server', '--users', self.top / 'sample/users.toml',
                                            '--port', str(port), *self.sandbox_args], stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.server.stdout.readline()
        self.env['OMERO_PORT'] = re.match(r'ready ssl=(\d+)', line).group(1)

    def add_trouble(self):
        """A broken card, a user that OMERO does not know, and names that would be markup."""
        (self.share / 'broken').mkdir()
        (self.share / 'broken/card.toml').write_text('# omero annotation file\nproject = 1\n')
        bad = os.fsencode(self.share) + b'/<i>dir'
        os.mkdir(bad)
        pathlib.Path(os.fsdecode(bad + b'/card.toml')).write_text(
            CARD.format(project=json.dumps('P' + HOSTILE_TEXT), user=json.dumps('mallory' + HOSTILE_TEXT)) + f'title = {json.dumps(HOSTILE_TEXT)}\n')
        for name in (HOSTILE_NAME, b'plain.png'):
            shutil.copy(self.top / 'sample/gut/stained/overview.png', bad + b'/' + name)

    def watch(self, *args):
        given = [f'--{k.replace("_", "-")}={v}' for k, v in self.settings.items() if k != 'token']
        env = {**self.env, **({'IMPOMERO_WEB_TOKEN': self.settings['token']} if 'token' in self.settings else {})}
        self.log = open(self.dir / 'log', 'ab')
        self.process = subprocess.Popen([self.impomero, 'watch', *given, *args, self.share], env=env, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log)
        self.port = int(self.await_log(r'web\.listening .*port=(\d+)').group(1))

    def logged(self):
        return (self.dir / 'log').read_text(errors='replace')

    def wait_for(self, probe, seconds=60):
        end = time.monotonic() + seconds
        while not (got := probe()):
            assert time.monotonic() < end and self.process.poll() is None, self.logged()
            time.sleep(0.05)
        return got

    def await_log(self, pattern):
        return self.wait_for(lambda: re.search(pattern, self.logged()))

    def counts(self):
        done = subprocess.run([self.impomero, 'status', '--json'], env=self.env, capture_output=True, text=True, check=True)
        return {c['state']: c['n'] for c in json.loads(done.stdout)['counts']}

    def await_quiet(self, done):
        """`done` filesets are in OMERO and none is under way."""
        def quiet():
            c = self.counts()
            return c.get('done', 0) == done and not c.keys() & {'ready', 'sent', 'started', 'settling', 'seen'}
        self.wait_for(quiet)

    def get(self, target, method='GET', headers=None):
        """(status, headers, body); target may be bytes."""
        c = http.client.HTTPConnection('127.0.0.1', self.port, timeout=30)
        try:
            c.request(method, target, headers=headers or {})
            r = c.getresponse()
            return r.status, {k.lower(): v for k, v in r.getheaders()}, r.read()
        finally:
            c.close()

    def json(self, target, **more):
        status, _, body = self.get(target, **more)
        assert status == 200, (target, status, body)
        return json.loads(body)

    def raw(self, data, seconds=30):
        """What comes back for these bytes, until the other side closes."""
        with socket.create_connection(('127.0.0.1', self.port), timeout=seconds) as s:
            s.sendall(data)
            got = b''
            try:
                while piece := s.recv(65536):
                    got += piece
            except ConnectionResetError:
                pass
            return got

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        return self.process.returncode

    def __exit__(self, *_):
        if hasattr(self, 'process'):
            self.stop()
            self.log.close()
        self.server.terminate()
        self.server.wait(60)
        self.server.stdout.close()
        shutil.rmtree(os.fsencode(self.dir))
        shutil.rmtree(os.fsencode(self.share), ignore_errors=True)

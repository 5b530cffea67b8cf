"""A sandbox of its own for each test, and the program run against it."""
import os
import shutil
import signal
import subprocess
import tempfile
import unittest


class Served(unittest.TestCase):
    IMPOMERO = SANDBOX = TOP = ''
    sandbox_args = ()

    def setUp(self):
        self.dir = os.path.realpath(tempfile.mkdtemp(prefix='impomero-test-'))
        self.share = os.path.join(self.dir, 'share')
        self.data = os.path.join(self.dir, 'server')
        self.state = os.path.join(self.dir, 'state')
        shutil.copytree(os.path.join(self.TOP, 'sample'), self.share)
        self.log = open(os.path.join(self.dir, 'log'), 'w+', encoding='utf-8')
        self.server = subprocess.Popen([self.SANDBOX, '--data', self.data, '--users', os.path.join(self.TOP, 'sample',
                                                                                                   'users.toml'),
                                        '--port', '0', *self.sandbox_args], stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.server.stdout.readline()
        self.assertRegex(line, '^ready ssl=')
        self.port = line.split('ssl=')[1].split()[0]
        self.tcp_port = line.split('tcp=')[1].split()[0] if 'tcp=' in line else None

    def tearDown(self):
        """A sandbox that saw two calls at a time on one stateful service ends with another status."""
        if self.server.poll() is None:
            self.server.send_signal(signal.SIGTERM)
        status = self.server.wait(60)
        self.server.stdout.close()
        self.log.seek(0)
        said = self.log.read()
        self.log.close()
        shutil.rmtree(self.dir)
        self.assertEqual(status, 0, said)

    def run_it(self, *args, status=0, **env):
        e = {**os.environ, 'OMERO_SERVER': 'localhost', 'OMERO_PORT': self.port, 'OMERO_ROOT_PASSWORD': 'omero',
             'IMPOMERO_SETTLE': '0', 'IMPOMERO_STATE': self.state, **env}
        done = subprocess.run([self.IMPOMERO, *args], env=e, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=300)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.out = done.stdout
        return done.stdout + done.stderr

    def shown(self):
        return subprocess.run([self.SANDBOX, '--show', '--data', self.data], capture_output=True, text=True, check=True).stdout

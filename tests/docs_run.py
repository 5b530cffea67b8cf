#!/usr/bin/env python3
"""Every command line of impomero in the documents, run against a sandbox server: docs_run.py IMPOMERO SANDBOX TOP.  Places of the
documents become places of this run; what is said in running text needs not be whole."""
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

IMPOMERO, SANDBOX, TOP = (os.path.abspath(a) for a in sys.argv[1:4])
del sys.argv[1:4]
PAGES = [pathlib.Path(TOP) / name for name in ('README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md')]
PAGES += sorted(pathlib.Path(TOP, 'doc').glob('*.md'))
# Ends with another status than 0 here, and why that is right.
OTHERWISE = {('status', '--check'): (0, 2), ('config', 'check'): (0, 3), ('retry',): (0, 1), ('forget',): (0, 1)}


class Run(unittest.TestCase):
    def setUp(self):
        top = tempfile.TemporaryDirectory()
        self.addCleanup(top.cleanup)
        self.top = pathlib.Path(os.path.realpath(top.name))
        shutil.copytree(pathlib.Path(TOP, 'sample'), self.top / 'sample', ignore=shutil.ignore_patterns('users.toml'))
        shutil.copy(self.top / 'sample/gut/gut.toml', self.top / 'spindle.toml')
        (self.top / 'backup').mkdir()
        server = subprocess.Popen([SANDBOX, '--data', self.top / 'server', '--users', pathlib.Path(TOP, 'sample/users.toml'), '--port', '0'],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(lambda: (server.kill(), server.wait(), server.stdout.close()))
        port = re.search(r'ssl=(\d+)', server.stdout.readline()).group(1)
        self.env = {'PATH': os.environ['PATH'], 'HOME': str(self.top), 'OMERO_SERVER': 'localhost', 'OMERO_PORT': port,
                    'OMERO_ROOT_PASSWORD': 'omero', 'IMPOMERO_SETTLE': '0'}
        self.run_line('', 'import', str(self.top / 'sample'))

    def here(self, line):
        tree = str(self.top / 'sample')
        for word, place in (('/srv/microscopes', tree), ('/backup/', f'{self.top}/backup/'), ('DIRECTORY', tree), ('DIR...', tree), ('DIR', tree),
                            ('FILE...', f'{tree}/gut/gut.toml'), ('$(date +%F)', '2026-01-31')):
            line = line.replace(word, place)
        return line

    def run_line(self, shown, *args):
        process = subprocess.Popen([IMPOMERO, *args], cwd=self.top, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        if args[0] == 'watch':
            process.stderr.readline()
            process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=120)
        good = next((s for words, s in OTHERWISE.items() if args[:len(words)] == words), (0,))
        self.assertIn(process.returncode, good, f'{shown}: {out}{err}')

    def test_every_line_of_a_block(self):
        n = 0
        for page in PAGES:
            for block in re.findall(r'^ *```sh\n(.*?)^ *```', page.read_text(), re.S | re.M):
                for line in (part for l in block.splitlines() for part in l.split('&&')):
                    words = shlex.split(self.here(line), comments=True)
                    if words[:4] == ['runuser', '-u', 'impomero', '--']:
                        words = words[4:]
                    if words and os.path.basename(words[0]) == 'impomero':
                        self.run_line(f'{page.name}: {line}', *words[1:])
                        n += 1
        self.assertGreater(n, 20)

    def test_every_command_of_the_text_is_there(self):
        n = 0
        for page in PAGES:
            for line in re.findall(r'`(impomero (?!COMMAND)[a-z][^`|\[>]*)', page.read_text()):
                words = self.here(line).split()
                command = [w for w in words[1:3] if re.match('^[a-z]+$', w)]
                for k in (2, 1):
                    r = subprocess.run([IMPOMERO, *command[:k], '--help'], env=self.env, capture_output=True, text=True, check=False)
                    if r.returncode == 0:
                        break
                self.assertEqual(r.returncode, 0, f'{page.name}: {line}')
                for option in re.findall(r'--[a-z-]+', line):
                    self.assertIn(option, r.stdout, f'{page.name}: {line}')
                n += 1
        self.assertGreater(n, 20)


if __name__ == '__main__':
    unittest.main()

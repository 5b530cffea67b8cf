#!/usr/bin/env python3
"""The documents hold: docs.py IMPOMERO TOP.  Every link leads somewhere, every command line in them is understood, what the Dockerfile runs
is what the clean root runs."""
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

IMPOMERO, TOP = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
del sys.argv[1:3]
PAGES = [TOP / name for name in ('README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md')] + sorted((TOP / 'doc').glob('*.md'))
USAGE, BUG = 2, 70


def blocks(text):
    return re.findall(r'^ *```sh\n(.*?)^ *```', text, re.S | re.M)


def anchors(text):
    heads = re.findall(r'^#+ (.*)$', text, re.M)
    return {re.sub(r'[^\w -]', '', h.lower()).replace(' ', '-') for h in heads}


class Docs(unittest.TestCase):
    def test_every_link_leads_somewhere(self):
        for page in PAGES:
            text = page.read_text()
            for link in re.findall(r'\]\(([^)\s]+)\)', text):
                if link.startswith(('https://', 'http://')):
                    continue
                path, _, anchor = link.partition('#')
                target = page.parent / path if path else page
                self.assertTrue(target.exists(), f'{page.name}: {link}')
                if anchor:
                    self.assertIn(anchor, anchors(target.read_text()), f'{page.name}: {link}')

    def test_every_command_line_is_understood(self):
        found = 0
        with tempfile.TemporaryDirectory() as home:
            env = {'PATH': os.environ['PATH'], 'HOME': home, 'OMERO_SERVER': 'localhost', 'OMERO_PORT': '1'}
            for page in PAGES:
                lines = [part for b in blocks(page.read_text()) for l in b.splitlines() for part in l.split('&&')]
                lines += re.findall(r'`(impomero (?!COMMAND)[a-z][^`|\[\.]*)`', page.read_text())
                for line in lines:
                    words = shlex.split(line, comments=True)
                    while words and re.match(r'^[A-Z_]+=', words[0]):
                        words.pop(0)
                    if not words or not re.search(r'(^|/)impomero$', words[0]):
                        continue
                    found += 1
                    self.understood(page, line, words[1:], home, env)
        self.assertGreater(found, 15)

    def understood(self, page, line, args, home, env):
        try:
            r = subprocess.run([IMPOMERO, *args], cwd=home, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                               timeout=10, check=False)
        except subprocess.TimeoutExpired:
            return  # it runs until it is stopped
        missing = r.returncode == USAGE and re.search(r"takes (DIR|FILE|PATH)", r.stderr)  # `impomero plan` in running text
        self.assertTrue(missing or r.returncode not in (USAGE, BUG), f'{page.name}: {line}: {r.stderr}')

    def test_the_dockerfile_runs_what_the_clean_root_runs(self):
        text = (TOP / 'Dockerfile').read_text()
        runs = (TOP / 'tests/clean-package').read_text() + (TOP / 'tests/debian-root').read_text() + (TOP / 'tests/clean-root').read_text()
        for step in re.findall(r'^RUN (.*)$', text, re.M):
            for command in step.split(' && '):
                self.assertIn(command.replace('cd /root/impomero', 'cd /root/impomero').strip(), runs, command)


if __name__ == '__main__':
    unittest.main()

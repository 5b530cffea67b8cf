#!/usr/bin/env python3
"""The documents hold: docs.py MANUAL TOP.  Every link leads somewhere, every command line in them is run by a test, what the Dockerfile
runs is what the clean root runs, the version stands in one place."""
import json
import pathlib
import re
import subprocess
import sys
import unittest

MANUAL, TOP = sys.argv[1], pathlib.Path(sys.argv[2])
del sys.argv[1:3]
PAGES = [TOP / name for name in ('README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md')] + sorted((TOP / 'doc').glob('*.md'))
IMPOMERO_LINE = re.compile(r'^([A-Z_]+=\S* )*(runuser -u impomero -- )?(build/src/cli/)?impomero ')
# What a command line looks like, and the file that runs it with these words; or why nothing can.
BY_HAND, SYSTEMD = 'a person edits', 'needs a running systemd'
ELSEWHERE = [
    (r'^tools/quickstart$', ('.ci/run', 'tools/quickstart')),
    (r'^(CC=clang CXX=clang\+\+ )?tools/test( build-clang)?$', ('.ci/run', 'CC=clang CXX=clang++ tools/test build-clang')),
    (r'^ninja -C build$', ('tools/test', 'ninja -C "$build"')),
    (r'^meson test -C build --suite ice$', ('tools/test', 'meson test -C "$build"')),
    (r'^export OMERO_SERVER=', ('tests/cli/served.py', "'OMERO_SERVER'")),
    (r'^tools/package$', ('tests/clean-package', 'tools/package build-deb')),
    (r'^apt install \./build-deb/impomero_\*\.deb$', ('tests/clean-package', 'apt-get install -y -qq --no-install-recommends /root/impomero.deb')),
    (r'^install -m 640 -g impomero /dev/null /etc/impomero/password$',
     ('tests/clean-package', 'install -m 640 -g impomero /dev/null /etc/impomero/password')),
    (r'^editor /etc/impomero/', BY_HAND),
    (r'^(systemctl|journalctl) ', SYSTEMD),
    (r'^rm -f /var/lib/impomero/ledger\.db-wal ', ('tests/cli/test_backup.py', "'ledger.db-wal', 'ledger.db-shm'")),
    (r'^install -o impomero .* /var/lib/impomero/ledger\.db$', ('tests/cli/test_backup.py', "shutil.copy(copy, os.path.join(self.state, 'ledger.db'))")),
]


def lines(text):
    """The command lines of a page's shell blocks, without remarks."""
    for block in re.findall(r'^ *```sh\n(.*?)^ *```', text, re.S | re.M):
        for line in block.splitlines():
            for part in re.sub(r'(^|\s)#.*', '', line).split('&&'):
                if part.strip():
                    yield part.strip()


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

    def test_every_command_line_is_run_somewhere(self):
        """Those of impomero by docs_run.py; what runs the others is named here."""
        found = set()
        for page in PAGES:
            for line in lines(page.read_text()):
                if IMPOMERO_LINE.search(line):
                    continue
                where = [w for pattern, w in ELSEWHERE if re.search(pattern, line)]
                self.assertTrue(where, f'{page.name}: {line}: nothing runs it')
                found.add(where[0])
                if isinstance(where[0], tuple):
                    name, text = where[0]
                    self.assertTrue(text in (TOP / name).read_text(), f'{page.name}: {line}: not in {name}')
        self.assertEqual([w for _, w in ELSEWHERE if w not in found], [], 'no document says these any more')

    def test_messages_are_those_of_the_table(self):
        made = subprocess.run([MANUAL, '--messages'], capture_output=True, text=True, check=True).stdout
        self.assertEqual((TOP / 'doc/messages.md').read_text(), made, f'old: {MANUAL} --messages >doc/messages.md')
        rows = re.findall(r'^    X\([A-Z_0-9]+, "([a-z-]+)", \w+, \w+, "((?:[^"\\]|\\.)*)",\s*\\?\s*"((?:[^"\\]|\\.)*)"\)',
                          (TOP / 'src/base/reason.h').read_text(), re.M)
        self.assertGreater(len(rows), 55)
        for name, text, hint in rows:
            if name != 'none':
                self.assertRegex(made, rf'(?m)^\| `{name}` \| {re.escape(text)} \| \w+ \| {re.escape(hint.replace(chr(92), ""))} \|')

    def test_the_version_stands_in_one_place(self):
        version = re.search(r"^  version: '(.*)',", (TOP / 'meson.build').read_text(), re.M).group(1)
        files = [TOP / name for name in ('README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'Dockerfile')]
        files += [f for d in ('src', 'doc', 'debian', 'dist', 'tools') for f in sorted((TOP / d).rglob('*')) if 'tried' not in f.parts]
        self.assertEqual([f for f in files if f.is_file() and re.search(rf'(?<![\d.]){re.escape(version)}(?![\d.])', f.read_text(errors='replace'))], [])

    def test_the_dockerfile_runs_what_the_clean_root_runs(self):
        text = (TOP / 'Dockerfile').read_text()
        runs = (TOP / 'tests/clean-package').read_text()
        for step in re.findall(r'^RUN (.*)$', text, re.M):
            for command in step.split(' && '):
                self.assertTrue(command in runs, command)
        for step in re.findall(r'^CMD (.*)$', text, re.M):
            self.assertIn(str(json.loads(step))[1:-1].replace("'impomero'", "'/usr/bin/impomero'"), (TOP / 'tests/package.py').read_text())
        for file in re.findall(r'^COPY --from=build (\S+)', text, re.M):
            self.assertTrue(file.removeprefix('/root/impomero/') in runs, file)


if __name__ == '__main__':
    unittest.main()

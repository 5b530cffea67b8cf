#!/usr/bin/env python3
"""Every command on trees with odd names, in pipes and on terminals of several widths: test_names.py IMPOMERO SANDBOX TOP"""
import base64
import json
import os
import re
import subprocess
import sys
import unittest

import served
from program import commands, on_terminal

served.Served.IMPOMERO, served.Served.SANDBOX, served.Served.TOP = sys.argv[1:4]
del sys.argv[1:4]

PNG = base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mMAAAACAAHlJ978AAAAAElFTkSuQmCC')
ODD = [b'new\nline', b'tab\there', b'\x1b[31mred\x1b[0m', b'\x1b]0;title\x07', b'c1\xc2\x9b2J', b'latin-\xe9', b'right\xe2\x80\xaegnp', b'\xe9\xa1\x95\xe5\xbe\xae\xe9\x8f\xa1' * 8,
       b'n' * 200, b'-leading', b'back\\slash', b'\x7f\r\x08', 'line\u2028end'.encode()]
SGR = re.compile('\x1b\\[[0-9]*m')
BAR = re.compile('\r\x1b\\[K')
# Nothing of that may reach a terminal from a name: controls, C1, marks and overrides of direction, what is not UTF-8.
BAD = re.compile('[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\udc80-\udcff]')


def wide(line):
    """Columns of a line: of this test's names only CJK ones are wide (UAX 11)."""
    return sum(2 if '\u2e80' <= c <= '\uffdc' else 1 for c in line)


class Names(served.Served):
    def setUp(self):
        super().setUp()
        self.odd = os.fsencode(self.dir) + b'/odd \x1b[7m\n\xe2\x80\xae'
        os.makedirs(self.odd + b'/sub')
        for i, name in enumerate(ODD):
            for path in (self.odd + b'/' + name + b'.png', self.odd + b'/sub/' + name + b'.txt'):
                with open(path, 'wb') as f:
                    f.write(PNG + bytes([i]))
            os.mkdir(self.odd + b'/' + name + b'.d')
            with open(self.odd + b'/' + name + b'.d/card.toml', 'wb') as f:  # one that is broken, by a text that is odd itself
                f.write(b'# omero annotation file\nproject = "P\\u001b[31m\\u202e"\nuser = "al\\u001b[2Jice"\nx\x1b[5m = \n')
            with open(self.odd + b'/' + name + b'.d/x.png', 'wb') as f:
                f.write(PNG)
        with open(self.odd + b'/good.toml', 'w', encoding='utf-8') as f:
            f.write('# omero annotation file\nproject = "P \u202e\u9855"\nuser = "alice"\ncomment = "x\\ty"\ntags = ["\u202e"]\n')
        self.config = os.path.join(self.dir, 'conf.toml')
        with open(self.config, 'w', encoding='utf-8') as f:
            f.write('[[root]]\nname = "\u202eodd"\npath = "/odd\\u001b[31m"\npolicy = "any"\n')

    def rows(self):
        """Command -> its arguments here, and those of an error."""
        odd, file, lost = self.odd, self.odd + b'/' + ODD[2] + b'.png', self.odd + b'/lost\x1b[31m\n\xff'
        bad = self.odd + b'/' + ODD[2] + b'.d/card.toml'
        return {
            'card check': ([bad, self.odd + b'/good.toml'], [lost]),
            'config check': (['--config', self.config], ['--config', lost]),
            'config show': (['--config', self.config], ['--config', lost]),
            'config example': ([], ['x']),
            'doctor': ([odd], [b'--config', lost]),
            'plan': (['--all', odd], [lost]),
            'groups': (['--all', odd], [lost]),
            'explain': ([file], [lost]),
            'formats': ([], ['x']),
            'import': ([odd], [lost]),
            'watch': (None, [lost]),
            'status': ([odd], ['--state', bad]),
            'where': ([odd], [b'Image:\x1b[31m']),
            'adopt': (['--dry-run', odd], [lost]),
            'ledger copy': (None, [lost + b'/x']),
            'ledger rebuild': ([odd], [lost]),
            'verify': ([odd], [lost]),
            'retry': ([odd], [lost]),
            'forget': ([file], [lost]),
        }

    def env(self, more):
        return {**{k: v for k, v in os.environ.items() if k not in ('NO_COLOR', 'TERM', 'COLUMNS')}, 'OMERO_SERVER': 'localhost', 'OMERO_PORT': self.port,
                'OMERO_ROOT_PASSWORD': 'omero', 'IMPOMERO_SETTLE': '0', 'IMPOMERO_STATE': self.state, 'TERM': 'xterm', **more}

    def piped(self, command, args, **env):
        return subprocess.run([self.IMPOMERO, *command.split(), *args], env=self.env(env), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors='surrogateescape', timeout=120, check=False)

    def shown(self, columns, command, args, **env):
        return on_terminal(columns, [self.IMPOMERO, *command.split(), *args], self.env(env))

    def test_the_table_has_every_command(self):
        self.assertEqual(sorted(self.rows()), sorted(commands(self.IMPOMERO)))
        for command in commands(self.IMPOMERO):
            help = self.piped(command, ['--help']).stdout
            self.assertRegex(help, rf'\nExamples?:\n(  .*\n)*  .*impomero {command}', command)

    def test_nothing_of_a_name_does_more_than_being_shown(self):
        self.piped('import', [self.odd])
        for command, (args, _) in self.rows().items():
            if args is None:
                continue
            for width in (40, 80, 200):
                with self.subTest(command=command, width=width):
                    r = self.piped(command, args, COLUMNS=str(width))
                    self.assertIsNone(BAD.search(r.stdout + r.stderr), (command, r.stdout + r.stderr))
                    self.assertTrue(r.stdout, r.stderr)
                    text, status = self.shown(width, command, args)
                    self.assertIsNone(BAD.search(BAR.sub('', SGR.sub('', text))), (command, text))
                    self.assertEqual(status, r.returncode if command not in ('forget', 'retry', 'import') else status)
                    self.assertTrue(all(wide(part) < width for part in re.findall('\r\x1b\\[K(\\[#[^\r\n]*)', text)), text)
            for env in ({'NO_COLOR': '1'}, {'TERM': 'dumb'}):
                text, _ = self.shown(80, command, args, **env)
                self.assertNotIn('\x1b', text, (command, env))

    def test_tables_fit_the_terminal(self):
        for width in (40, 80, 200):
            for command, args in [('formats', []), *((c, ['--help']) for c in commands(self.IMPOMERO))]:
                text, status = self.shown(width, command, args)
                self.assertEqual(status, 0)
                listed = text[text.index('\nOptions:\n'):] if '\nOptions:\n' in text else text
                long = [l for l in listed.splitlines() if wide(l) > width and l.startswith('  ') and ' ' in l.strip() and not l.startswith('  --')]
                self.assertEqual(long, [], (command, width))

    def test_errors_are_said_on_standard_error_alone(self):
        for command, (_, args) in self.rows().items():
            r = self.piped(command, args)
            self.assertIn(r.returncode, (1, 2, 3, 7), (command, r.stderr))
            self.assertEqual(r.stdout, '', command)
            self.assertTrue(r.stderr.startswith('impomero: '), (command, r.stderr))
            self.assertIsNone(BAD.search(r.stderr), (command, r.stderr))

    def paths(self, value):
        """Every object's texts that show bytes that are not UTF-8, with what gives the bytes back."""
        if isinstance(value, list):
            for v in value:
                yield from self.paths(v)
        elif isinstance(value, dict):
            for key, v in value.items():
                yield from self.paths(v)
                if isinstance(v, str) and key in ('path', 'file', 'root', 'card', 'dir', 'target') and 'latin-\\xE9' in v:
                    yield value.get(f'{key}_b64')

    def test_json_is_json_and_gives_the_bytes_back(self):
        self.piped('import', [self.odd])
        for command, (args, _) in self.rows().items():
            if args is None or '--json' not in self.piped(command, ['--help']).stdout:
                continue
            r = self.piped(command, [*args, '--json'])
            self.assertIsNone(re.search('[\x00-\x09\x0b-\x1f\udc80-\udcff]', r.stdout), command)
            found = list(self.paths(json.loads(r.stdout)))
            with self.subTest(command=command):
                self.assertTrue(all(b and b'latin-\xe9' in base64.b64decode(b) for b in found), found)

    def test_quiet_says_only_what_went_wrong_and_verbose_more(self):
        share = os.path.join(self.share, 'gut')
        said = self.piped('import', ['--quiet', share])
        self.assertEqual((said.returncode, said.stdout, said.stderr), (0, '', ''))
        self.assertNotEqual(self.piped('import', ['--verbose', os.path.join(self.share, 'Spindle orientation')]).stderr, '')

    def test_what_is_removed_before_it_was_sent_is_no_problem_any_more(self):
        self.assertIn('broken-card', self.piped('import', ['--json', self.odd]).stdout)
        self.assertIn('x.png', self.piped('status', []).stdout)
        for name in ODD:
            for file in (b'card.toml', b'x.png'):
                os.unlink(self.odd + b'/' + name + b'.d/' + file)
        self.piped('import', [self.odd])
        left = [p['path'] for p in json.loads(self.piped('status', ['--json']).stdout)['problems']]
        self.assertEqual([p for p in left if '.d/' in p], [])


if __name__ == '__main__':
    unittest.main()

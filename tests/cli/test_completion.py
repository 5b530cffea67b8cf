#!/usr/bin/env python3
"""Completions and manual pages: test_completion.py IMPOMERO DOC.  DOC is the directory that they were made in."""
import json
import os
import re
import shutil
import subprocess
import sys
import unittest

from program import commands

IMPOMERO, DOC = sys.argv[1:3]
del sys.argv[1:3]


def bash(*words):
    script = (f'source {DOC}/impomero\ncompopt() {{ :; }}\nCOMP_WORDS=("$@")\nCOMP_CWORD=$(($# - 1))\n_impomero\n'
              'printf "%s\\n" "${COMPREPLY[@]}"')
    r = subprocess.run(['bash', '-uc', script, 'bash', *words], capture_output=True, text=True, check=False)
    assert not r.stderr, r.stderr
    return r.stdout.split()


class Bash(unittest.TestCase):
    def test_every_first_and_second_word(self):
        self.assertEqual(set(bash('impomero', '')), {c.split()[0] for c in commands(IMPOMERO)} | {'--help', '--version'})
        self.assertEqual(bash('impomero', 'pl'), ['plan'])
        for first in {c.split()[0] for c in commands(IMPOMERO) if ' ' in c}:
            found = bash('impomero', first, '')
            self.assertTrue({c.split()[1] for c in commands(IMPOMERO) if c.startswith(first + ' ')} <= set(found), (first, found))

    def test_every_command_has_the_options_of_its_help(self):
        for command in commands(IMPOMERO):
            shown = subprocess.run([IMPOMERO, *command.split(), '--help'], capture_output=True, text=True, check=True).stdout
            options = set(re.findall(r'^  (--[a-z-]+)', shown, re.M))
            found = {o.rstrip('=') for o in bash('impomero', *command.split(), '--')}
            self.assertEqual(found, options, command)

    def test_values_of_a_choice(self):
        self.assertEqual(bash('impomero', 'plan', '--log-level', '=', 'd'), ['debug'])
        self.assertIn('warning', bash('impomero', 'plan', '--log-level', '='))


@unittest.skipUnless(shutil.which('zsh'), 'needs zsh')
class Zsh(unittest.TestCase):
    def test_it_is_read_and_offers_the_commands(self):
        script = ('compdef() { :; }; compset() { :; }; _files() { :; }; compadd() { shift $(( ${@[(i)--]} )); print -l -- "$@"; }; '
                  f'source {DOC}/_impomero; words=(impomero ""); CURRENT=2; _impomero')
        r = subprocess.run(['zsh', '-fc', script], capture_output=True, text=True, check=False)
        self.assertEqual(r.stderr, '')
        self.assertTrue({c.split()[0] for c in commands(IMPOMERO)} <= set(r.stdout.split()), r.stdout)


class Pages(unittest.TestCase):
    def page(self, name):
        with open(os.path.join(DOC, name), encoding='utf-8') as f:
            return f.read().replace('\\', '')

    def test_every_command_option_key_and_message_is_in_its_page(self):
        one, five, seven = self.page('impomero.1.scd'), self.page('impomero.toml.5.scd'), self.page('impomero.7.scd')
        for command in commands(IMPOMERO):
            self.assertIn(f'## impomero {command} ', one)
        keys = json.loads(subprocess.run([IMPOMERO, 'config', 'show', '--json'], capture_output=True, text=True, check=True,
                                         env={'HOME': '/nonexistent'}).stdout)
        for key in keys:
            if key not in ('state_dir', 'has_password', 'roots'):
                self.assertIn(f'*{key}* = ', five)
        for word in ('no-card', 'broken-card', 'no-user', 'root-away'):
            self.assertIn(f'*{word}*', seven)

    @unittest.skipUnless(shutil.which('man') and os.path.exists('/usr/bin/groff'), 'needs man')
    def test_the_pages_are_read_without_a_warning(self):
        for name in ('impomero.1', 'impomero.toml.5', 'impomero.7', 'impomero.8'):
            r = subprocess.run(['man', '--warnings', '-l', os.path.join(DOC, name)], capture_output=True, text=True, check=False,
                               env={**os.environ, 'MANWIDTH': '80', 'LC_ALL': 'C.UTF-8'})
            self.assertEqual((r.returncode, r.stderr), (0, ''), name)


if __name__ == '__main__':
    unittest.main()

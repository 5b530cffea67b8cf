#!/usr/bin/env python3
"""What `meson install` puts where, and that it works from there: install.py BUILD"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = sys.argv.pop(1)
FILES = ['bin/impomero', 'lib/systemd/system/impomero.service', 'lib/sysusers.d/impomero.conf', 'share/bash-completion/completions/impomero',
         'share/doc/impomero/formats.md', 'share/doc/impomero/messages.md', 'share/doc/impomero/researcher.md', 'share/impomero/impomero.toml',
         'share/man/man1/impomero.1', 'share/man/man5/impomero.toml.5', 'share/man/man7/impomero.7', 'share/man/man8/impomero.8']


def output(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, check=True, **more)


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dest = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.dest)
        output('meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir', str(cls.dest))
        cls.prefix = next(p.parent.parent for p in cls.dest.rglob('bin/impomero'))

    def test_every_file_is_there_with_its_mode(self):
        there = {str(p.relative_to(self.prefix)): p.stat().st_mode & 0o7777 for p in self.prefix.rglob('*') if p.is_file()}
        self.assertEqual({p: there.get(p) for p in FILES}, {p: 0o755 if p == 'bin/impomero' else 0o644 for p in FILES})
        self.assertEqual([p for p, mode in there.items() if mode & 0o111], ['bin/impomero'])
        for kind in ('alerts.yml', 'in-place.conf', 'mounts.conf'):
            self.assertIn(f'share/doc/impomero/examples/{kind}', there)
        schema = pathlib.Path(__file__).parent.parent / 'doc/schema'
        self.assertEqual({p.name for p in (self.prefix / 'share/doc/impomero/schema').iterdir()}, {p.name for p in schema.iterdir()})
        self.assertIn('\nstate = "/var/lib/impomero"\n', (self.dest / 'etc/impomero/impomero.toml').read_text())

    def test_the_program_runs_and_the_unit_names_it(self):
        self.assertRegex(output(self.prefix / 'bin/impomero', '--version').stdout, r'^impomero \d')
        unit = (self.prefix / 'lib/systemd/system/impomero.service').read_text()
        self.assertIn(f'\nExecStart=/{self.prefix.relative_to(self.dest)}/bin/impomero watch\n', unit)

    def test_bash_completes(self):
        script = ('. "$1/share/bash-completion/completions/impomero"; complete -p impomero; compopt() { :; }; COMP_WORDS=(impomero pl); COMP_CWORD=1; '
                  '_impomero; echo "${COMPREPLY[@]}"')
        said = output('bash', '--norc', '-c', script, 'bash', str(self.prefix))
        self.assertEqual(said.stderr, '')
        self.assertRegex(said.stdout, r'(?s)-F _impomero impomero\n.*plan')

    @unittest.skipUnless(shutil.which('zsh'), 'needs zsh')
    def test_zsh_finds_its_function_where_it_looks(self):
        where = next(self.prefix.rglob('_impomero')).parent
        looks = output('zsh', '-fc', 'print -l $fpath').stdout.split()
        self.assertIn(f'/{where.relative_to(self.dest)}', looks)
        script = f'fpath=({where} $fpath); autoload -Uz compinit; compinit -u -D; print $_comps[impomero]'
        self.assertEqual(output('zsh', '-fc', script, env={**os.environ, 'HOME': str(self.dest)}).stdout, '_impomero\n')

    @unittest.skipUnless(shutil.which('man') and os.path.exists('/usr/bin/groff'), 'needs man')
    def test_the_pages_are_found(self):
        for page in ('1 impomero', '5 impomero.toml', '7 impomero', '8 impomero'):
            said = output('man', '--warnings', '-M', str(self.prefix / 'share/man'), *page.split(), env={**os.environ, 'MANPAGER': 'cat', 'LC_ALL': 'C.UTF-8'})
            self.assertEqual(said.stderr, '', page)
            self.assertIn('NAME', said.stdout.upper())


if __name__ == '__main__':
    unittest.main()

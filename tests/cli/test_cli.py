#!/usr/bin/env python3
"""Run the program and look at exit status, output and messages: test_cli.py PROGRAM"""
import base64
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from program import commands, on_terminal

PROGRAM = sys.argv.pop(1)
CARDS = os.path.join(os.environ['TEST_DATA'], 'cards')


def run(*args, **env):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(('IMPOMERO_', 'OMERO_'))}
    clean.update(HOME='/nonexistent', **env)
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=20, env=clean,
                          stdin=subprocess.DEVNULL, errors='surrogateescape')


class Frame(unittest.TestCase):
    def test_version_is_one_line(self):
        r = run('--version')
        self.assertEqual(r.returncode, 0)
        self.assertRegex(r.stdout, r'^impomero \d+\.\d+\.\d+\n$')

    def test_help_lists_commands_and_exit_statuses(self):
        r = run('--help')
        self.assertEqual((r.returncode, r.stderr), (0, ''))
        self.assertIn('card check', commands(PROGRAM))
        self.assertRegex(r.stdout, r'\n  71  out of memory')

    def test_every_command_has_help_of_its_own(self):
        for name in commands(PROGRAM):
            for args in ([*name.split(), '--help'], [*name.split(), '-h'], ['--help', *name.split()]):
                r = run(*args)
                self.assertEqual((r.returncode, r.stderr), (0, ''), name)
                self.assertTrue(r.stdout.startswith(f'Usage: impomero {name} '), name)
                self.assertIn('\nExit status:\n', r.stdout)

    def test_no_command_is_a_usage_error(self):
        r = run()
        self.assertEqual((r.returncode, r.stdout), (2, ''))
        self.assertEqual(r.stderr, 'impomero: no command\n  hint: see impomero --help\n')

    def test_unknown_options_are_usage_errors_with_a_suggestion(self):
        for name in commands(PROGRAM):
            r = run(*name.split(), '--hepl')
            self.assertEqual((r.returncode, r.stdout), (2, ''), name)
            self.assertEqual(r.stderr, 'impomero: unknown option --hepl\n  hint: did you mean --help?\n')
        self.assertEqual(run('card', 'check', '-x').returncode, 2)

    def test_unknown_commands_are_usage_errors_with_a_suggestion(self):
        r = run('card', 'chek')
        self.assertEqual(r.returncode, 2)
        self.assertIn("did you mean 'impomero card check'?", r.stderr)
        self.assertEqual(run('zzzz').returncode, 2)

    def test_options_need_their_values_and_flags_take_none(self):
        self.assertEqual(run('config', 'show', '--server').returncode, 2)
        self.assertEqual(run('card', 'check', '--json=1', 'x').returncode, 2)
        self.assertEqual(run('config', 'check', '--json').returncode, 2)
        self.assertEqual(run('card', 'check', '--server=x', 'y').returncode, 2)

    def test_number_of_arguments(self):
        self.assertEqual(run('card', 'check').returncode, 2)
        self.assertEqual(run('config', 'check', 'x').returncode, 2)

    def test_output_that_cannot_be_written_is_no_success(self):
        with open('/dev/full', 'w') as full:
            r = subprocess.run([PROGRAM, '--help'], stdout=full, stderr=subprocess.PIPE, text=True, timeout=20)
        self.assertEqual(r.returncode, 1)
        self.assertIn('standard output', r.stderr)

    def test_no_colours_where_there_is_no_terminal(self):
        r = run('card', 'check', os.path.join(CARDS, 'bad', 'no-user.toml'))
        self.assertNotIn('\x1b', r.stdout + r.stderr)


class CardCheck(unittest.TestCase):
    def test_a_good_card_for_people(self):
        r = run('card', 'check', os.path.join(CARDS, 'good', 'cataloger-usual.toml'))
        self.assertEqual((r.returncode, r.stderr), (0, ''))
        self.assertIn("project 'Ventral furrow', user 'jdupont', group 'lecuit', 2 tags, 5 pairs", r.stdout)

    def test_a_broken_card_names_place_line_and_hint(self):
        path = os.path.join(CARDS, 'bad', 'windows-path.toml')
        r = run('card', 'check', path)
        self.assertEqual((r.returncode, r.stdout), (1, ''))
        first, source, hint = r.stderr.splitlines()
        self.assertTrue(first.startswith(f'{path}:4:14: '))
        self.assertEqual(source, '    comment = "C:\\Users\\john"')
        self.assertTrue(hint.startswith('  hint: '))

    def test_json_for_one_and_for_several(self):
        good, bad, other = (os.path.join(CARDS, *p) for p in
                            (('good', 'minimal.toml'), ('bad', 'no-user.toml'), ('bad', 'cargo.toml')))
        one = run('card', 'check', '--json', good)
        self.assertEqual((one.returncode, list(json.loads(one.stdout))), (0, ['card']))
        many = run('card', 'check', good, bad, other, '--json')
        self.assertEqual(many.returncode, 1)
        rows = json.loads(many.stdout)
        self.assertEqual([r['file'] for r in rows], [good, bad, other])
        self.assertEqual(rows[1]['error']['line'], 1)
        self.assertTrue(rows[2]['not_a_card'])

    def test_a_file_that_is_not_there(self):
        r = run('card', 'check', '/nonexistent/x.toml')
        self.assertEqual(r.returncode, 1)
        self.assertIn('impomero: /nonexistent/x.toml: ', r.stderr)
        self.assertIsNone(json.loads(run('card', 'check', '--json', '/nonexistent/x.toml').stdout)['error']['line'])
        self.assertEqual(run('card', 'check', '/').returncode, 1)

    def test_two_dashes_end_the_options(self):
        self.assertEqual(run('card', 'check', '--', '--nothing.toml').returncode, 1)

    def test_a_card_that_is_too_large_is_broken(self):
        with tempfile.NamedTemporaryFile('w', suffix='.toml') as f:
            f.write('# omero annotation file\nproject = "P"\nuser = "u"\n' + '#' * (1 << 20))
            f.flush()
            r = run('card', 'check', '--json', f.name)
        self.assertEqual(r.returncode, 1)
        self.assertEqual(json.loads(r.stdout)['error']['line'], 1)


class Config(unittest.TestCase):
    def test_a_root_must_say_whom_its_cards_may_act_for(self):
        with tempfile.NamedTemporaryFile('w', suffix='.toml') as f:
            f.write('[[root]]\nname = "r"\npath = "/r"\npolicy = "any"\n[[root]]\nname = "shared"\npath = "/s"\n')
            f.flush()
            r = run('config', 'check', '--config', f.name)
            self.assertEqual(r.returncode, 3)
            self.assertIn("root 'shared': no policy says whom its cards may act for", r.stderr)
            self.assertIn('write policy = "owner", "list" (with allow) or "any" into its [[root]]', r.stderr)
            f.write('policy = "any"\n')
            f.flush()
            self.assertEqual(run('config', 'check', '--config', f.name).returncode, 0)

    def test_an_import_within_a_root_needs_its_policy_too(self):
        with tempfile.TemporaryDirectory() as top:
            os.makedirs(f'{top}/share/lab')
            os.mkdir(f'{top}/other')
            conf = pathlib.Path(top, 'conf')
            conf.write_text(f'[[root]]\nname = "shared"\npath = "{top}/share"\n')
            common = ('import', '--server=localhost', '--port=1', f'--state={top}/state', '--config', str(conf))
            r = run(*common, f'{top}/share/lab', OMERO_ROOT_PASSWORD='x')
            self.assertEqual(r.returncode, 3, r.stderr)
            self.assertIn("root 'shared': no policy says whom its cards may act for", r.stderr)
            for args in ((f'{top}/other',), ('--policy=any', f'{top}/share/lab')):  # by hand elsewhere; as said by hand
                self.assertNotIn('no policy', run(*common, *args, OMERO_ROOT_PASSWORD='x').stderr)

    def test_sources_in_their_order(self):
        with tempfile.NamedTemporaryFile('w', suffix='.toml') as f:
            f.write('settle = 5\n[server]\nhost = "a"\nport = 1\n[[root]]\nname = "r"\npath = "/r"\npolicy = "any"\nsettle = 9\n')
            f.flush()
            r = run('config', 'show', '--json', '--config', f.name, '--server=c', OMERO_SERVER='b', OMERO_PORT='2')
        self.assertEqual(r.returncode, 0, r.stderr)
        all = json.loads(r.stdout)
        self.assertEqual(all['server.host'], {'value': 'c', 'from': '--server'})
        self.assertEqual(all['server.port'], {'value': '2', 'from': 'OMERO_PORT'})
        self.assertEqual(all['settle'], {'value': '5', 'from': f'{f.name}:1'})
        self.assertEqual(all['roots'][0]['settle'], {'value': '9', 'from': f'{f.name}:9'})
        self.assertEqual(all['state_dir'], '/nonexistent/.local/state/impomero')

    def test_a_password_is_never_shown(self):
        for args in (['config', 'show'], ['config', 'show', '--json']):
            r = run(*args, OMERO_ROOT_PASSWORD='zebra-crossing')
            self.assertEqual(r.returncode, 0)
            self.assertNotIn('zebra-crossing', r.stdout + r.stderr)
        self.assertIn('password: given', run('config', 'show', IMPOMERO_SERVER_PASSWORD='x').stdout)
        self.assertEqual(run('config', 'show', '--server-password=x').returncode, 2)

    def test_quiet_and_verbose_are_levels_of_the_log(self):
        level = lambda *args: json.loads(run('config', 'show', '--json', *args).stdout)['log.level']['value']
        self.assertEqual([level(), level('--quiet'), level('--verbose'), level('--log-level=warning', '--verbose')],
                         ['info', 'error', 'debug', 'warning'])
        self.assertEqual(run('card', 'check', '--verbose', 'x').returncode, 2)

    def test_help_fits_the_terminal(self):
        for columns in (60, 80):
            shown, _ = on_terminal(columns, [PROGRAM, '--help'])
            rows = [l for l in shown.splitlines() if l.startswith('  ')]
            self.assertTrue(rows and all(len(l) <= columns for l in rows), shown)
        self.assertTrue(all(len(l) <= 100 for l in run('import', '--help').stdout.splitlines()))

    def test_drop_ins_and_the_example(self):
        with tempfile.TemporaryDirectory() as d:
            main, parts = os.path.join(d, 'impomero.toml'), os.path.join(d, 'impomero.d')
            example = run('config', 'example').stdout
            with open(main, 'w') as f:
                f.write(example)
            r = run('config', 'check', f'--config={main}')
            self.assertEqual((r.returncode, r.stdout), (0, f'read {main}\nthe configuration is right: 0 roots\n'))
            os.mkdir(parts)
            with open(os.path.join(parts, '50-lab.toml'), 'w') as f:
                f.write('settle = 7\n[[root]]\nname = "lab"\npath = "/lab"\nimage_name = "{file}"\n')
            shown = run('config', 'show', f'--config={main}').stdout
            self.assertIn(f'settle = 7    # {parts}/50-lab.toml:1', shown)
            self.assertIn(f'  image_name = {{file}}    # {parts}/50-lab.toml:5', shown)
            with open(os.path.join(parts, '60-more.toml'), 'w') as f:
                f.write('setttle = 8\n')
            r = run('config', 'check', f'--config={main}')
            self.assertEqual(r.returncode, 3)
            self.assertIn(f"{parts}/60-more.toml:1: unknown key 'setttle'", r.stderr)
            self.assertIn("did you mean 'settle'?", r.stderr)

    def test_plan_names_things_by_the_templates_of_the_root(self):
        with tempfile.TemporaryDirectory() as d:
            d = os.path.realpath(d)
            os.makedirs(os.path.join(d, 'tree/exp 1/sub'))
            with open(os.path.join(d, 'tree/exp 1/c.toml'), 'w') as f:
                f.write('# omero annotation file\nproject = "P"\nuser = "alice"\n')
            with open(os.path.join(d, 'tree/exp 1/sub/a b.png'), 'wb') as f:
                f.write(base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mMAAAACAAHlJ978AAAAAElFTkSuQmCC'))
            with open(os.path.join(d, 'c.toml'), 'w') as f:
                f.write(f'[[root]]\nname = "t"\npath = "{d}/tree"\ndataset_name = "{{root}}: {{dir}}"\nimage_name = "{{path:_}} ({{stem}})"\n')
            r = run('plan', '--json', f'--config={d}/c.toml', os.path.join(d, 'tree'))
            image = json.loads(r.stdout)['images'][0]
            self.assertEqual((image['dataset'], image['image_name']), ('tree: exp_1', 'sub_a_b.png (a_b)'))

    def test_wrong_configurations_have_their_own_status(self):
        with tempfile.NamedTemporaryFile('w', suffix='.toml') as f:
            f.write('\n[server]\nprot = 1\n')
            f.flush()
            r = run('config', 'check', f'--config={f.name}')
        self.assertEqual((r.returncode, r.stdout), (3, ''))
        self.assertEqual(r.stderr, f"impomero: {f.name}:3: unknown key 'server.prot'\n  hint: did you mean 'server.port'?\n")
        self.assertEqual(run('config', 'check', '--config=/nonexistent/x').returncode, 3)
        self.assertEqual(run('config', 'check', IMPOMERO_SETTLE='soon').returncode, 3)
        self.assertEqual(run('config', 'check', '--settle=-1').returncode, 3)
        self.assertEqual(run('config', 'check', '--plain-tcp=maybe').returncode, 3)
        self.assertEqual(run('config', 'check', '--plain-tcp').returncode, 0)


if __name__ == '__main__':
    unittest.main()

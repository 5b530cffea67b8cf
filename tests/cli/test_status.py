#!/usr/bin/env python3
"""`impomero status` and `plan` on ledgers and trees of known content, and their objects against doc/schema.

usage: test_status.py IMPOMERO MAKE_LEDGER SCHEMA_DIRECTORY
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

IMPOMERO, MAKE, SCHEMAS = sys.argv[1:4]
TYPES = {'string': str, 'integer': int, 'object': dict, 'array': list, 'boolean': bool, 'null': type(None)}


def impomero(*args):
    env = {'PATH': os.environ['PATH'], 'HOME': '/nonexistent'}
    return subprocess.run([IMPOMERO, *args], capture_output=True, text=True, timeout=60, check=False, env=env)


def fits(value, schema):
    """What of JSON Schema the five files use."""
    if '$ref' in schema:
        schema = json.loads((pathlib.Path(SCHEMAS) / schema['$ref']).read_text(encoding='utf-8'))
    kinds = schema.get('type', list(TYPES))
    kinds = [kinds] if isinstance(kinds, str) else kinds
    assert any(isinstance(value, TYPES[k]) for k in kinds), (value, kinds)
    assert value in schema.get('enum', [value]), (value, schema['enum'])
    if isinstance(value, list):
        for item in value:
            fits(item, schema.get('items', {}))
    if isinstance(value, dict) and 'properties' in schema:
        assert set(schema['required']) <= set(value) <= set(schema['properties']), value
        for key, item in value.items():
            fits(item, schema['properties'][key])


class Status(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.TemporaryDirectory()
        self.addCleanup(self.top.cleanup)
        self.state = self.top.name + '/state'

    def make(self):
        subprocess.run([MAKE, self.state], check=True, capture_output=True)

    def json(self, *args):
        done = impomero('status', '--json', '--state', self.state, *args)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        return json.loads(done.stdout)

    def test_no_ledger_is_said_and_not_made(self):
        done = impomero('status', '--state', self.state)
        self.assertEqual(done.returncode, 0)
        self.assertIn('no ledger yet', done.stdout)
        self.assertIsNone(self.json()['ledger'])
        self.assertFalse(os.path.exists(self.state))

    def test_counts_and_reasons(self):
        self.make()
        got = self.json()
        self.assertIsNone(got['engine'])
        self.assertEqual({c['state']: c['n'] for c in got['counts']}, dict(done=1, sent=1, waiting=1, ready=1, held=1))
        self.assertEqual([(f['path'], f['state']) for f in got['filesets']],
                         [('d/1sent', 'sent'), ('d/2wait', 'waiting'), ('d/4h\\xE9ld', 'held')])
        self.assertEqual(got['filesets'][0]['fileset_id'], 77)
        self.assertEqual([(p['path'], p['line'], p['reason'], p['who']) for p in got['problems']],
                         [('e/c.toml', 3, 'broken-card', 'researcher'), ('d/2wait', None, 'no-user', 'researcher'),
                          ('d/4h\\xE9ld', None, 'not-utf8', 'researcher')])
        self.assertEqual(got['problems'][1]['retry_at'], '2100-01-01T00:00:00.000Z')

    def test_a_path_shows_all_of_it(self):
        self.make()
        got = self.json('/data/d/0done')
        self.assertEqual([(f['path'], f['state']) for f in got['filesets']], [('d/0done', 'done')])

    def test_words_for_people(self):
        self.make()
        text = impomero('status', '--state', self.state).stdout
        for words in ('no impomero works on it now', '/data/d/1sent (Fileset:77)', '/data/e/c.toml:3', 'odd text',
                      "OMERO knows no user 'ada'", 'tried again at 2100-01-01', 'researcher: correct the user in the card',
                      '/data/d/4h\\xE9ld'):
            self.assertIn(words, text)

    def test_beside_a_living_engine(self):
        with subprocess.Popen([MAKE, self.state, 'stay'], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as engine:
            engine.stdout.readline()
            self.assertIn(f'process {engine.pid} since', self.json()['engine'])
            engine.stdin.close()

    def test_an_unusable_ledger(self):
        os.mkdir(self.state)
        pathlib.Path(self.state, 'ledger.db').write_bytes(b'x' * 5000)
        done = impomero('status', '--state', self.state)
        self.assertEqual(done.returncode, 7)
        self.assertIn('no database', done.stderr)
        self.assertIn('hint:', done.stderr)

    def test_shapes(self):
        self.make()
        got = self.json()
        fits(got['problems'], {'items': {'$ref': 'problem.json'}})
        fits(got['filesets'], {'items': {'$ref': 'fileset.json'}})


class Plan(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.TemporaryDirectory()
        self.addCleanup(self.top.cleanup)
        for path, text in {'d/c.toml': '# omero annotation file\nproject = "P"\nuser = "ada"\ntags = ["t"]\n',
                           'd/empty.tif': '', 'd/notes.txt': 'x', 'e/c.toml': '# omero annotation file\nproject = 1\n',
                           'e/x.tif': 'II*\0'}.items():
            at = pathlib.Path(self.top.name, path)
            at.parent.mkdir(exist_ok=True)
            at.write_text(text, encoding='utf-8')

    def test_shapes(self):
        got = json.loads(impomero('plan', '--json', self.top.name).stdout)
        for key, schema in {'filesets': 'fileset', 'datasets': 'dataset', 'cards': 'card', 'problems': 'problem'}.items():
            fits(got[key], {'items': {'$ref': schema + '.json'}})
        self.assertEqual(len(got['cards']), 2)
        self.assertTrue(got['problems'])

    def test_several_roots_are_a_list(self):
        got = json.loads(impomero('plan', '--json', self.top.name + '/d', self.top.name + '/e').stdout)
        self.assertEqual([os.path.basename(r['root']) for r in got], ['d', 'e'])

    def test_people_see_what_is_left_out(self):
        text = impomero('plan', self.top.name).stdout
        self.assertIn('e/c.toml:2: the card cannot be read', text)
        self.assertIn('d/empty.tif: the file is empty', text)
        self.assertIn('1: not a format that is imported', text)
        self.assertIn('d/notes.txt: not a format', impomero('plan', '--all', self.top.name).stdout)

    def test_a_directory_that_is_not_there(self):
        done = impomero('plan', self.top.name + '/none')
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('/none', done.stderr)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])

#!/usr/bin/env python3
"""Metrics by a parser of others, the API against its schema files, health as monitors see it: test_figures.py IMPOMERO SANDBOX TOP.
Needs prometheus_client and jsonschema."""
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import unittest
import urllib.parse

import jsonschema
import referencing
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from page import Page

IMPOMERO, SANDBOX, TOP = sys.argv[1:4]
del sys.argv[1:4]


class Bench(unittest.TestCase):
    def start(self, trouble=True, **settings):
        page = Page(IMPOMERO, SANDBOX, TOP, **settings).__enter__()
        self.addCleanup(page.__exit__, None, None, None)
        if trouble:
            page.add_trouble()
        page.watch()
        page.await_quiet(done=7)
        return page

    def metrics(self, page):
        """{(sample, labels): value}, after a parser that refuses what is not OpenMetrics."""
        status, headers, body = page.get('/metrics')
        self.assertEqual(status, 200)
        self.assertEqual(headers['content-type'], 'application/openmetrics-text; version=1.0.0; charset=utf-8')
        families = list(text_string_to_metric_families(body.decode()))
        self.families = {f.name: f for f in families}
        return {(s.name, tuple(sorted(s.labels.items()))): s.value for f in families for s in f.samples}


class Metrics(Bench):
    def test_they_agree_with_status_and_ledger_after_a_run_with_failures(self):
        page = self.start()
        got = self.metrics(page)
        db = sqlite3.connect(f'file:{page.dir}/state/ledger.db?mode=ro', uri=True)
        self.addCleanup(db.close)
        status = json.loads(subprocess.run([IMPOMERO, 'status', '--json'], env=page.env, capture_output=True, check=True).stdout)
        for state in ('seen', 'settling', 'ready', 'sent', 'started', 'done', 'waiting', 'held'):
            n, size = db.execute("SELECT count(*), coalesce(sum(bytes), 0) FROM fileset WHERE state = ?", (state,)).fetchone()
            said = [c for c in status['counts'] if c['state'] == state]
            self.assertEqual(sum(c['n'] for c in said), n)
            self.assertEqual(got['impomero_filesets', (('state', state),)], n, state)
            self.assertEqual(got['impomero_filesets_bytes', (('state', state),)], size, state)
        for state, reason, n in db.execute("SELECT state, reason, count(*) FROM fileset WHERE state IN ('waiting', 'held') GROUP BY 1, 2"):
            found = [v for (name, labels), v in got.items() if name == 'impomero_stuck_filesets' and
                     dict(labels)['state'] == state and dict(labels)['reason'] == reason]
            self.assertEqual(found, [n], (state, reason))
        done, size = db.execute("SELECT count(*), sum(bytes) FROM fileset WHERE state = 'done'").fetchone()
        self.assertEqual(done, 7)
        self.assertEqual(got['impomero_imported_filesets_total', ()], done)
        self.assertEqual(got['impomero_imported_bytes_total', ()], size)
        self.assertGreaterEqual(got['impomero_sent_bytes_total', ()], size)
        self.assertEqual(got['impomero_imported_images_total', ()], db.execute('SELECT count(*) FROM image').fetchone()[0])
        self.assertEqual(got['impomero_failures_total', (('class', 'wait'), ('reason', 'no-user'))],
                         db.execute("SELECT count(*) FROM event WHERE what = 'waiting' AND fileset IS NOT NULL AND reason = 'no-user'").fetchone()[0])
        for name in ('upload', 'import', 'whole'):
            self.assertEqual(got[f'impomero_{name}_seconds_count', ()], done)
            self.assertEqual(got[f'impomero_{name}_seconds_bucket', (('le', '+Inf'),)], done)
        self.assertEqual(got['impomero_under_way', ()], 0)
        self.assertEqual(got['impomero_root_watched', (('impomero_root_watched', 'told'), ('path', str(page.share)))], 1)
        self.assertEqual(got['impomero_root_watched', (('impomero_root_watched', 'polled'), ('path', str(page.share)))], 0)
        self.assertGreaterEqual(got['impomero_sessions', ()], 1)
        pages, size = (db.execute(f'PRAGMA {p}').fetchone()[0] for p in ('page_count', 'page_size'))
        self.assertEqual(got['impomero_ledger_bytes', ()], pages * size)

    def test_the_example_alerts_speak_of_metrics_that_exist(self):
        page = self.start()
        got = self.metrics(page)
        names = {name for name, _ in got}
        text = (pathlib.Path(TOP) / 'dist/alerts.yml').read_text()
        used = re.findall(r'^ *expr: (.*)$', text, re.M)
        self.assertGreater(len(used), 8)
        for expr in used:
            found = re.findall(r'(impomero_\w+)(?:\{([^}]*)\})?', expr)
            self.assertTrue(found, expr)
            for name, labels in found:
                self.assertIn(name, names, expr)
                for key, value in re.findall(r'(\w+)="([^"]*)"', labels):
                    keys = {k for n, ls in got for k, _ in ls if n == name}
                    self.assertIn(key, keys, expr)
                    if key == 'check':
                        self.assertIn((name, ((key, value),)), got, expr)
                    if key == 'who':
                        self.assertIn(value, ('nobody', 'researcher', 'administrator', 'developer'))

    def test_names_are_as_the_standard_wants_them(self):
        self.metrics(self.start(trouble=False))
        for name, family in self.families.items():
            self.assertRegex(name, '^impomero_[a-z_]+$')
            self.assertTrue(family.documentation.endswith('.'), name)
            if family.unit:
                self.assertTrue(name.endswith('_' + family.unit), name)


class Api(Bench):
    LISTS = {'filesets': 'fileset', 'datasets': 'dataset', 'cards': 'card', 'problems': 'problem', 'events': 'event'}

    def setUp(self):
        self.page = self.start()

    def fits(self, value, name):
        """Against the schema files as they are served."""
        def retrieve(uri):
            return referencing.Resource.from_contents(self.page.json('/schema/' + os.path.basename(urllib.parse.urlparse(uri).path)))
        schema = self.page.json(f'/schema/{name}.json')
        validator = jsonschema.Draft202012Validator({'$id': f'http://page/schema/{name}.json', **schema},
                                                    registry=referencing.Registry(retrieve=retrieve),
                                                    format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
        validator.validate(value)

    def pages(self, target, limit):
        after, items = None, []
        while True:
            got = self.page.json(f'{target}{"&" if "?" in target else "?"}limit={limit}' + (f'&after={after}' if after is not None else ''))
            self.fits(got, 'list')
            items += got['items']
            if got['next'] is None:
                return items
            after = got['next']

    def test_every_answer_fits_its_schema_and_pages_add_up(self):
        for name, schema in self.LISTS.items():
            whole = self.pages(f'/api/v1/{name}', 200)
            self.assertTrue(whole, name)
            for item in whole:
                self.fits(item, schema)
            for limit in (1, 2, 3):
                self.assertEqual(self.pages(f'/api/v1/{name}', limit), whole, name)
        for i in range(1, 10):
            self.fits(self.page.json(f'/api/v1/fileset?id={i}'), 'fileset')
        self.fits(self.page.json('/api/v1/status'), 'status')

    def test_every_schema_is_served_and_is_one(self):
        for path in sorted((pathlib.Path(TOP) / 'doc/schema').glob('*.json')):
            served = self.page.json(f'/schema/{path.name}')
            self.assertEqual(served, json.loads(path.read_text()))
            jsonschema.Draft202012Validator.check_schema(served)

    def test_the_command_line_says_the_same(self):
        said = json.loads(subprocess.run([IMPOMERO, 'status', '--json'], env=self.page.env, capture_output=True, check=True).stdout)
        self.assertEqual(self.page.json('/api/v1/status'), said)
        self.fits(said, 'status')
        for fileset in self.page.json('/api/v1/filesets?state=done')['items']:
            done = subprocess.run([IMPOMERO, 'where', '--json', f'{fileset["root"]}/{fileset["path"]}'], env=self.page.env,
                                  capture_output=True, check=True)
            where = json.loads(done.stdout)['filesets'][0]
            self.fits(where, 'fileset')
            rows = [self.page.json(f'/api/v1/fileset?id={i}') for i in range(1, 10)]
            self.assertIn(where, rows)

    def test_filters(self):
        items = self.page.json('/api/v1/filesets?state=done')['items']
        self.assertEqual({f['state'] for f in items}, {'done'})
        self.assertEqual(len(items), 7)
        users = {f['user'] for f in items}
        for user in users:
            got = self.page.json(f'/api/v1/filesets?user={user}')['items']
            self.assertEqual([f['path'] for f in got], [f['path'] for f in self.pages('/api/v1/filesets', 200) if f['user'] == user])
        below = self.page.json(f'/api/v1/filesets?path={urllib.parse.quote(str(self.page.share / "gut"))}')['items']
        self.assertEqual([f['path'] for f in below], sorted(f['path'] for f in items if f['path'].startswith('gut/')))
        image = next(i['id'] for row in range(1, 10) for i in self.page.json(f'/api/v1/fileset?id={row}')['images'])
        self.assertEqual(len(self.page.json(f'/api/v1/filesets?image={image}')['items']), 1)
        self.assertEqual(self.page.get('/api/v1/fileset?id=4711')[0], 404)

    def test_a_path_that_is_not_utf8_is_given_in_base64(self):
        got = [p for p in self.page.json('/api/v1/problems')['items'] if 'path_b64' in p]
        self.assertEqual(len(got), 1)


class Health(Bench):
    def check(self, page, status):
        """The one line and the exit code that Nagios' plugins have (Monitoring Plugins Development Guidelines)."""
        done = subprocess.run([IMPOMERO, 'status', '--check'], env=page.env, capture_output=True, text=True, check=False)
        word = ('OK', 'WARNING', 'CRITICAL', 'UNKNOWN')[status]
        self.assertRegex(done.stdout, rf'^IMPOMERO {word} - [^|\n]+' + (r' \|( [a-z_]+=\d+(s|B)?(;\d*){3})+\n$' if status < 3 else r'\n$'))
        self.assertEqual((done.returncode, done.stderr), (status, ''), done.stdout)
        return done.stdout

    def test_from_no_ledger_to_well_to_stopped(self):
        page = Page(IMPOMERO, SANDBOX, TOP).__enter__()
        self.addCleanup(page.__exit__, None, None, None)
        self.assertIn('no ledger yet', self.check(page, 3))
        page.watch()
        page.await_quiet(done=7)
        self.assertIn('done=7;;;0', self.check(page, 0))
        self.assertEqual([page.get(t)[0] for t in ('/healthz', '/readyz')], [200, 200])
        page.stop()
        self.assertIn('no impomero works on the ledger', self.check(page, 2))

    def test_what_researchers_have_to_mend_is_no_alarm(self):
        self.check(self.start(), 0)

    def test_an_omero_that_is_away_and_comes_back(self):
        page = self.start(trouble=False)
        port = page.env['OMERO_PORT']
        page.server.terminate()
        page.server.wait(60)
        page.server.stdout.close()
        shutil.copy(page.share / 'gut/stained/overview.png', page.share / 'gut/later.png')
        page.wait_for(lambda: page.get('/readyz')[0] == 503)
        self.assertRegex(page.get('/readyz')[2].decode(), r'CRITICAL server: all work waits since 20.*OMERO')
        self.assertEqual(page.get('/healthz')[0], 200)
        self.assertIn('server: all work waits', self.check(page, 2))
        got = self.metrics(page)
        self.assertEqual([v for (n, _), v in got.items() if n == 'impomero_paused'], [1])
        page.serve(port)
        subprocess.run([IMPOMERO, 'retry'], env=page.env, check=True, capture_output=True)
        page.await_quiet(done=8)
        page.wait_for(lambda: page.get('/readyz')[0] == 200)
        self.check(page, 0)

    def test_a_tree_that_is_away(self):
        page = self.start(trouble=False, poll='1', rescan='1')
        os.rename(page.share, page.dir / 'elsewhere')
        page.wait_for(lambda: page.get('/readyz')[0] == 503)
        self.assertIn('1 of 1 directory trees are away', self.check(page, 2))
        self.assertEqual(page.get('/healthz')[0], 200)
        os.rename(page.dir / 'elsewhere', page.share)
        page.wait_for(lambda: page.get('/readyz')[0] == 200)

    def test_work_that_stands_still(self):
        """Something has been ready for ages, and nothing has happened since."""
        page = self.start(trouble=False)
        self.assertEqual(page.get('/healthz')[0], 200)
        db = sqlite3.connect(page.dir / 'state/ledger.db', isolation_level=None)
        self.addCleanup(db.close)
        db.execute('UPDATE fileset SET state = \'ready\', since_ms = 1, due_ms = 32503680000000 WHERE id = 1')
        db.execute('UPDATE event SET at_ms = 1')
        got = self.check(page, 2)
        self.assertRegex(got, r'progress: nothing has happened for \d+ min, with 1 ready and 0 under way')


if __name__ == '__main__':
    unittest.main(verbosity=2)

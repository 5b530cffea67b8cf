#!/usr/bin/env python3
"""The page in each of its states in a real Chromium: test_browser.py IMPOMERO SANDBOX TOP [--pictures DIRECTORY].
$NODE_MODULES_AT has playwright-core and axe-core."""
import functools
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

from page import HOSTILE_TEXT, Page

IMPOMERO, SANDBOX, TOP = sys.argv[1:4]
PICTURES = sys.argv[5] if sys.argv[4:5] == ['--pictures'] else None
del sys.argv[1:]
LOOK = pathlib.Path(__file__).with_name('look.mjs')


def browse(**ask):
    done = subprocess.run(['node', LOOK], input=json.dumps(ask), capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def without_time(text):
    """The charts of two days begin a new hour now and then, and what is tried again says another time."""
    text = re.sub(r'The last two days.*?Directory trees', '', ' '.join(text.split()))
    return re.sub(r'\d{4}-\d\d-\d\d.\d\d:\d\d(:[\d.]+Z)?', 'TIME', text)


class Scene(unittest.TestCase):
    def page(self, *sandbox_args, place=None, **settings):
        page = Page(IMPOMERO, SANDBOX, TOP, sandbox_args=sandbox_args, place=place, **settings).__enter__()
        self.addCleanup(page.__exit__, None, None, None)
        return page

    def look(self, page, targets, pictures=None, token=None):
        """What holds for each page in each form; gives back what was seen."""
        seen = browse(base=f'http://127.0.0.1:{page.port}', targets=targets, pictures=pictures, token=token)
        self.assertEqual(len(seen), 5 * len(targets))
        for s in seen:
            where = (s['target'], s['width'], s['scheme'], s['script'])
            self.assertEqual((s['violations'], s['foreign'], s['errors']), ([], [], []), where)
            if not s['script']:
                self.assertIn('<meta http-equiv="refresh"', s['html'], where)
                continue
            self.assertEqual((s['refused'], s['tooWide'], s['elements'], s['scripts']), ([], False, 0, ['/page.js']), where)
            self.assertEqual(s['background'], 'rgb(255, 255, 255)' if s['scheme'] == 'light' else 'rgb(18, 24, 30)', where)
        for target in targets:
            texts = {without_time(s['text']) for s in seen if s['target'] == target}
            self.assertEqual(len(texts), 1, texts)
        return {s['target']: s for s in seen if s['script']}


class States(Scene):
    def test_nothing_to_do_yet(self):
        page = self.page()
        shutil.rmtree(page.share)
        page.share.mkdir()
        (page.share / 'note.txt').write_text('empty trees are away')
        page.watch()
        page.wait_for(lambda: page.get('/readyz')[0] == 200)
        seen = self.look(page, ['/', '/history', '/nothing'])
        self.assertEqual(seen['/']['h1'], 'All is well')
        self.assertIn('Nothing has happened yet', seen['/history']['text'])
        self.assertEqual(seen['/nothing']['h1'], 'There is no such page')

    def test_all_is_well(self):
        page = self.page(web_omero_web='https://omero.example.org/')
        page.watch()
        page.await_quiet(done=7)
        seen = self.look(page, ['/', '/problems', '/cards', '/history', '/fileset?id=1', '/search?q=alice', '/search?q=Image:1'])
        self.assertEqual(seen['/']['h1'], 'All is well')
        self.assertIn('7 done', seen['/']['text'].replace('\n', ' '))
        self.assertIn('done', seen['/fileset?id=1']['text'])
        self.assertIn('https://omero.example.org/webclient/?show=dataset-', page.get('/cards')[2].decode())
        self.assertIn('https://omero.example.org/webclient/?show=image-', page.get('/fileset?id=1')[2].decode())

    def test_under_way(self):
        page = self.page('--fault', 'pause-write')
        page.watch()
        page.wait_for(lambda: page.counts().get('sent'))
        seen = self.look(page, ['/', '/fileset?id=1'])
        self.assertTrue(seen['/']['progress'])
        self.assertIn('%', seen['/']['text'])
        page.server.send_signal(signal.SIGUSR1)

    def test_trouble_and_hostile_names(self):
        page = self.page()
        page.add_trouble()
        page.watch()
        page.await_quiet(done=7)
        held = next(f['id'] for f in self.rows(page) if f['state'] == 'waiting')
        seen = self.look(page, ['/', '/problems', '/cards', '/history', f'/fileset?id={held}', '/search?q=/'])
        self.assertIn('broken-card', seen['/problems']['text'])
        self.assertIn('The researcher can act', seen['/problems']['text'])
        self.assertIn('tried again at', seen['/problems']['text'])
        self.assertIn(HOSTILE_TEXT, seen['/cards']['text'])
        self.assertIn('<img src=x onerror=alert(1)>\\xE9\\x1B[31m&amp;.png', seen['/problems']['text'])

    @staticmethod
    def rows(page):
        for i in range(1, 13):
            if page.get(f'/api/v1/fileset?id={i}')[0] == 200:
                yield {**page.json(f'/api/v1/fileset?id={i}'), 'id': i}

    def test_held_for_an_administrator(self):
        page = self.page()
        (page.share / 'late').mkdir()
        (page.share / 'late/card.toml').write_text('# omero annotation file\nproject = "P"\nuser = "root"\n')
        shutil.copy(page.share / 'gut/stained/overview.png', page.share / 'late/a.png')
        page.watch()
        page.await_quiet(done=7)
        seen = self.look(page, ['/', '/problems'])
        self.assertEqual(seen['/']['h1'], 'Something wants attention')
        self.assertIn('The administrator can act', seen['/problems']['text'])

    def test_omero_away(self):
        page = self.page()
        page.server.terminate()
        page.server.wait(60)
        page.watch()
        page.wait_for(lambda: page.get('/readyz')[0] == 503)
        seen = self.look(page, ['/'])
        self.assertEqual(seen['/']['h1'], 'Work stands still')
        self.assertIn('all work waits', seen['/']['text'])

    def test_a_tree_away(self):
        page = self.page(poll='1', rescan='1')
        page.watch()
        page.await_quiet(done=7)
        os.rename(page.share, page.dir / 'elsewhere')
        page.wait_for(lambda: page.get('/readyz')[0] == 503)
        seen = self.look(page, ['/'])
        self.assertEqual(seen['/']['h1'], 'Work stands still')
        self.assertIn('away since', seen['/']['text'])

    def test_with_a_token(self):
        page = self.page(token='correct-horse-battery-staple')
        page.watch()
        self.look(page, ['/'], token='correct-horse-battery-staple')


class Use(Scene):
    def test_it_shows_what_changes_without_a_reload(self):
        page = self.page()
        page.watch()
        page.await_quiet(done=7)
        ask = {'base': f'http://127.0.0.1:{page.port}', 'targets': ['/history'], 'wait_for': 'later.png'}
        with subprocess.Popen(['node', LOOK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as node:
            node.stdin.write(json.dumps(ask))
            node.stdin.close()
            self.assertEqual(node.stdout.readline(), '"open"\n')
            shutil.copy(page.share / 'gut/stained/overview.png', page.share / 'gut/later.png')
            seen = json.loads(node.stdout.readline())
        self.assertTrue(seen['same'])
        self.assertEqual(seen['refused'], [])

    def test_by_keyboard(self):
        page = self.page()
        page.watch()
        page.await_quiet(done=7)
        seen = browse(base=f'http://127.0.0.1:{page.port}', keys='Image:1')
        self.assertEqual((seen['first'], seen['inside']), ('To the content', 'main'))
        self.assertIn('Image with this number', seen['text'])

    def test_a_page_elsewhere_reads_nothing(self):
        page = self.page()
        page.watch()
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / 'index.html').write_text('<!DOCTYPE html><title>elsewhere</title><body>')
            server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=folder))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            seen = browse(base=f'http://127.0.0.1:{page.port}', elsewhere=f'http://localhost:{server.server_port}/')
            server.shutdown()
            server.server_close()
        self.assertTrue(seen['fetch'].startswith('refused'), seen)
        self.assertIn(seen['opaque'].split()[0], ('opaque', 'refused:'), seen)
        self.assertEqual((seen['picture'], seen['frame']), ('refused', 'blocked'), seen)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@unittest.skipUnless(PICTURES, 'only when pictures are asked for')
class Pictures(Scene):
    """Those of the documentation."""

    def test_pictures(self):
        page = self.page(place='/tmp/microscopes', web_omero_web='https://omero.example.org')
        shutil.copytree(page.share / 'gut', page.share / 'fin')
        card = page.share / 'fin/gut.toml'
        card.write_text(card.read_text().replace('user = "', 'user = "new'))
        page.watch()
        page.await_quiet(done=7)
        self.look(page, ['/', '/cards'], pictures=PICTURES)


if __name__ == '__main__':
    unittest.main(verbosity=2)

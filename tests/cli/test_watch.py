#!/usr/bin/env python3
"""`impomero watch`, `retry` and `forget` beside a server that is not there: test_watch.py IMPOMERO"""
import contextlib
import json
import os
import pathlib
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import unittest

IMPOMERO = sys.argv.pop(1)
CARD = '# omero annotation file\nproject = "P"\nuser = "ada"\n'


def tiff():
    """A grey TIFF of one pixel (TIFF 6.0)."""
    rows = ((256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1), (279, 1))
    return b'II*\0' + struct.pack('<I', 10) + b'\1\0' + struct.pack('<H', len(rows)) + b''.join(
        struct.pack('<HHIHH', tag, 3, 1, value, 0) for tag, value in rows) + bytes(4)


def soon(probe, want, seconds=20):
    end = time.monotonic() + seconds
    while (got := probe()) != want and time.monotonic() < end:
        time.sleep(0.05)
    return got


class Bench(unittest.TestCase):
    def setUp(self):
        top = tempfile.TemporaryDirectory()
        self.addCleanup(top.cleanup)
        self.top = pathlib.Path(os.path.realpath(top.name))
        self.tree = self.top / 'tree'
        self.tree.mkdir()
        self.env = {'PATH': os.environ['PATH'], 'HOME': '/nonexistent', 'OMERO_SERVER': 'localhost', 'OMERO_PORT': '1',
                    'OMERO_ROOT_PASSWORD': 'x', 'IMPOMERO_SETTLE': '0', 'IMPOMERO_STATE': str(self.top / 'state')}

    def put(self, path, data):
        at = self.tree / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_bytes(data if isinstance(data, bytes) else data.encode())
        return at

    def impomero(self, *args):
        return subprocess.run([IMPOMERO, *map(str, args)], env=self.env, capture_output=True, text=True, timeout=60, check=False)

    def counts(self):
        done = json.loads(self.impomero('status', '--json').stdout)
        return {c['state']: c['n'] for c in done['counts']}

    def log(self):
        return (self.top / 'log').read_text()

    def watch(self, *args):
        with open(self.top / 'log', 'a', encoding='utf-8') as log:
            process = subprocess.Popen([IMPOMERO, 'watch', *map(str, args)], env=self.env, stdin=subprocess.DEVNULL, stderr=log)

        def end():
            process.kill()
            process.wait()
        self.addCleanup(end)
        self.assertTrue(soon(lambda: 'root.watched' in self.log() or 'root.away' in self.log(), True), self.log())
        return process

    def listed(self):
        with contextlib.closing(sqlite3.connect(self.top / 'state' / 'ledger.db')) as db:
            return [os.fsdecode(p) for (p,) in db.execute("select path from fileset where state = 'ready' and gone_ms is null order by path")]

    def known(self):
        self.put('c.toml', CARD)
        self.put('a.tif', tiff())
        process = self.watch(self.tree)
        self.assertEqual(soon(self.counts, {'ready': 1}), {'ready': 1}, self.log())
        return process

    def stop(self, process, number=signal.SIGTERM):
        began = time.monotonic()
        process.send_signal(number)
        self.assertEqual(process.wait(20), 0, self.log())
        self.assertLess(time.monotonic() - began, 15)


class Watch(Bench):
    def test_a_server_that_is_away_is_said_and_waited_for(self):
        self.put('d/c.toml', CARD)
        self.put('d/a.tif', tiff())
        process = self.watch(self.tree)
        self.assertTrue(soon(lambda: 'why=no-server' in self.log(), True), self.log())
        time.sleep(0.5)
        self.assertIsNone(process.poll())
        self.assertEqual(self.counts(), {'ready': 1})
        self.stop(process)
        self.assertIn('watch.end', self.log())

    def test_what_comes_later_is_in_the_ledger_soon(self):
        process = self.watch(self.tree)
        self.put('d/e/f/a.tif', tiff())
        self.put('d/c.toml', CARD)
        self.assertEqual(soon(self.counts, {'ready': 1}), {'ready': 1}, self.log())
        self.put('.hidden/b.tif', tiff())
        os.rename(self.tree / '.hidden', self.tree / 'd' / 'shown')
        self.assertEqual(soon(self.counts, {'ready': 2}), {'ready': 2}, self.log())
        self.stop(process, signal.SIGINT)

    def test_the_roots_of_the_configuration_are_watched(self):
        (self.top / 'conf').write_text(f'[[root]]\nname = "r"\npath = "{self.tree}"\npolicy = "any"\n')
        process = self.watch(f'--config={self.top}/conf')
        self.put('c.toml', CARD)
        self.put('a.tif', tiff())
        self.assertEqual(soon(self.counts, {'ready': 1}), {'ready': 1}, self.log())
        self.stop(process)

    def test_a_root_that_comes_later_is_found(self):
        (self.top / 'conf').write_text(f'[[root]]\nname = "r"\npath = "{self.top}/mounted"\npolicy = "any"\n')
        process = self.watch(f'--config={self.top}/conf', '--poll=1')
        self.assertIn('root.away', self.log())
        self.put('a.tif', tiff())
        self.put('c.toml', CARD)
        os.rename(self.tree, self.top / 'mounted')
        self.assertEqual(soon(self.counts, {'ready': 1}), {'ready': 1}, self.log())
        os.rename(self.top / 'mounted', self.tree)
        self.assertEqual(soon(lambda: self.log().count('root.away'), 2), 2)
        time.sleep(2)
        self.assertEqual(self.log().count('root.away'), 2, 'said once each time')
        self.assertEqual(self.counts(), {'ready': 1}, 'nothing is concluded')
        self.stop(process)

    def test_without_anything_to_watch_it_does_not_start(self):
        done = self.impomero('watch')
        self.assertEqual(done.returncode, 3)
        self.assertIn('[[root]]', done.stderr)
        self.assertEqual(self.impomero('watch', self.top / 'none').returncode, self.impomero('import', self.top / 'none').returncode)

    def test_a_ledger_belongs_to_one_engine(self):
        self.put('c.toml', CARD)
        self.put('a.tif', tiff())
        process = self.watch(self.tree)
        self.assertEqual(soon(self.counts, {'ready': 1}), {'ready': 1}, self.log())
        for command in ('watch', 'import', 'adopt', 'ledger rebuild'):
            done = self.impomero(*command.split(), self.tree)
            self.assertEqual(done.returncode, 6, command)
            self.assertIn(f'process {process.pid} since', done.stderr)
        self.stop(process)

    def test_others_read_and_ask_beside_the_engine_and_each_other(self):
        process = self.known()
        commands = [('status',), ('where', self.tree / 'a.tif'), ('plan', self.tree), ('retry', self.tree)] * 3
        running = [subprocess.Popen([IMPOMERO, *map(str, c)], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                   for c in commands]
        for command, one in zip(commands, running):
            said = ''.join(one.communicate(timeout=60))
            self.assertEqual(one.returncode, 0, (command, said))
        self.assertEqual(self.counts(), {'ready': 1})
        self.stop(process)

    def test_what_happened_while_it_was_off_is_seen_at_its_start(self):
        self.put('d/c.toml', CARD)
        self.put('d/a.tif', tiff())
        self.put('d/b.tif', tiff())
        self.stop(self.watch(self.tree))
        os.rename(self.tree / 'd', self.tree / 'moved')
        (self.tree / 'moved' / 'b.tif').unlink()
        self.put('e/c.toml', CARD)
        self.put('e/new.tif', tiff())
        process = self.watch(self.tree)
        self.assertEqual(soon(self.listed, ['e/new.tif', 'moved/a.tif']), ['e/new.tif', 'moved/a.tif'], self.log())
        self.stop(process)


class Requests(Bench):
    def test_without_a_ledger_there_is_nothing_to_ask_for(self):
        for args in (('retry',), ('forget', self.tree)):
            done = self.impomero(*args)
            self.assertEqual(done.returncode, 7)
            self.assertIn('no ledger yet', done.stderr)
        self.assertFalse((self.top / 'state').exists())

    def test_a_running_engine_takes_them_and_answers(self):
        process = self.known()
        got = json.loads(self.impomero('retry', '--json', 'all').stdout)
        self.assertEqual((got['verb'], got['answer']), ('retry', 'retry: 0 of 1 filesets, 0 datasets'))
        self.assertIn(f'process {process.pid}', got['engine'])
        self.assertNotIn('path', got)
        (self.tree / 'a.tif').unlink()
        done = self.impomero('forget', self.tree / 'a.tif')
        self.assertEqual((done.returncode, done.stdout), (0, 'forget: 1 of 1 filesets, 0 datasets\n'))
        self.assertEqual(self.counts(), {})
        self.stop(process)

    def test_without_an_engine_they_wait_for_the_next_start(self):
        self.stop(self.known())
        (self.tree / 'a.tif').unlink()
        done = self.impomero('forget', os.path.relpath(self.tree / 'a.tif'))
        self.assertEqual(done.returncode, 0)
        self.assertIn('started next', done.stdout)
        self.assertEqual(self.counts(), {'ready': 1})
        process = self.watch(self.tree)
        self.assertEqual(soon(self.counts, {}), {}, self.log())
        self.assertTrue(soon(lambda: 'request.taken verb="forget"' in self.log(), True), self.log())
        self.stop(process)

    def test_what_is_still_there_is_seen_as_new_after_it_was_forgotten(self):
        process = self.known()
        self.impomero('forget', self.tree)
        self.assertTrue(soon(lambda: self.log().count('new=1'), 2), self.log())
        self.assertEqual(soon(self.counts, {'ready': 1}), {'ready': 1})
        self.stop(process)

    def test_a_path_of_which_nothing_is_known_is_said(self):
        self.stop(self.known())
        for path in (self.tree / 'b.tif', self.top / 'none' / 'at all'):
            done = self.impomero('retry', path)
            self.assertEqual(done.returncode, 1, path)
            self.assertIn('knows of no image files', done.stderr)
        self.assertEqual(self.impomero('retry', self.top).returncode, 0)


if __name__ == '__main__':
    unittest.main()

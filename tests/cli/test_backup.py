#!/usr/bin/env python3
"""Backup and restore of the ledger as doc/admin.md says it: test_backup.py IMPOMERO SANDBOX TOP"""
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

from served import Served

Served.IMPOMERO, Served.SANDBOX, Served.TOP = sys.argv[1:4]
del sys.argv[1:4]


class Backup(Served):
    def watch(self):
        env = {**os.environ, 'OMERO_SERVER': 'localhost', 'OMERO_PORT': self.port, 'OMERO_ROOT_PASSWORD': 'omero',
               'IMPOMERO_SETTLE': '0', 'IMPOMERO_STATE': self.state}
        process = subprocess.Popen([self.IMPOMERO, 'watch', self.share], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (process.kill(), process.wait()))
        return process

    def done(self, n):
        for _ in range(600):
            if os.path.exists(os.path.join(self.state, 'ledger.db')):
                self.out = subprocess.run([self.IMPOMERO, 'status', '--json'], env={**os.environ, 'IMPOMERO_STATE': self.state},
                                          capture_output=True, text=True, check=False).stdout
                if {c['state']: c['n'] for c in json.loads(self.out)['counts']}.get('done') == n:
                    return
            time.sleep(0.1)
        self.fail(self.out)

    def test_a_copy_of_a_live_ledger_is_restored_and_nothing_comes_twice(self):
        aside, copy = os.path.join(self.dir, 'aside'), os.path.join(self.dir, 'copy.db')
        os.rename(os.path.join(self.share, 'Spindle orientation'), aside)
        process = self.watch()
        self.done(3)
        self.run_it('ledger', 'copy', copy)
        with sqlite3.connect(copy) as db:
            self.assertEqual(db.execute('PRAGMA integrity_check').fetchall(), [('ok',)])
            self.assertEqual(db.execute("SELECT count(*) FROM fileset WHERE state = 'done'").fetchall(), [(3,)])
        db.close()
        self.assertIn('File exists', self.run_it('ledger', 'copy', copy, status=2))
        os.rename(aside, os.path.join(self.share, 'Spindle orientation'))
        self.done(7)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 0)
        before = self.shown()

        shutil.copy(copy, os.path.join(self.state, 'ledger.db'))
        for name in ('ledger.db-wal', 'ledger.db-shm'):
            if os.path.exists(os.path.join(self.state, name)):
                os.unlink(os.path.join(self.state, name))
        self.run_it('adopt', self.share)
        self.run_it('import', self.share)
        self.done(7)
        self.assertEqual(re.findall(r'\((?:Image|Dataset|Fileset):\d+\)', self.shown()), re.findall(r'\((?:Image|Dataset|Fileset):\d+\)', before))

    def test_without_a_ledger_there_is_nothing_to_copy(self):
        self.assertIn('there is no ledger', self.run_it('ledger', 'copy', os.path.join(self.dir, 'x'), status=7))
        self.assertFalse(os.path.exists(os.path.join(self.dir, 'x')))

    def test_a_place_that_cannot_be_written_is_named(self):
        self.run_it('import', self.share)
        self.assertIn('/nonexistent/x', self.run_it('ledger', 'copy', '/nonexistent/x', status=1))


if __name__ == '__main__':
    unittest.main()

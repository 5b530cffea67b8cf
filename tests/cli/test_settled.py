#!/usr/bin/env python3
"""Nothing is imported before it is complete: `impomero import` against a sandbox.

usage: test_settled.py IMPOMERO OMERO_SANDBOX SOURCE_DIRECTORY
"""
import json
import os
import shutil
import sys
import unittest

from served import Served

Served.IMPOMERO, Served.SANDBOX, Served.TOP = sys.argv[1:4]


class Settled(Served):
    def path(self, *parts):
        return os.path.join(self.share, *parts)

    def imported(self, *args, status=0):
        self.run_it('import', '--json', *args, self.share, status=status)
        answer = json.loads(self.out)
        return sorted(f['path'] for f in answer['imported']), [(p['path'], p['reason']) for p in answer['problems']]

    def test_a_file_open_for_writing_waits(self):
        os.rename(self.path('Spindle orientation'), os.path.join(self.dir, 'away'))
        with open(self.path('gut', 'stained', 'section.jpg'), 'ab'):
            done, problems = self.imported(status=1)
            self.assertEqual(problems, [('gut/stained/section.jpg', 'open')])
            self.assertEqual(len(done), 2)
        self.assertEqual(self.imported(), (['gut/stained/section.jpg'], []))

    def test_a_cut_file_is_settling_first_and_broken_then(self):
        shutil.rmtree(self.path('Spindle orientation'))
        path = self.path('gut', 'stained', 'overview.png')
        with open(path, 'r+b') as f:
            f.truncate(2000)
        self.run_it('import', '--settle=2', '--json', self.share, status=1)
        answer = json.loads(self.out)
        self.assertEqual([(p['path'], p['reason']) for p in answer['problems']], [('gut/stained/overview.png', 'broken-file')])

    def test_a_directory_waits_for_its_marker(self):
        done, problems = self.imported('--ready=done.txt', status=1)
        self.assertEqual((done, {r for _, r in problems}), ([], {'settling'}))
        with open(self.path('gut', 'done.txt'), 'w', encoding='utf-8'):
            pass
        done, problems = self.imported('--ready=done.txt', status=1)
        self.assertEqual({p.split('/')[0] for p in done}, {'gut'})
        self.assertEqual(len(done), 3)
        with open(self.path('done.txt'), 'w', encoding='utf-8'):
            pass
        done, problems = self.imported('--ready=done.txt')
        self.assertEqual((len(done), problems), (4, []))

    def test_a_root_without_its_marker_is_away(self):
        self.assertIn("'.mounted'", self.run_it('import', '--marker=.mounted', self.share, status=1))
        self.assertNotIn('image', self.shown())
        with open(self.path('.mounted'), 'w', encoding='utf-8'):
            pass
        self.assertEqual(len(self.imported('--marker=.mounted')[0]), 7)
        os.unlink(self.path('.mounted'))
        os.rename(self.path('gut'), self.path('moved'))
        self.run_it('import', '--marker=.mounted', self.share, status=1)
        self.run_it('where', self.path('gut'))


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)

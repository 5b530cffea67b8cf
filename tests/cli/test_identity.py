#!/usr/bin/env python3
"""Files that move, are copied or change on the disk after their import: `impomero import` against a sandbox.

usage: test_identity.py IMPOMERO OMERO_SANDBOX SOURCE_DIRECTORY
"""
import hashlib
import json
import os
import shutil
import sys
import unittest

from served import Served

Served.IMPOMERO, Served.SANDBOX, Served.TOP = sys.argv[1:4]


class Identity(Served):
    def path(self, *parts):
        return os.path.join(self.share, *parts)

    def imported(self, *args, status=0):
        self.run_it('import', '--json', *args, self.share, status=status)
        answer = json.loads(self.out)
        return [f['path'] for f in answer['imported']], answer['problems']

    def first(self):
        self.assertEqual(len(self.imported()[0]), 7)
        self.before = self.shown()

    def nothing_happens(self):
        self.assertEqual(self.imported(), ([], []))
        self.assertEqual(self.shown(), self.before)

    def copy_anew(self, source, target):
        """As over a network: other inodes, other times."""
        shutil.copytree(source, target, copy_function=shutil.copyfile)
        shutil.rmtree(source)

    # --- moves ---

    def test_a_renamed_file_is_known(self):
        self.first()
        os.rename(self.path('gut', 'stained', 'section.jpg'), self.path('gut', 'other name.jpg'))
        self.nothing_happens()

    def test_a_file_that_moves_to_another_card_stays_in_its_dataset(self):
        self.first()
        os.rename(self.path('gut', 'stained', 'section.jpg'), self.path('Spindle orientation', 'section.jpg'))
        self.nothing_happens()

    def test_a_file_copied_and_removed_is_known_by_its_checksum(self):
        self.first()
        shutil.copyfile(self.path('gut', 'stained', 'section.jpg'), self.path('gut', 'again.jpg'))
        os.unlink(self.path('gut', 'stained', 'section.jpg'))
        self.nothing_happens()

    def test_a_directory_with_its_card_keeps_its_dataset(self):
        self.first()
        os.rename(self.path('gut'), self.path('renamed'))
        self.nothing_happens()
        shutil.copyfile(self.path('renamed', 'stained', 'section.jpg'), self.path('renamed', 'later.jpg'))
        self.assertEqual(self.imported()[0], ['renamed/later.jpg'])
        self.assertEqual(self.shown().count('dataset '), self.before.count('dataset '))

    def test_a_directory_copied_and_removed_keeps_its_dataset(self):
        self.first()
        self.copy_anew(self.path('gut'), self.path('new'))
        shutil.copyfile(self.path('Spindle orientation', 'embryo 1', 'field_0001.tif'), self.path('new', 'a later.tif'))
        self.assertEqual(self.imported()[0], ['new/a later.tif'])
        self.assertEqual(self.shown().count('dataset '), self.before.count('dataset '))

    def test_a_set_of_several_files_moves_as_one(self):
        self.first()
        os.mkdir(self.path('gut', 'run'))
        for name in os.listdir(self.path('gut')):
            if name.startswith('run_'):
                os.rename(self.path('gut', name), self.path('gut', 'run', name))
        self.nothing_happens()

    def test_what_moves_to_another_root_is_known(self):
        self.first()
        other = os.path.join(self.dir, 'other')
        os.mkdir(other)
        shutil.move(self.path('gut'), other)
        self.run_it('import', '--json', other)
        self.assertEqual(json.loads(self.out)['imported'], [])
        self.assertEqual(self.shown(), self.before)

    # --- copies ---

    def copy_one(self):
        self.first()
        shutil.copyfile(self.path('gut', 'stained', 'section.jpg'), self.path('gut', 'copy.jpg'))

    def test_a_copy_is_imported_as_a_rule(self):
        self.copy_one()
        self.assertEqual(self.imported()[0], ['gut/copy.jpg'])

    def test_a_copy_may_be_skipped(self):
        self.copy_one()
        self.assertEqual(self.imported('--duplicates=skip'), ([], []))
        self.assertEqual(self.imported('--duplicates=skip'), ([], []))
        self.assertEqual(self.shown(), self.before)

    def test_a_copy_may_be_reported(self):
        self.copy_one()
        done, problems = self.imported('--duplicates=report', status=1)
        self.assertEqual((done, [(p['path'], p['reason']) for p in problems]), ([], [('gut/copy.jpg', 'duplicate')]))
        self.assertIn('section.jpg', problems[0]['text'])

    def test_a_copy_for_another_user_is_none(self):
        self.first()
        shutil.copyfile(self.path('gut', 'stained', 'section.jpg'), self.path('Spindle orientation', 'copy.jpg'))
        self.assertEqual(self.imported('--duplicates=skip')[0], ['Spindle orientation/copy.jpg'])

    def test_a_file_of_the_same_size_and_other_bytes_is_no_copy(self):
        self.first()
        source = self.path('gut', 'stained', 'section.jpg')
        with open(source, 'rb') as f:
            data = bytearray(f.read())
        at = data.find(b'\xff\xda')
        data[at + 20] ^= 1
        with open(self.path('gut', 'similar.jpg'), 'wb') as f:
            f.write(data)
        self.assertEqual(self.imported('--duplicates=skip')[0], ['gut/similar.jpg'])

    # --- changes ---

    def test_a_touched_file_is_no_change(self):
        self.first()
        os.utime(self.path('gut', 'stained', 'section.jpg'), (1, 1))
        self.nothing_happens()
        self.nothing_happens()

    def test_a_changed_file_is_reported_with_both_checksums(self):
        self.first()
        path = self.path('gut', 'stained', 'section.jpg')
        with open(path, 'rb') as f:
            old = f.read()
        new = old + b'\n'
        with open(path, 'wb') as f:
            f.write(new)
        for _ in range(2):
            done, problems = self.imported(status=1)
            self.assertEqual((done, [p['reason'] for p in problems]), ([], ['changed']))
            for data in old, new:
                self.assertIn(hashlib.sha1(data).hexdigest(), problems[0]['text'])
        self.assertEqual(self.shown(), self.before)
        with open(path, 'wb') as f:
            f.write(old)
        self.nothing_happens()


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)

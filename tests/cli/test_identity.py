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

    def nothing_happens(self, *moved):
        """But that provenance and description say where a directory is now: (before, after)."""
        self.assertEqual(self.imported(), ([], []))
        for before, after in moved:
            self.assertEqual(self.before.count(before), 1)
            self.before = self.before.replace(before, after)
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
        self.nothing_happens(('path = gut\n', 'path = renamed\n'), ('share/gut\\n', 'share/renamed\\n'))
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
        self.assertEqual(self.shown(), self.before.replace(f'root = {self.share}\n      path = gut', f'root = {other}\n      path = gut')
                         .replace(f'{self.share}/gut\\n', f'{other}/gut\\n'))

    # --- where ---

    def where(self, what, status=0):
        self.run_it('where', '--json', what, status=status)
        return json.loads(self.out)

    def test_where_answers_in_both_directions(self):
        self.first()
        path = self.path('gut', 'stained', 'section.jpg')
        answer = self.where(path)
        self.assertEqual(len(answer['filesets']), 1)
        fileset = answer['filesets'][0]
        image = fileset['images'][0]
        self.assertIn(f"image {image['name']}  (Image:{image['id']},", self.before)
        self.assertEqual(fileset['dataset_id'], answer['datasets'][0]['dataset_id'])
        for word, number in (('Image', image['id']), ('Fileset', fileset['fileset_id'])):
            self.assertEqual(self.where(f'{word}:{number}'), answer)
        inside = self.where(f"Dataset:{fileset['dataset_id']}")
        self.assertEqual(inside['datasets'], answer['datasets'])
        self.assertEqual(sorted(f['path'] for f in inside['filesets']),
                         ['gut/run_T0_C0.ome.tiff', 'gut/stained/overview.png', 'gut/stained/section.jpg'])
        self.assertEqual(self.where(self.path('gut', 'run_T1_C1.ome.tiff'))['filesets'][0]['path'], 'gut/run_T0_C0.ome.tiff')
        self.assertEqual(self.where(self.path('gut'))['datasets'], answer['datasets'])
        said = self.run_it('where', f"Image:{image['id']}")
        self.assertIn(path, said)
        self.assertIn(answer['datasets'][0]['uuid'], said)

    def test_where_follows_a_move(self):
        self.first()
        before = self.where(self.path('gut'))
        os.rename(self.path('gut'), self.path('moved'))
        self.nothing_happens(('path = gut\n', 'path = moved\n'), ('share/gut\\n', 'share/moved\\n'))
        after = self.where(self.path('moved'))
        self.assertEqual([d['uuid'] for d in after['datasets']], [d['uuid'] for d in before['datasets']])
        self.assertEqual(after['datasets'][0]['card'], 'moved/gut.toml')
        self.assertEqual(self.where(self.path('gut'), status=1)['datasets'], [])

    def test_where_tells_datasets_of_one_name_apart(self):
        os.makedirs(self.path('a'))
        shutil.move(self.path('gut'), self.path('a', 'gut'))
        shutil.copytree(self.path('a', 'gut'), self.path('b', 'gut'))
        self.imported()
        one, two = (self.where(self.path(d, 'gut'))['datasets'] for d in 'ab')
        self.assertEqual((len(one), len(two), one[0]['name']), (1, 1, two[0]['name']))
        self.assertNotEqual(one[0]['dataset_id'], two[0]['dataset_id'])
        self.assertEqual(self.where(f"Dataset:{two[0]['dataset_id']}")['datasets'][0]['dir'], 'b/gut')

    def test_where_says_what_it_does_not_know(self):
        self.assertIn('nothing is known', self.run_it('where', 'Image:1', status=1))
        self.first()
        self.assertIn('nothing is known', self.run_it('where', 'Image:999999', status=1))
        self.assertIn('number', self.run_it('where', 'Image:x', status=2))

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

    def test_a_copy_behind_a_link_is_one_too(self):
        self.first()
        store = os.path.join(self.dir, 'store')
        os.mkdir(store)
        shutil.copyfile(self.path('gut', 'stained', 'section.jpg'), os.path.join(store, 'copy.jpg'))
        os.symlink(os.path.join(store, 'copy.jpg'), self.path('gut', 'copy.jpg'))
        done, problems = self.imported('--duplicates=report', f'--follow-links-into={store}', status=1)
        self.assertEqual((done, [(p['path'], p['reason']) for p in problems]), ([], [('gut/copy.jpg', 'duplicate')]))

    def test_a_copy_for_another_user_is_none(self):
        self.first()
        shutil.copyfile(self.path('gut', 'stained', 'section.jpg'), self.path('Spindle orientation', 'copy.jpg'))
        self.assertEqual(self.imported('--duplicates=skip')[0], ['Spindle orientation/copy.jpg'])

    def put_similar(self):
        """A file of the same size and other bytes."""
        with open(self.path('gut', 'stained', 'section.jpg'), 'rb') as f:
            data = bytearray(f.read())
        at = data.find(b'\xff\xda')
        data[at + 20] ^= 1
        with open(self.path('gut', 'similar.jpg'), 'wb') as f:
            f.write(data)

    def test_a_file_of_the_same_size_and_other_bytes_is_no_copy(self):
        self.first()
        self.put_similar()
        self.assertEqual(self.imported('--duplicates=skip')[0], ['gut/similar.jpg'])

    def test_a_touched_file_does_not_move_to_its_copy(self):
        """That files of its size are gone makes the copy be looked at."""
        self.first()
        self.put_similar()
        self.assertEqual(self.imported()[0], ['gut/similar.jpg'])
        os.unlink(self.path('gut', 'similar.jpg'))
        self.assertEqual(self.imported()[0], [])
        os.utime(self.path('gut', 'stained', 'section.jpg'), (1, 1))
        shutil.copyfile(self.path('gut', 'stained', 'section.jpg'), self.path('gut', 'copy.jpg'))
        self.assertEqual(self.imported('--settle=1')[0], ['gut/copy.jpg'])

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

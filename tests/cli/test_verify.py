#!/usr/bin/env python3
"""`impomero verify` after something was changed on the disk, in OMERO or in its repository.

usage: test_verify.py IMPOMERO OMERO_SANDBOX SOURCE_DIRECTORY
"""
import json
import os
import shutil
import sqlite3
import sys
import unittest

from served import Served

Served.IMPOMERO, Served.SANDBOX, Served.TOP = sys.argv[1:4]
with open(os.path.join(Served.TOP, 'doc', 'schema', 'problem.json'), encoding='utf-8') as _f:
    PROBLEM = json.load(_f)
GUT = ['gut/run_T0_C0.ome.tiff', 'gut/run_T0_C1.ome.tiff', 'gut/run_T1_C0.ome.tiff', 'gut/run_T1_C1.ome.tiff']
CZI = 'Spindle orientation/embryo 2/time lapse.czi'
PNG = 'gut/stained/overview.png'


class Verify(Served):
    def verify(self, *args, status=0):
        self.run_it('verify', '--json', *args, status=status)
        found = json.loads(self.out)
        for p in found['problems']:
            self.assertLessEqual(set(PROBLEM['required']), set(p))
        return found

    def problems(self, *args):
        return sorted((p['path'], p['reason']) for p in self.verify(*args, status=1)['problems'])

    def imported(self, *options):
        self.run_it('import', *options, self.share)
        found = self.verify()
        self.assertEqual([found[k] for k in ('filesets', 'files', 'images', 'unseen')], [7, 10, 7, 0])
        self.assertEqual(found['problems'], [])

    def change(self, sql, *args):
        """In the sandbox's own data, as if somebody had done it in OMERO."""
        with sqlite3.connect(os.path.join(self.data, 'sandbox.db')) as db:
            self.assertGreater(db.execute(sql, args).rowcount, 0)
        db.close()

    def path(self, name):
        return os.path.join(self.share, name)

    def placed(self, name):
        for directory, _, names in os.walk(os.path.join(self.data, 'ManagedRepository')):
            if name in names:
                return os.path.join(directory, name)
        self.fail(f'{name} is not in the repository')

    def test_nothing_was_imported(self):
        self.assertEqual(self.verify()['filesets'], 0)

    def test_files_that_changed_on_the_disk(self):
        self.imported()
        with open(self.path(PNG), 'ab') as f:
            f.write(b'more')
        os.utime(self.path(GUT[1]))
        os.remove(self.path(CZI))
        self.assertEqual(self.problems(), [(CZI, 'gone'), (GUT[1], 'changed'), (PNG, 'changed')])

    def test_same_size_and_time_and_another_content(self):
        self.imported()
        before = os.stat(self.path(PNG))
        with open(self.path(PNG), 'r+b') as f:
            f.seek(100)
            f.write(b'XYZ')
        os.utime(self.path(PNG), ns=(before.st_atime_ns, before.st_mtime_ns))
        self.assertEqual(self.problems(), [(PNG, 'changed')])

    def test_another_content_in_omero(self):
        self.imported()
        self.change("update OriginalFile set hash = ? where name = 'overview.png'", '0' * 40)
        self.change("update OriginalFile set size = 7 where name = 'run_T1_C1.ome.tiff'")
        self.assertEqual(self.problems(), [(GUT[3], 'checksum'), (PNG, 'checksum')])

    def test_an_image_that_was_deleted_in_omero(self):
        self.imported()
        self.change("delete from Image where name like '%overview.png'")
        self.assertEqual(self.problems(), [(PNG, 'image-gone')])

    def test_annotations_that_were_taken_off(self):
        self.imported()
        self.change("delete from ImageAnnotationLink where id = (select min(l.id) from ImageAnnotationLink l "
                    "join Image i on i.id = l.parent join Annotation a on a.id = l.child "
                    "where i.name like '%overview.png' and a._kind = 'MapAnnotation')")
        self.change('delete from DatasetAnnotationLink where parent = (select id from Dataset where name = ?) '
                    'and child in (select child from ImageAnnotationLink)', 'Spindle_orientation')
        found = self.problems()
        self.assertIn(('Spindle orientation', 'unlinked'), found)
        self.assertTrue(set(found) <= {('Spindle orientation', 'unlinked'), (PNG, 'unlinked')})

    def test_a_path_or_a_dataset_alone(self):
        self.imported()
        os.remove(self.path(CZI))
        self.assertEqual(self.verify(self.path('gut'))['filesets'], 3)
        shown = self.shown()
        dataset = shown.split('dataset gut  (id ')[1].split(',')[0]
        self.assertEqual(self.verify(f'Dataset:{dataset}')['filesets'], 3)
        self.assertEqual(self.verify('Dataset:9999')['filesets'], 0)
        self.assertIn('no dataset', self.run_it('verify', 'Dataset:x', status=2))

    def test_a_link_that_became_a_copy(self):
        self.imported('--link', '--trusted')
        link = self.placed('overview.png')
        os.remove(link)
        shutil.copy(self.path(PNG), link)
        self.assertEqual(self.problems(), [(PNG, 'in-place')])

    def test_a_link_that_leads_elsewhere(self):
        self.imported('--link', '--trusted')
        link = self.placed('overview.png')
        other = os.path.join(self.dir, 'other.png')
        shutil.copy(self.path(PNG), other)
        os.remove(link)
        os.symlink(other, link)
        self.assertEqual(self.problems(), [(PNG, 'in-place')])

    def test_a_link_that_leads_nowhere(self):
        self.imported('--link', '--trusted')
        os.remove(self.path(PNG))
        self.assertEqual(self.problems(), [(PNG, 'gone'), (PNG, 'in-place')])

    def test_a_hard_link_whose_file_was_replaced(self):
        self.imported('--transfer=ln', '--trusted')
        shutil.copy2(self.path(PNG), self.path('new'))
        os.rename(self.path('new'), self.path(PNG))
        self.assertEqual(self.problems(), [(PNG, 'in-place')])

    def test_a_file_that_is_gone_from_the_repository(self):
        self.imported()
        os.remove(self.placed('overview.png'))
        self.assertEqual(self.problems(), [(PNG, 'in-place')])

    def test_another_server(self):
        self.imported()
        self.change("update Dataset set name = name")
        with sqlite3.connect(os.path.join(self.state, 'ledger.db')) as db:
            db.execute("update dataset set server = '00000000-0000-4000-8000-000000000000'")
        db.close()
        self.assertEqual({reason for _, reason in self.problems()}, {'config'})


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)

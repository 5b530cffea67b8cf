#!/usr/bin/env python3
"""`annotations.each`: a map annotation for each image, followed one by one, against a sandbox.  What is looked at is the sandbox's own
data, and it is changed there as if somebody had done it in OMERO.

usage: test_each.py IMPOMERO OMERO_SANDBOX SOURCE_DIRECTORY
"""
import json
import os
import shutil
import sqlite3
import sys
import unittest

from served import Served

Served.IMPOMERO, Served.SANDBOX, Served.TOP = sys.argv[1:4]
CARD = '# omero annotation file\nproject = "Each"\nuser = "bob"\ngroup = "lab"\ncomment = "shared"\ntags = ["shared too"]\n\n[kv_pairs]\n'
OLD = [['organ', 'gut'], ['stain', 'DAPI']]
EACH = {'IMPOMERO_ANNOTATIONS_EACH': 'true'}
MAPS = ("select {} from ImageAnnotationLink l join Annotation a on a.id = l.child join Image i on i.id = l.parent "
        "where a._kind = 'MapAnnotation' and i.name = ?")


class Each(Served):
    def setUp(self):
        super().setUp()
        shutil.rmtree(self.share)
        os.makedirs(self.share)
        self.pictures = 0
        self.card(OLD)
        for name in ('a.png', 'b.png', 'c.png'):
            self.picture(name)

    def card(self, rows):
        with open(os.path.join(self.share, 'card.toml'), 'w', encoding='utf-8') as f:
            f.write(CARD + ''.join(f'"{k}" = "{v}"\n' for k, v in rows))

    def picture(self, name):
        """No two the same."""
        path = os.path.join(self.share, name)
        shutil.copyfile(os.path.join(self.TOP, 'sample', 'gut', 'stained', 'overview.png'), path)
        self.pictures += 1
        with open(path, 'ab') as f:
            f.write(bytes(self.pictures))

    def go(self, *args, status=0, **env):
        return self.run_it('import', *args, self.share, status=status, **(env or EACH))

    def sql(self, sql, *args):
        db = sqlite3.connect(os.path.join(self.data, 'sandbox.db'))
        with db:
            rows = db.execute(sql, args).fetchall()
        db.close()
        return rows

    def maps(self, name):
        return [r[0] for r in self.sql(MAPS.format('a.id') + ' order by a.id', name)]

    def rows(self, note):
        return [list(r) for r in self.sql("select name, value from Pair where holder = 'Annotation.mapValue' and object = ? "
                                          'order by position', note)]

    def own(self, *names):
        """The rows of each image's only map, which hangs nowhere else."""
        found = []
        for name in names or ('a.png', 'b.png', 'c.png'):
            maps = self.maps(name)
            self.assertEqual(len(maps), 1, name)
            self.assertEqual(self.sql('select count(*) from ImageAnnotationLink where child = ?', maps[0]), [(1,)])
            found.append(self.rows(maps[0]))
        return found

    def n_maps(self):
        """Those that hang somewhere, without the provenance."""
        return self.sql("select count(*) from Annotation where _kind = 'MapAnnotation' and ns = 'impomero/card' and id in "
                        '(select child from ImageAnnotationLink union select child from DatasetAnnotationLink)')[0][0]

    def edit(self, name, key, value):
        self.sql("update Pair set value = ? where holder = 'Annotation.mapValue' and name = ? and object = ?", value, key,
                 self.maps(name)[0])

    def sound(self, problems=()):
        found = json.loads(self.verify(*problems))
        self.assertEqual([p['reason'] for p in found['problems']], list(problems), found)

    def verify(self, *problems):
        self.run_it('verify', '--json', status=1 if problems else 0, **EACH)
        return self.out

    # --- importing ---

    def test_each_image_has_its_own(self):
        self.go()
        self.assertEqual(self.own(), [OLD] * 3)
        self.assertEqual(self.n_maps(), 4)  # the dataset's, and three
        for kind in ('TagAnnotation', 'CommentAnnotation'):
            self.assertEqual(self.sql('select count(distinct a.id), count(*) from ImageAnnotationLink l '
                                      'join Annotation a on a.id = l.child where a._kind = ?', kind), [(1, 3)])
        self.sound()
        self.picture('d.png')
        self.go()
        self.assertEqual(self.own('d.png'), [OLD])
        self.assertEqual(self.n_maps(), 5)

    def test_a_file_of_several_images(self):
        self.run_it('import', '--annotations-each=true', os.path.join(self.TOP, 'sample'))
        n = self.sql('select count(*) from Image')[0][0]
        self.assertEqual(self.sql("select count(*), count(distinct l.child), count(distinct l.parent) from ImageAnnotationLink l "
                                  "join Annotation a on a.id = l.child where a._kind = 'MapAnnotation'"), [(n, n, n)])

    def test_a_card_without_pairs_makes_none(self):
        self.card([])
        self.go()
        self.assertEqual(self.n_maps(), 0)
        self.sound()
        self.card(OLD)
        self.go()
        self.assertEqual(self.own(), [OLD] * 3)

    # --- following ---

    def test_a_changed_card_is_followed_row_by_row(self):
        self.go()
        before = [self.maps(n) for n in ('a.png', 'b.png', 'c.png')]
        self.edit('b.png', 'organ', 'liver')
        self.card([['organ', 'brain'], ['stain', 'GFP'], ['new', '1']])
        self.go()
        mine = [['organ', 'brain'], ['stain', 'GFP'], ['new', '1']]
        self.assertEqual(self.own(), [mine, [['stain', 'GFP'], ['new', '1'], ['organ', 'liver']], mine])
        self.assertEqual([self.maps(n) for n in ('a.png', 'b.png', 'c.png')], before)
        self.sound()
        self.go()
        self.assertEqual(self.own()[0], mine)

    def test_what_is_dropped_goes_and_what_people_wrote_stays(self):
        self.go()
        self.edit('b.png', 'organ', 'liver')
        self.card([])
        self.go()
        self.assertEqual(self.maps('a.png') + self.maps('c.png'), [])
        self.assertEqual(self.own('b.png'), [[['organ', 'liver']]])
        self.assertEqual(self.n_maps(), 1)
        self.sound()
        self.card([['x', 'y']])
        self.go()
        self.assertEqual(self.own('a.png', 'c.png'), [[['x', 'y']]] * 2)
        self.assertEqual(sorted(self.own('b.png')[0]), [['organ', 'liver'], ['x', 'y']])

    def test_one_that_was_deleted_is_not_made_anew(self):
        self.go()
        note = self.maps('b.png')[0]
        for sql in ('delete from ImageAnnotationLink where child = ?', "delete from Pair where object = ? and holder = 'Annotation.mapValue'",
                    'delete from Annotation where id = ?'):
            self.sql(sql, note)
        self.sound(['unlinked'])
        self.card([['x', 'y']])
        self.go()
        self.assertEqual(self.maps('b.png'), [])
        self.assertEqual(self.own('a.png', 'c.png'), [[['x', 'y']]] * 2)

    # --- switching over ---

    def test_what_was_imported_before_shares_on(self):
        self.go(IMPOMERO_ANNOTATIONS_EACH='false')
        shared = self.maps('a.png')
        self.picture('d.png')
        self.go()
        self.assertEqual([self.maps(n) for n in ('a.png', 'b.png', 'c.png')], [shared] * 3)
        self.assertEqual(self.own('d.png'), [OLD])
        self.assertNotEqual(self.maps('d.png'), shared)
        self.card([['x', 'y']])
        self.go()
        self.assertEqual(self.rows(shared[0]), [['x', 'y']])
        self.assertEqual(self.own('d.png'), [[['x', 'y']]])
        self.card([])
        self.go()
        self.assertEqual(self.n_maps(), 0)
        self.card(OLD)
        self.go()
        self.assertEqual(len({self.maps(n)[0] for n in ('a.png', 'b.png', 'c.png')}), 1)
        self.assertEqual(self.own('d.png'), [OLD])
        self.sound()

    # --- another ledger ---

    def test_a_lost_ledger_finds_them(self):
        self.go()
        before = [self.maps(n) for n in ('a.png', 'b.png', 'c.png')]
        self.edit('b.png', 'organ', 'liver')
        shutil.rmtree(self.state)
        self.run_it('ledger', 'rebuild', self.share, **EACH)
        self.go()
        self.assertEqual([self.maps(n) for n in ('a.png', 'b.png', 'c.png')], before)
        self.assertEqual(self.n_maps(), 4)
        self.sound()
        self.card([['x', 'y']])
        self.go()
        self.assertEqual(self.own(), [[['x', 'y']], [['x', 'y'], ['organ', 'liver']], [['x', 'y']]])

    def test_a_lost_ledger_leaves_the_shared_one(self):
        self.go(IMPOMERO_ANNOTATIONS_EACH='false')
        shared = self.maps('a.png')
        shutil.rmtree(self.state)
        self.run_it('ledger', 'rebuild', self.share, **EACH)
        self.go()
        self.assertEqual([self.maps(n) for n in ('a.png', 'b.png', 'c.png')], [shared] * 3)
        self.assertEqual(self.n_maps(), 1)

    def test_what_is_adopted_gets_its_own(self):
        self.card([])
        self.run_it('import', self.share, IMPOMERO_STATE=os.path.join(self.dir, 'other state'))
        self.card(OLD)
        self.run_it('adopt', self.share, **EACH)
        self.go()
        self.assertEqual(self.own(), [OLD] * 3)
        self.sound()


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)

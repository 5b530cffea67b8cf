#!/usr/bin/env python3
"""What is in OMERO already, by another program or by a ledger that was lost: `impomero adopt`, `import` and `ledger rebuild` against
a sandbox.  The other program is impomero with another state directory: it stores files' paths as the official client does
(tests/omero/test_path.c).

usage: test_adopt.py IMPOMERO OMERO_SANDBOX SOURCE_DIRECTORY
"""
import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
import unittest

from served import Served

Served.IMPOMERO, Served.SANDBOX, Served.TOP = sys.argv[1:4]


class Adopt(Served):
    def path(self, *parts):
        return os.path.join(self.share, *parts)

    def other(self):
        """All of the share, imported by somebody else."""
        self.run_it('import', self.share, IMPOMERO_STATE=os.path.join(self.dir, 'other state'))
        self.before = self.shown()

    def json(self, *args, status=0):
        self.run_it(*args, '--json', self.share, status=status)
        return json.loads(self.out)

    def images(self, text):
        return re.findall(r'image (.*?)  \(Image:(\d+)', text)

    # --- adoption ---

    def test_an_import_stops_where_others_have_imported(self):
        self.other()
        said = self.run_it('import', self.share, status=1)
        self.assertIn('7 of its 7', said)
        self.assertIn('--adopt', said)
        self.assertEqual(self.shown(), self.before)

    def test_one_in_a_hundred_is_let_through(self):
        for i in range(99):
            shutil.copyfile(self.path('gut', 'stained', 'section.jpg'), self.path('gut', f'{i:02}.jpg'))
        os.rename(self.path('Spindle orientation'), os.path.join(self.dir, 'away'))
        keep = os.path.join(self.dir, 'keep')
        os.rename(self.path('gut'), keep)
        os.mkdir(self.path('gut'))
        for name in ('gut.toml', '00.jpg'):
            shutil.copy(os.path.join(keep, name), self.path('gut'))
        self.other()
        shutil.rmtree(self.path('gut'))
        os.rename(keep, self.path('gut'))
        os.unlink(self.path('gut', '98.jpg'))
        os.unlink(self.path('gut', '97.jpg'))
        os.unlink(self.path('gut', '96.jpg'))
        os.unlink(self.path('gut', '95.jpg'))
        self.assertIn('1 of its 98', self.run_it('import', self.share, status=1))
        for i in range(95, 97):
            shutil.copyfile(self.path('gut', 'stained', 'section.jpg'), self.path('gut', f'{i:02}.jpg'))
        self.assertEqual(len(self.json('import')['imported']), 100)

    def test_again_imports_once_more(self):
        self.other()
        self.assertEqual(len(self.json('import', '--again')['imported']), 7)
        self.assertEqual(len(self.images(self.shown())), 14)

    def test_adopt_takes_files_and_datasets(self):
        self.other()
        dry = self.json('adopt', '--dry-run')
        self.assertEqual((len(dry['taken']), len(dry['datasets']), dry['problems']), (7, 2, []))
        self.assertEqual(self.shown(), self.before)
        done = self.json('adopt')
        self.assertEqual((len(done['taken']), len(done['datasets']), done['problems']), (7, 2, []))
        self.assertEqual(self.json('import')['imported'], [])
        self.assertEqual(self.images(self.shown()), self.images(self.before))
        shutil.copyfile(self.path('gut', 'stained', 'section.jpg'), self.path('gut', 'later.jpg'))
        self.assertEqual(len(self.json('import')['imported']), 1)
        self.assertEqual(self.shown().count('dataset '), self.before.count('dataset '))

    def test_import_adopts_first_when_it_is_told_so(self):
        self.other()
        shutil.copyfile(self.path('gut', 'stained', 'section.jpg'), self.path('gut', 'later.jpg'))
        self.assertEqual([f['path'] for f in self.json('import', '--adopt')['imported']], ['gut/later.jpg'])
        self.assertEqual(len(self.images(self.shown())), 8)

    def test_files_without_a_dataset_get_the_cards_annotations(self):
        self.other()
        self.in_omero('delete from DatasetImageLink', 'delete from ImageAnnotationLink')
        done = self.json('adopt', status=1)
        self.assertEqual((len(done['taken']), len(done['datasets']), [p['reason'] for p in done['problems']]), (7, 0, ['conflict', 'conflict']))
        again = self.json('import', '--again')
        self.assertEqual((again['imported'], len(again['followed'])), ([], 2))
        with contextlib.closing(sqlite3.connect(os.path.join(self.data, 'sandbox.db'))) as db:
            self.assertEqual(db.execute('select count(*) from DatasetImageLink').fetchone()[0], 0)
            tagged = db.execute("select t.textValue, count(*) from ImageAnnotationLink l join Annotation t on t.id = l.child "
                                "where t._kind = 'TagAnnotation' group by 1").fetchall()
        self.assertEqual(dict(tagged), {'gut': 3, 'control': 3, 'spindle': 4, 'mitosis': 4})

    def test_another_content_is_not_taken(self):
        self.other()
        path = self.path('gut', 'stained', 'section.jpg')
        with open(path, 'rb') as f:
            data = bytearray(f.read())
        data[data.find(b'\xff\xda') + 20] ^= 1
        with open(path, 'wb') as f:
            f.write(data)
        done = self.json('adopt', status=1)
        self.assertEqual(len(done['taken']), 6)
        self.assertEqual([(p['path'], p['reason']) for p in done['problems']], [('gut/stained/section.jpg', 'changed')])

    def test_of_several_none_is_taken(self):
        self.other()
        os.rename(self.path('Spindle orientation'), os.path.join(self.dir, 'away'))
        self.run_it('import', '--again', self.share, IMPOMERO_STATE=os.path.join(self.dir, 'third state'))
        done = self.json('adopt', status=1)
        self.assertEqual(done['taken'], [])
        self.assertEqual({p['reason'] for p in done['problems']}, {'duplicate'})

    def test_other_peoples_files_are_not_taken(self):
        self.other()
        card = self.path('gut', 'gut.toml')
        with open(card, encoding='utf-8') as f:
            text = f.read()
        with open(card, 'w', encoding='utf-8') as f:
            f.write(text.replace('"bob"', '"carol"').replace('"lab"', '"priv"'))
        self.assertEqual(len(self.json('adopt')['taken']), 4)

    # --- a service ---

    def watch(self):
        log = open(os.path.join(self.dir, 'watch log'), 'a', encoding='utf-8')
        env = {**os.environ, 'OMERO_SERVER': 'localhost', 'OMERO_PORT': self.port, 'OMERO_ROOT_PASSWORD': 'omero', 'IMPOMERO_SETTLE': '0',
               'IMPOMERO_STATE': self.state}
        process = subprocess.Popen([self.IMPOMERO, 'watch', self.share], env=env, stdin=subprocess.DEVNULL, stderr=log)
        log.close()
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def said(self):
        with open(os.path.join(self.dir, 'watch log'), encoding='utf-8') as f:
            return f.read()

    def states(self):
        self.run_it('status', '--json')
        return {(c['state'], c['reason']): c['n'] for c in json.loads(self.out)['counts']}

    def soon(self, probe, want):
        end = time.monotonic() + 60
        while (got := probe()) != want and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(got, want, self.said())

    def stop(self, process):
        process.terminate()
        self.assertEqual(process.wait(60), 0)

    def test_a_service_holds_a_root_where_others_have_imported(self):
        self.other()
        process = self.watch()
        self.soon(lambda: 'root.held' in self.said(), True)
        self.soon(self.states, {('held', 'there'): 7})
        shutil.copyfile(self.path('gut', 'stained', 'section.jpg'), self.path('gut', 'later.jpg'))
        self.soon(self.states, {('held', 'there'): 8})
        self.assertIn('7 of its 7', self.run_it('status'))
        self.stop(process)
        process = self.watch()
        self.soon(lambda: self.said().count('root.held'), 2)
        self.assertEqual((self.states(), self.shown()), ({('held', 'there'): 8}, self.before))
        self.stop(process)
        self.assertEqual(len(self.json('adopt')['taken']), 7)
        process = self.watch()
        self.soon(self.states, {('done', None): 8})
        self.stop(process)
        self.assertEqual(len(self.images(self.shown())), 8)

    def test_a_service_imports_once_more_what_a_person_asks_for(self):
        self.other()
        process = self.watch()
        self.soon(self.states, {('held', 'there'): 7})
        self.run_it('retry', self.path('gut'))
        self.soon(self.states, {('held', 'there'): 4, ('done', None): 3})
        self.run_it('retry')
        self.soon(self.states, {('done', None): 7})
        self.stop(process)
        self.assertEqual(len(self.images(self.shown())), 14)

    def test_a_service_begins_where_nobody_was(self):
        process = self.watch()
        self.soon(self.states, {('done', None): 7})
        self.stop(process)
        self.assertNotIn('root.held', self.said())

    # --- a card that names another project or user ---

    def change_card(self, old, new):
        with open(self.path('gut', 'gut.toml'), encoding='utf-8') as f:
            text = f.read()
        self.assertIn(old, text)
        with open(self.path('gut', 'gut.toml'), 'w', encoding='utf-8') as f:
            f.write(text.replace(old, new))

    def moved(self):
        said = self.json('import', status=1)
        self.assertEqual([(p['reason'], said['imported']) for p in said['problems']], [('target-moved', [])])
        return said['problems'][0]['text']

    def test_a_project_that_changed_is_told_with_commands_and_followed_when_a_person_did_it(self):
        self.json('import')
        self.before = self.shown()
        self.change_card('project = "Intestine"', 'project = "Colon"')
        self.assertRegex(self.moved(), r"as bob: omero obj new Project name='Colon' .*; omero obj new ProjectDatasetLink parent=Project:NUMBER "
                               r"child=Dataset:\d+; omero delete ProjectDatasetLink:\d+; impomero retry$")
        self.assertEqual(self.shown(), self.before)
        self.in_omero("update Project set name = 'Colon' where name = 'Intestine'")  # another way to the same end
        self.run_it('retry')
        self.assertEqual(len(self.json('import')['followed']), 1)
        shutil.copyfile(self.path('gut', 'stained', 'section.jpg'), self.path('gut', 'later.jpg'))
        self.assertEqual([f['path'] for f in self.json('import')['imported']], ['gut/later.jpg'])
        self.assertEqual(self.shown().count('dataset '), self.before.count('dataset '))

    def test_a_project_of_a_hostile_name_is_in_no_command(self):
        self.json('import')
        self.change_card('project = "Intestine"', "project = \"x'; touch /tmp/x #\"")
        self.assertIn("name='ITS NAME'", self.moved())

    def test_a_user_that_changed_is_told_with_commands(self):
        self.json('import')
        self.change_card('user = "bob"', 'user = "alice"')
        self.assertRegex(self.moved(), r"; as an administrator: omero chown 'alice' Dataset:\d+; impomero retry$")

    # --- two ledgers ---

    def test_a_dataset_of_another_ledger_is_refused_until_it_is_adopted(self):
        self.json('import')
        self.run_it('adopt', self.share, IMPOMERO_STATE=os.path.join(self.dir, 'other state'))
        shutil.copyfile(self.path('gut', 'stained', 'section.jpg'), self.path('gut', 'later.jpg'))
        problems = self.json('import', status=1)['problems']
        self.assertEqual({p['reason'] for p in problems}, {'other-ledger'})
        self.run_it('adopt', self.share)
        self.assertEqual([f['path'] for f in self.json('import')['imported']], ['gut/later.jpg'])

    # --- a lost ledger ---

    def test_a_lost_ledger_is_rebuilt(self):
        self.json('import')
        self.before = self.shown()
        uuid = re.search('ledger = (.*)', self.before).group(1)
        shutil.rmtree(self.state)
        done = self.json('ledger', 'rebuild')
        self.assertEqual((len(done['taken']), len(done['datasets']), done['problems'], done['held']), (7, 2, [], 0))
        self.assertIn(uuid, self.run_it('status', '--json'))
        self.assertEqual(self.json('import')['imported'], [])
        self.assertEqual(self.images(self.shown()), self.images(self.before))
        self.run_it('where', '--json', self.path('gut'))
        self.assertIn(json.loads(self.out)['datasets'][0]['uuid'], self.before)

    def in_omero(self, *statements):
        """What a person does there by hand."""
        with contextlib.closing(sqlite3.connect(os.path.join(self.data, 'sandbox.db'), timeout=60)) as db, db:
            for s in statements:
                self.assertGreater(db.execute(s).rowcount, 0, s)

    def test_what_people_did_stays_after_a_rebuild(self):
        self.json('import')
        tag = "(select id from Annotation where textValue = '{}')"
        self.in_omero(f"delete from DatasetAnnotationLink where child in {tag.format('gut')}",
                      f"delete from ImageAnnotationLink where child in {tag.format('gut')}",
                      f"delete from ImageAnnotationLink where child in {tag.format('control')} and parent = (select max(parent) from "
                      f"ImageAnnotationLink where child in {tag.format('control')})",
                      "update Pair set value = 'Mus musculus' where name = 'organism' and value = 'Danio rerio'",
                      "insert into Pair (holder, object, position, name, value) select holder, object, 99, 'by hand', 'yes' from Pair "
                      "where value = 'Mus musculus'",
                      "delete from Pair where name = 'channel_1'")
        self.before = self.shown()
        shutil.rmtree(self.state)
        self.json('ledger', 'rebuild')
        self.assertEqual((self.json('import')['imported'], self.shown()), ([], self.before))
        card = self.path('gut', 'gut.toml')
        with open(card, encoding='utf-8') as f:
            text = f.read()
        with open(card, 'w', encoding='utf-8') as f:
            f.write(text.replace('"gut", "control"', '"gut", "new"').replace('E-cadherin', 'N-cadherin'))
        self.assertEqual(len(self.json('import')['followed']), 1)
        after = self.shown()
        self.assertEqual([word in after for word in ('Mus musculus', 'by hand', 'N-cadherin', 'Danio rerio', 'channel_1', 'E-cadherin')],
                         [True, True, True, False, False, False])
        with contextlib.closing(sqlite3.connect(os.path.join(self.data, 'sandbox.db'))) as db:
            count = {t: db.execute(f'select count(*) from ImageAnnotationLink where child in {tag.format(t)}').fetchone()[0]
                     for t in ('gut', 'control', 'new')}
        self.assertEqual(count, {'gut': 0, 'control': 0, 'new': 3})

    def test_a_directory_that_moved_is_found_after_a_rebuild(self):
        self.json('import')
        os.rename(self.path('gut'), self.path('renamed'))
        self.assertEqual(self.json('import')['imported'], [])
        self.assertIn('path = renamed', self.shown())
        self.assertNotIn('path = gut', self.shown())
        os.rename(self.path('renamed', 'stained'), self.path('renamed', 'another'))
        self.before = self.shown()
        shutil.rmtree(self.state)
        done = self.json('ledger', 'rebuild')
        self.assertEqual((len(done['taken']), len(done['datasets']), done['problems'], done['held']), (7, 2, [], 0))
        self.assertEqual((self.json('import')['imported'], self.shown()), ([], self.before))
        shutil.copyfile(self.path('renamed', 'another', 'section.jpg'), self.path('renamed', 'later.jpg'))
        self.assertEqual([f['path'] for f in self.json('import')['imported']], ['renamed/later.jpg'])
        self.assertEqual(self.shown().count('dataset '), self.before.count('dataset '))

    def test_a_moved_file_of_other_content_is_left_to_a_person(self):
        self.json('import')
        with open(self.path('gut', 'stained', 'section.jpg'), 'rb') as f:
            data = bytearray(f.read())
        os.unlink(self.path('gut', 'stained', 'section.jpg'))
        data[data.find(b'\xff\xda') + 20] ^= 1
        with open(self.path('gut', 'section.jpg'), 'wb') as f:
            f.write(data)
        shutil.rmtree(self.state)
        done = self.json('ledger', 'rebuild', status=1)
        self.assertEqual((len(done['taken']), done['held']), (6, 1))

    def test_a_root_that_was_renamed_is_found_after_a_rebuild(self):
        self.json('import')
        config = os.path.join(self.dir, 'c.toml')
        with open(config, 'w', encoding='utf-8') as f:
            f.write(f'[[root]]\nname = "other name"\npath = "{self.share}"\npolicy = "any"\n')
        self.json('import', f'--config={config}')
        self.assertEqual(self.shown().count('root = other name'), 2)
        shutil.rmtree(self.state)
        done = self.json('ledger', 'rebuild', f'--config={config}')
        self.assertEqual((len(done['taken']), len(done['datasets'])), (7, 2))

    def test_what_omero_does_not_have_is_left_to_a_person(self):
        self.json('import')
        shutil.rmtree(self.state)
        shutil.copyfile(self.path('gut', 'stained', 'section.jpg'), self.path('gut', 'deleted.jpg'))
        done = self.json('ledger', 'rebuild', status=1)
        self.assertEqual((len(done['taken']), done['held']), (7, 1))
        answer = self.json('import', status=1)
        self.assertEqual((answer['imported'], [(p['path'], p['reason']) for p in answer['problems']]),
                         ([], [('gut/deleted.jpg', 'unknown-outcome')]))
        self.run_it('retry', self.path('gut', 'deleted.jpg'))
        self.assertEqual([f['path'] for f in self.json('import')['imported']], ['gut/deleted.jpg'])

    def test_a_file_that_changed_since_is_reported_after_a_rebuild(self):
        self.json('import')
        shutil.rmtree(self.state)
        with open(self.path('gut', 'stained', 'section.jpg'), 'ab') as f:
            f.write(b'\n')
        self.json('ledger', 'rebuild')
        answer = self.json('import', status=1)
        self.assertEqual((answer['imported'], [p['reason'] for p in answer['problems']]), ([], ['changed']))

    def test_two_ledgers_are_not_guessed(self):
        self.json('import')
        self.run_it('import', '--again', self.share, IMPOMERO_STATE=os.path.join(self.dir, 'other state'))
        uuid = re.search('ledger = (.*)', self.shown()).group(1)
        shutil.rmtree(self.state)
        self.assertIn('--ledger', self.run_it('ledger', 'rebuild', self.share, status=1))
        shutil.rmtree(self.state)
        self.run_it('ledger', 'rebuild', f'--ledger={uuid}', self.share, status=1)
        self.assertIn(uuid, self.run_it('status', '--json'))


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)

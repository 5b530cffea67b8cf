#!/usr/bin/env python3
"""The whole path, in every build: `impomero import` of the sample tree into a sandbox.

usage: test_import.py IMPOMERO OMERO_SANDBOX SOURCE_DIRECTORY
"""
import fcntl
import json
import os
import shutil
import signal
import sys
import unittest

from served import Served

Served.IMPOMERO, Served.SANDBOX, Served.TOP = sys.argv[1:4]


class Import(Served):
    def test_the_sample_tree_arrives_once(self):
        self.run_it('import', self.share)
        shown = self.shown()
        for text in ('dataset Spindle_orientation  (id', 'image embryo_2-time_lapse.czi', 'image run_T0_C0.ome.tiff', 'file run_T1_C1.ome.tiff',
                     'organism = Danio rerio', 'tag: mitosis'):
            self.assertIn(text, shown)
        self.assertEqual(shown.count('\n    image '), 7)
        self.run_it('import', '--json', self.share)
        again = json.loads(self.out)
        self.assertEqual(len(again.get('filesets', again.get('imported'))), 0)
        self.assertEqual(self.shown(), shown)

    def test_a_changed_card_is_followed(self):
        self.run_it('import', self.share)
        card = os.path.join(self.share, 'gut', 'gut.toml')
        with open(card, encoding='utf-8') as f:
            text = f.read()
        with open(card, 'w', encoding='utf-8') as f:
            f.write(text.replace('Danio rerio', 'Mus musculus').replace('"control",', '"treated",'))
        self.run_it('import', self.share)
        shown = self.shown()
        self.assertIn('organism = Mus musculus', shown)
        self.assertIn('tag: treated', shown)
        self.assertNotIn('Danio rerio', shown)

    # --- in place ---

    def stamps(self):
        """Of all files of the share: content and what says whose they are."""
        found = {}
        for directory, _, names in os.walk(self.share):
            for name in names:
                path = os.path.join(directory, name)
                st = os.lstat(path)
                with open(path, 'rb') as f:
                    found[path] = (f.read(), st.st_ino, st.st_mtime_ns, st.st_mode, st.st_uid)
        return found

    def placed(self):
        """What the repository holds, but for logs: (path, is a link, target, inode)."""
        found = []
        for directory, _, names in os.walk(os.path.join(self.data, 'ManagedRepository')):
            for name in names:
                path = os.path.join(directory, name)
                if not name.endswith('.log'):
                    link = os.path.islink(path)
                    found.append((path, link, os.readlink(path) if link else None, os.lstat(path).st_ino))
        return found

    def import_in_place(self, *options):
        before = self.stamps()
        said = self.run_it('import', *options, self.share)
        self.assertEqual(self.stamps(), before)
        self.assertEqual(self.shown().count('\n    image '), 7)
        placed = self.placed()
        self.assertEqual(len(placed), 10, said)
        return {path: stamp for path, stamp in before.items() if not path.endswith(('.toml', '.licence', '.csv'))}, placed

    def test_files_are_linked_where_that_is_trusted(self):
        self.assertIn('trusted', self.run_it('import', '--link', self.share, status=3))
        self.assertEqual(self.placed(), [])
        before, placed = self.import_in_place('--link', '--trusted')
        self.assertEqual(sorted(target for _, _, target, _ in placed), sorted(before))

    def test_files_are_hard_links_of_their_sources(self):
        before, placed = self.import_in_place('--transfer=ln', '--trusted')
        self.assertEqual(sorted(inode for _, _, _, inode in placed), sorted(stamp[1] for stamp in before.values()))
        self.assertTrue(not any(link for _, link, _, _ in placed))

    def test_files_are_copied_into_the_repository_from_here(self):
        before, placed = self.import_in_place('--transfer=cp')
        self.assertTrue(not any(link for _, link, _, _ in placed))
        inodes = {stamp[1] for stamp in before.values()}
        self.assertTrue(not any(inode in inodes for _, _, _, inode in placed))

    def test_both_sides_may_name_the_directories_differently(self):
        os.symlink(self.data, os.path.join(self.dir, 'seen'))
        os.symlink(self.share, os.path.join(self.dir, 'also'))
        _, placed = self.import_in_place('--link', '--trusted', f'--in-place-paths={self.dir}/seen={self.data},'
                                         f'{self.share}={self.dir}/also')
        self.assertTrue(all(target.startswith(self.dir + '/also/') for _, _, target, _ in placed))

    # --- checksums, and what is left out ---

    def test_the_checksum_is_chosen(self):
        for name, digits in (('MD5-128', 32), ('CRC-32', 8), ('Adler-32', 8), ('File-Size-64', 16)):
            where = os.path.join(self.share, name)
            os.makedirs(where)
            shutil.copy(os.path.join(self.share, 'gut', 'stained', 'section.jpg'), where)
            shutil.copy(os.path.join(self.share, 'gut', 'gut.toml'), where)
            said = self.run_it('import', '--trace=wire', f'--checksum={name}', where)
            self.assertRegex(said, r'ImportProcess.verifyUpload hash=\["[0-9a-f]{%d}"\]' % digits)

    def test_what_is_skipped(self):
        said = self.run_it('import', '--trace=wire', '--skip=checksum,minmax,thumbnails', os.path.join(self.share, 'gut'))
        self.assertRegex(said,
                         r'doThumbnails=RBool\(false\) noStatsInfo=RBool\(true\) checksumAlgorithm=[^ ]* ?[^}]*File-Size-64')
        self.assertIn('nothing that an import can leave out', self.run_it('import', '--skip=speed', self.share, status=3))

    def test_a_server_that_does_not_see_the_files_is_told_before_the_first(self):
        said = self.run_it('import', '--link', '--trusted', f'--in-place-paths={self.share}=/nowhere', self.share, status=1)
        self.assertIn('/nowhere', said)
        self.assertIn('in place: path: ', said)
        self.assertEqual(self.placed(), [])
        self.assertNotIn('image', self.shown())

    def test_a_wrong_password_ends_it(self):
        self.assertIn('password', self.run_it('import', self.share, status=5, OMERO_ROOT_PASSWORD='wrong'))

    def test_a_server_that_is_away_ends_it(self):
        self.server.send_signal(signal.SIGTERM)
        self.server.wait(60)
        self.assertIn(self.port, self.run_it('import', self.share, status=4))

    def test_one_import_at_a_time(self):
        self.run_it('import', self.share)
        with open(os.path.join(self.state, 'lock'), 'r+', encoding='utf-8') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.run_it('import', self.share, status=6)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)

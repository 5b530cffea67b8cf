#!/usr/bin/env python3
"""What roots and cards choose of the files, and how incomplete sets wait.

usage: test_choice.py IMPOMERO OMERO_SANDBOX SOURCE_DIRECTORY
"""
import json
import os
import shutil
import struct
import sys
import unittest

from served import Served

Served.IMPOMERO, Served.SANDBOX, Served.TOP = sys.argv[1:4]
CARD = '# omero annotation file\nproject = "Choice"\nuser = "alice"\ngroup = "lab"\n'
MASTER = '"NDInfoFile", Version 1.0\r\n"DoZSeries", FALSE\r\n"DoTimelapse", TRUE\r\n"NTimePoints", 3\r\n'


def tiff(seed):
    """A grey TIFF of 4 x 4 (TIFF 6.0)."""
    rows = ((256, 4), (257, 4), (258, 8), (259, 1), (262, 1), (273, 122), (277, 1), (278, 4), (279, 16))
    return b'II*\0' + struct.pack('<IH', 8, len(rows)) + b''.join(struct.pack('<HHIHH', t, 3, 1, v, 0) for t, v in rows) + bytes(4) + bytes([seed] * 16)


class Choice(Served):
    def setUp(self):
        super().setUp()
        shutil.rmtree(self.share)
        os.makedirs(self.share)

    def put(self, path, data):
        full = os.path.join(self.share, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'wb') as f:
            f.write(data.encode() if isinstance(data, str) else data)

    def planned(self, *args):
        """(files to import, {file left out: reason})"""
        self.run_it('plan', '--json', *args, self.share)
        plan = json.loads(self.out)
        return sorted(i['file'] for i in plan['images']), {s['path']: s['reason'] for s in plan['skipped']}

    def four_pictures(self):
        for i, path in enumerate(('a.tif', 'b_preview.tif', 'raw/c.tif', 'raw/deep/d.tif')):
            self.put(path, tiff(i))
        self.put('e.pgm', b'P5\n1 1\n255\nx')

    def test_a_card_excludes_files_and_formats(self):
        self.four_pictures()
        self.put('card.toml', CARD + 'exclude = ["*_PREVIEW.*", "raw"]\nexclude_formats = ["Portable Any Map"]\n')
        files, left = self.planned()
        self.assertEqual(files, ['a.tif'])
        self.assertEqual({p: left[p] for p in ('b_preview.tif', 'raw/c.tif', 'raw/deep/d.tif', 'e.pgm')},
                         {'b_preview.tif': 'excluded', 'raw/c.tif': 'excluded', 'raw/deep/d.tif': 'excluded', 'e.pgm': 'excluded'})

    def test_a_card_includes_only_some(self):
        self.four_pictures()
        self.put('card.toml', CARD + 'include = ["raw/*.tif", "e.*"]\nformats = ["TIFF"]\n')
        files, left = self.planned()
        self.assertEqual(files, ['raw/c.tif', 'raw/deep/d.tif'])
        self.assertEqual({left['a.tif'], left['e.pgm']}, {'excluded'})

    def test_a_deeper_card_speaks_for_its_own_directory_alone(self):
        self.four_pictures()
        self.put('card.toml', CARD)
        self.put('raw/card.toml', CARD + 'exclude = ["c.*"]\n')
        files, left = self.planned()
        self.assertEqual(files, ['a.tif', 'b_preview.tif', 'e.pgm', 'raw/deep/d.tif'])
        self.assertEqual(left['raw/c.tif'], 'excluded')

    def test_root_and_card_choose_both(self):
        self.four_pictures()
        self.put('card.toml', CARD + 'exclude = ["b_*"]\n')
        files, _ = self.planned('--exclude=raw')
        self.assertEqual(files, ['a.tif', 'e.pgm'])
        files, _ = self.planned('--include=*.tif', '--exclude-formats=Portable Any Map')
        self.assertEqual(files, ['a.tif', 'raw/c.tif', 'raw/deep/d.tif'])

    def test_a_format_told_by_its_name_alone_is_taken_where_it_is_named(self):
        self.put('card.toml', CARD)
        self.put('x.lim', 'whatever')
        self.assertEqual(self.planned()[1]['x.lim'], 'deferred')
        self.assertEqual(self.planned('--formats=LIM')[0], ['x.lim'])

    def set_with_a_gap(self):
        self.put('card.toml', CARD)
        self.put('run/x.nd', MASTER)
        for t in (1, 3):
            self.put(f'run/x_t{t}.TIF', tiff(t))

    def test_a_set_with_a_gap_waits_unless_the_root_or_the_marker_allows_it(self):
        self.set_with_a_gap()
        files, left = self.planned()
        self.assertEqual((files, left['run/x_t1.TIF']), ([], 'incomplete'))
        self.assertIn('x_t2.TIF is missing', self.out)
        self.assertEqual(self.planned('--gaps=true')[0], ['run/x_t1.TIF'])
        self.assertEqual(self.planned('--ready=done')[0], [])
        self.put('run/done', '')
        self.assertEqual(self.planned('--ready=done')[0], ['run/x_t1.TIF'])

    def test_a_set_that_cannot_do_without_its_files_waits_even_then(self):
        self.put('card.toml', CARD)
        self.put('y.afi', '<ImageList><Image><Path>gone.svs</Path></Image></ImageList>')
        self.put('done', '')
        files, left = self.planned('--gaps=true', '--ready=done')
        self.assertEqual((files, left['y.afi']), ([], 'incomplete'))

    def test_what_misses_files_is_reported_after_a_time(self):
        self.set_with_a_gap()
        self.run_it('import', '--incomplete-after=600', '--json', self.share, status=1)
        (problem,) = json.loads(self.out)['problems']
        self.assertEqual((problem['path'], problem['reason']), ('run/x_t1.TIF', 'settling'))
        self.assertIn('x_t2.TIF is missing', problem['text'])
        self.run_it('import', '--incomplete-after=600', '--json', self.share, status=1, IMPOMERO_CLOCK='1+700')
        (problem,) = json.loads(self.out)['problems']
        self.assertEqual((problem['path'], problem['reason']), ('run/x_t1.TIF', 'incomplete'))
        self.assertIn('x_t2.TIF is missing', problem['text'])
        self.put('run/x_t2.TIF', tiff(2))
        self.run_it('import', '--json', self.share)
        self.assertEqual([f['path'] for f in json.loads(self.out)['imported']], ['run/x_t1.TIF'])


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])

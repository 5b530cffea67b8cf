#!/usr/bin/env python3
"""The unit as systemd judges it: test_unit.py UNIT IMPOMERO EXAMPLES"""
import configparser
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

UNIT, IMPOMERO, EXAMPLES = sys.argv[1:4]
del sys.argv[1:4]


def analyze(*args):
    return subprocess.run(['systemd-analyze', *args], capture_output=True, text=True, check=False)


@unittest.skipUnless(shutil.which('systemd-analyze'), 'needs systemd-analyze')
class Unit(unittest.TestCase):
    def setUp(self):
        top = tempfile.TemporaryDirectory()
        self.addCleanup(top.cleanup)
        self.unit = pathlib.Path(top.name) / 'impomero.service'
        text = re.sub(r'^ExecStart=\S+', f'ExecStart={os.path.abspath(IMPOMERO)}', pathlib.Path(UNIT).read_text(), flags=re.M)
        self.unit.write_text(text)

    def test_systemd_understands_all_of_it(self):
        r = analyze('verify', '--man=no', str(self.unit))
        self.assertEqual((r.returncode, r.stderr), (0, ''))

    def test_its_exposure_is_at_most_2(self):
        r = analyze('security', '--offline=yes', '--threshold=20', str(self.unit))
        self.assertEqual(r.returncode, 0, r.stdout)

    def test_the_drop_ins_are_understood_too_and_expose_no_more(self):
        for name in ('in-place.conf', 'mounts.conf'):
            parts = self.unit.parent / 'impomero.service.d'
            parts.mkdir(exist_ok=True)
            shutil.copy(pathlib.Path(EXAMPLES) / name, parts)
        r = analyze('verify', '--man=no', str(self.unit))
        self.assertEqual((r.returncode, r.stderr), (0, ''))
        r = analyze('security', '--offline=yes', '--threshold=20', str(self.unit))
        self.assertEqual(r.returncode, 0, r.stdout)


class Rules(unittest.TestCase):
    def test_owners_are_not_hidden_and_the_stop_fits(self):
        text = pathlib.Path(UNIT).read_text()
        unit = configparser.ConfigParser(strict=False, interpolation=None, delimiters='=', comment_prefixes='#')
        unit.optionxform = str
        unit.read_string(text)
        self.assertEqual(unit['Service']['Type'], 'notify')
        self.assertNotIn('PrivateUsers', unit['Service'])
        self.assertNotIn('RestrictSUIDSGID', unit['Service'])  # systemd answers openat2 with ENOSYS under it: no file can be opened
        self.assertGreater(int(unit['Service']['TimeoutStopSec']), 60)


if __name__ == '__main__':
    unittest.main()

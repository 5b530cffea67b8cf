#!/usr/bin/env python3
"""`impomero explain` on files of the cases.  Usage: explain.py IMPOMERO CASES."""
import json
import os
import subprocess
import sys
import tempfile

from cases import lay_out

ROWS = [  # case, file, reason, target, first missing name, driver that has it
    ('oif-plane-gone', 'Image0001.oif.files/s_C001.tif', 'incomplete', 'Image0001.oif', 'Image0001.oif.files/s_C002.tif',
     'sets with a master'),
    ('metamorph-nd', 'exp_w1DAPI_s1_t1.TIF', 'none', 'exp_w1DAPI_s1_t1.TIF', None, 'TIFF'),
    ('metamorph-nd-one-missing', 'exp_w1DAPI_s1_t1_thumb.TIF', 'foreign', 'exp_w1DAPI_s1_t1_thumb.TIF', None, 'TIFF'),
    ('ics-ids', 'orph2.ics', 'incomplete', 'orph2.ics', 'orph2.ids', 'header and data'),
    ('noise-everyday-files', 'notes.txt', 'unknown-format', 'notes.txt', None, None),
    ('flex', 'p1/001001000.flex', 'deferred', 'p1/001001000.flex', None, 'single files'),
]


def explain(exe, case, path):
    with tempfile.TemporaryDirectory() as top:
        lay_out(case, top, lambda p: p)
        command = [exe, 'explain', '--json', os.path.join(top, path), '--in', top]
        return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def main():
    exe, folder = sys.argv[1:]
    failed = 0
    for name, path, reason, target, missing, driver in ROWS:
        with open(os.path.join(folder, name + '.json'), encoding='utf-8') as f:
            got = explain(exe, json.load(f), path)
        have = (got['reason'], got['target'], (got['missing'] or [None])[0], next((a['driver'] for a in got['asked'] if a['has_it']), None))
        if have != (reason, target, missing, driver) or not all(a['text'] for a in got['asked']):
            failed += 1
            print('%s: %s: %r, not %r' % (name, path, have, (reason, target, missing, driver)))
    print('%d passed, %d failed' % (len(ROWS) - failed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())

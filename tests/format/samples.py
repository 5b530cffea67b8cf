#!/usr/bin/env python3
"""Group real files and compare with what the official importer made of them.

Usage: samples.py IMPOMERO.  The files lie beside the repository (IMPOMERO_SHARED); without them the test is skipped.
"""
import json
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Half a file: the official importer takes it without a word, and the pixels are wrong.
BETTER = {'broken-czi-cut', 'broken-nd2-cut'}
# Left to Bio-Formats: these groups are deferred.
LATER = {'MetaxpressTiffReader'}
LATER_SETS = {'dicom-wsi-two-levels', 'made-dicom-bfconvert', 'made-dicom-ct-series', 'made-dicom-ct-series-with-times'}


def groups_of(groups, reader, plate):
    return {(frozenset(g['files']), reader(g), plate(g)) for g in groups}


def main():
    shared = os.path.join(os.environ.get('IMPOMERO_SHARED') or os.path.join(os.path.dirname(TOP), 'shared'), 'samples')
    if not os.path.exists(os.path.join(shared, 'expected.json')):
        print('no sample files: set IMPOMERO_SHARED')
        return 77
    with open(os.path.join(shared, 'expected.json'), encoding='utf-8') as f:
        sets = json.load(f)['sets']
    failed = ours = 0
    for s in sets:
        command = [sys.argv[1], 'groups', '--official', '--json', '--depth', '100', os.path.join(shared, 'sets', s['name'])]
        got = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        want = groups_of(s['importer_f']['groups'], lambda g: g['reader'].split('.')[-1], lambda g: bool(g['spw']))
        want = {g for g in want if g[1] not in LATER and s['name'] not in BETTER | LATER_SETS}
        have = groups_of(got['groups'], lambda g: g['format'], lambda g: g['kind'] == 'plate')
        ours += len(want)
        if want != have:
            failed += 1
            print('%s: wanted %s, got %s' % (s['name'], sorted(map(str, want)), sorted(map(str, have))))
    print('%d sets, %d groups of formats with a driver, %d sets failed' % (len(sets), ours, failed))
    return 1 if failed or ours == 0 else 0


sys.exit(main())

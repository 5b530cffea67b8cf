#!/usr/bin/env python3
"""Group real files and compare with what the official importer made of them.

Usage: samples.py PRINT_GROUPS.  The files lie beside the repository (IMPOMERO_SHARED); without them the test is skipped.
"""
import json
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Readers whose files always form sets that a later driver joins: such groups must be deferred or left alone.
LATER = {'CV7000Reader', 'DicomReader', 'MetaxpressTiffReader', 'NRRDReader'}
# Sets of which a later driver joins the rest: a MetaMorph .nd, an .oif with its thumbnail, header and data in two files.
LATER_SETS = {'metamorph-nd-stk', 'broken-nd-member-gone', 'oif-from-oib', 'made-ics-ids-pair', 'made-nifti-pair'}
# Half a file: the official importer takes it without a word, and the pixels are wrong.
BETTER = {'broken-czi-cut', 'broken-nd2-cut'}


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
        command = [sys.argv[1], os.path.join(shared, 'sets', s['name'])]
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

#!/usr/bin/env python3
"""Group the directories of tests/data/grouping and compare with what Bio-Formats makes of them.

Usage: cases.py PRINT_GROUPS FOLDER.  A group that is wholly deferred is right; so is leaving alone what no outcome imports.
"""
import base64
import json
import os
import subprocess
import sys
import tempfile


def lay_out(case, top):
    for entry in case['files']:
        path = os.path.join(top, entry['path'])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as f:
            f.write(entry['text'].encode() if 'text' in entry else base64.b64decode(entry['base64']))


def differences(outcome, got):
    have = {frozenset(g['files']): g for g in got['groups']}
    later = {d['path'] for d in got['deferred']}
    found = []
    for group in outcome['groups']:
        mine = have.pop(frozenset(group['files']), None)
        if mine is None:
            if not set(group['files']) <= later:
                found.append('no group of %s' % ', '.join(group['files']))
        elif (mine['kind'], mine['format']) != (group['kind'], group['format']) or mine['target'] not in group['targets']:
            found.append('%s is %s' % (group, mine))
    return found + ['a group too many: %s' % g['target'] for g in have.values()]


def run(exe, case):
    with tempfile.TemporaryDirectory() as top:
        lay_out(case, top)
        out = subprocess.run([exe, top, str(case['depth'])], capture_output=True, check=True).stdout
    got = json.loads(out)
    tries = [differences(o, got) for o in case['outcomes']]
    return min(tries, key=len), bool(got['groups'])


def main():
    exe, folder = sys.argv[1:]
    names = sorted(n for n in os.listdir(folder) if n.endswith('.json'))
    failed = 0
    grouping = 0
    for name in names:
        with open(os.path.join(folder, name), encoding='utf-8') as f:
            case = json.load(f)
        wrong, groups = run(exe, case)
        grouping += groups
        failed += bool(wrong)
        for line in wrong:
            print('%s: %s' % (name, line))
    print('%d cases, %d with groups, %d failed' % (len(names), grouping, failed))
    return 1 if failed or grouping == 0 else 0


sys.exit(main())

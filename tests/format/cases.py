#!/usr/bin/env python3
"""Group directories that are kept as JSON and compare with what Bio-Formats makes of them.

Usage: cases.py IMPOMERO FOLDER.  Each case runs as it is and with all names changed that the formats leave to people, files made
in another order.  What only Bio-Formats itself can tell (level "bioformats") may be deferred as a whole; with a helper that knows
the outcome nothing may.
"""
import base64
import json
import os
import random
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

# Beginnings of names that a format prescribes, or that stand inside files in another form.
FIXED = ('metadata', 'experiment_descriptor', 'AcquisitionLog', 'data', 'Images', 'Index', 'Measurement', 'LeicaLogo', 'LASAF',
         'Series', 'lse', 'mode', 'Well', 'results', 'Batchresults', 'NEO', 'Nugenesis', 'Pos', 'IM0004', 's_C', 'Thumb')


def shifted(letters):
    turned = bytes.maketrans(b'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ',
                             b'bcdefghijklmnopqrstuvwxyzaBCDEFGHIJKLMNOPQRSTUVWXYZA')
    return letters.encode().translate(turned).decode()


def other_name(part):
    """The letters at its beginning, up to the first other character, become others; no length changes."""
    start = 1 if part.startswith('_') else 0
    end = start
    while end < len(part) and part[end].isalpha() and part[end].isascii():
        end += 1
    return part if part.startswith(FIXED) else part[:start] + shifted(part[start:end]) + part[end:]


def other_path(path):
    return '/'.join(other_name(p) for p in path.split('/'))


def content(entry):
    return entry['text'].encode() if 'text' in entry else base64.b64decode(entry['base64'])


def with_other_names(data, paths):
    """Every path and name of the case, wherever it stands in a file, in bytes or in UTF-16; all in one go."""
    ends = {'/'.join(p.split('/')[i:]) for p in paths for i in range(p.count('/') + 1)}
    ends |= {p.replace('/', '\\') for p in ends}
    names = sorted((e for e in ends if len(e) > 4), key=len, reverse=True)
    for encoding in ('utf-8', 'utf-16-le'):
        known = {n.encode(encoding): other_path(n.replace('\\', '/')).encode(encoding) if '\\' not in n else
                 other_path(n.replace('\\', '/')).replace('/', '\\').encode(encoding) for n in names}
        data = re.sub(b'|'.join(map(re.escape, known)), lambda m: known[m.group()], data) if known else data
    return data


def lay_out(case, top, rename):
    paths = [e['path'] for e in case['files']]
    entries = list(case['files'])
    random.Random(len(entries)).shuffle(entries)
    for entry in entries:
        path = os.path.join(top, rename(entry['path']))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if 'link' in entry:
            os.symlink(rename(entry['link']), path)
            continue
        data = content(entry)
        if rename is other_path and entry['path'].endswith('.pattern'):
            data = other_name(data.decode()).encode()
        elif rename is other_path:
            data = with_other_names(data, paths)
        with open(path, 'wb') as f:
            f.write(data)


def differences(outcome, got, rename, may_defer):
    have = {frozenset(g['files']): g for g in got['groups']}
    later = {d['path'] for d in got['deferred']}
    found = []
    for group in outcome['groups']:
        files = frozenset(map(rename, group['files']))
        targets = set(map(rename, group.get('targets') or [group['target']]))
        mine = have.pop(files, None)
        if mine is None:
            if not (may_defer and files <= later):
                found.append('no group of %s' % ', '.join(sorted(files)))
        elif (mine['kind'], mine['format']) != (group['kind'], group['format']) or mine['target'] not in targets:
            found.append('%s is %s' % (group, mine))
    return found + ['a group too many: %s' % g['target'] for g in have.values()]


def run(exe, case, rename, helper=None):
    with tempfile.TemporaryDirectory() as top:
        lay_out(case, top, rename)
        command = [exe, 'groups', '--official', '--json', '--depth', str(case['depth']), top]
        command += ['--grouping-helper', helper] if helper else []
        got = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    tries = [differences(o, got, rename, case['level'] == 'bioformats' and not helper) for o in case['outcomes']]
    return min(tries, key=len)


def main():
    exe, folder = sys.argv[1:]
    names = sorted(n for n in os.listdir(folder) if n.endswith('.json'))
    failed = 0
    for name in names:
        with open(os.path.join(folder, name), encoding='utf-8') as f:
            case = json.load(f)
        fake = '%s %s %s' % (sys.executable, os.path.join(HERE, 'fake_helper.py'), folder)
        for how, rename, helper in (('', lambda p: p, None), (', names changed', other_path, None),
                                    (', with a helper', lambda p: p, fake)):
            wrong = run(exe, case, rename, helper)
            failed += bool(wrong)
            for line in wrong:
                print('%s%s: %s' % (name, how, line))
    print('%d passed, %d failed' % (3 * len(names) - failed, failed))
    return 1 if failed or not names else 0


if __name__ == '__main__':
    sys.exit(main())

#!/usr/bin/env python3
"""Stands in for `omero import -f` in tests: prints what Bio-Formats makes of directories of the cases.

Usage: fake_helper.py CASES DIRECTORY...  A directory is known by the files in it.
"""
import json
import os
import sys


def files_below(top):
    return frozenset(os.path.relpath(os.path.join(d, f), top) for d, _, names in os.walk(top) for f in names)


def below(paths, prefix):
    return frozenset(p[len(prefix):] for p in paths if p.startswith(prefix))


def prefixes(paths):
    return {'/'.join(p.split('/')[:i]) + '/' if i else '' for p in paths for i in range(p.count('/') + 1)}


def find(cases, have):
    for case in cases:
        paths = [e['path'] for e in case['files']]
        for prefix in sorted(prefixes(paths)):
            if below(paths, prefix) == have:
                return case, prefix
    return None, ''


def main():
    folder, tops = sys.argv[1], sys.argv[2:]
    cases = []
    for name in sorted(n for n in os.listdir(folder) if n.endswith('.json')):
        with open(os.path.join(folder, name), encoding='utf-8') as f:
            cases.append(json.load(f))
    found = 0
    for top in tops:
        case, prefix = find(cases, files_below(top))
        for group in case['outcomes'][0]['groups'] if case else []:
            if not all(f.startswith(prefix) for f in group['files']):
                continue
            found += 1
            paths = [os.path.join(top, f[len(prefix):]) for f in group['files']]
            print('#======================================')
            print('# Group: %s SPW: %s Reader: loci.formats.in.%s' % (paths[0], str(group['kind'] == 'plate').lower(),
                                                                     group['format']))
            print('\n'.join(paths))
    sys.exit(0 if found else 125)


main()

#!/usr/bin/env python3
"""Write the seeds of the format targets from the cases of grouping.

usage: make_format_seeds.py CASES_DIRECTORY FUZZ_DIRECTORY

A file of a case is a seed of each family that has a name with its suffix, or its whole name; the first byte is the name's place.
Of each name the shortest and the longest file below a limit are taken.
"""
import base64
import hashlib
import json
import os
import re
import sys

LONGEST = 8000


def families(fuzz):
    with open(os.path.join(fuzz, 'fuzz_format.c'), encoding='utf-8') as file:
        table = re.search(r'names\[\]\[64\] = \{(.*?)\n\};', file.read(), re.S).group(1)
    for row in re.finditer(r'\[FAMILY_(\w+)\] = \{(.*?)\}', table, re.S):
        yield row.group(1).lower(), re.findall(r'"([^"]*)"', row.group(2))


def fits(name, path):
    base = os.path.basename(path).lower()
    return base == name.lower() or (name.startswith('x') and len(name) > 1 and base.endswith(name[1:].lower())) or name == 'x'


def files(cases):
    for case in sorted(os.listdir(cases)):
        if case.endswith('.json'):
            with open(os.path.join(cases, case), encoding='utf-8') as file:
                for entry in json.load(file)['files']:
                    if 'link' not in entry:
                        yield entry['path'], entry['text'].encode() if 'text' in entry else base64.b64decode(entry['base64'])


def main():
    cases, fuzz = sys.argv[1:]
    known = list(files(cases))
    for family, names in families(fuzz):
        directory = os.path.join(fuzz, 'corpus', 'format_' + family)
        os.makedirs(directory, exist_ok=True)
        for place, name in enumerate(names):
            found = sorted({d for p, d in known if fits(name, p) and len(d) <= LONGEST}, key=lambda d: (len(d), d))
            for data in found[:2] + found[-1:] if name != 'x' else found[::25]:
                seed = bytes([place]) + data
                with open(os.path.join(directory, hashlib.sha1(seed).hexdigest()[:16]), 'wb') as file:
                    file.write(seed)


if __name__ == '__main__':
    main()

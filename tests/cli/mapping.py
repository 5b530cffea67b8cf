#!/usr/bin/env python3
"""Lay out each mapping case as a tree and hold `impomero plan --json` against what it expects.

usage: mapping.py IMPOMERO CASES_DIRECTORY

A case: `tree` (files; .tif and .png are real small images), `cards` and `cards_base64` (path -> content), `links`; and what must
come out before its `steps`: `expected`, `expected_annotations`, `expected_errors`, `expected_conflicts`, `expected_skipped`.
"""
import base64
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

COLUMNS = ('file', 'project', 'dataset', 'image_name', 'user', 'group', 'dataset_dir')


def tiff():
    fields = [(256, 3, 4), (257, 3, 4), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 3, 4), (279, 4, 16)]
    entries = b''.join(struct.pack('<HHII', tag, kind, 1, value) for tag, kind, value in fields)
    return b'II*\0' + struct.pack('<I', 24) + bytes(range(16)) + struct.pack('<H', len(fields)) + entries + bytes(4)


def png():
    def chunk(name, body):
        return struct.pack('>I', len(body)) + name + body + struct.pack('>I', zlib.crc32(name + body))
    head = struct.pack('>IIBBBBB', 4, 4, 8, 0, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'IDAT', zlib.compress(bytes(20))) + chunk(b'IEND', b'')


def content(path):
    return tiff() if path.suffix.lower() in ('.tif', '.tiff') else png() if path.suffix.lower() == '.png' else b'text\n'


def make(case, top):
    root = top / case.get('root', 'data')
    root.mkdir()
    files = {p: content(root / p) for p in case.get('tree', []) if not p.endswith('/')}
    files.update({p: t.encode() for p, t in case.get('cards', {}).items()})
    files.update({p: base64.b64decode(t) for p, t in case.get('cards_base64', {}).items()})
    for path in case.get('tree', []):
        if path.endswith('/'):
            (root / path).mkdir(parents=True, exist_ok=True)
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    for path, target in case.get('links', {}).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).symlink_to(target)
    return root


def table(rows):
    return sorted([json.dumps([row.get(c) for c in COLUMNS], ensure_ascii=False) for row in rows])


def differences(case, got):
    want, have = table(case.get('expected', [])), table(got['images'])
    yield from (f'missing: {row}' for row in want if row not in have)
    yield from (f'not wanted: {row}' for row in have if row not in want)
    for place, notes in case.get('expected_annotations', {}).items():
        mine = got['annotations'].get(place)
        if mine is None:
            yield f'no annotations of {place}'
        elif (sorted(mine['tags']), mine['kv'], mine['comment'].replace('\r\n', '\n')) != (
                sorted(notes['tags']), notes['kv'], notes['comment'].replace('\r\n', '\n')):
            yield f'annotations of {place}: {mine}'
    errors = {e['card']: e['line'] for e in got['errors']}
    wanted = {e['card']: e.get('line') for e in case.get('expected_errors', [])}
    if errors.keys() != wanted.keys() or any(line and errors[card] != line for card, line in wanted.items()):
        yield f'errors: {errors}'
    if sorted(got['conflicts']) != sorted(case.get('expected_conflicts', [])):
        yield f"conflicts: {got['conflicts']}"
    named = {s['path'] for s in got['skipped']}
    yield from (f'not named: {p}' for p in case.get('expected_skipped', []) if p not in named)


def run(program, case):
    with tempfile.TemporaryDirectory() as top:
        root = make(case, pathlib.Path(top))
        done = subprocess.run([program, 'plan', '--json', str(root)], capture_output=True, timeout=60, check=False)
    if done.returncode != 0:
        return [f'exit {done.returncode}: {done.stderr.decode(errors="replace")}']
    return list(differences(case, json.loads(done.stdout)))


def main():
    program, folder = sys.argv[1:]
    cases = [json.loads(p.read_text(encoding='utf-8')) for p in sorted(pathlib.Path(folder).glob('*.json'))]
    wrong = 0
    for case in cases:
        found = run(program, case)
        wrong += bool(found)
        for line in found:
            print(f"{case['name']}: {line}")
    print(f'{len(cases) - wrong} of {len(cases)} cases')
    return 1 if wrong or not cases else 0


if __name__ == '__main__':
    sys.exit(main())

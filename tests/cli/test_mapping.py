#!/usr/bin/env python3
"""Each mapping case end to end: laid out as a tree, imported into a sandbox, and what the server holds then compared with the case;
the same again after each of its steps, once by `import` and once by a `watch` that runs all the time.

usage: test_mapping.py IMPOMERO OMERO_SANDBOX CASES_DIRECTORY [CASE...]
"""
import collections
import contextlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

import mapping

IMPOMERO, SANDBOX, CASES = sys.argv[1:4]
PATIENCE_S = 120
BEACON_CARD = '# omero annotation file\nproject = "beacon"\nuser = "beacon"\n'
BEACON = 'beacon-'  # directories of ours beside those of the case


def quoted(text):
    return json.dumps(text, ensure_ascii=True)


def people(case):
    """All users of a case, in the groups that their rows name; who names none gets a default group."""
    groups = collections.defaultdict(dict, beacon={})
    for rows in [case.get('expected', [])] + [s['expected'] for s in case.get('steps', [])]:
        for row in rows:
            groups[row['user']][row['group'] or 'default'] = True
    names = {'default', *(g for mine in groups.values() for g in mine)}
    return '[groups]\n' + ''.join(f'{quoted(g)} = "rwra--"\n' for g in sorted(names)) + ''.join(
        f'[users.{quoted(u)}]\nname = "A Person"\npassword = "x"\ngroups = '
        f'[{", ".join(quoted(g) for g in sorted(mine, key=lambda g: g != "default") or ["default"])}]\n'
        for u, mine in groups.items())


@contextlib.contextmanager
def serving(top, case):
    (top / 'users.toml').write_text(people(case), encoding='utf-8')
    with open(top / 'server.log', 'wb') as log, subprocess.Popen(
            [SANDBOX, '--data', top / 'server', '--users', top / 'users.toml', '--port', '0'], stdout=subprocess.PIPE, stderr=log,
            text=True) as server:
        line = server.stdout.readline()
        try:
            yield {**os.environ, 'OMERO_SERVER': 'localhost', 'OMERO_PORT': line.strip().split('ssl=')[-1],
                   'OMERO_ROOT_PASSWORD': 'omero', 'IMPOMERO_SETTLE': '0', 'IMPOMERO_STATE': str(top / 'state')}
        finally:
            server.send_signal(signal.SIGTERM)
            if server.wait(60) != 0:
                raise AssertionError((top / 'server.log').read_text(encoding='utf-8'))


# ---- what the server holds ----

def rows_of(top):
    """Path of each imported file -> number of its image."""
    with contextlib.closing(sqlite3.connect(f'file:{top}/state/ledger.db?mode=ro', uri=True)) as ledger:
        return {bytes(path) if not isinstance(path, str) else path.encode(): image for path, image in ledger.execute(
            'SELECT f.path, i.omero_id FROM fileset f JOIN image i ON i.fileset = f.id')}


IMAGES = """SELECT i.id, i.name, d.id, d.name, p.name, u.omeName, g.name,
  (SELECT v.value FROM DatasetAnnotationLink l JOIN Annotation a ON a.id = l.child JOIN Pair v ON v.object = a.id
   WHERE l.parent = d.id AND a.ns = 'impomero/source' AND v.name = 'path')
  FROM Image i LEFT JOIN DatasetImageLink dl ON dl.child = i.id LEFT JOIN Dataset d ON d.id = dl.parent
  LEFT JOIN ProjectDatasetLink pl ON pl.child = d.id LEFT JOIN Project p ON p.id = pl.parent
  JOIN Experimenter u ON u.id = i._owner JOIN ExperimenterGroup g ON g.id = i._grp"""


def notes_of(server, image):
    """Tags, pairs and comment of an image; several maps or comments are joined, so that one too many is seen."""
    tags, pairs, comments = [], [], []
    for number, kind, text in server.execute('SELECT a.id, a._kind, a.textValue FROM ImageAnnotationLink l JOIN Annotation a ON'
                                             ' a.id = l.child WHERE l.parent = ? ORDER BY a.id', (image,)):
        if kind == 'TagAnnotation':
            tags.append(text)
        elif kind == 'CommentAnnotation':
            comments.append(text)
        elif kind == 'MapAnnotation':
            pairs += [[k, v] for k, v in server.execute("SELECT name, value FROM Pair WHERE object = ? AND holder ="
                                                        " 'Annotation.mapValue' ORDER BY position", (number,))]
    return {'tags': sorted(tags), 'kv': pairs, 'comment': ''.join(comments).replace('\r\n', '\n')}


def holding(top):
    """Rows as a case has them, and annotations by dataset directory, of what the server holds."""
    files = {image: path for path, image in rows_of(top).items()}
    rows, notes = [], collections.defaultdict(list)
    with contextlib.closing(sqlite3.connect(f'file:{top}/server/sandbox.db?mode=ro', uri=True)) as server:
        for image, name, _, dataset, project, user, group, folder in server.execute(IMAGES).fetchall():
            if user == 'beacon':
                continue
            rows.append({'file': files.get(image, b'?').decode(), 'project': project, 'dataset': dataset, 'image_name': name,
                         'user': user, 'group': None if group == 'default' else group, 'dataset_dir': folder})
            notes[folder].append(notes_of(server, image))
    return rows, notes


def differences(want, top):
    rows, notes = holding(top)
    expected, have = mapping.table(want['expected']), mapping.table(rows)
    yield from (f'missing: {row}' for row in expected if row not in have)
    yield from (f'not wanted: {row}' for row in have if row not in expected)
    if len(have) != len(set(have)):
        yield f'an image twice: {have}'
    for folder, wanted in want.get('expected_annotations', {}).items():
        wanted = {**wanted, 'tags': sorted(wanted['tags']), 'comment': wanted['comment'].replace('\r\n', '\n')}
        yield from (f'annotations of {folder}: {got}, not {wanted}' for got in notes[folder] if got != wanted)


def problems(want, top, env):
    """Broken cards with their lines and contradicting ones, as `status` has them."""
    said = json.loads(subprocess.run([IMPOMERO, 'status', '--json'], env=env, capture_output=True, check=True).stdout)['problems']
    broken = {(p['path'], p['line']) for p in said if p['reason'] == 'broken-card' and p['path'].endswith('.toml')}
    wanted = {(e['card'], e['line']) for e in want.get('expected_errors', [])}
    opposed = {p['path'] for p in said if p['reason'] == 'conflict' and p['path'].endswith('.toml')}
    if broken != wanted:
        yield f'broken cards: {broken}, not {wanted}'
    if opposed != set(want.get('expected_conflicts', [])):
        yield f'contradicting cards: {opposed}'


# ---- the steps ----

def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def step(root, s):
    if s['op'] == 'write':
        write(root / s['path'], s['text'])
    elif s['op'] == 'delete':
        (root / s['path']).unlink()
    elif s['op'] == 'rename':
        (root / s['from']).rename(root / s['to'])
    else:
        for path in s['files']:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(mapping.content(root / path))


def by_import(case, top):
    root = mapping.make(case, top)
    with serving(top, case) as env:
        for n, want in enumerate([case] + case.get('steps', [])):
            if n > 0:
                step(root, want)
            for turn in range(2):
                done = subprocess.run([IMPOMERO, 'import', root], env=env, stdin=subprocess.DEVNULL, capture_output=True,
                                      text=True, timeout=PATIENCE_S, check=False)
                if done.returncode not in (0, 1):  # all is well, or something is to be said
                    yield f'step {n}: exit {done.returncode}: {done.stderr}'
                yield from (f'step {n}, import {turn + 1}: {d}' for d in differences(want, top))
            yield from (f'step {n}: {d}' for d in problems(want, top, env))


def wait_for(what, words, top):
    end = time.monotonic() + PATIENCE_S
    while not what():
        if time.monotonic() > end:
            raise AssertionError(f'{words}: not yet\n{(top / "watch.log").read_text()}')
        time.sleep(0.05)


def seen(root, top, n):
    """A card with an image of ours, made after the step: once that is in OMERO, the step has been seen."""
    folder = root / f'{BEACON}{n}'
    write(folder / 'c.toml', BEACON_CARD)
    (folder / 'b.png').write_bytes(mapping.png())
    wait_for(lambda: f'{folder.name}/b.png'.encode() in rows_of(top), f'step {n} is seen', top)


def settled(want, top):
    """What other workers have in hand may come a moment later than the beacon."""
    end = time.monotonic() + PATIENCE_S
    while (found := list(differences(want, top))) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def by_watch(case, top):
    root = mapping.make(case, top)
    with serving(top, case) as env, open(top / 'watch.log', 'wb') as log:
        watch = subprocess.Popen([IMPOMERO, 'watch', root], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_for(lambda: b'root.watched' in (top / 'watch.log').read_bytes(), 'the tree is watched', top)
            for n, want in enumerate([case] + case['steps']):
                if n > 0:
                    step(root, want)
                seen(root, top, n)
                yield from (f'step {n}, watch: {d}' for d in settled(want, top))
        finally:
            watch.send_signal(signal.SIGTERM)
            status = watch.wait(60)
        if status != 0:
            yield f'watch: exit {status}'
        yield from (f'after watch: {d}' for d in differences(case['steps'][-1], top))


def run(way, case):
    top = pathlib.Path(os.path.realpath(tempfile.mkdtemp(prefix='impomero-mapping-')))
    try:
        return list(way(case, top))
    finally:
        shutil.rmtree(top)


def main():
    cases = [json.loads(p.read_text(encoding='utf-8')) for p in sorted(pathlib.Path(CASES).glob('*.json'))]
    passed = failed = 0
    for case in (c for c in cases if not sys.argv[4:] or c['name'] in sys.argv[4:]):
        for way in (by_import, by_watch) if case.get('steps') else (by_import,):
            found = run(way, case)
            passed, failed = passed + (not found), failed + bool(found)
            for line in found:
                print(f"{case['name']}: {line}")
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())

#!/usr/bin/env python3
"""The kill test: the program dies at each durable step and each call, starts again, and the end is the same.

usage: kill.py [--jobs N] [--every K] [--kind sent] [--scene NAME] [--at N] IMPOMERO OMERO_SANDBOX USERS_TOML

For each scene it is run undisturbed, which counts its points (src/base/trap.h); then once for each point, dying there, and again until nothing
is left to do.  Ledger and server must then hold what they hold after the undisturbed run.  The number of points is held against tests/once/points:
it may rise, never fall.  `--every K` takes every K-th point from a random one on, which is printed.
"""
import argparse
import collections
import concurrent.futures
import difflib
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time

from bed import DIED, Bed, card, counts, tiff

HERE = pathlib.Path(__file__).resolve().parent
COUNTS = 3      # undisturbed runs that may fall short of tests/once/points
STARTS = 6      # how often it is started again before it must have come to an end
IDLE_OUT = 2    # before this start the sessions of earlier ones are over, as on any server after ten idle minutes
LATER_S = (90, 90, 3700)  # before the first, second and each further start, on its own clock

CARDS = {
    'a/card.toml': card('P', 'alice', tags=('spindle', 'mitosis'), pairs=(('organism', 'Danio rerio'), ('stage', '8 cells')), comment='Mounted by hand'),
    'a/b/card.toml': card('P', 'alice', tags=('mitosis',)),
    'c/card.toml': card('Q', 'bob', pairs=(('organism', 'Mus musculus'),)),
}
FILES = [f'{d}/{i}.tif' for d in ('a', 'a/x', 'a/b', 'c') for i in range(3)]


def put_first(bed):
    for name, text in CARDS.items():
        bed.put(name, text)
    for i, name in enumerate(FILES):
        bed.put(name, tiff(i))


def put_later(bed):
    for i, name in enumerate(('a/later.tif', 'a/y/later.tif', 'c/later.tif')):
        bed.put(name, tiff(100 + i))


def change_card(bed):
    bed.put('a/card.toml', card('P', 'alice', tags=('spindle', 'meiosis'), pairs=(('organism', 'Danio rerio'), ('stage', '16 cells'), ('dye', 'DAPI')),
                                comment='Mounted by robot'))


def move_directories(bed):
    """One with its card, one within a card's."""
    (bed.share / 'c').rename(bed.share / 'moved')
    (bed.share / 'a' / 'x').rename(bed.share / 'a' / 'z')


Scene = collections.namedtuple('Scene', 'name before change')
SCENES = [
    Scene('first import', (), put_first),
    Scene('later files', (put_first,), put_later),
    Scene('changed card', (put_first,), change_card),
    Scene('moved directory', (put_first,), move_directories),
]


class Slot:
    """A bed of its own for one worker, with the scene's beginning kept."""

    def __init__(self, scene, args, top):
        self.scene, self.bed = scene, Bed(tempfile.mkdtemp(dir=top), *args)
        for step in scene.before:
            step(self.bed)
        with self.bed as bed:
            if scene.before:
                must(bed.load(), 0)
        self.bed.keep('beginning')

    def begin(self):
        self.bed.restore('beginning')
        self.scene.change(self.bed)

    def undisturbed(self):
        """The end, and the points on the way."""
        self.begin()
        with self.bed as bed:
            said = must(bed.load(trap='count'), 0)
            end = bed.whole()
            must(bed.load(), 0)
        if bed.whole() != end:
            raise AssertionError(f'a second run changes something:\n{difference(end, bed.whole())}')
        return end, counts(said)

    def disturbed(self, kind, n, end):
        """None, or what went wrong."""
        self.begin()
        with self.bed as bed:
            status, died = bed.load(trap=f'{kind}:{n}')
            if status != DIED:
                return None if status == 0 else f'it ends with {status}, not at the point:\n{died}'
            said = [died]
            for i in range(STARTS):
                bed.ahead += LATER_S[min(i, len(LATER_S) - 1)]
                if i == IDLE_OUT:
                    bed.restart()
                status, words = bed.load()
                said.append(words)
                if status == 0 and bed.whole() == end:
                    return None
        return '\n'.join([*said, f'at last it ends with {status}, and differs:', difference(end, bed.whole())])


def must(run, status):
    if run[0] != status:
        raise AssertionError(f'it ends with {run[0]}, not {status}:\n{run[1]}')
    return run[1]


def difference(want, got):
    return '\n'.join(line for line in difflib.unified_diff(want, got, 'undisturbed', 'disturbed', lineterm='', n=0) if not line.startswith('@@'))


def floor_of(scene, kind):
    for line in (HERE / 'points').read_text().splitlines():
        if line and not line.startswith('#'):
            name, k, n = line.rsplit(None, 2)
            if (name, k) == (scene, kind):
                return int(n)
    raise AssertionError(f'tests/once/points has no line for: {scene} {kind}')


def points_of(a, n):
    if a.at:
        return [a.at]
    first = random.randrange(1, a.every + 1)
    return range(min(first, n), n + 1, a.every) if n else []


def kill_all(scene, a, args, top):
    """The number of failures."""
    slots = [Slot(scene, args, top) for _ in range(a.jobs)]
    floor = floor_of(scene.name, a.kind)
    for _ in range(COUNTS):  # how often the server is asked whether an import is over is a matter of luck
        end, passed = slots[0].undisturbed()
        n = passed[a.kind]
        if n >= floor:
            break
    print(f'{scene.name}: {n} points ({a.kind}), at least {floor}', flush=True)
    bad = 0
    if n < floor:
        print(f'FAIL {scene.name}: fewer points than the {floor} of tests/once/points: what is not counted any more?')
        bad += 1
    free, points, began = list(slots), points_of(a, n), time.monotonic()

    def one(point):
        slot = free.pop()
        try:
            return point, slot.disturbed(a.kind, point, end)
        except Exception as e:  # whatever goes wrong at a point is that point's failure
            slot.bed.stop()
            return point, f'{type(e).__name__}: {e}'
        finally:
            free.append(slot)

    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        for point, wrong in pool.map(one, points):
            if wrong:
                bad += 1
                print(f'FAIL {scene.name} {a.kind} {point}:\n{wrong}', flush=True)
    print(f'{scene.name}: died at {len(points)} of them{f" from {points[0]} on" if points else ""}, {bad} failures, {time.monotonic() - began:.0f} s', flush=True)
    for slot in slots:
        shutil.rmtree(slot.bed.top)
    return bad, len(points)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--jobs', type=int, default=2, help='runs at a time (default 2)')
    ap.add_argument('--every', type=int, default=1, metavar='K', help='only every K-th point')
    ap.add_argument('--kind', default='step', choices=('step', 'sent'))
    ap.add_argument('--scene', default='', metavar='NAME')
    ap.add_argument('--at', type=int, metavar='N', help='this point alone')
    ap.add_argument('program', nargs=3, metavar='PROGRAM')
    a = ap.parse_args()
    args = [os.path.abspath(p) for p in a.program]
    bad = runs = 0
    with tempfile.TemporaryDirectory(prefix='impomero-kill-') as top:
        for scene in SCENES:
            if a.scene in scene.name:
                wrong, n = kill_all(scene, a, args, top)
                bad, runs = bad + wrong, runs + n
    print(f'{runs - bad} passed, {bad} failed')
    return 1 if bad or not runs else 0


if __name__ == '__main__':
    sys.exit(main())

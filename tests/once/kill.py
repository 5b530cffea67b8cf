#!/usr/bin/env python3
"""The kill test: the program dies at each durable step and each call, starts again, and the end is the same.

usage: kill.py [--jobs N] [--every K] [--kind sent] [--scene NAME] [--at N] [--write] IMPOMERO OMERO_SANDBOX USERS_TOML

Each scene is run undisturbed, which lists its points (src/base/trap.h); then once for each point, dying there, and again until nothing
is left to do.  Ledger and server must then hold what they hold after the undisturbed run, and what people made in OMERO before stands after
every start.  The number of points is held against tests/once/points: it may rise (--write writes it down), never fall.  `--every K` takes every
K-th point from a random one on, which is printed.
"""
import argparse
import os
import pathlib
import random
import re
import shutil
import sys
import tempfile
import time

from bed import DIED, counts
from scenes import LARGE, Slot, difference, workers

POINTS = pathlib.Path(__file__).resolve().parent / 'points'
KINDS = ('step', 'sent')
COUNTS = 3      # undisturbed runs, of which the one with the fewest points counts: a busy machine adds some
STARTS = 6      # how often it is started again before it must have come to an end
IDLE_OUT = 2    # before this start the sessions of earlier ones are over, as on any server after ten idle minutes
LATER_S = (90, 90, 3700)  # before the first, second and each further start, on its own clock
LUCK = ('getResponse', 'getStatus')  # how often the server is asked whether something is over is a matter of luck


def dies(slot, point, end):
    """None, or what went wrong."""
    slot.begin()
    with slot.bed as bed:
        status, died, lost = slot.do(trap=f'{point[0]}:{point[1]}')
        if status != DIED:
            return None if status == 0 else f'it ends with {status}, not at the point:\n{died}'
        said = [died, lost]
        for i in range(STARTS):
            bed.ahead += LATER_S[min(i, len(LATER_S) - 1)]
            if i == IDLE_OUT:
                bed.restart()
            status, *words = slot.do()
            said += words
            if any(said[1::2]) or (status == 0 and bed.whole() == end):
                break
        else:
            said += [f'at last it ends with {status}, and differs:', difference(end, bed.whole())]
            return '\n'.join(said)
    return '\n'.join(said) if any(said[1::2]) else None


def sure(said, kind):
    """The number of points that do not depend on luck."""
    return sum(subject not in LUCK for subject in re.findall(rf'^point {kind}: \w+ (.*)$', said, re.M))


class Floors:
    """tests/once/points."""

    def __init__(self):
        self.lines = POINTS.read_text().splitlines()

    def at(self, scene, kind):
        for i, line in enumerate(self.lines):
            if line.startswith(f'{scene} {kind} '):
                return i, int(line.rsplit(None, 1)[1])
        raise AssertionError(f'tests/once/points has no line for: {scene} {kind}')

    def judge(self, scene, kind, n, write):
        """Fewer than there were: 1."""
        i, floor = self.at(scene, kind)
        print(f'{scene}: {n} sure points ({kind}), at least {floor}', flush=True)
        if write:
            self.lines[i] = f'{scene} {kind} {n}'
            POINTS.write_text('\n'.join(self.lines) + '\n')
        elif n < floor:
            print(f'FAIL {scene}: fewer than tests/once/points says: what is not counted any more?')
        elif n > floor:
            print(f'{scene}: more than tests/once/points says: --write writes it down')
        return n < floor and not write


def points_of(a, n):
    if a.at:
        return [a.at]
    first = random.randrange(1, a.every + 1)
    return range(min(first, n), n + 1, a.every) if n else []


def count(slot, floors, a):
    """(the end, how many points of the kind that is asked for there are with luck, failures)."""
    runs = [slot.undisturbed() for _ in range(COUNTS)]
    ends = [end for end, _ in runs]
    if ends.count(ends[0]) != COUNTS:
        raise AssertionError(f'undisturbed runs differ:\n{difference(ends[0], next(e for e in ends if e != ends[0]))}')
    return ends[0], counts(runs[0][1])[a.kind], sum(floors.judge(slot.scene.name, k, min(sure(s, k) for _, s in runs), a.write) for k in KINDS)


def kill_all(scene, floors, a, args, top):
    """The number of failures, and of deaths."""
    slots = [Slot(scene, tempfile.mkdtemp(dir=top), args) for _ in range(a.jobs)]
    end, n, bad = count(slots[0], floors, a)
    points, began = points_of(a, n) if not a.write else [], time.monotonic()
    for point, wrong in workers(slots, lambda slot, point: dies(slot, (a.kind, point), end), points):
        if wrong:
            bad += 1
            print(f'FAIL {scene.name} {a.kind} {point}:\n{wrong}', flush=True)
    print(f'{scene.name}: died at {len(points)} of {n} ({a.kind}){f" from {points[0]} on" if points else ""}, {bad} failures, '
          f'{time.monotonic() - began:.0f} s', flush=True)
    for slot in slots:
        shutil.rmtree(slot.bed.top)
    return bad, len(points)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--jobs', type=int, default=2, help='runs at a time (default 2)')
    ap.add_argument('--every', type=int, default=1, metavar='K', help='only every K-th point')
    ap.add_argument('--kind', default='step', choices=KINDS)
    ap.add_argument('--scene', default='', metavar='NAME')
    ap.add_argument('--at', type=int, metavar='N', help='this point alone')
    ap.add_argument('--write', action='store_true', help='write the numbers of points down, nobody dies')
    ap.add_argument('program', nargs=3, metavar='PROGRAM')
    a = ap.parse_args()
    args = [os.path.abspath(p) for p in a.program]
    bad, runs, floors = 0, 0, Floors()
    with tempfile.TemporaryDirectory(prefix='impomero-kill-') as top:
        for scene in LARGE:
            if a.scene in scene.name:
                wrong, n = kill_all(scene, floors, a, args, top)
                bad, runs = bad + wrong, runs + n
    print(f'{runs - bad} passed, {bad} failed')
    return 1 if bad or not (runs or a.write) else 0


if __name__ == '__main__':
    sys.exit(main())

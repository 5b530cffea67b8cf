#!/usr/bin/env python3
"""One allocation, read, write, fsync or rename fails, once, at each place in turn: the program says so and ends well, its ledger opens, and the next run
brings everything to the same end.

usage: fail.py [--jobs N] [--every K] [--kind KIND] [--at N] IMPOMERO OMERO_SANDBOX USERS_TOML

The places are counted by the program (src/base/trap.h).  `--every K` takes every K-th of the allocations, from a random one on, and all of the others.
"""
import argparse
import concurrent.futures
import os
import random
import sys
import tempfile
import time

from bed import MEMORY, Bed, card, counts, tiff

KINDS = ('read', 'write', 'sync', 'rename', 'alloc')
STATUS = {'alloc': (0, MEMORY)}  # 0: it was met where a failure means nothing, after the last step
OTHERS = (0, 1, 3, 7)            # done, some held, the configuration or the ledger cannot be read
SIGNS = ('Sanitizer', 'runtime error', 'Assertion', 'fault of this program')


class Slot:
    def __init__(self, args, top):
        self.bed = Bed(tempfile.mkdtemp(dir=top), *args, tls=True)  # a server that is met for the first time is written down
        self.bed.put('c.toml', card('P', 'alice', tags=('t',), pairs=(('k', 'v'),), comment='c'))
        for i in range(2):
            self.bed.put(f'{i}.tif', tiff(i))
        self.bed.keep('beginning')

    def undisturbed(self):
        self.bed.restore('beginning')
        with self.bed as bed:
            status, said = bed.load(trap='count')
            if status != 0:
                raise AssertionError(said)
        return self.bed.whole(), counts(said)

    def fails(self, kind, n, end):
        self.bed.restore('beginning')
        with self.bed as bed:
            status, said = bed.load(trap=f'{kind}:{n}')
            if status not in STATUS.get(kind, OTHERS) or any(s in said for s in SIGNS):
                return f'it ends with {status}:\n{said}'
            if status == MEMORY and 'out of memory' not in said:
                return f'no word of memory:\n{said}'
            if status not in (0, MEMORY) and 'impomero: ' not in said:
                return f'it ends with {status} and no word why:\n{said}'
            for _ in range(4):
                bed.ahead += 4000
                status, words = bed.load()
                if status == 0 and bed.whole() == end:
                    return None
                bed.run('retry', str(bed.share))
                bed.restart()
        return f'{said}\nthen {status}:\n{words}\n' + '\n'.join(sorted(set(end) ^ set(bed.whole())))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--jobs', type=int, default=2)
    ap.add_argument('--every', type=int, default=1, metavar='K')
    ap.add_argument('--kind', choices=KINDS)
    ap.add_argument('--at', type=int, metavar='N')
    ap.add_argument('program', nargs=3)
    a = ap.parse_args()
    args, bad, runs = [os.path.abspath(p) for p in a.program], 0, 0
    with tempfile.TemporaryDirectory(prefix='impomero-fail-') as top:
        slots = [Slot(args, top) for _ in range(a.jobs)]
        end, passed = slots[0].undisturbed()

        def one(place):
            slot = slots.pop()
            try:
                return place, slot.fails(*place, end)
            except Exception as e:  # whatever goes wrong at a place is that place's failure
                slot.bed.stop()
                return place, f'{type(e).__name__}: {e}'
            finally:
                slots.append(slot)

        for kind in KINDS:
            if a.kind not in (None, kind):
                continue
            step = a.every if kind == 'alloc' else 1
            places = [(kind, a.at)] if a.at else [(kind, n) for n in range(random.randint(1, step), passed[kind] + 1, step)]
            began, wrong = time.monotonic(), 0
            with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
                for place, why in pool.map(one, places):
                    if why:
                        wrong += 1
                        print(f'FAIL {place[0]} {place[1]}: {why}', flush=True)
            print(f'{kind}: {passed[kind]} places, {len(places)} failed once from {places[0][1] if places else 0} on, {wrong} ended badly, '
                  f'{time.monotonic() - began:.0f} s', flush=True)
            bad, runs = bad + wrong, runs + len(places)
    print(f'{runs - bad} passed, {bad} failed')
    return 1 if bad or not runs else 0


if __name__ == '__main__':
    sys.exit(main())

#!/usr/bin/env python3
"""One allocation, read, write, fsync or rename fails, once, at each place in turn: the program says so and ends well, its ledger opens, and the next run
brings everything to the same end, with what people made in OMERO as they made it.

usage: fail.py [--jobs N] [--every K] [--every-alloc K] [--kind KIND] [--scene NAME] [--at N|PLACE] IMPOMERO OMERO_SANDBOX USERS_TOML

A place is a stack of the program's calls (src/base/trap_place.h).  Each allocation's failure ends the program at once, so that each is tried in a copy
of the process, which must say so and end with status 71, while the run goes on and must come to the undisturbed end; those that do not end, or after
which it may have gone on, and every K-th of all (`--every-alloc`, from a random one on), have a run of their own, as each read, write, fsync
and rename has, of which the undisturbed run tells; one that an earlier scene had is not tried again (`--every` takes fewer of them).
"""
import argparse
import os
import random
import re
import sys
import tempfile
import time

from bed import MEMORY, counts
from scenes import SMALL, Slot, difference, workers

KINDS = ('read', 'write', 'sync', 'rename', 'alloc')
STATUS = {'alloc': (0, MEMORY)}  # 0: it was met where a failure means nothing, after the last step
OTHERS = (0, 1, 3, 7)            # done, some held, the configuration or the ledger cannot be read
SIGNS = ('Sanitizer', 'runtime error', 'Assertion', 'fault of this program')
MET = 'trap: this one fails'
WORDS = 'impomero: out of memory; '
TOLD = ('impomero: ', 'Input/output error')  # `verify` says it among what it finds
RATE = 3                         # nothing is waited for that is long; deadlines are not to come too soon on a busy machine
AGAIN = 4                        # how often it is started again before it must have come to an end
NOT_MET = 'not met'              # luck: what is done while something is waited for is not done each time


def judge(kind, status, said):
    """None, or why this is no clean end."""
    if status not in STATUS.get(kind, OTHERS) or any(s in said for s in SIGNS):
        return f'it ends with {status}:\n{said}'
    if status == MEMORY and WORDS not in said:
        return f'no word of memory:\n{said}'
    if status not in (0, MEMORY) and not any(w in said for w in TOLD):
        return f'it ends with {status} and no word why:\n{said}'
    return None


def fails(slot, trap, end):
    """None, NOT_MET or what went wrong."""
    kind = re.split('[:@]', trap)[0]
    slot.begin()
    with slot.bed as bed:
        status, said, lost = slot.do(trap=trap)
        if MET not in said and status == slot.scene.status:
            return NOT_MET
        wrong = judge(kind, status, said) or lost
        for _ in range(AGAIN if not wrong else 0):
            bed.ahead += 4000
            status, words, lost = slot.do()
            if lost or (status == slot.scene.status and bed.whole() == end):
                return f'{said}\n{words}\n{lost}' if lost else None
            bed.run('retry', str(bed.share))
            bed.restart()
    return wrong or f'{said}\nthen {status}:\n{words}\n{difference(end, bed.whole())}'


def traps_of(said, a, kind, known):
    """Where it is to fail."""
    if a.at:
        return [f'{kind}{":" if a.at.isdigit() else "@"}{a.at}']
    new = [f'{kind}@{place}' for place in re.findall(rf'^place {kind} (\w+) \d+$', said, re.M)]
    new = sorted(t for t in new if t not in known)
    known.update(new)
    return new


def in_copies(slot, end):
    """(What went wrong or None, how many copies ended as they should, the traps of the others.)"""
    slot.begin()
    with slot.bed as bed:
        status, said, lost = slot.do(trap='alloc@each')
        copies = re.findall(r'^copy alloc (\w+) (-?\d+)$', said, re.M)
        others = [f'alloc@{place}' for place, how in copies if how != str(MEMORY)]
        n, words = len(copies) - len(others), said.count(WORDS)
        if status != slot.scene.status or bed.whole() != end or lost or n != words:
            return f'{n} copies end with {MEMORY}, {words} say so, then it ends with {status}:\n{difference(end, bed.whole())}\n{lost}', n, others
    return None, n, others


def every(k, traps):
    first = random.randrange(k) if len(traps) >= k else 0
    return traps[first::k]


def fail_all(scene, kind, slots, undisturbed, a, known):
    """(Runs, failures) of one kind."""
    end, said = undisturbed
    there, began, bad, missed, copies = traps_of(said, a, kind, known), time.monotonic(), 0, 0, ''
    if kind == 'alloc' and not a.at:
        wrong, n, others = in_copies(slots[0], end)
        copies = f'; {n} copies ended with {MEMORY}, {len(others)} did not'
        traps = others + every(a.every_alloc, [t for t in there if t not in others])
        if wrong:
            bad += 1
            print(f'FAIL {scene.name}, in copies: {wrong}', flush=True)
    else:
        traps = every(a.every, there)
    for trap, why in workers(slots, lambda slot, trap: fails(slot, trap, end), traps):
        missed += why == NOT_MET
        if why not in (None, NOT_MET):
            bad += 1
            print(f'FAIL {scene.name} {trap}: {why}', flush=True)
    print(f'{scene.name}, {kind}: passed {counts(said)[kind]} times, at {len(there)} new places{copies}; {len(traps)} have a run of their own '
          f'({missed} not met), {bad} ended badly, {time.monotonic() - began:.0f} s', flush=True)
    return len(traps) - missed + (kind == 'alloc'), bad


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--jobs', type=int, default=2)
    ap.add_argument('--every', type=int, default=1, metavar='K')
    ap.add_argument('--every-alloc', type=int, default=1, metavar='K')
    ap.add_argument('--kind', choices=KINDS)
    ap.add_argument('--scene', default='', metavar='NAME')
    ap.add_argument('--at', metavar='N|PLACE')
    ap.add_argument('program', nargs=3)
    a = ap.parse_args()
    args, bad, runs, known = [os.path.abspath(p) for p in a.program], 0, 0, set()
    with tempfile.TemporaryDirectory(prefix='impomero-fail-') as top:
        for scene in SMALL:
            if a.scene not in scene.name:
                continue
            slots = [Slot(scene, tempfile.mkdtemp(dir=top), args, tls=True, rate=RATE) for _ in range(a.jobs)]  # TLS: a server met for the first time is kept
            undisturbed = slots[0].undisturbed()
            for kind in [a.kind] if a.kind else KINDS:
                n, wrong = fail_all(scene, kind, slots, undisturbed, a, known)
                runs, bad = runs + n, bad + wrong
    print(f'{runs - bad} passed, {bad} failed')
    return 1 if bad or not runs else 0


if __name__ == '__main__':
    sys.exit(main())

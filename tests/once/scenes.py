"""What is done on a bed while something goes wrong: `before` is imported, people do things by hand in the datasets `hand`, `change` happens,
and then the command is what is disturbed, which ends with `status` where nothing disturbs it.
"""
import collections
import concurrent.futures
import difflib
import shutil

from bed import Bed, card, tiff

CARDS = {
    'a/card.toml': card('P', 'alice', tags=('spindle', 'mitosis'), pairs=(('organism', 'Danio rerio'), ('stage', '8 cells')), comment='Mounted by hand'),
    'a/b/card.toml': card('P', 'alice', tags=('mitosis',)),
    'c/card.toml': card('Q', 'bob', pairs=(('organism', 'Mus musculus'),)),
}
FILES = [f'{d}/{i}.tif' for d in ('a', 'a/x', 'a/b', 'c') for i in range(3)]


def put_earlier(bed):
    bed.put('e/card.toml', card('R', 'alice', tags=('early',), pairs=(('k', 'v'),)))
    for i in range(2):
        bed.put(f'e/{i}.tif', tiff(200 + i))


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


def put_small(bed):
    bed.put('a/c.toml', card('P', 'alice', tags=('t', 'u'), pairs=(('k', 'v'), ('l', 'w')), comment='c'))
    for i in range(2):
        bed.put(f'a/{i}.tif', tiff(i))


def change_small(bed):
    bed.put('a/c.toml', card('P', 'alice', tags=('u', 'x'), pairs=(('k', 'changed'), ('m', 'z')), comment='d'))


def move_small(bed):
    """By a rename, and by a copy and a removal, which the bytes tell."""
    (bed.share / 'a').rename(bed.share / 'b')
    shutil.copyfile(bed.share / 'b' / '0.tif', bed.share / 'b' / 'again.tif')
    (bed.share / 'b' / '0.tif').unlink()


def lose_ledger(bed):
    shutil.rmtree(bed.state)
    bed.state.mkdir(mode=0o700)


def nothing(_):
    pass


Scene = collections.namedtuple('Scene', 'name before hand change command status', defaults=(('import',), 0))
# Where the program dies.
LARGE = [
    Scene('first import', (put_earlier,), ('e',), put_first),
    Scene('later files', (put_first,), ('a', 'c'), put_later),
    Scene('changed card', (put_first,), ('a', 'c'), change_card),
    Scene('moved directory', (put_first,), ('a', 'c'), move_directories),
]
# Where something fails.
SMALL = [
    Scene('first import', (), (), put_small),
    Scene('changed card', (put_small,), ('a',), change_small),
    Scene('moved directory', (put_small,), ('a',), move_small),
    Scene('adopt', (put_small,), ('a',), lose_ledger, ('adopt',)),
    Scene('ledger rebuild', (put_small,), ('a',), lose_ledger, ('ledger', 'rebuild')),
    Scene('verify', (put_small,), ('a',), nothing, ('verify',), 1),  # it tells that a tag was taken off
]


class Slot:
    """A bed of its own for one worker, with the scene's beginning kept."""

    def __init__(self, scene, top, args, **kw):
        self.scene, self.bed = scene, Bed(top, *args, **kw)
        for step in scene.before:
            step(self.bed)
        if scene.before:
            with self.bed as bed:
                must(bed.load(), 0)
            self.by_hand()
        self.bed.keep('beginning')

    def by_hand(self):
        for dataset in self.scene.hand:
            self.bed.by_hand(dataset)

    def begin(self):
        self.bed.restore('beginning')
        self.scene.change(self.bed)

    def do(self, trap=None):
        """(status, what it said, what people made and is lost)."""
        return (*self.bed.do(*self.scene.command, trap=trap), self.bed.lost())

    def undisturbed(self):
        """The end, and what the program said of its points on the way."""
        self.begin()
        with self.bed as bed:
            said = must(self.do(trap='list'), self.scene.status)
            end = bed.whole()
            must(self.do(), self.scene.status)
        if bed.whole() != end:
            raise AssertionError(f'a second run changes something:\n{difference(end, bed.whole())}')
        return end, said


def must(run, status):
    if run[0] != status or any(run[2:]):
        words = [line for text in run[1:] for line in text.splitlines() if not line.startswith(('point ', 'place '))]
        raise AssertionError('\n'.join([f'it ends with {run[0]}, not {status}:', *words]))
    return run[1]


def difference(want, got):
    return '\n'.join(line for line in difflib.unified_diff(want, got, 'undisturbed', 'disturbed', lineterm='', n=0) if not line.startswith('@@'))


def workers(slots, work, tasks):
    """(task, what became of it) of each, on all slots at a time; whatever goes wrong is that task's failure."""
    free = list(slots)

    def one(task):
        slot = free.pop()
        try:
            return task, work(slot, task)
        except Exception as e:  # as said
            slot.bed.stop()
            return task, f'{type(e).__name__}: {e}'
        finally:
            free.append(slot)

    with concurrent.futures.ThreadPoolExecutor(len(free)) as pool:
        yield from pool.map(one, tasks)

"""Steps on the share: what people, instruments and copy programs do to files, directories and cards.

A step is a function of a Player; it returns a line that says what it did, or None when it could do nothing here.
"""
import os
import shutil

from model import Card, under

STEPS = []
LOOKING = ('a_file_moves', 'a_directory_moves', 'a_file_is_written_in_parts', 'the_share_is_away_for_a_while')  # these import by themselves
DIRECTORIES = ['a', 'b', 'a/s', 'b/s t', 'c', 'a/s/u']
NAMES = ['one.tif', 'two.tif', 'three 3.tif', 'x/four.tif']


def step(weight):
    def add(fn):
        STEPS.append((weight, fn))
        return fn
    return add


# --- choosing ---

def place(p):
    """A directory that is there, or that may be made."""
    return p.rng.choice(['', *DIRECTORIES, *sorted(p.model.dirs)])


def card_text(c):
    def text(s):
        return '"' + ''.join(ch if ch >= ' ' and ch not in '"\\' else f'\\u{ord(ch):04x}' for ch in s) + '"'
    lines = ['# omero annotation file', f'project = {text(c.project)}', f'user = {text(c.user)}', 'group = "lab"',
             f'comment = {text(c.comment)}', f'tags = [{", ".join(map(text, c.tags))}]', '[kv_pairs]']
    return '\n'.join(lines + [f'{text(k)} = {text(v)}' for k, v in c.pairs]) + '\n'


def random_card(p, user=None, project=None):
    keys = [k for k in ('organism', 'sample', 'channel_0', 'nm') if p.rng.random() < 0.5]
    return Card(user or p.rng.choice(['alice', 'bob']), project or p.rng.choice(p.projects),
                tuple(t for t in p.tags if p.rng.random() < 0.4), tuple((k, p.rng.choice('ABC')) for k in keys),
                p.rng.choice(['', 'a comment', 'two\nlines']))


def done(p, path):
    return any(f.path == path for f in p.model.filesets)


def free(p, paths):
    """Files whose fate is beyond doubt: one of their content, and not changed after their import."""
    everything = list(p.model.files.values())
    changed = {f.path for f in p.model.filesets if p.model.files.get(f.path) not in (None, f.content)}
    return [x for x in sorted(paths) if everything.count(p.model.files[x]) == 1 and x not in changed]


# --- files ---

@step(10)
def a_new_file(p):
    path = os.path.join(place(p), p.rng.choice(NAMES))
    if path in p.model.files or any(under(path, x) for x in p.model.files):
        return None
    p.write_file(path, p.new_content())
    return f'new file {path}'


@step(2)
def a_copy(p):
    sources = free(p, p.model.files)
    path = os.path.join(place(p), 'copy ' + str(p.rng.randrange(1000)) + '.tif')
    if not sources or path in p.model.files:
        return None
    source = p.rng.choice(sources)
    p.write_file(path, p.model.files[source])
    return f'copy {source} to {path}'


@step(3)
def a_file_is_written_again(p):
    """Its content changes; after the import this is reported and changes nothing."""
    files = free(p, p.model.files)
    if not files:
        return None
    path = p.rng.choice(files)
    p.write_file(path, p.new_content())
    return f'rewrite {path}'


@step(2)
def a_file_grows(p):
    """Something is appended to it."""
    files = free(p, p.model.files)
    if not files:
        return None
    path = p.rng.choice(files)
    more = p.rng.randbytes(p.rng.randrange(1, 100))
    p.append(path, more, p.new_content(p.data[p.model.files[path]] + more))
    return f'append to {path}'


@step(2)
def a_file_is_written_in_parts(p):
    """An instrument stops for longer than the settle time: half a file is none."""
    path = os.path.join(place(p), p.rng.choice(NAMES))
    if path in p.model.files or any(under(path, x) for x in p.model.files):
        return None
    content = p.new_content()
    data = p.data[content]
    cut = p.rng.randrange(len(data) - 20)
    p.make_dir(os.path.dirname(path))
    p.append(path, data[:cut])
    p.look()
    p.append(path, data[cut:], content)
    return f'new file {path}, stopped after {cut} of {len(data)} bytes'


@step(2)
def a_file_is_touched(p):
    if not p.model.files:
        return None
    path = p.rng.choice(sorted(p.model.files))
    p.has_now(path, p.model.files[path])
    return f'touch {path}'


@step(3)
def a_file_is_removed(p):
    files = free(p, p.model.files)
    if not files:
        return None
    path = p.rng.choice(files)
    os.unlink(p.path(path))
    del p.model.files[path]
    return f'remove {path}'


@step(4)
def a_file_moves(p):
    """By rename, or as a copy and a removal over a network, between two looks.  Of the latter only the bytes tell, which are read
    when a card wants the file."""
    files = free(p, p.model.files)
    target = os.path.join(place(p), 'moved ' + str(p.rng.randrange(1000)) + '.tif')
    if not files or target in p.model.files:
        return None
    source, rename = p.rng.choice(files), p.rng.random() < 0.6 or not p.model.nearest(target)[1]
    p.look()
    p.make_dir(os.path.dirname(target))
    if rename:
        os.rename(p.path(source), p.path(target))
    else:
        shutil.copyfile(p.path(source), p.path(target))
        os.unlink(p.path(source))
    p.model.files[target], p.model.stamps[target] = p.model.files.pop(source), p.model.stamps.pop(source)
    if not rename:
        p.has_now(target, p.model.files[target])
    p.look()
    return f'{"rename" if rename else "copy and remove"} {source} to {target}'


# --- directories ---

@step(3)
def a_directory_moves(p):
    """With everything in it; its cards must be whole, so that nobody can doubt whose its files are."""
    directories = [d for d in p.model.dirs if d and p.model.card_at(d)]
    if not directories:
        return None
    source, target = p.rng.choice(sorted(directories)), os.path.join(place(p), 'dir ' + str(p.rng.randrange(1000)))
    inside = [x for x in p.model.files if under(x, source)]
    broken = [c for c in p.model.cards if under(c, source) and not p.model.card_at(os.path.dirname(c))]
    if under(target, source) or target in p.model.dirs or broken or len(free(p, inside)) != len(inside):
        return None
    p.look()
    p.make_dir(os.path.dirname(target))
    os.rename(p.path(source), p.path(target))
    for table in (p.model.files, p.model.stamps, p.model.cards):
        for x in [x for x in table if under(x, source)]:
            table[target + x[len(source):]] = table.pop(x)
    p.model.dirs = {target + d[len(source):] if under(d, source) else d for d in p.model.dirs}
    p.look()
    return f'rename directory {source} to {target}'


@step(1)
def the_share_is_away_for_a_while(p):
    """Unmounted: not there, or an empty directory.  Nothing may be concluded from it."""
    p.mount.away()
    p.run_away()
    p.mount.back()
    return 'the share away and back'


# --- cards ---

@step(5)
def a_new_card(p):
    directory = place(p)
    path = os.path.join(directory, p.rng.choice(['card.toml', 'card.toml', 'card.toml', 'another.toml']))
    if path in p.model.cards:
        return None
    p.write_card(path, random_card(p))
    return f'new card {path}'


@step(6)
def a_card_changes(p):
    good = [x for x, c in p.model.cards.items() if c]
    if not good:
        return None
    path = p.rng.choice(sorted(good))
    old = p.model.cards[path]
    if p.rng.random() < 0.85:
        p.write_card(path, random_card(p, old.user, old.project))
    else:
        p.write_card(path, random_card(p))
    return f'edit card {path}'


@step(1)
def a_card_breaks(p):
    if not p.model.cards:
        return None
    path = p.rng.choice(sorted(p.model.cards))
    p.write_card(path, None)
    return f'break card {path}'


@step(3)
def a_card_is_mended(p):
    """As it was for the dataset of its directory, if there is one: people undo what they did."""
    broken = [x for x, c in p.model.cards.items() if not c]
    if not broken:
        return None
    path = p.rng.choice(sorted(broken))
    p.write_card(path, next((d.applied for d in p.model.datasets if d.dir == os.path.dirname(path)), None) or random_card(p))
    return f'mend card {path}'


@step(1)
def a_card_is_removed(p):
    if not p.model.cards:
        return None
    path = p.rng.choice(sorted(p.model.cards))
    os.unlink(p.path(path))
    del p.model.cards[path]
    return f'remove card {path}'

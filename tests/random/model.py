"""What must be in OMERO after each look at the share: the mapping's rules and the design's decisions, and nothing of the program.

A path is relative to the share, '' is the share itself.  A file is its content, a number; a card is a Card, or None when broken.
"""
import dataclasses
import os.path


@dataclasses.dataclass(frozen=True)
class Card:
    user: str
    project: str
    tags: tuple = ()
    pairs: tuple = ()
    comment: str = ''


@dataclasses.dataclass(eq=False)
class Note:
    """An annotation: a tag's text, a comment's text, or a map's rows.  One that is shared is one object."""
    kind: str
    value: object
    by_hand: bool = False

    def shown(self):
        return self.kind, tuple(sorted(self.value)) if self.kind == 'map' else self.value


@dataclasses.dataclass(eq=False)
class Project:
    user: str
    name: str


@dataclasses.dataclass(eq=False)
class Image:
    name: str
    content: int
    notes: set
    place: object = None  # a Dataset or HandMade; None: deleted
    taken_off: set = dataclasses.field(default_factory=set)  # the card's tags that a person took off it


@dataclasses.dataclass(eq=False)
class HandMade:
    """A dataset that a person made."""
    user: str
    name: str
    gone: bool = False


@dataclasses.dataclass(eq=False)
class Dataset:
    dir: str
    card: Card  # by which it was made: its user and project stay
    project: Project
    name: str
    applied: Card
    wanted: Card
    description: str
    notes: dict = dataclasses.field(default_factory=dict)  # 'map', 'comment', ('tag', text) -> Note
    links: set = dataclasses.field(default_factory=set)
    gone: bool = False
    renamed: bool = False
    described: bool = False  # by a person
    filesets: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(eq=False)
class Fileset:
    path: str
    content: int
    dataset: Dataset
    image: Image
    stamp: int = 0  # of the file when it was looked at last


def merged(applied, now, wanted):
    """Rows of a map, three-way: a row that a person changed or removed stays as the person left it."""
    touched = {k for k, v in applied if (k, v) not in now}
    ours = [row for row in wanted if row[0] not in touched or row in now]
    return ours + [row for row in now if row not in applied and row not in wanted]


def under(path, top):
    return not top or path == top or path.startswith(top + '/')


class Model:
    def __init__(self, root):
        self.root = root
        self.files, self.cards, self.dirs = {}, {}, {''}
        self.stamps = {}  # path -> the time of its last write, which goes along when it is renamed; each write has another one
        self.filesets, self.datasets, self.projects, self.images = [], [], [], []
        self.hand_made = []

    # --- the share ---

    def cards_in(self, directory):
        return [c for p, c in self.cards.items() if os.path.dirname(p) == directory]

    def card_at(self, directory):
        """The card that applies to a directory by its own cards; None: broken, or contradicting each other."""
        good = {c for c in self.cards_in(directory) if c}
        return good.pop() if len(good) == 1 else None

    def nearest(self, path):
        """(directory, card) of the nearest directory with cards; (None, None) without any."""
        directory = os.path.dirname(path)
        while True:
            if self.cards_in(directory):
                return directory, self.card_at(directory)
            if not directory:
                return None, None
            directory = os.path.dirname(directory)

    def cards_above(self, path):
        return self.nearest(path)[0] is not None

    # --- a look ---

    def look(self):
        self.follow_moves()
        for d in self.datasets:
            d.wanted = self.card_at(d.dir) or d.wanted
            if not d.gone and self.same_target(d, d.wanted):
                self.follow_card(d)
        for path in sorted(self.files):
            if not any(f.path == path for f in self.filesets):
                self.take(path)

    def follow_card(self, d):
        if not d.described:
            d.description = self.description(d.dir)
        if d.wanted != d.applied:
            self.apply(d, d.wanted)

    def description(self, directory):
        return f'Imported by impomero from {os.path.join(self.root, directory) if directory else self.root}'

    @staticmethod
    def same_target(d, card):
        return (d.card.user, d.card.project) == (card.user, card.project)

    def follow_moves(self):
        """A file that no card wants is not looked at: what was done to it on the way to where one does is not known.  Of two that could
        be it, the one that was renamed is: its time says so."""
        for f in self.filesets:
            if self.files.get(f.path) == f.content:
                f.stamp = self.stamps[f.path]
        for f in [*self.followed(lambda f, path: f.stamp == self.stamps[path]), *self.followed(lambda f, path: True)]:
            self.follow_directory(f)

    def followed(self, like):
        """The filesets whose files lie elsewhere now."""
        known, moved = {f.path for f in self.filesets}, []
        for path in sorted(self.files):
            if path in known or not self.cards_above(path):
                continue
            away = [f for f in self.filesets if f.content == self.files[path] and self.files.get(f.path) != f.content and like(f, path)]
            if away:
                away[0].path, away[0].stamp = path, self.stamps[path]
                moved.append(away[0])
        return moved

    def follow_directory(self, f):
        directory, card = self.nearest(f.path)
        d = f.dataset
        if card and directory != d.dir and not self.cards_in(d.dir) and not any(x.dir == directory for x in self.datasets):
            d.dir = directory

    def take(self, path):
        directory, card = self.nearest(path)
        if not card:
            return
        d = next((x for x in self.datasets if x.dir == directory), None) or self.make(directory, card)
        if d.gone or not self.same_target(d, card):
            return
        top = len(directory) + 1 if directory else 0
        image = Image(path[top:].replace('/', '-').replace(' ', '_'), self.files[path], set(d.notes.values()), d)
        f = Fileset(path, self.files[path], d, image, self.stamps[path])
        self.images.append(image)
        self.filesets.append(f)
        d.filesets.append(f)

    def make(self, directory, card):
        project = next((p for p in self.projects if (p.user, p.name) == (card.user, card.project)), None)
        if not project:
            project = Project(card.user, card.project)
            self.projects.append(project)
        name = os.path.basename(directory or self.root).replace(' ', '_')
        d = Dataset(directory, card, project, name, Card(card.user, card.project), card, self.description(directory))
        self.datasets.append(d)
        self.apply(d, card)
        return d

    # --- a card's annotations ---

    def apply(self, d, card):
        images = [f.image for f in d.filesets if f.image.place]
        self.rewrite(d, images, 'map', self.map_of(d, card))
        self.rewrite(d, images, 'comment', self.comment_of(d, card))
        for text in set(d.applied.tags) - set(card.tags):
            self.unlink(d, images, d.notes.pop(('tag', text)))
        for text in set(card.tags) - set(d.applied.tags):
            self.link(d, images, ('tag', text), Note('tag', text))
        d.applied = card

    @staticmethod
    def map_of(d, card):
        old = d.notes.get('map')
        return merged(list(d.applied.pairs), old.value, list(card.pairs)) if old else list(card.pairs)

    @staticmethod
    def comment_of(d, card):
        old = d.notes.get('comment')
        return old.value if old and old.value != d.applied.comment else card.comment

    def rewrite(self, d, images, kind, value):
        old = d.notes.get(kind)
        if old and value:
            old.value = value
        elif old:
            self.unlink(d, images, d.notes.pop(kind))
        elif value:
            self.link(d, images, kind, Note(kind, value))

    @staticmethod
    def link(d, images, key, note):
        d.notes[key] = note
        d.links.add(note)
        for image in images:
            image.notes.add(note)

    @staticmethod
    def unlink(d, images, note):
        d.links.discard(note)
        for image in images:
            image.notes.discard(note)

    # --- what is to be seen ---

    def expected(self):
        """[(user, project or None, dataset, its annotations, its images, its description)], sorted."""
        rows = []
        for d in self.datasets:
            if not d.gone:
                rows.append((d.card.user, d.project.name, d.name, shown(d.links), self.images_in(d), d.description))
        for h in self.hand_made:
            if not h.gone:
                rows.append((h.user, '', h.name, (), self.images_in(h), ''))
        return sorted(rows)

    def images_in(self, place):
        return tuple(sorted((i.name, i.content, shown(i.notes)) for i in self.images if i.place is place))

    def by_hand(self):
        """How much of what people made is there to be seen: (annotations, tags taken off, datasets renamed)."""
        there = [i for i in self.images if i.place]
        return (sum(n.by_hand for i in there for n in i.notes),
                sum(t not in {n.value for n in i.notes if n.kind == 'tag'} for i in there for t in i.taken_off),
                sum(d.renamed and not d.gone for d in self.datasets))


def shown(notes):
    return tuple(sorted(n.shown() for n in notes))

"""What is in OMERO, seen by OME's official client: the same rows as the model's."""
import omero
from model import shown  # noqa: F401 (the same words)

KINDS = {omero.model.TagAnnotationI: 'tag', omero.model.MapAnnotationI: 'map', omero.model.CommentAnnotationI: 'comment'}
SOURCE_NS = 'impomero/source'


def note_row(a):
    kind = KINDS[type(a._obj)]
    if kind == 'map':
        return kind, tuple(sorted((p[0], p[1]) for p in a.getValue()))
    return kind, a.getTextValue()


class Observer:
    """Looks at the projects of one run; contents are told by checksum, asked for once an image."""

    def __init__(self, people, contents):
        self.people = people      # name -> Person
        self.contents = contents  # SHA-1 in hex -> content of the model
        self.known = {}           # image id -> content

    def content(self, image):
        if image.getId() not in self.known:
            hashes = {f.getHash() for f in image.getImportedImageFiles()}
            if len(hashes) != 1:
                raise AssertionError(f'Image:{image.getId()} has the files {hashes}')
            self.known[image.getId()] = self.contents.get(hashes.pop(), 'bytes that were never on the share')
        return self.known[image.getId()]

    def notes(self, person, kind, ids):
        """id -> the shown annotations of an object; the provenance is left out."""
        out = {i: [] for i in ids}
        for link in person.conn.getAnnotationLinks(kind, parent_ids=list(ids)) if ids else []:
            a = link.getAnnotation()
            if a.getNs() != SOURCE_NS:
                out[link.parent.id.val].append(note_row(a))
        return {i: tuple(sorted(rows)) for i, rows in out.items()}

    def dataset_row(self, person, project, dataset):
        images = list(dataset.listChildren())
        notes = self.notes(person, 'Image', [i.getId() for i in images])
        return (person.name, project, dataset.getName(), self.notes(person, 'Dataset', [dataset.getId()])[dataset.getId()],
                tuple(sorted((i.getName(), self.content(i), notes[i.getId()]) for i in images)), dataset.getDescription() or '')

    def rows(self, projects, hand_made):
        """`projects`: (user, name) of those to look into; `hand_made`: (user, dataset name)."""
        out = []
        for user, name in sorted(set(projects)):
            person = self.people[user]
            out += [self.dataset_row(person, name, d) for p in person.projects(name) for d in p.listChildren()]
        for user, name in sorted(set(hand_made)):
            person = self.people[user]
            for d in person.conn.getObjects('Dataset', attributes={'name': name}):
                out.append(self.dataset_row(person, '', d))
        return sorted(out)

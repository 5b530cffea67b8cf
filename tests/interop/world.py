"""What the interop checks share: the people's sessions, a name nobody else uses, and what impomero and the official client brought in.

Everything is made when a check first asks for it, so that each check also runs by itself.
"""
import contextlib
import os
import shutil

import Ice
import omero
from fixture import PASSWORD, TOP, Bench, tiff
from importer import import_files, write_file
from omero.gateway import BlitzGateway, DatasetWrapper, ProjectWrapper
from omero.rtypes import rstring

SAMPLE = os.path.join(TOP, 'sample')
CHECKS = []


def check(fn):
    CHECKS.append((fn.__name__.replace('_', '-'), fn))
    return fn


def equal(got, want, what):
    if got != want:
        raise AssertionError(f'{what}: {got!r}, not {want!r}')


def refused(call, kind, *words):
    """The call must raise the client's own exception of exactly this class (or one of a tuple), with these words in its message."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    try:
        got = call()
    except Exception as e:
        if type(e) not in kinds:
            raise AssertionError(f'{type(e).__module__}.{type(e).__name__}, not {kinds[0].__name__}: {str(e)[:600]}') from e
        text = getattr(e, 'message', None) or getattr(e, 'reason', None) or ''
        for w in words:
            if w not in text:
                raise AssertionError(f'{w!r} is not in {text[:600]!r}') from e
        return e
    raise AssertionError(f'no {kinds[0].__name__}, but {str(got)[:300]}')


@contextlib.contextmanager
def bare_client(server):
    """The client below the gateway, which tells a refused login by an exception."""
    client = omero.client(host=server.host, port=server.port)
    try:
        yield client
    finally:
        with contextlib.suppress(Ice.Exception):
            client.closeSession()


class World:
    def __init__(self, server):
        self.server = server
        self.bench = Bench(server)
        self.tag = self.bench.tag
        self.people = {}
        self.made = {}

    def close(self):
        for conn in self.people.values():
            conn.close()
        self.bench.close()

    def login(self, name, password=PASSWORD, group=None):
        conn = BlitzGateway(name, password, host=self.server.host, port=self.server.port, secure=True, group=group)
        if not conn.connect():
            raise RuntimeError(f'{name} cannot log in: {conn.getLastError()}')
        return conn

    def person(self, name):
        """A session of alice, bob, carol or root in the default group; the checks leave its context as it was."""
        if name not in self.people:
            self.people[name] = self.login(name, self.server.password if name == 'root' else PASSWORD)
        return self.people[name]

    def once(self, what, make):
        if what not in self.made:
            self.made[what] = make()
        return self.made[what]

    def sample(self):
        """The sample tree as impomero imports it; the projects are `TAG Spindle orientation` of alice and `TAG Intestine` of bob."""
        def run():
            b = self.bench
            b.copy(SAMPLE, '.')
            for path in ('gut/gut.toml', 'Spindle orientation/spindle.toml'):
                with open(b.path(path), encoding='utf-8') as f:
                    text = f.read()
                b.write(path, text.replace('project = "', f'project = "{b.tag} '))
            return b.import_share().must(0)
        return self.once('sample', run)

    def project(self, name, card):
        self.sample()
        found = list(self.person(name).getObjects('Project', attributes={'name': f'{self.tag} {card}'}))
        equal(len(found), 1, f'projects {card!r} that {name} sees')
        return found[0]

    def dataset(self, name='alice', card='Spindle orientation'):
        found = list(self.project(name, card).listChildren())
        equal(len(found), 1, f'datasets of {card!r}')
        return found[0]

    def images(self, name='alice', card='Spindle orientation'):
        return sorted(self.dataset(name, card).listChildren(), key=lambda i: i.getName())

    def target(self):
        """Project and dataset that the official client makes for alice: (project id, dataset id)."""
        def make():
            conn = self.person('alice')
            project = ProjectWrapper(conn, omero.model.ProjectI())
            project.setName(f'{self.tag} own')
            project.setDescription('made by hand')
            project.save()
            dataset = DatasetWrapper(conn, omero.model.DatasetI())
            dataset.setName(f'{self.tag} images')
            dataset.save()
            link = omero.model.ProjectDatasetLinkI()
            link.setParent(omero.model.ProjectI(project.getId(), False))
            link.setChild(omero.model.DatasetI(dataset.getId(), False))
            conn.getUpdateService().saveObject(link, conn.SERVICE_OPTS)
            return project.getId(), dataset.getId()
        return self.once('target', make)

    def file(self, name, data):
        return write_file(self.bench.dir, name, data)

    def copied(self, *names):
        """Files of the sample tree, outside of the share."""
        return [shutil.copy(os.path.join(SAMPLE, n), self.bench.dir) for n in names]

    def image(self):
        """An image in target()'s dataset that the official client imported: its id."""
        def make():
            dataset = omero.model.DatasetI(self.target()[1], False)
            ids, _ = import_files(self.person('alice'), [self.file(f'{self.tag}.tif', tiff(7))], target=dataset)
            return ids[0]
        return self.once('image', make)

    def new_image(self, seed=11):
        """One more, in no dataset, for a check that spoils it."""
        ids, _ = import_files(self.person('alice'), [self.file(f'{self.tag}-{seed}.tif', tiff(seed))])
        return ids[0]


def tag_of(text, ns=None):
    tag = omero.model.TagAnnotationI()
    tag.setTextValue(rstring(text))
    if ns is not None:
        tag.setNs(rstring(ns))
    return tag

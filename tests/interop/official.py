"""What OME's official Python client sees of a server: thin functions over its own gateway classes."""
import omero
from omero.gateway import BlitzGateway


class Person:
    """A user's own session through the official client."""

    def __init__(self, server, name, password, group=None):
        self.name = name
        self.conn = BlitzGateway(name, password, host=server.host, port=server.port, secure=True, group=group)
        if not self.conn.connect():
            raise RuntimeError(f'{name} cannot log in: {self.conn.getLastError()}')
        self.conn.SERVICE_OPTS.setOmeroGroup('-1')

    def saving_into(self, group):
        """A session that sees all groups saves into none."""
        self.conn.SERVICE_OPTS.setOmeroGroup(self.conn.getAdminService().lookupGroup(group).id.val)
        return self

    def close(self):
        self.conn.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def projects(self, name):
        return [p for p in self.conn.getObjects('Project', attributes={'name': name}) if p.getDetails().getOwner().getOmeName() == self.name]

    def datasets(self, project_name):
        return [d for p in self.projects(project_name) for d in p.listChildren()]

    def dataset(self, project_name, dataset_name):
        found = [d for d in self.datasets(project_name) if d.getName() == dataset_name]
        if len(found) != 1:
            raise AssertionError(f'{len(found)} datasets {dataset_name!r} in project {project_name!r}')
        return found[0]

    def images(self, project_name, dataset_name):
        return sorted(self.dataset(project_name, dataset_name).listChildren(), key=lambda i: (i.getName(), i.getId()))


def pairs(obj, ns):
    """The key-value pairs of an object's map annotations of a namespace, a list an annotation."""
    return [[list(p) for p in a.getValue()] for a in obj.listAnnotations(ns=ns) if a.OMERO_TYPE is omero.model.MapAnnotationI]


def tags(obj):
    return sorted(a.getTextValue() for a in obj.listAnnotations() if a.OMERO_TYPE is omero.model.TagAnnotationI)


def comments(obj):
    return [a.getTextValue() for a in obj.listAnnotations() if a.OMERO_TYPE is omero.model.CommentAnnotationI]


def annotation_ids(obj):
    return sorted(a.getId() for a in obj.listAnnotations())


def files(image):
    """(name, size, lower-case hash) of the files of an image's fileset."""
    return sorted((f.getName(), f.getSize(), f.getHash()) for f in image.getImportedImageFiles())


def shape(image):
    """What expected.json says of an image, as far as it concerns the import."""
    return {'name': image.getName(), 'size': [image.getSizeX(), image.getSizeY(), image.getSizeZ(), image.getSizeC(), image.getSizeT()],
            'pixel_type': image.getPixelsType()}

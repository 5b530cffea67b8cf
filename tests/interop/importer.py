"""Importing with the official client in its own way: the calls that its test library makes, one after the other."""
import os
import platform
import time

import omero
from omero.model import ChecksumAlgorithmI, FilesetEntryI, FilesetI, NamedValue, UploadJobI
from omero.rtypes import rbool, rstring
from omero_version import omero_version

BLOCK = 1000000


class ImportFailed(Exception):
    def __init__(self, response):
        super().__init__(f'{response.category} {response.name}')
        self.response = response


def fileset_of(paths):
    fileset = FilesetI()
    for path in paths:
        entry = FilesetEntryI()
        entry.setClientPath(rstring(path.lstrip('/')))
        fileset.addFilesetEntry(entry)
    upload = UploadJobI()
    upload.setVersionInfo([NamedValue('omero.version', omero_version), NamedValue('os.name', platform.system())])
    fileset.linkJob(upload)
    return fileset


def settings_of(target=None, name=None, description=None, annotations=(), algorithm='SHA1-160'):
    settings = omero.grid.ImportSettings()
    settings.doThumbnails = rbool(True)
    settings.noStatsInfo = rbool(False)
    settings.userSpecifiedTarget = target
    settings.userSpecifiedName = None if name is None else rstring(name)
    settings.userSpecifiedDescription = None if description is None else rstring(description)
    settings.userSpecifiedAnnotationList = list(annotations)
    settings.userSpecifiedPixels = None
    if algorithm is not None:
        settings.checksumAlgorithm = ChecksumAlgorithmI()
        settings.checksumAlgorithm.setValue(rstring(algorithm))
    return settings


def start(conn, paths, **settings):
    """The import process of these files, the main one first."""
    return conn.c.getManagedRepository().importFileset(fileset_of(paths), settings_of(**settings))


def upload(conn, process, paths):
    """Send the files; returns the hashes that verifyUpload wants."""
    for i, path in enumerate(paths):
        store = process.getUploader(i)
        try:
            with open(path, 'rb') as f:
                offset = 0
                while block := f.read(BLOCK):
                    store.write(block, offset, len(block))
                    offset += len(block)
        finally:
            store.close()
    return [conn.c.sha1(path) for path in paths]


def finish(handle, seconds=120):
    """Poll until there is a response; returns it."""
    try:
        until = time.time() + seconds
        while time.time() < until:
            response = handle.getResponse()
            if response is not None:
                return response
            time.sleep(0.1)
        raise TimeoutError('no response to the import')
    finally:
        handle.close()


def import_files(conn, paths, **settings):
    """The image ids of an import, in the order of the response."""
    process = start(conn, paths, **settings)
    try:
        response = finish(process.verifyUpload(upload(conn, process, paths)))
    finally:
        process.close()
    if isinstance(response, omero.cmd.ERR):
        raise ImportFailed(response)
    return [p.image.id.val for p in response.pixels], response


def write_file(directory, name, data):
    path = os.path.join(directory, name)
    with open(path, 'wb') as f:
        f.write(data)
    return path

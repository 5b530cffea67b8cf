"""Checks of what a server has to be set up for: imports in place, what `doctor` and `verify` find."""
import json
import os

from checks import check, equal, one_card
from fixture import PASSWORD, tiff
from official import Person, files


def repository(server):
    """The managed repository's directory by the server's own words: it has to be seen under that name from here."""
    found = server.root.c.sf.sharedResources().repositories()
    for description in found.descriptions:
        if description.name.val == 'ManagedRepository':
            return os.path.normpath(description.path.val + '/' + description.name.val)
    raise AssertionError('the server shows no managed repository')


def readable(b):
    """The server's account has to get at the share."""
    os.chmod(b.dir, 0o755)
    os.chmod(b.share, 0o755)


def sources(b):
    """Content and whose it is, by path."""
    found = {}
    for directory, _, names in os.walk(b.share):
        for name in names:
            path = os.path.join(directory, name)
            st = os.stat(path)
            with open(path, 'rb') as f:
                found[path] = (f.read(), st.st_ino, st.st_mtime_ns, st.st_mode, st.st_uid)
    return found


def placed(b, project, dataset):
    """Where the files of the dataset's images are, and what the filesets say of how they came there."""
    with Person(b.server, 'alice', PASSWORD) as alice:
        images = alice.images(project, dataset)
        equal(len(images), 2, 'images')
        root = repository(b.server)
        paths = [os.path.join(root, f.getPath(), f.getName()) for i in images for f in i.getImportedImageFiles()]
        notes = {a.getTextValue() for i in images for a in i.getFileset().listAnnotations(ns='openmicroscopy.org/omero/import/fileTransfer')}
        return paths, notes, [files(i)[0][2] for i in images]


def import_in_place(b, transfer, *options):
    project, dataset = one_card(b)
    readable(b)
    before = sources(b)
    b.impomero('import', f'--transfer={transfer}', *options, b.share).must(0)
    equal(sources(b), before, 'sources')
    return before, placed(b, project, dataset)


@check
def files_stay_where_they_are_as_symbolic_links(b):
    before, (paths, notes, _) = import_in_place(b, 'ln_s', '--trusted')
    equal(sorted(os.readlink(p) for p in paths), sorted(p for p in before if p.endswith('.tif')), 'targets of the links')
    equal(notes, {'ome.formats.importer.transfers.SymlinkFileTransfer'}, 'annotations of the filesets')


@check
def files_stay_where_they_are_as_hard_links(b):
    before, (paths, notes, _) = import_in_place(b, 'ln', '--trusted')
    equal(sorted(os.lstat(p).st_ino for p in paths), sorted(s[1] for p, s in before.items() if p.endswith('.tif')), 'inodes')
    equal(notes, {'ome.formats.importer.transfers.HardlinkFileTransfer'}, 'annotations of the filesets')


@check
def files_are_copied_into_the_repository_from_here(b):
    before, (paths, notes, _) = import_in_place(b, 'cp')
    contents = []
    for path in paths:
        with open(path, 'rb') as f:
            contents.append(f.read())
    equal(sorted(contents), sorted(s[0] for p, s in before.items() if p.endswith('.tif')), 'contents')
    equal(notes, {'ome.formats.importer.transfers.CopyFileTransfer'}, 'annotations of the filesets')


@check
def links_are_for_trusted_directories(b):
    project, _ = one_card(b)
    b.impomero('import', '--link', b.share).must(3).says('trusted')
    with Person(b.server, 'alice', PASSWORD) as alice:
        equal(len(alice.projects(project)), 0, 'projects')


@check
def what_the_server_does_not_see_is_told_before_the_first_file(b):
    project, _ = one_card(b)
    readable(b)
    b.impomero('import', '--link', '--trusted', f'--in-place-paths={b.share}=/nowhere', b.share).must(1).says('in place: path: ', '/nowhere')
    with Person(b.server, 'alice', PASSWORD) as alice:
        equal(len(alice.projects(project)), 0, 'projects')


@check
def doctor_finds_all_in_order(b):
    one_card(b)
    readable(b)
    found = json.loads(b.impomero('doctor', '--json', '--for=alice', '--group=lab', '--link', '--trusted',
                                  b.share).must(0).out)['checks']
    equal({c['check']: c['outcome'] for c in found if c['outcome'] != 'ok'}, {}, 'what is not right')
    equal(next(c['text'] for c in found if c['check'] == 'repository'), repository(b.server), 'the repository')


@check
def doctor_names_what_is_wrong(b):
    def bad(*args, **env):
        found = json.loads(b.impomero('doctor', '--json', *args, env=env).out)['checks']
        return [(c['check'], c['reason']) for c in found if c['outcome'] == 'bad']
    equal(bad(OMERO_ROOT_PASSWORD='wrong'), [('login', 'login')], 'a wrong password')
    equal(bad(OMERO_ROOT_USER='alice', OMERO_ROOT_PASSWORD=PASSWORD), [('rights', 'no-right')], 'an ordinary user')
    equal(bad('--for=dave'), [('user', 'deactivated')], 'a switched-off account')
    equal(bad('--for=carol', '--group=lab'), [('user', 'not-member')], 'a group that carol is not in')


@check
def every_checksum_is_the_one_that_the_server_has(b):
    for name in ('SHA1-160', 'MD5-128', 'CRC-32', 'Adler-32', 'File-Size-64'):
        project = f'{name} {b.tag}'
        b.card(f'{name}/card.toml', project, 'alice', 'lab')
        b.write(f'{name}/a.tif', tiff(len(name)))
        b.impomero('import', f'--checksum={name}', b.path(name)).must(0)
        with Person(b.server, 'alice', PASSWORD) as alice:
            hashers = [f.getHasher().getValue() for i in alice.images(project, name) for f in i.getImportedImageFiles()]
            equal(hashers, [name], 'hashers')


@check
def verify_finds_what_was_done_on_the_disk_and_in_omero(b):
    project, dataset = one_card(b, tags=['verify ' + b.tag], pairs=[('k', 'v')])
    b.write('run/c.tif', tiff(3))
    readable(b)
    b.import_share().must(0)
    found = json.loads(b.impomero('verify', '--json', b.share).must(0).out)
    equal((found['filesets'], found['images'], found['problems'], found['unseen']), (3, 3, [], 0), 'right after the import')
    with Person(b.server, 'alice', PASSWORD) as alice:
        first, second, _ = alice.images(project, dataset)
        alice.conn.SERVICE_OPTS.setOmeroGroup(str(first.getDetails().getGroup().getId()))
        alice.conn.deleteObjects('Image', [first.getId()], deleteAnns=False, wait=True)
        links = list(alice.conn.getAnnotationLinks('Image', parent_ids=[second.getId()]))
        alice.conn.deleteObjects('ImageAnnotationLink', [links[0].getId()], wait=True)
    with open(b.path('run/sub dir/b.tif'), 'ab') as f:
        f.write(b'more')
    found = json.loads(b.impomero('verify', '--json', b.share).must(1).out)['problems']
    equal(sorted({(p['path'], p['reason']) for p in found}),
          [('run/a.tif', 'image-gone'), ('run/c.tif', 'unlinked'), ('run/sub dir/b.tif', 'changed')], 'what was done')

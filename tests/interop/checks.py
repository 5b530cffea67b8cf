"""The system suite's checks: one function each, by its name the same on every server.

A check gets a Bench (a share, a state directory, the program) and looks at the outcome through OME's official client only.
"""
import hashlib
import json
import os
import random
import re
import time

import omero
from fixture import PASSWORD, SHARED, TOP, sample, tiff, toml
from official import Person, annotation_ids, comments, files, pairs, shape, tags
from omero.rtypes import rstring

CARD_NS = 'impomero/card'
SOURCE_NS = 'impomero/source'
CLIENT_NS = 'openmicroscopy.org/omero/client/mapAnnotation'
CHECKS = []

with open(os.path.join(SHARED, 'samples', 'expected.json'), encoding='utf-8') as _f:
    EXPECTED = {s['name']: s for s in json.load(_f)['sets']}

SETS = ['made-tiff-numbered', 'made-tiff-float-bigendian', 'made-imagej-hyperstack', 'made-ome-tiff-5d',
        'made-ome-tiff-bigtiff', 'made-ome-tiff-pyramid', 'made-ome-tiff-set', 'made-ome-tiff-three-images',
        'made-ome-companion', 'ome-tiff-czt', 'qupath-ome-tiff-2c', 'prairie-ome-tiff-alone', 'made-czi-8bit-time',
        'made-czi-mosaic', 'made-czi-rgb', 'made-czi-three-scenes', 'czi-dapi-gfp', 'czi-airyscan-lsm880',
        'czi-lattice-lightsheet', 'czi-scenes-mosaic', 'lif-xz-two-channels', 'lif-lasx-lambda', 'dm3-gatan',
        'dm4-gatan', 'dv-deltavision', 'made-avi', 'made-dv-priism', 'made-fits', 'made-ics-one-file', 'made-imaris',
        'made-jpeg2000', 'made-mrc', 'made-nifti', 'made-ome-xml', 'made-quicktime', 'made-svs-like',
        'metamorph-tiff', 'mrc-emdb-map', 'nd2-multichannel', 'nd2-old-jpeg2000', 'nd2-zstack', 'nikon-tiff',
        'oib-fluoview', 'prairie-linescan-pair', 'spe-princeton', 'svs-aperio', 'tiff-axiovision', 'tiff-olympus-sis',
        'made-ics-ids-pair', 'made-nifti-pair', 'made-nrrd-detached', 'oif-from-oib', 'dicom-ct', 'made-dicom-highdicom-rgb',
        'made-folder-of-everything', 'ndtiff-micromanager']

# Previews in the directory of a set are left out unless a root says otherwise.
LEFT_OUT = {'oif-from-oib': 'loci.formats.in.BMPReader'}


def check(fn):
    CHECKS.append((fn.__name__.replace('_', '-'), fn))
    return fn


def equal(got, want, what):
    if got != want:
        raise AssertionError(f'{what}: {got!r}, not {want!r}')


def one_card(b, user='alice', **card):
    """A share with one card directory of two TIFFs; returns the project's and the dataset's name."""
    project = f'Project {b.tag}'
    b.card('run/card.toml', project, user, 'lab', **card)
    b.write('run/a.tif', tiff(1))
    b.write('run/sub dir/b.tif', tiff(2))
    return project, 'run'


def add_by_hand(person, image, tag, rows, comment):
    """What a person does in OMERO.web: a tag, pairs and a comment on an image."""
    from omero.gateway import CommentAnnotationWrapper, MapAnnotationWrapper, TagAnnotationWrapper
    person.conn.SERVICE_OPTS.setOmeroGroup(str(image.getDetails().getGroup().getId()))
    for wrapper, value, ns in ((TagAnnotationWrapper, tag, None), (MapAnnotationWrapper, rows, CLIENT_NS), (CommentAnnotationWrapper, comment, None)):
        note = wrapper(person.conn)
        note.setValue(value)
        if ns:
            note.setNs(ns)
        note.save()
        image.linkAnnotation(note)
    person.conn.SERVICE_OPTS.setOmeroGroup('-1')


@check
def two_cards_of_two_people(b):
    b.copy(os.path.join(TOP, 'sample'), '.')
    for path in ('gut/gut.toml', 'Spindle orientation/spindle.toml'):
        with open(b.path(path), encoding='utf-8') as f:
            text = f.read()
        b.write(path, text.replace('project = "', f'project = "{b.tag} '))
    b.import_share().must(0)
    with Person(b.server, 'alice', PASSWORD) as alice:
        images = alice.images(f'{b.tag} Spindle orientation', 'Spindle_orientation')
        equal([i.getName() for i in images], ['embryo_1-field_0001.tif', 'embryo_1-field_0002.tif', 'embryo_1-field_0003.tif',
                                              'embryo_2-time_lapse.czi'], 'images of alice')
        for obj in (*images, alice.dataset(f'{b.tag} Spindle orientation', 'Spindle_orientation')):
            equal(pairs(obj, CARD_NS), [[['organism', 'Drosophila melanogaster'], ['sample', 'Embryo'],
                                         ['method', 'Spinning disk confocal microscopy'], ['channel_0', 'Jupiter-GFP'],
                                         ['channel_1', 'His2Av-mRFP']]], f'pairs of {obj.getName()}')
            equal(tags(obj), ['mitosis', 'spindle'], f'tags of {obj.getName()}')
            equal(len(comments(obj)), 1, f'comments of {obj.getName()}')
            equal(obj.getDetails().getOwner().getOmeName(), 'alice', 'owner')
            equal(obj.getDetails().getGroup().getName(), 'lab', 'group')
    with Person(b.server, 'bob', PASSWORD) as bob:
        images = bob.images(f'{b.tag} Intestine', 'gut')
        equal([i.getName().split(' [')[0] for i in images if 'stained' in i.getName()], ['stained-overview.png', 'stained-section.jpg'], 'images of bob')
        equal(sorted(f[0] for i in images if 'stained' not in i.getName() for f in files(i)),
              ['run_T0_C0.ome.tiff', 'run_T0_C1.ome.tiff', 'run_T1_C0.ome.tiff', 'run_T1_C1.ome.tiff'], 'files of the OME-TIFF set')


@check
def an_image_is_the_file_byte_for_byte(b):
    project, dataset = one_card(b)
    b.import_share().must(0)
    with Person(b.server, 'alice', PASSWORD) as alice:
        images = alice.images(project, dataset)
        equal([i.getName() for i in images], ['a.tif', 'sub_dir-b.tif'], 'images')
        for image, seed in zip(images, (1, 2)):
            data = tiff(seed)
            equal([(f[1], f[2]) for f in files(image)], [(len(data), hashlib.sha1(data).hexdigest())], 'size and checksum on the server')
            equal(shape(image)['size'], [8, 8, 1, 1, 1], 'size of the image')


@check
def nothing_is_imported_twice(b):
    project, dataset = one_card(b, tags=['once'])
    b.import_share().must(0)
    with Person(b.server, 'alice', PASSWORD) as alice:
        before = [i.getId() for i in alice.images(project, dataset)]
        b.import_share().must(0)
        equal([i.getId() for i in alice.images(project, dataset)], before, 'images after a second import')
        equal(len(alice.projects(project)), 1, 'projects')


@check
def a_later_file_goes_to_its_dataset(b):
    project, dataset = one_card(b, pairs=[('k', 'v')])
    b.import_share().must(0)
    b.write('run/later.tif', tiff(9))
    b.import_share().must(0)
    with Person(b.server, 'alice', PASSWORD) as alice:
        images = alice.images(project, dataset)
        equal([i.getName() for i in images], ['a.tif', 'later.tif', 'sub_dir-b.tif'], 'images')
        equal(pairs(images[1], CARD_NS), [[['k', 'v']]], 'pairs of the later file')


@check
def one_annotation_a_card_is_shared(b):
    project, dataset = one_card(b, pairs=[('b', '2'), ('a', '1'), ('b', '2')][:2], tags=['shared'], comment='A comment\nof two lines: é')
    b.import_share().must(0)
    with Person(b.server, 'alice', PASSWORD) as alice:
        d = alice.dataset(project, dataset)
        ids = [annotation_ids(i) for i in alice.images(project, dataset)]
        equal(ids[0], ids[1], 'annotations of the images')
        equal(len(ids[0]), 3, 'number of annotations of an image')
        equal([i for i in ids[0] if i not in annotation_ids(d)], [], 'annotations that the dataset lacks')
        equal(pairs(d, CARD_NS), [[['b', '2'], ['a', '1']]], 'pairs, in order')
        equal(comments(d), ['A comment\nof two lines: é'], 'comment')


@check
def a_tag_that_exists_is_used_again(b):
    from omero.gateway import TagAnnotationWrapper
    text = f'tag {b.tag}'
    with Person(b.server, 'alice', PASSWORD, 'lab') as alice:
        alice.conn.SERVICE_OPTS.setOmeroGroup(str(alice.conn.getEventContext().groupId))
        tag = TagAnnotationWrapper(alice.conn)
        tag.setValue(text)
        tag.save()
        project, dataset = one_card(b, tags=[text])
        b.import_share().must(0)
        for image in alice.images(project, dataset):
            equal([a.getId() for a in image.listAnnotations()], [tag.getId()], 'the tag')


def make_by_hand(person, group, text):
    """A tag and a project of this text, made by a person in a group; the tag's id."""
    update = person.conn.getUpdateService()
    context = {'omero.group': str(next(g.getId() for g in person.conn.getGroupsMemberOf() if g.getName() == group))}
    tag, project = omero.model.TagAnnotationI(), omero.model.ProjectI()
    tag.textValue = project.name = rstring(text)
    update.saveAndReturnObject(project, context)
    return update.saveAndReturnObject(tag, context).id.val


def somebody_elses_names(b, group, owner, user, shared):
    """`owner` has a tag and a project of the names that the card of `user` has in the same group."""
    text = f'same {b.tag}'
    with Person(b.server, owner, PASSWORD, group) as other:
        theirs = make_by_hand(other, group, text)
        b.card('run/card.toml', text, user, group, tags=[text])
        b.write('run/a.tif', tiff(1))
        b.import_share().must(0)
        with Person(b.server, user, PASSWORD, group) as person:
            images = person.images(text, 'run')
            equal([i.getName() for i in images], ['a.tif'], f'images in the project of {user}')
            notes = [a for a in images[0].listAnnotations() if a.OMERO_TYPE is omero.model.TagAnnotationI]
            equal([a.getTextValue() for a in notes], [text], 'tags')
            equal(notes[0].getId() == theirs, shared, f'the tag of {owner} is used again')
        equal([d.getName() for d in other.datasets(text)], [], f'datasets in the project of {owner}')


@check
def a_tag_and_a_project_of_somebody_else_in_a_read_annotate_group(b):
    somebody_elses_names(b, 'lab', 'bob', 'alice', True)


@check
def a_tag_and_a_project_of_somebody_else_in_a_read_write_group(b):
    somebody_elses_names(b, 'shared_rw', 'bob', 'alice', True)


@check
def a_tag_and_a_project_of_somebody_else_in_a_read_only_group(b):
    somebody_elses_names(b, 'ro', 'bob', 'alice', False)


@check
def a_tag_and_a_project_of_somebody_else_in_a_private_group(b):
    somebody_elses_names(b, 'priv', 'carol', 'bob', False)


@check
def the_dataset_says_where_it_comes_from(b):
    project, dataset = one_card(b, title='The title of the card')
    b.import_share().must(0)
    with Person(b.server, 'alice', PASSWORD) as alice:
        d = alice.dataset(project, dataset)
        source = pairs(d, SOURCE_NS)
        equal(len(source), 1, 'provenance annotations')
        equal([k for k, _ in source[0] if k in ('uuid', 'ledger', 'root', 'path')], ['uuid', 'ledger', 'root', 'path'], 'keys of the provenance')
        for word in ('run', 'The title of the card'):
            if word not in (d.getDescription() or ''):
                raise AssertionError(f'{word!r} is not in the description {d.getDescription()!r}')


@check
def two_directories_of_one_name_are_two_datasets(b):
    project = f'Project {b.tag}'
    for n, top in enumerate(('x', 'y')):
        b.card(f'{top}/run/card.toml', project, 'alice', 'lab')
        b.write(f'{top}/run/a.tif', tiff(n))
    b.import_share().must(0)
    with Person(b.server, 'alice', PASSWORD) as alice:
        equal([d.getName() for d in alice.datasets(project)], ['run', 'run'], 'datasets')
        equal(len(alice.projects(project)), 1, 'projects')


@check
def odd_names_arrive_as_they_are(b):
    project = f'Prøject "{b.tag}" / 100 % : プロジェクト'
    b.card('é ü/card.toml', project, 'alice', 'lab', tags=['#é, "x"'], pairs=[('ключ "1"', 'a\tb\n c')])
    b.write('é ü/%s $HOME; rm -rf .tif', tiff(3))
    b.write('é ü/細胞:1?.tif', tiff(4))
    b.import_share().must(0)
    with Person(b.server, 'alice', PASSWORD) as alice:
        images = alice.images(project, 'é_ü')
        equal([i.getName() for i in images], ['%s_$HOME;_rm_-rf_.tif', '細胞:1?.tif'], 'images')
        equal(pairs(images[0], CARD_NS), [[['ключ "1"', 'a\tb\n c']]], 'pairs')
        equal(tags(images[0]), ['#é, "x"'], 'tags')


@check
def a_broken_card_disturbs_nothing_else(b):
    project, dataset = one_card(b)
    b.write('bad/card.toml', '# omero annotation file\nproject = "P"\nuser = alice\n')
    b.write('bad/c.tif', tiff(5))
    b.import_share().must(1).says(r'bad/card\.toml:3')
    with Person(b.server, 'alice', PASSWORD) as alice:
        equal(len(alice.images(project, dataset)), 2, 'images of the good card')


@check
def an_unknown_user_disturbs_nobody_else(b):
    project, dataset = one_card(b)
    b.card('other/card.toml', project, 'nobody-' + b.tag, 'lab')
    b.write('other/c.tif', tiff(5))
    b.import_share().must(1).says('nobody-' + b.tag, 'no such user')
    with Person(b.server, 'alice', PASSWORD) as alice:
        equal(len(alice.images(project, dataset)), 2, 'images of the good card')


@check
def an_unknown_group_is_named(b):
    b.card('run/card.toml', f'Project {b.tag}', 'alice', 'no-group-' + b.tag)
    b.write('run/a.tif', tiff(1))
    b.import_share().must(1).says('no-group-' + b.tag)


@check
def a_group_that_the_user_is_not_in_is_refused(b):
    b.card('run/card.toml', f'Project {b.tag}', 'bob', 'elsewhere')
    b.write('run/a.tif', tiff(1))
    b.import_share().must(1).says('bob', 'elsewhere')


@check
def root_is_no_card_user(b):
    b.card('run/card.toml', f'Project {b.tag}', 'root')
    b.write('run/a.tif', tiff(1))
    b.import_share().must(1).says('root', 'refused|not allowed')


@check
def cards_act_for_whom_the_policy_of_their_root_lets_them(b):
    project = f'Project {b.tag}'
    for directory in 'alice', 'bob':
        b.card(f'{directory}/card.toml', project, 'alice')
        b.write(f'{directory}/{directory}.tif', tiff(1))
    conf = os.path.join(b.dir, 'conf')
    root = f'[[root]]\nname = "share"\npath = {toml(b.share)}\n'
    with open(conf, 'w', encoding='utf-8') as f:
        f.write(root)
    b.impomero('import', f'--config={conf}', b.share).must(3).says('no policy says whom its cards may act for')
    with open(conf, 'w', encoding='utf-8') as f:
        f.write(root + 'policy = "list"\nallow = ["{user} = *"]\n')
    b.impomero('import', f'--config={conf}', b.share).must(1).says('bob/', "does not name user 'alice'")
    with Person(b.server, 'alice', PASSWORD) as alice:
        equal([i.getName() for i in alice.images(project, 'alice')], ['alice.tif'], 'images')
        equal([d.getName() for d in alice.datasets(project)], ['alice'], 'datasets')


@check
def a_file_that_omero_cannot_read_is_reported_and_leaves_nothing(b):
    project, dataset = one_card(b)
    b.write('run/broken.tif', tiff(6)[:60])
    b.import_share().must(1).says(r'broken\.tif')
    with Person(b.server, 'alice', PASSWORD) as alice:
        equal([i.getName() for i in alice.images(project, dataset)], ['a.tif', 'sub_dir-b.tif'], 'images')


def files_named(person, name):
    """Ids of the files of this name that OMERO keeps."""
    return sorted(f.getId() for f in person.conn.getObjects('OriginalFile', attributes={'name': name}))


def unreadable_pixels(b, compression, words):
    """A TIFF whose directory is right and whose pixels are not what it says: OMERO makes its image first and fails then."""
    project, dataset = one_card(b, tags=['unreadable'])
    name = f'bad-{b.tag}.tif'
    b.write(f'run/{name}', tiff(6, compression=compression))
    b.import_share().must(1).says(name, *words)
    with Person(b.server, 'alice', PASSWORD) as alice:
        equal([i.getName() for i in alice.images(project, dataset)], ['a.tif', 'sub_dir-b.tif'], 'images')
        equal(files_named(alice, name), [], 'files that are left')
        problems = json.loads(b.impomero('status', '--json').must(0).out)['problems']
        equal([(p['reason'], p['path'].endswith(name)) for p in problems], [('import-failed', True)], 'what is held')
        b.import_share().must(1).says(*words)
        equal(files_named(alice, name), [], 'files after another look')


@check
def a_file_whose_pixels_cannot_be_unpacked_is_held_and_leaves_no_image(b):
    unreadable_pixels(b, 8, [r'incorrect header check'])


@check
def a_file_on_which_the_reader_fails_is_held_and_leaves_no_image(b):
    unreadable_pixels(b, 7, [r'ImageIO returned null'])


@check
def files_that_are_no_images_are_named(b):
    project, dataset = one_card(b)
    b.write('run/notes.txt', 'no image')
    b.write('run/empty.tif', b'')
    b.import_share().says(r'empty\.tif')
    b.impomero('plan', '--all', b.share).must(0).says(r'notes\.txt', r'empty\.tif')
    with Person(b.server, 'alice', PASSWORD) as alice:
        equal(len(alice.images(project, dataset)), 2, 'images')


@check
def a_wrong_password_is_said_so(b):
    one_card(b)
    b.import_share(env={'OMERO_ROOT_PASSWORD': 'wrong'}).must(5).says('root', 'password')


@check
def a_server_that_is_not_there_is_said_so(b):
    one_card(b)
    b.import_share(env={'OMERO_PORT': '1'}).must(4).says(':1', 'reach|refused')


@check
def status_knows_what_was_done(b):
    one_card(b)
    b.import_share().must(0)
    done = json.loads(b.impomero('status', '--json').must(0).out)
    text = json.dumps(done)
    if 'done' not in text:
        raise AssertionError(f'status does not speak of done filesets: {text[:500]}')


@check
def a_changed_card_is_followed(b):
    project, dataset = one_card(b, pairs=[('keep', '1'), ('change', 'old'), ('drop', 'x')], tags=['stays ' + b.tag, 'goes ' + b.tag], comment='old words')
    b.import_share().must(0)
    with Person(b.server, 'alice', PASSWORD) as alice:
        before = [i.getId() for i in alice.images(project, dataset)]
        b.card('run/card.toml', project, 'alice', 'lab', pairs=[('keep', '1'), ('change', 'new'), ('add', 'y')],
               tags=['stays ' + b.tag, 'comes ' + b.tag], comment='new words')
        b.import_share().must(0)
        images = alice.images(project, dataset)
        equal([i.getId() for i in images], before, 'images')
        for obj in (*images, alice.dataset(project, dataset)):
            equal(pairs(obj, CARD_NS), [[['keep', '1'], ['change', 'new'], ['add', 'y']]], f'pairs of {obj.getName()}')
            equal(tags(obj), sorted(['stays ' + b.tag, 'comes ' + b.tag]), f'tags of {obj.getName()}')
            equal(comments(obj), ['new words'], f'comments of {obj.getName()}')


@check
def what_people_wrote_in_omero_stays(b):
    project, dataset = one_card(b, pairs=[('k', 'v')], tags=['card ' + b.tag])
    b.import_share().must(0)
    with Person(b.server, 'alice', PASSWORD, 'lab') as alice:
        image = alice.images(project, dataset)[0]
        add_by_hand(alice, image, 'hand ' + b.tag, [['mine', '1']], 'my words')
        b.card('run/card.toml', project, 'alice', 'lab', pairs=[('k', 'w')], tags=['other ' + b.tag])
        b.import_share().must(0)
        image = alice.images(project, dataset)[0]
        equal(tags(image), sorted(['hand ' + b.tag, 'other ' + b.tag]), 'tags')
        equal(pairs(image, CLIENT_NS), [[['mine', '1']]], 'pairs made by hand')
        equal(comments(image), ['my words'], 'comments')
        equal(pairs(image, CARD_NS), [[['k', 'w']]], 'pairs of the card')


@check
def an_image_deleted_in_omero_is_not_imported_again(b):
    project, dataset = one_card(b)
    b.import_share().must(0)
    with Person(b.server, 'alice', PASSWORD) as alice:
        gone = alice.images(project, dataset)[0]
        alice.conn.deleteObjects('Image', [gone.getId()], wait=True)
        b.import_share()
        equal([i.getName() for i in alice.images(project, dataset)], ['sub_dir-b.tif'], 'images')


@check
def a_renamed_dataset_gets_later_files(b):
    project, dataset = one_card(b)
    b.import_share().must(0)
    with Person(b.server, 'alice', PASSWORD, 'lab') as alice:
        d = alice.dataset(project, dataset)
        d.setName('renamed by hand')
        d.save()
        b.write('run/later.tif', tiff(9))
        b.import_share().must(0)
        equal([x.getName() for x in alice.datasets(project)], ['renamed by hand'], 'datasets')
        equal(len(alice.images(project, 'renamed by hand')), 3, 'images')


@check
def a_switched_off_account_is_refused(b):
    b.card('run/card.toml', f'Project {b.tag}', 'dave', 'lab')
    b.write('run/a.tif', tiff(1))
    b.import_share().must(1).says('dave', 'switched off')


@check
def an_administrator_with_nothing_but_sudo_is_enough(b):
    project, dataset = one_card(b, tags=['sudo ' + b.tag], pairs=[('k', 'v')])
    b.import_share(env={'OMERO_ROOT_USER': 'importer', 'OMERO_ROOT_PASSWORD': PASSWORD}).must(0)
    with Person(b.server, 'alice', PASSWORD) as alice:
        equal(len(alice.images(project, dataset)), 2, 'images')


@check
def an_ordinary_user_cannot_act_for_others(b):
    one_card(b)
    b.import_share(env={'OMERO_ROOT_USER': 'bob', 'OMERO_ROOT_PASSWORD': PASSWORD}).must(5).says('bob', 'Sudo')


@check
def a_private_group_works(b):
    project = f'Project {b.tag}'
    b.card('run/card.toml', project, 'carol', tags=['private ' + b.tag], pairs=[('k', 'v')])
    b.write('run/a.tif', tiff(1))
    b.import_share().must(0)
    with Person(b.server, 'carol', PASSWORD) as carol:
        equal([tags(i) for i in carol.images(project, 'run')], [['private ' + b.tag]], 'tags')


@check
def another_certificate_than_before_is_refused(b):
    one_card(b)
    b.import_share().must(0)
    known = os.path.join(b.state, 'known_servers')
    with open(known, encoding='utf-8') as f:
        text = f.read()
    with open(known, 'w', encoding='utf-8') as f:
        f.write(re.sub('[0-9a-f]{64}', '0' * 64, text))
    b.write('run/later.tif', tiff(7))
    b.import_share().must(4).says('certificate')


@check
def no_session_is_left_behind(b):
    def open_sessions():
        rows = b.server.root.getQueryService().projection(
            "select s.id from Session s where s.closed is null and s.userAgent in ('OMERO.sudo', 'impomero')", None, {'omero.group': '-1'})
        return {r[0].val for r in rows}

    before = open_sessions()
    one_card(b)
    b.import_share().must(0)
    equal(open_sessions() - before, set(), 'sessions left open')


@check
def a_session_of_a_run_that_was_killed_is_closed(b):
    def open_sessions():
        rows = b.server.root.getQueryService().projection(
            "select s.id from Session s where s.closed is null and s.userAgent in ('OMERO.sudo', 'impomero')", None, {'omero.group': '-1'})
        return {r[0].val for r in rows}

    project, before = f'Project {b.tag}', open_sessions()
    b.card('run/card.toml', project, 'alice', 'lab')
    b.write('run/large.tif', tiff(1, 8192, 16384))
    with b.watching() as process:
        soon('the upload', lambda: 'call="upload"' in b.watch_log(), True, pause=0.01)
        process.kill()
        process.wait()
        process.returncode = 0  # as it was meant
    b.import_share().must(0)
    with Person(b.server, 'alice', PASSWORD) as alice:
        equal([i.getName() for i in alice.images(project, 'run')], ['large.tif'], 'images')
    equal(open_sessions() - before, set(), 'sessions left open')


def soon(what, probe, want, seconds=60, pause=0.3):
    """Ask again until it is so."""
    end = time.monotonic() + seconds
    while (got := probe()) != want:
        if time.monotonic() > end:
            raise AssertionError(f'{what}: {got!r}, not {want!r}, after {seconds} s')
        time.sleep(pause)


def all_done(b, n, seconds=60):
    """The server shows images before their import has ended."""
    def count():
        counts = json.loads(b.impomero('status', '--json').must(0).out)['counts']
        return {c['state']: c['n'] for c in counts}
    soon('filesets', count, {'done': n}, seconds)


def names(person, project, dataset):
    return [i.getName() for d in person.datasets(project) if d.getName() == dataset
            for i in sorted(d.listChildren(), key=lambda i: (i.getName(), i.getId()))]


@check
def watch_takes_files_that_come_later_in_any_way(b):
    project, dataset = one_card(b, tags=['watched ' + b.tag])
    with Person(b.server, 'alice', PASSWORD) as alice, b.watching():
        soon('images at the start', lambda: names(alice, project, dataset), ['a.tif', 'sub_dir-b.tif'])
        b.write('run/c.tif', tiff(3))
        b.write('run/.d.part', tiff(4))
        os.rename(b.path('run/.d.part'), b.path('run/d.tif'))
        b.write('run/new/newer/newest/e.tif', tiff(5))
        soon('later images', lambda: names(alice, project, dataset),
             ['a.tif', 'c.tif', 'd.tif', 'new-newer-newest-e.tif', 'sub_dir-b.tif'])
        b.write('elsewhere/f.tif', tiff(6))
        os.rename(b.path('elsewhere'), b.path('run/moved in'))
        soon('with a directory that was moved in', lambda: len(names(alice, project, dataset)), 6)
        equal([tags(i) for i in alice.images(project, dataset)], [['watched ' + b.tag]] * 6, 'tags')
        equal(len(alice.datasets(project)), 1, 'datasets')


@check
def watch_takes_a_card_that_comes_after_its_files(b):
    b.write('run/a.tif', tiff(1))
    project = f'Project {b.tag}'
    with Person(b.server, 'alice', PASSWORD) as alice, b.watching():
        b.write('run/b.tif', tiff(2))
        time.sleep(2)
        equal(alice.projects(project), [], 'projects without a card')
        b.card('card.tmp', project, 'alice', 'lab', pairs=[('k', 'v')])
        os.rename(b.path('card.tmp'), b.path('run/card.toml'))
        soon('images', lambda: names(alice, project, 'run'), ['a.tif', 'b.tif'])
        equal([pairs(i, CARD_NS) for i in alice.images(project, 'run')], [[[['k', 'v']]]] * 2, 'pairs')


@check
def watch_follows_a_card_that_changes(b):
    project, dataset = one_card(b, pairs=[('k', 'old')], tags=['goes ' + b.tag])
    with Person(b.server, 'alice', PASSWORD) as alice, b.watching():
        soon('images', lambda: len(names(alice, project, dataset)), 2)
        before = [i.getId() for i in alice.images(project, dataset)]
        b.card('run/card.toml', project, 'alice', 'lab', pairs=[('k', 'new')], tags=['comes ' + b.tag])
        soon('pairs', lambda: [pairs(i, CARD_NS) for i in alice.images(project, dataset)], [[[['k', 'new']]]] * 2)
        soon('tags', lambda: [tags(i) for i in alice.images(project, dataset)], [['comes ' + b.tag]] * 2)
        equal([i.getId() for i in alice.images(project, dataset)], before, 'images')


@check
def watch_waits_until_files_are_quiet(b):
    project, dataset = one_card(b)
    with Person(b.server, 'alice', PASSWORD) as alice, b.watching(env={'IMPOMERO_SETTLE': '4'}):
        soon('images', lambda: len(names(alice, project, dataset)), 2)
        data = tiff(7)
        for n in range(6):
            b.write('run/slow.tif', data[:(n + 1) * len(data) // 6])
            time.sleep(1)
        equal(len(names(alice, project, dataset)), 2, 'images while it is written')
        soon('images', lambda: len(names(alice, project, dataset)), 3)
        equal([f[1] for i in alice.images(project, dataset) if i.getName() == 'slow.tif' for f in files(i)], [len(data)], 'size')


@check
def watch_goes_on_where_it_was_stopped(b):
    project, dataset = one_card(b)
    for n in range(30):
        b.write(f'run/n{n:02}.tif', tiff(n + 10))
    with Person(b.server, 'alice', PASSWORD) as alice:
        for seconds in (1, 2, 3):
            with b.watching():
                time.sleep(seconds)
        with b.watching():
            soon('images', lambda: len(names(alice, project, dataset)), 32, 120)
        equal(len(set(names(alice, project, dataset))), 32, 'different names')


@check
def watch_keeps_a_ledger_to_itself(b):
    project, dataset = one_card(b)
    with Person(b.server, 'alice', PASSWORD) as alice, b.watching():
        soon('images', lambda: len(names(alice, project, dataset)), 2)
        b.import_share().must(6).says('works on it')
        b.impomero('status').must(0).says('works on it')


@check
def watch_waits_for_a_server_that_is_away(b):
    one_card(b)
    with b.watching(env={'OMERO_PORT': '1'}) as process:
        time.sleep(2)
        equal(process.poll(), None, 'end of watch')
        for words in ('no-server', 'engine.paused'):
            if words not in b.watch_log():
                raise AssertionError(f'nothing about {words}')
        b.impomero('status').must(0).says('2 ready')


def seen(image):
    return tags(image), pairs(image, CARD_NS)


class Changing:
    """A tree of two people that changes by a seeded chance, and what must come of it."""

    def __init__(self, b):
        self.b = b
        self.random = random.Random(int(b.tag, 16))
        self.owners = {'run': 'alice', 'other': 'bob'}
        self.files = {run: [] for run in self.owners}
        self.round = dict.fromkeys(self.owners, 0)
        for run in self.owners:
            self.change_card(run)
            self.add_file(run)

    def project(self, run):
        return f'{run} {self.b.tag}'

    def tags(self, run):
        return [f'{run} {self.b.tag} {self.round[run]}', f'{run} {self.b.tag}']

    def rows(self, run):
        return [['round', str(self.round[run])], ['stays', 'so']]

    def change_card(self, run):
        self.round[run] += 1
        self.b.card(f'{run}/.card.toml.part', self.project(run), self.owners[run], 'lab', tags=self.tags(run), pairs=self.rows(run))
        os.rename(self.b.path(f'{run}/.card.toml.part'), self.b.path(f'{run}/card.toml'))

    def new_name(self, run):
        self.files[run].append(f'{self.random.choice(("", "sub ", "a/b "))}f{len(self.files[run]):04}.tif'.replace(' ', '/'))
        return self.files[run][-1]

    def add_file(self, run):
        self.b.write(f'{run}/{self.new_name(run)}', tiff(self.random.randrange(99)))

    def move_file_in(self, run):
        self.b.write('.arriving', tiff(self.random.randrange(99)))
        os.rename(self.b.path('.arriving'), self.b.path(f'{run}/{self.new_name(run)}'))

    def write_slowly(self, run):
        data, name = tiff(self.random.randrange(99)), f'{run}/{self.new_name(run)}'
        for n in (30, 80, len(data)):
            self.b.write(name, data[:n])
            time.sleep(0.2)

    def break_card(self, run):
        self.b.write(f'{run}/card.toml', '# omero annotation file\nproject = "half')
        time.sleep(0.3)
        self.change_card(run)

    def remove_source(self, run):
        """Of a file whose image is in OMERO: the image stays."""
        name = self.files[run][0]
        counts = json.loads(self.b.impomero('status', '--json', self.b.path(f'{run}/{name}')).must(0).out)['counts']
        if [(c['state'], c['n']) for c in counts] == [('done', 1)] and os.path.exists(self.b.path(f'{run}/{name}')):
            os.unlink(self.b.path(f'{run}/{name}'))

    def step(self):
        act = self.random.choices((self.add_file, self.move_file_in, self.write_slowly, self.change_card, self.break_card, self.remove_source),
                                  (6, 4, 2, 1, 1, 1))[0]
        act(self.random.choice(list(self.owners)))

    def settle(self, seconds):
        all_done(self.b, sum(len(f) for f in self.files.values()), seconds)
        for run, user in self.owners.items():
            with Person(self.b.server, user, PASSWORD) as person:
                soon(f'pairs of {run}', lambda: pairs(person.dataset(self.project(run), run), CARD_NS), [self.rows(run)], seconds)
                images = person.images(self.project(run), run)
                equal([i.getName() for i in images], sorted(f.replace('/', '-') for f in self.files[run]), f'images of {run}')
                for i in (i.getId() for i in images):  # the map is rewritten before tags are linked
                    soon(f'annotations of Image:{i}', lambda i=i: seen(person.conn.getObject('Image', i)),
                         (sorted(self.tags(run)), [self.rows(run)]), seconds)


@check
def watch_on_a_tree_that_keeps_changing(b):
    tree = Changing(b)
    for _ in range(2):  # stopped and started again in between
        with b.watching(env={'IMPOMERO_SETTLE': '1', 'IMPOMERO_RESCAN': '30'}):
            end = time.monotonic() + b.server.minutes * 30
            while time.monotonic() < end:
                tree.step()
                time.sleep(tree.random.uniform(0.2, 2))
            tree.settle(120 + b.server.minutes * 60)


@check
def retry_imports_again_what_was_deleted_in_omero(b):
    project, dataset = one_card(b)
    with Person(b.server, 'alice', PASSWORD) as alice, b.watching():
        all_done(b, 2)
        gone, stays = (i.getId() for i in alice.images(project, dataset))
        alice.conn.deleteObjects('Image', [gone], wait=True)
        b.impomero('retry', b.path('run/sub dir')).must(0).says('0 of 1')
        b.write('run/later.tif', tiff(9))
        all_done(b, 3)
        equal(names(alice, project, dataset), ['later.tif', 'sub_dir-b.tif'], 'images')
        b.impomero('retry', b.path('run/a.tif')).must(0).says('1 of 1')
        soon('images', lambda: names(alice, project, dataset), ['a.tif', 'later.tif', 'sub_dir-b.tif'])
        equal(alice.images(project, dataset)[2].getId(), stays, 'the image that was not deleted')


@check
def retry_makes_a_dataset_anew_that_was_deleted(b):
    project, dataset = one_card(b, tags=['again ' + b.tag], pairs=[('k', 'v')])
    b.import_share().must(0)
    with Person(b.server, 'alice', PASSWORD) as alice:
        first = alice.dataset(project, dataset).getId()
        alice.conn.deleteObjects('Dataset', [first], deleteChildren=True, wait=True)
        b.write('run/later.tif', tiff(9))
        b.import_share().must(1).says('deleted or moved', 'retry')
        equal(alice.datasets(project), [], 'datasets before anybody asked')
        b.impomero('retry', b.path('run/later.tif')).must(0)
        b.import_share().must(0)
        equal([i.getName() for i in alice.images(project, dataset)], ['later.tif'], 'images of the path that was asked for')
        equal(alice.dataset(project, dataset).getId() != first, True, 'another dataset')
        b.impomero('retry', 'all').must(0)
        b.import_share().must(0)
        images = alice.images(project, dataset)
        equal([i.getName() for i in images], ['a.tif', 'later.tif', 'sub_dir-b.tif'], 'images')
        for obj in (*images, alice.dataset(project, dataset)):
            equal((tags(obj), pairs(obj, CARD_NS)), (['again ' + b.tag], [[['k', 'v']]]), f'annotations of {obj.getName()}')
        b.import_share().must(0).says('nothing new')


@check
def retry_without_an_engine_is_done_at_the_next_start(b):
    project, dataset = one_card(b)
    b.import_share().must(0)
    with Person(b.server, 'alice', PASSWORD) as alice:
        alice.conn.deleteObjects('Image', [i.getId() for i in alice.images(project, dataset)], wait=True)
        b.impomero('retry', 'all').must(0).says('started next')
        b.import_share().must(0)
        equal(names(alice, project, dataset), ['a.tif', 'sub_dir-b.tif'], 'images')
        b.import_share().must(0).says('nothing new')


@check
def retry_after_a_user_was_made(b):
    user = 'late' + b.tag
    project = f'Project {b.tag}'
    b.card('run/card.toml', project, user, 'lab')
    b.write('run/a.tif', tiff(1))
    with b.watching():
        soon('it waits', lambda: bool(re.search('no-user', b.watch_log())), True)
        b.server.ensure_user(user, ['lab'])
        b.impomero('retry', b.share).must(0).says('1 of 1')
        with Person(b.server, user, PASSWORD) as late:
            soon('images', lambda: names(late, project, 'run'), ['a.tif'])


@check
def forget_takes_a_path_out_of_the_ledger_alone(b):
    project, dataset = one_card(b)
    with Person(b.server, 'alice', PASSWORD) as alice, b.watching():
        all_done(b, 2)
        before = [i.getId() for i in alice.images(project, dataset)]
        os.unlink(b.path('run/a.tif'))
        b.impomero('forget', b.path('run/a.tif')).must(0).says('1 of 1')
        all_done(b, 1)
        b.impomero('forget', b.path('run/a.tif')).says('knows of no image files')
        equal([i.getId() for i in alice.images(project, dataset)], before, 'images')


def format_check(name):
    def run(b):
        want = dict(EXPECTED[name]['import'])
        want['filesets'] = [f for f in want['filesets'] if f['reader'] != LEFT_OUT.get(name)]
        project = f'Project {b.tag}'
        b.card('set/card.toml', project, 'alice', 'lab')
        b.copy(sample(name), 'set')
        b.import_share().must(0)
        with Person(b.server, 'alice', PASSWORD) as alice:
            images = alice.images(project, 'set')
            compare_files(images, want)
            if not b.server.is_sandbox:
                compare_images(images, want)
    return run


def compare_files(images, want):
    got = sorted({tuple(f[0] for f in files(i)) for i in images})
    equal(got, sorted(tuple(sorted(os.path.basename(u) for u in f['used_files'])) for f in want['filesets']), 'files of the filesets')


def name_of(fileset, image):
    """The path of a lone file below the card, its parts joined by -, blanks as _; then, of one of several images, what Bio-Formats says."""
    name, bracket, which = image['name'].partition(' [')
    if len(fileset['used_files']) == 1:
        name = fileset['used_files'][0].replace('/', '-')
    return name.replace(' ', '_') + bracket + which


def compare_images(images, want):
    def facts(name, sizes, pixel_type, sha1):
        return [name, sizes, pixel_type, sha1]

    expected = sorted(facts(name_of(f, i), [i['sizeX'], i['sizeY'], i['sizeZ'], i['sizeC'], i['sizeT']], i['pixel_type'], i['first_plane_sha1'])
                      for f in want['filesets'] for i in f['images'])
    got = sorted(facts(i.getName(), shape(i)['size'], shape(i)['pixel_type'], first_plane(i)) for i in images)
    for g, e in zip(got, expected):
        if len(want['filesets']) == 1 and len(want['filesets'][0]['used_files']) > 1:
            g[0], e[0] = g[0].split(' [')[-1] if ' [' in g[0] else '', e[0].split(' [')[-1] if ' [' in e[0] else ''
    equal(got, expected, 'images')


def first_plane(image):
    store = image._conn.createRawPixelsStore()
    try:
        store.setPixelsId(image.getPixelsId(), False, {'omero.group': '-1'})
        return hashlib.sha1(store.getPlane(0, 0, 0)).hexdigest()
    finally:
        store.close()


for _name in SETS:
    CHECKS.append(('format-' + _name, format_check(_name)))

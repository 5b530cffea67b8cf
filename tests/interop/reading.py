"""Logging in, looking around, and reading back what impomero wrote."""
import hashlib
import os

import Glacier2
import omero
from official import annotation_ids, comments, files, pairs, shape, tags
from omero.gateway import BlitzGateway
from world import SAMPLE, bare_client, check, equal, refused

CARD_NS = 'impomero/card'
SOURCE_NS = 'impomero/source'
SPINDLE = 'Spindle orientation'
GUT = 'Intestine'
SPINDLE_COMMENT = ('Observed Process :\n\n\nSpindle orientation in early embryos #spindle #mitosis\n\n\nExperimental Conditions :\n'
                   '25 °C, 1 frame / 5 s\n\n\nAdditional Information :\nMounted by Élodie\n\n')
RIGHTS = ('canEdit', 'canDelete', 'canLink', 'canAnnotate')


def rights(obj):
    return [getattr(obj, r)() for r in RIGHTS]


def sha1(*path):
    with open(os.path.join(SAMPLE, *path), 'rb') as f:
        return hashlib.sha1(f.read()).hexdigest()


@check
def alice_logs_in(w):
    conn = w.person('alice')
    user = conn.getUser()
    equal((user.getName(), conn.isAdmin(), conn.getGroupFromContext().getName()), ('alice', False, 'lab'), 'name, administrator, group')
    equal(conn.getUserId(), user.getId(), 'user id')


@check
def root_is_an_administrator(w):
    conn = w.person('root')
    equal((conn.getUser().getName(), conn.getUserId(), conn.isAdmin(), conn.isFullAdmin()), ('root', 0, True, True), 'root')


@check
def the_event_context_names_user_group_and_memberships(w):
    c = w.person('bob').getEventContext()
    group = w.person('bob').getObject('ExperimenterGroup', c.groupId)
    equal((c.userName, c.groupName, group.getName(), c.isAdmin), ('bob', 'lab', 'lab', False), 'event context')
    equal((c.groupId in c.memberOfGroups, list(c.adminPrivileges)), (True, []), 'memberships and privileges')
    equal(str(c.groupPermissions), 'rwra--', 'permissions of the group')


@check
def the_groups_of_a_user_are_listed(w):
    names = {g.getName() for g in w.person('alice').getGroupsMemberOf()}
    equal(names >= {'lab', 'shared_rw', 'ro'}, True, f'groups of alice {names}')


@check
def a_login_names_its_group(w):
    conn = w.login('alice', group='ro')
    try:
        equal(conn.getGroupFromContext().getName(), 'ro', 'group of the session')
    finally:
        conn.close()


def raw_login(w, name, password):
    with bare_client(w.server) as client:
        client.createSession(name, password)


@check
def a_wrong_password_is_a_permission_denied(w):
    refused(lambda: raw_login(w, 'alice', 'wrong'), Glacier2.PermissionDeniedException, 'Password check failed')


@check
def an_unknown_user_is_a_permission_denied(w):
    refused(lambda: raw_login(w, 'nobody-' + w.tag, 'x'), Glacier2.PermissionDeniedException)


@check
def the_gateway_says_that_it_did_not_connect(w):
    conn = BlitzGateway('alice', 'wrong', host=w.server.host, port=w.server.port, secure=True)
    try:
        equal(conn.connect(), False, 'connected')
    finally:
        conn.close()


@check
def a_session_is_joined_by_its_uuid(w):
    key = w.person('alice').c.getSessionId()
    other = BlitzGateway(host=w.server.host, port=w.server.port, secure=True)
    try:
        equal(other.connect(sUuid=key), True, 'joined')
        equal(other.getUser().getName(), 'alice', 'user')
    finally:
        other.close(hard=False)
    equal(w.person('alice').getUser().getName(), 'alice', 'the first session goes on')


@check
def a_session_uuid_that_is_none_is_refused(w):
    refused(lambda: raw_login(w, '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000'),
            Glacier2.PermissionDeniedException)


@check
def the_sample_tree_is_imported(w):
    w.sample()


@check
def projects_have_owner_group_and_rights(w):
    p = w.project('alice', SPINDLE)
    equal((p.getOwnerOmeName(), p.getDetails().getGroup().getName(), p.getName()), ('alice', 'lab', f'{w.tag} {SPINDLE}'), 'project')
    equal(rights(p), [True, True, True, True], f'{RIGHTS} of the owner')
    equal(p.isOwned(), True, 'owned')


@check
def a_member_reads_and_annotates_but_does_not_edit(w):
    p = w.project('bob', SPINDLE)
    d = next(iter(p.listChildren()))
    i = next(iter(d.listChildren()))
    for obj in (p, d, i):
        equal(rights(obj), [False, False, False, True], f'{RIGHTS} of bob')
        equal(obj.isOwned(), False, 'owned by bob')


@check
def an_administrator_may_do_everything(w):
    conn = w.person('root')
    conn.SERVICE_OPTS.setOmeroGroup('-1')
    equal(rights(w.project('root', SPINDLE)), [True, True, True, True], f'{RIGHTS} of root')


@check
def other_groups_see_nothing(w):
    w.sample()
    equal(list(w.person('carol').getObjects('Project', attributes={'name': f'{w.tag} {SPINDLE}'})), [], 'projects that carol sees')


@check
def a_dataset_tells_its_source(w):
    d = w.dataset()
    equal((d.getName(), d.getOwnerOmeName(), d.getDetails().getGroup().getName()), ('Spindle_orientation', 'alice', 'lab'), 'dataset')
    text = d.getDescription()
    for word in ('Spindle orientation', 'Spindle orientation 12'):
        equal(word in text, True, f'{word!r} in the description {text!r}')
    source = pairs(d, SOURCE_NS)
    equal(len(source), 1, 'source annotations')
    equal([k for k, _ in source[0]][:4], ['uuid', 'ledger', 'root', 'path'], 'keys of the source')
    equal([p.getName() for p in d.listParents()], [f'{w.tag} {SPINDLE}'], 'parents')


@check
def images_are_named_by_their_path(w):
    equal([i.getName() for i in w.images()], ['embryo_1-field_0001.tif', 'embryo_1-field_0002.tif', 'embryo_1-field_0003.tif',
                                              'embryo_2-time_lapse.czi'], 'images')
    equal(w.dataset().countChildren(), 4, 'count')


@check
def images_have_sizes_type_owner_and_parent(w):
    image = w.images()[0]
    equal(shape(image), {'name': 'embryo_1-field_0001.tif', 'size': [64, 48, 1, 1, 1], 'pixel_type': 'uint16'}, 'image')
    equal((image.getOwnerOmeName(), image.getDetails().getGroup().getName()), ('alice', 'lab'), 'owner and group')
    equal(image.getParent().getId(), w.dataset().getId(), 'parent')
    equal(image.getProject().getId(), w.project('alice', SPINDLE).getId(), 'project')
    equal((len(image.getChannels(noRE=True)), image.getSeries()), (1, 0), 'channels and series')


@check
def files_of_an_image_are_the_files(w):
    image = w.images()[1]
    path = ('Spindle orientation', 'embryo 1', 'field_0002.tif')
    equal(files(image), [('field_0002.tif', os.path.getsize(os.path.join(SAMPLE, *path)), sha1(*path))], 'files')
    equal((image.countImportedImageFiles(), image.countFilesetFiles()), (1, 1), 'counts')


@check
def paths_of_the_fileset_are_the_client_paths(w):
    image = w.images()[1]
    used = image.getFileset().listFiles()
    equal(len(list(used)), 1, 'files')
    paths = image.getImportedImageFilePaths()
    equal(paths['client_paths'], [w.bench.path('Spindle orientation/embryo 1/field_0002.tif').lstrip('/')], 'client paths')
    equal(paths['server_paths'][0].startswith('alice_') and paths['server_paths'][0].endswith('/field_0002.tif'), True,
          f'server path {paths["server_paths"]}')


@check
def a_set_of_files_is_one_image(w):
    images = [i for i in w.images('bob', GUT) if len(files(i)) == 4]
    equal(len(images), 1, 'images of the OME-TIFF set')
    equal(shape(images[0])['size'], [64, 48, 3, 2, 2], 'size')
    equal([c.getLabel() for c in images[0].getChannels(noRE=True)], ['DAPI', 'AF568'], 'channels')


@check
def png_and_jpeg_have_their_sizes(w):
    images = {i.getName(): shape(i) for i in w.images('bob', GUT)}
    equal((images['stained-overview.png']['size'], images['stained-section.jpg']['size']), ([160, 120, 1, 1, 1], [160, 120, 1, 3, 1]), 'sizes')


@check
def pairs_are_in_the_order_of_the_card(w):
    want = [[['organism', 'Drosophila melanogaster'], ['sample', 'Embryo'], ['method', 'Spinning disk confocal microscopy'],
             ['channel_0', 'Jupiter-GFP'], ['channel_1', 'His2Av-mRFP']]]
    for obj in (w.dataset(), *w.images()):
        equal(pairs(obj, CARD_NS), want, f'pairs of {obj.getName()}')


@check
def tags_and_comment_are_those_of_the_card(w):
    for obj in (w.dataset(), *w.images()):
        equal((tags(obj), comments(obj)), (['mitosis', 'spindle'], [SPINDLE_COMMENT]), f'tags and comment of {obj.getName()}')


@check
def annotations_have_owner_namespace_and_rights(w):
    for a in w.images()[0].listAnnotations():
        equal((a.getOwnerOmeName(), a.getDetails().getGroup().getName()), ('alice', 'lab'), f'owner of {a.OMERO_TYPE.__name__}')
        equal(a.getNs() or None, None if a.OMERO_TYPE is omero.model.TagAnnotationI else CARD_NS, f'namespace of {a.OMERO_TYPE.__name__}')
        equal((a.canEdit(), a.link.canDelete()), (True, True), 'rights of the owner')
    for a in w.images('bob')[0].listAnnotations():
        equal((a.canEdit(), a.link.canDelete(), a.canAnnotate()), (False, False, True), 'rights of bob')


@check
def a_card_has_one_annotation_for_all(w):
    first, *rest = [annotation_ids(i) for i in w.images()]
    for ids in rest:
        equal(ids, first, 'annotations')
    equal([i for i in first if i not in annotation_ids(w.dataset())], [], 'annotations that the dataset lacks')


@check
def annotations_are_found_by_namespace_and_type(w):
    image = w.images()[0]
    equal(image.getAnnotation(CARD_NS) is not None, True, 'annotation of the namespace')
    conn = w.person('alice')
    ids = [a.getId() for a in image.listAnnotations() if a.OMERO_TYPE is omero.model.TagAnnotationI]
    equal(sorted(t.getTextValue() for t in conn.getObjects('TagAnnotation', ids)), ['mitosis', 'spindle'], 'tags by id')
    links = list(conn.getAnnotationLinks('Image', parent_ids=[image.getId()]))
    equal(sorted(link.getAnnotation().getId() for link in links), annotation_ids(image), 'links')


@check
def objects_are_found_by_attribute_owner_and_id(w):
    conn = w.person('alice')
    image = w.images()[0]
    equal(conn.getObject('Image', image.getId()).getName(), image.getName(), 'by id')
    equal(conn.getObject('Image', 999999999), None, 'an id that is none')
    equal(sorted(i.getId() for i in conn.getObjects('Image', [i.getId() for i in w.images()])), sorted(i.getId() for i in w.images()), 'by ids')
    mine = conn.getObjects('Dataset', opts={'owner': conn.getUserId(), 'project': w.project('alice', SPINDLE).getId()})
    equal([d.getName() for d in mine], ['Spindle_orientation'], 'by owner and project')
    in_dataset = conn.getObjects('Image', opts={'dataset': w.dataset().getId(), 'limit': 2, 'offset': 0, 'order_by': 'obj.name'})
    equal([i.getName() for i in in_dataset], ['embryo_1-field_0001.tif', 'embryo_1-field_0002.tif'], 'a page of a dataset')
    everything = {p.getName() for p in conn.listProjects()}
    equal(f'{w.tag} {SPINDLE}' in everything, True, 'among all projects')

"""What the official client does itself: importing, annotating, moving between groups, deleting."""
import os
import time

import omero
from fixture import tiff
from importer import ImportFailed, finish, import_files, start, upload
from official import comments, files, pairs, shape, tags
from omero.gateway import CommentAnnotationWrapper, MapAnnotationWrapper, ProjectWrapper, TagAnnotationWrapper
from omero.rtypes import rstring
from world import check, equal, refused, tag_of

CLIENT_NS = omero.constants.metadata.NSCLIENTMAPANNOTATION


@check
def a_project_and_a_dataset_are_made(w):
    conn = w.person('alice')
    project_id, dataset_id = w.target()
    project = conn.getObject('Project', project_id)
    equal((project.getName(), project.getDescription(), project.getOwnerOmeName()), (f'{w.tag} own', 'made by hand', 'alice'), 'project')
    equal([d.getId() for d in project.listChildren()], [dataset_id], 'datasets')


@check
def a_name_is_changed(w):
    conn = w.person('alice')
    project = conn.getObject('Project', w.target()[0])
    project.setDescription('changed: é')
    project.save()
    equal(conn.getObject('Project', w.target()[0]).getDescription(), 'changed: é', 'description')


@check
def the_client_imports_a_file(w):
    conn = w.person('alice')
    image = conn.getObject('Image', w.image())
    equal(shape(image), {'name': f'{w.tag}.tif', 'size': [8, 8, 1, 1, 1], 'pixel_type': 'uint8'}, 'image')
    equal(image.getParent().getId(), w.target()[1], 'dataset')
    equal(files(image), [(f'{w.tag}.tif', len(tiff(7)), conn.c.sha1(os.path.join(w.bench.dir, f'{w.tag}.tif')))], 'files')


@check
def an_import_brings_name_description_and_annotations(w):
    conn = w.person('alice')
    comment = omero.model.CommentAnnotationI()
    comment.setTextValue(rstring('rode along'))
    saved = conn.getUpdateService().saveAndReturnObject(tag_of(f'rides {w.tag}'))
    ids, response = import_files(conn, [w.file('named.tif', tiff(8))], name='a name of its own', description='described',
                                 annotations=[comment, omero.model.TagAnnotationI(saved.id.val, False)])
    image = conn.getObject('Image', ids[0])
    equal((image.getName(), image.getDescription()), ('a name of its own', 'described'), 'name and description')
    equal((comments(image), tags(image)), (['rode along'], [f'rides {w.tag}']), 'annotations')
    equal([o.id.val for o in response.objects], ids, 'objects of the response')
    equal(image.getParent(), None, 'parent of an image without a target')


@check
def a_set_is_imported_as_one_image(w):
    conn = w.person('alice')
    paths = w.copied(*(f'gut/run_T{t}_C{c}.ome.tiff' for t in '01' for c in '01'))
    ids, _ = import_files(conn, paths)
    equal(len(ids), 1, 'images')
    image = conn.getObject('Image', ids[0])
    equal((image.getName(), shape(image)['size'], len(files(image))), ('run_T0_C0.ome.tiff', [64, 48, 3, 2, 2], 4), 'image')


@check
def a_file_of_three_images_becomes_three(w):
    path = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'data', 'pictures', 'three images.ome.tiff')
    conn = w.person('alice')
    ids, _ = import_files(conn, [path], name='three')
    equal([conn.getObject('Image', i).getName() for i in ids], ['three [multi]', 'three [multi 2]', 'three [multi 3]'], 'names')
    equal([conn.getObject('Image', i).getSeries() for i in ids], [0, 1, 2], 'series')
    w.made['three'] = ids


@check
def a_file_that_is_no_tiff_fails(w):
    try:
        import_files(w.person('alice'), [w.file('broken.tif', tiff(6)[:60])])
    except ImportFailed as e:
        equal((e.response.category, e.response.name), ('::omero::grid::ImportRequest', 'error-on-init'), 'failure')
    else:
        raise AssertionError('a cut TIFF was imported')


@check
def the_handle_tells_how_it_went(w):
    conn = w.person('alice')
    paths = [w.file('status.tif', tiff(12))]
    process = start(conn, paths)
    handle = process.verifyUpload(upload(conn, process, paths))
    process.close()
    request = handle.getRequest()
    while handle.getResponse() is None:
        time.sleep(0.1)
    status = handle.getStatus()
    equal((status.steps, status.currentStep, [str(f) for f in status.flags], status.stopTime > 0), (5, 4, [], True), 'status')
    fileset = request.activity.getParent().getId().getValue()
    equal(conn.getObject('Fileset', fileset) is not None, True, 'the fileset that the request names')
    handle.close()


@check
def a_tag_is_put_on_an_image(w):
    conn = w.person('alice')
    image = conn.getObject('Image', w.image())
    tag = TagAnnotationWrapper(conn)
    tag.setValue(f'by hand {w.tag}')
    tag.setDescription('a description')
    tag.save()
    image.linkAnnotation(tag)
    equal(tags(conn.getObject('Image', w.image())), [f'by hand {w.tag}'], 'tags')
    again = conn.getObject('TagAnnotation', tag.getId())
    equal((again.getTextValue(), again.getDescription()), (f'by hand {w.tag}', 'a description'), 'tag')
    equal([t.getId() for t in conn.getObjects('TagAnnotation', attributes={'textValue': f'by hand {w.tag}'})], [tag.getId()], 'by text')


@check
def pairs_are_kept_in_order_with_doubles(w):
    conn = w.person('alice')
    image = conn.getObject('Image', w.image())
    want = [['z', '1'], ['a', 'é 細胞'], ['z', '1'], ['empty', '']]
    annotation = MapAnnotationWrapper(conn)
    annotation.setNs(CLIENT_NS)
    annotation.setValue(want)
    annotation.save()
    image.linkAnnotation(annotation)
    equal(pairs(conn.getObject('Image', w.image()), CLIENT_NS), [want], 'pairs')


@check
def pairs_are_replaced(w):
    conn = w.person('alice')
    annotation = MapAnnotationWrapper(conn)
    annotation.setValue([['a', '1'], ['b', '2']])
    annotation.save()
    again = conn.getObject('MapAnnotation', annotation.getId())
    again.setValue([['b', '3']])
    again.save()
    equal(conn.getObject('MapAnnotation', annotation.getId()).getValue(), [('b', '3')], 'pairs')


@check
def a_comment_is_put_on_a_dataset(w):
    conn = w.person('alice')
    dataset = conn.getObject('Dataset', w.target()[1])
    comment = CommentAnnotationWrapper(conn)
    comment.setValue('two\nlines')
    comment.setNs(f'test/{w.tag}')
    dataset.linkAnnotation(comment)
    found = conn.getObject('Dataset', w.target()[1]).listAnnotations(ns=f'test/{w.tag}')
    equal([a.getTextValue() for a in found], ['two\nlines'], 'comments')


@check
def a_member_tags_what_is_anothers(w):
    bob = w.person('bob')
    dataset = bob.getObject('Dataset', w.target()[1])
    tag = TagAnnotationWrapper(bob)
    tag.setValue(f'bob {w.tag}')
    tag.save()
    dataset.linkAnnotation(tag)
    seen = [a for a in w.person('alice').getObject('Dataset', w.target()[1]).listAnnotations() if a.getId() == tag.getId()]
    equal([(a.getOwnerOmeName(), a.link.getOwnerOmeName(), a.canEdit()) for a in seen], [('bob', 'bob', False)], 'the tag, seen by alice')


@check
def a_link_is_deleted_and_the_tag_stays(w):
    conn = w.person('alice')
    image = conn.getObject('Image', w.image())
    tag = TagAnnotationWrapper(conn)
    tag.setValue(f'off {w.tag}')
    tag.save()
    image.linkAnnotation(tag)
    link = next(a.link for a in image.listAnnotations() if a.getId() == tag.getId())
    conn.deleteObjects('ImageAnnotationLink', [link.getId()], wait=True)
    equal([a for a in conn.getObject('Image', w.image()).listAnnotations() if a.getId() == tag.getId()], [], 'the tag on the image')
    equal(conn.getObject('TagAnnotation', tag.getId()).getTextValue(), f'off {w.tag}', 'the tag')


@check
def deleting_a_link_twice_is_an_error(w):
    conn = w.person('alice')
    image = conn.getObject('Image', w.image())
    tag = TagAnnotationWrapper(conn)
    tag.setValue(f'twice {w.tag}')
    tag.save()
    image.linkAnnotation(tag)
    link = next(a.link for a in image.listAnnotations() if a.getId() == tag.getId())
    conn.deleteObjects('ImageAnnotationLink', [link.getId()], wait=True)
    refused(lambda: conn.deleteObjects('ImageAnnotationLink', [link.getId()], wait=True), omero.CmdError)


@check
def an_image_is_deleted_with_its_fileset(w):
    conn = w.person('alice')
    image_id = w.new_image()
    fileset = conn.getObject('Image', image_id).getFileset().getId()
    conn.deleteObjects('Image', [image_id], wait=True)
    equal((conn.getObject('Image', image_id), conn.getObject('Fileset', fileset)), (None, None), 'image and fileset')


@check
def one_image_of_three_is_not_deleted_alone(w):
    conn = w.person('alice')
    if 'three' not in w.made:
        a_file_of_three_images_becomes_three(w)
    ids = w.made.pop('three')
    e = refused(lambda: conn.deleteObjects('Image', ids[:1], wait=True), omero.CmdError)
    equal(type(e.err).__name__, 'GraphException', 'kind of error')
    conn.deleteObjects('Image', ids, wait=True)
    equal([conn.getObject('Image', i) for i in ids], [None, None, None], 'images')


@check
def a_dataset_is_deleted_and_its_tag_kept(w):
    conn = w.person('alice')
    dataset = omero.model.DatasetI()
    dataset.setName(rstring(f'{w.tag} short-lived'))
    dataset.linkAnnotation(tag_of(f'keep {w.tag}'))
    saved = conn.getUpdateService().saveAndReturnObject(dataset)
    conn.deleteObjects('Dataset', [saved.id.val], wait=True)
    equal(conn.getObject('Dataset', saved.id.val), None, 'dataset')
    equal(len(list(conn.getObjects('TagAnnotation', attributes={'textValue': f'keep {w.tag}'}))), 1, 'its tag')


@check
def a_try_deletes_nothing(w):
    conn = w.person('alice')
    handle = conn.deleteObjects('Project', [w.target()[0]], dryRun=True, wait=False)
    response = finish(handle)
    equal(response.deletedObjects.get('ome.model.containers.Project'), [w.target()[0]], 'what would be deleted')
    equal(conn.getObject('Project', w.target()[0]) is not None, True, 'the project')


@check
def the_session_changes_its_group(w):
    conn = w.login('alice')
    try:
        home = conn.getGroupFromContext()
        other = next(g for g in conn.getGroupsMemberOf() if g.getName() == 'ro')
        equal(conn.setGroupForSession(other.getId()), True, 'changed')
        equal(conn.getGroupFromContext().getName(), 'ro', 'group')
        project = ProjectWrapper(conn, omero.model.ProjectI())
        project.setName(f'{w.tag} elsewhere')
        project.save()
        equal(conn.getObject('Project', project.getId()).getDetails().getGroup().getName(), 'ro', 'group of a new project')
        conn.setGroupForSession(home.getId())
        equal(conn.getObject('Project', project.getId()), None, 'the project seen from the first group')
        conn.SERVICE_OPTS.setOmeroGroup('-1')
        equal(conn.getObject('Project', project.getId()).getName(), f'{w.tag} elsewhere', 'the project seen from all groups')
    finally:
        conn.close()


@check
def a_group_that_one_is_not_in_is_not_entered(w):
    conn = w.login('alice')
    try:
        priv = next(g for g in w.person('carol').getGroupsMemberOf() if g.getName() == 'priv')
        equal(conn.setGroupForSession(priv.getId()), False, 'changed')
        refused(lambda: conn.c.sf.setSecurityContext(omero.model.ExperimenterGroupI(priv.getId(), False)), omero.SecurityViolation)
    finally:
        conn.close()

"""What a server refuses, and by which of the client's own exceptions."""
import secrets

import Glacier2
import omero
from fixture import PASSWORD, tiff
from importer import ImportFailed, fileset_of, finish, import_files, settings_of, start, upload
from omero.gateway import DatasetWrapper
from omero.rtypes import rbool, rstring, unwrap
from world import bare_client, check, equal, refused, tag_of


def link(kind, parent, child):
    made = kind()
    made.setParent(parent)
    made.setChild(child)
    return made


@check
def a_member_does_not_edit_anothers_dataset(w):
    dataset = w.person('bob').getObject('Dataset', w.target()[1])
    dataset.setName('mine now')
    refused(dataset.save, omero.SecurityViolation)
    equal(w.person('alice').getObject('Dataset', w.target()[1]).getName(), f'{w.tag} images', 'name')


@check
def a_member_does_not_link_into_anothers_dataset(w):
    bob = w.person('bob')
    dataset = DatasetWrapper(bob, omero.model.DatasetI())
    dataset.setName(f'{w.tag} of bob')
    dataset.save()
    made = link(omero.model.ProjectDatasetLinkI, omero.model.ProjectI(w.target()[0], False), omero.model.DatasetI(dataset.getId(), False))
    refused(lambda: bob.getUpdateService().saveAndReturnObject(made), omero.SecurityViolation)


@check
def a_member_does_not_delete_anothers_image(w):
    e = refused(lambda: w.person('bob').deleteObjects('Image', [w.image()], wait=True), omero.CmdError)
    equal(type(e.err).__name__, 'GraphException', 'kind of error')
    equal(w.person('alice').getObject('Image', w.image()) is not None, True, 'the image')


@check
def a_member_does_not_import_into_anothers_dataset(w):
    try:
        import_files(w.person('bob'), [w.file('bobs.tif', tiff(21))], target=omero.model.DatasetI(w.target()[1], False))
    except ImportFailed as e:
        equal(e.response.category, '::omero::grid::ImportRequest', 'category')
    else:
        raise AssertionError('imported')


@check
def another_group_reads_nothing(w):
    carol = w.person('carol')
    equal(carol.getObject('Dataset', w.target()[1]), None, 'the dataset')
    refused(lambda: carol.getQueryService().get('Dataset', w.target()[1]), omero.SecurityViolation)


@check
def a_deactivated_user_may_do_nothing(w):
    with bare_client(w.server) as client:
        session = client.createSession('dave', PASSWORD)
        refused(lambda: session.getQueryService().findAllByQuery('select p from Project p', None), omero.SecurityViolation,
                'No matching roles found')


@check
def a_query_of_an_unknown_class_is_named(w):
    query = w.person('alice').getQueryService()
    refused(lambda: query.findAllByQuery('select x from Nothing x', None), (omero.QueryException, omero.ApiUsageException), 'Nothing')


@check
def an_id_that_is_none_is_a_validation(w):
    query = w.person('alice').getQueryService()
    refused(lambda: query.get('Project', 999999999), omero.ValidationException)
    equal(query.find('Project', 999999999), None, 'find')


@check
def unknown_people_and_groups_are_usage_errors(w):
    admin = w.person('alice').getAdminService()
    refused(lambda: admin.lookupExperimenter('nobody-' + w.tag), omero.ApiUsageException, 'nobody-' + w.tag)
    refused(lambda: admin.lookupGroup('none-' + w.tag), omero.ApiUsageException, 'none-' + w.tag)


@check
def a_user_makes_no_groups(w):
    group = omero.model.ExperimenterGroupI()
    group.name = rstring('group-' + w.tag)
    group.ldap = rbool(False)
    refused(lambda: w.person('bob').getAdminService().createGroup(group), omero.SecurityViolation)


@check
def a_user_makes_no_sessions_for_others(w):
    who = omero.sys.Principal()
    who.name, who.group, who.eventType = 'alice', 'lab', 'User'
    refused(lambda: w.person('bob').c.sf.getSessionService().createSessionWithTimeouts(who, 60000, 60000), omero.SecurityViolation)


@check
def root_makes_a_session_for_another(w):
    who = omero.sys.Principal()
    who.name, who.group, who.eventType = 'bob', 'lab', 'User'
    service = w.person('root').c.sf.getSessionService()
    session = service.createSessionWithTimeouts(who, 600000, 600000)
    with bare_client(w.server) as client:
        context = client.joinSession(session.uuid.val).getAdminService().getEventContext()
        equal((context.userName, context.groupName, context.isAdmin, unwrap(context.sudoerName)), ('bob', 'lab', False, 'root'), 'event context')


@check
def no_session_is_made_for_nobody(w):
    service = w.person('root').c.sf.getSessionService()
    for name, group, kind in (('nobody-' + w.tag, '', omero.AuthenticationException), ('nobody-' + w.tag, 'lab', omero.RemovedSessionException),
                              ('bob', 'none-' + w.tag, omero.AuthenticationException)):
        who = omero.sys.Principal()
        who.name, who.group, who.eventType = name, group, 'User'
        refused(lambda: service.createSessionWithTimeouts(who, 600000, 600000), kind)


@check
def a_link_twice_spoils_the_whole_batch(w):
    conn = w.person('alice')
    update = conn.getUpdateService()
    tag = update.saveAndReturnObject(tag_of(f'batch {w.tag}')).id.val
    other = update.saveAndReturnObject(tag_of(f'batch too {w.tag}')).id.val

    def links(*ids):
        return [link(omero.model.DatasetAnnotationLinkI, omero.model.DatasetI(w.target()[1], False), omero.model.TagAnnotationI(i, False))
                for i in ids]
    update.saveAndReturnArray(links(tag))
    refused(lambda: update.saveAndReturnArray(links(other, tag)), omero.ValidationException)
    kept = [a.getId() for a in conn.getObject('Dataset', w.target()[1]).listAnnotations()]
    equal((tag in kept, other in kept), (True, False), 'links after the refusal')


@check
def a_link_to_nothing_is_refused(w):
    made = link(omero.model.DatasetAnnotationLinkI, omero.model.DatasetI(w.target()[1], False), omero.model.TagAnnotationI(999999999, False))
    refused(lambda: w.person('alice').getUpdateService().saveAndReturnObject(made), omero.ValidationException)


@check
def a_link_across_groups_is_refused(w):
    conn = w.login('alice', group='ro')
    try:
        tag = conn.getUpdateService().saveAndReturnObject(tag_of(f'ro {w.tag}')).id.val
    finally:
        conn.close()
    made = link(omero.model.DatasetAnnotationLinkI, omero.model.DatasetI(w.target()[1], False), omero.model.TagAnnotationI(tag, False))
    refused(lambda: w.person('alice').getUpdateService().saveAndReturnObject(made), omero.SecurityViolation)


@check
def a_project_without_a_name_is_refused(w):
    refused(lambda: w.person('alice').getUpdateService().saveAndReturnObject(omero.model.ProjectI()), omero.ValidationException)


@check
def a_value_that_no_index_takes_is_refused(w):
    annotation = omero.model.MapAnnotationI()
    annotation.setMapValue([omero.model.NamedValue('k', secrets.token_hex(4000))])
    refused(lambda: w.person('alice').getUpdateService().saveAndReturnObject(annotation), omero.InternalException)


@check
def a_stale_copy_is_not_saved(w):
    conn = w.person('alice')
    one, two = (conn.getObject('Dataset', w.target()[1]) for _ in range(2))
    one.setDescription('first')
    one.save()
    two.setDescription('second')
    refused(two.save, omero.OptimisticLockException)


@check
def hashes_that_are_wrong_are_told_and_can_be_mended(w):
    conn = w.person('alice')
    paths = [w.file('hash.tif', tiff(31))]
    process = start(conn, paths)
    right = upload(conn, process, paths)
    e = refused(lambda: process.verifyUpload(['0' * 40]), omero.ChecksumValidationException)
    equal(dict(e.failingChecksums), {0: right[0]}, 'failing checksums')
    refused(lambda: process.verifyUpload([right[0].upper()]), omero.ChecksumValidationException)
    refused(lambda: process.verifyUpload([]), omero.ApiUsageException, 'hashes size should be 1 not 0')
    response = finish(process.verifyUpload(right))
    equal(len(response.pixels), 1, 'images in the end')
    process.close()


@check
def another_file_than_was_sent_is_noticed(w):
    conn = w.person('alice')
    paths = [w.file('one.tif', tiff(32)), w.file('two.tif', tiff(33))]
    process = start(conn, paths)
    right = upload(conn, process, paths)
    e = refused(lambda: process.verifyUpload([right[0], right[0]]), omero.ChecksumValidationException)
    equal(dict(e.failingChecksums), {1: right[1]}, 'failing checksums')
    process.close()


@check
def an_import_without_a_checksum_algorithm_is_refused(w):
    repo = w.person('alice').c.getManagedRepository()
    refused(lambda: repo.importFileset(fileset_of(['/a/b.tif']), settings_of(algorithm=None)), omero.ApiUsageException, 'checksum algorithm')
    refused(lambda: repo.importFileset(fileset_of(['/a/b.tif']), settings_of(algorithm='SHA-256')), omero.ValidationException, 'SHA-256')


@check
def an_import_without_a_job_is_refused(w):
    fileset = omero.model.FilesetI()
    entry = omero.model.FilesetEntryI()
    entry.setClientPath(rstring('a/b.tif'))
    fileset.addFilesetEntry(entry)
    refused(lambda: w.person('alice').c.getManagedRepository().importFileset(fileset, settings_of()), omero.ValidationException)


@check
def an_import_into_nothing_fails_after_the_upload(w):
    try:
        import_files(w.person('alice'), [w.file('nowhere.tif', tiff(34))], target=omero.model.DatasetI(999999999, False))
    except ImportFailed as e:
        equal(e.response.name, 'import-request-failure', 'failure')
    else:
        raise AssertionError('imported')


@check
def an_import_with_a_dead_annotation_fails(w):
    conn = w.person('alice')
    tag = conn.getUpdateService().saveAndReturnObject(tag_of(f'dead {w.tag}')).id.val
    conn.deleteObjects('TagAnnotation', [tag], wait=True)
    try:
        import_files(conn, [w.file('dead.tif', tiff(35))], annotations=[omero.model.TagAnnotationI(tag, False)])
    except ImportFailed as e:
        equal(e.response.name, 'error-on-init', 'failure')
    else:
        raise AssertionError('imported')


@check
def a_closed_session_is_over(w):
    conn = w.login('bob')
    key = conn.c.getSessionId()
    conn.close()
    with bare_client(w.server) as client:
        refused(lambda: client.joinSession(key), Glacier2.PermissionDeniedException)

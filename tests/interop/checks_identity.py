"""The system suite's checks of identity: files that moved, that others imported, that a lost ledger knew."""
import json
import os
import shutil

import omero
from checks import CARD_NS, SOURCE_NS, check, equal, one_card
from fixture import PASSWORD, tiff
from importer import import_files
from official import Person, pairs


def ids(person, project, dataset):
    return [i.getId() for i in person.images(project, dataset)]


def described(person, project, dataset):
    return person.dataset(project, dataset).getDescription()


def says_from(b, directory):
    return f'Imported by impomero from {os.path.realpath(b.share)}/{directory}\nCard: A card'


@check
def a_moved_directory_keeps_its_dataset(b):
    project, dataset = one_card(b, pairs=[('k', 'v')])
    b.import_share().must(0)
    with Person(b.server, 'alice', PASSWORD) as alice:
        before = ids(alice, project, dataset)
        os.rename(b.path('run'), os.path.join(b.share, 'renamed'))
        b.import_share().must(0).says('nothing new')
        equal(described(alice, project, dataset), says_from(b, 'renamed'), 'description after the move')
        shutil.copytree(os.path.join(b.share, 'renamed'), os.path.join(b.share, 'copied'), copy_function=shutil.copyfile)
        shutil.rmtree(os.path.join(b.share, 'renamed'))
        b.import_share().must(0).says('nothing new')
        b.write('copied/later.tif', tiff(9))
        b.import_share().must(0)
        after = ids(alice, project, dataset)
        equal((len(alice.datasets(project)), len(after), set(before) <= set(after)), (1, 3, True), 'datasets, images, the same')
        equal(described(alice, project, dataset), says_from(b, 'copied'), 'description after the copy and removal')
        mine = alice.dataset(project, dataset)
        mine.setDescription('by hand')
        mine.save()
        os.rename(b.path('copied'), os.path.join(b.share, 'again'))
        b.import_share().must(0).says('nothing new')
        equal(described(alice, project, dataset), 'by hand', 'description that a person wrote')


@check
def where_answers_in_both_directions(b):
    project, dataset = one_card(b)
    b.import_share().must(0)
    with Person(b.server, 'alice', PASSWORD) as alice:
        image = alice.images(project, dataset)[0]
        answer = json.loads(b.impomero('where', '--json', f'Image:{image.getId()}').must(0).out)
        equal([f['path'] for f in answer['filesets']], ['run/a.tif'], 'path of the image')
        equal(answer['datasets'][0]['dataset_id'], alice.dataset(project, dataset).getId(), 'dataset')
        equal(dict(pairs(alice.dataset(project, dataset), SOURCE_NS)[0])['uuid'], answer['datasets'][0]['uuid'], 'identity')
        back = json.loads(b.impomero('where', '--json', b.path('run/a.tif')).must(0).out)
        equal([i['id'] for i in back['filesets'][0]['images']], [image.getId()], 'image of the path')


def imported_by_hand(b, alice):
    """The share's two files in a dataset of alice's, by the official client."""
    from omero.gateway import DatasetWrapper, ProjectWrapper
    project, _ = one_card(b, pairs=[('k', 'v')], tags=['adopted'])
    alice.conn.SERVICE_OPTS.setOmeroGroup(str(alice.conn.getEventContext().groupId))
    dataset = DatasetWrapper(alice.conn, omero.model.DatasetI())
    dataset.setName('by hand')
    dataset.save()
    parent = ProjectWrapper(alice.conn, omero.model.ProjectI())
    parent.setName(project)
    parent.save()
    link = omero.model.ProjectDatasetLinkI()
    link.setParent(omero.model.ProjectI(parent.getId(), False))
    link.setChild(omero.model.DatasetI(dataset.getId(), False))
    alice.conn.getUpdateService().saveObject(link, alice.conn.SERVICE_OPTS)
    for path in ('run/a.tif', 'run/sub dir/b.tif'):
        import_files(alice.conn, [b.path(path)], target=omero.model.DatasetI(dataset.getId(), False))
    alice.conn.SERVICE_OPTS.setOmeroGroup('-1')
    return project


@check
def what_the_official_client_imported_is_adopted(b):
    with Person(b.server, 'alice', PASSWORD, group='lab') as alice:
        project = imported_by_hand(b, alice)
        before = ids(alice, project, 'by hand')
        b.import_share().must(1).says('2 of its 2', 'adopt')
        equal(ids(alice, project, 'by hand'), before, 'images after an import that stopped')
        b.impomero('adopt', '--dry-run', b.share).must(0).says('2 of 2 filesets and 1 datasets would be')
        b.impomero('adopt', b.share).must(0).says('2 of 2 filesets and 1 datasets taken')
        b.write('run/later.tif', tiff(9))
        b.import_share().must(0)
        after = alice.images(project, 'by hand')
        equal((len(after), set(before) <= {i.getId() for i in after}, len(alice.datasets(project))), (3, True, 1), 'images, datasets')
        for image in after:
            equal(pairs(image, CARD_NS), [[['k', 'v']]], f'pairs of {image.getName()}')


@check
def a_lost_ledger_is_rebuilt(b):
    project, dataset = one_card(b, pairs=[('k', 'v')])
    b.import_share().must(0)
    with Person(b.server, 'alice', PASSWORD) as alice:
        before = ids(alice, project, dataset)
        shutil.rmtree(b.state)
        b.write('run/unknown.tif', tiff(9))
        b.impomero('ledger', 'rebuild', b.share).must(1).says('2 of 3 filesets and 1 datasets taken', '1 held')
        b.import_share().must(1).says('deleted there')
        equal(ids(alice, project, dataset), before, 'images after the rebuild')
        b.impomero('retry', b.path('run/unknown.tif'))
        b.import_share().must(0)
        equal((len(ids(alice, project, dataset)), len(alice.datasets(project))), (3, 1), 'images, datasets')
        for image in alice.images(project, dataset):
            equal(pairs(image, CARD_NS), [[['k', 'v']]], f'pairs of {image.getName()}')

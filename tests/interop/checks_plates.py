"""The system suite's checks of plates: a plate goes to a screen of the card's directory, and carries what the card says."""
import os

from checks import CARD_NS, EXPECTED, SOURCE_NS, check, equal
from fixture import PASSWORD, sample
from official import Person, comments, pairs, tags


def screens(person, name):
    return list(person.conn.getObjects('Screen', attributes={'name': name}))


def plates_of(screen):
    return sorted(screen.listChildren(), key=lambda p: p.getName())


def wells_of(plate):
    """[(row, column, number of fields)] of the wells that have any."""
    wells = [(w.row, w.column, len(list(w.listChildren()))) for w in plate.listChildren()]
    return sorted(w for w in wells if w[2])


def expected_wells(name):
    plate = EXPECTED[name]['import']['filesets'][0]['plates'][0]
    return sorted((w['row'], w['column'], w['fields']) for w in plate['wells_with_images'])


def two_plates(b, **card):
    """A card over two plates, one of them a directory further down; the project."""
    project = f'{b.tag} Screening'
    b.copy(os.path.join(sample('made-ome-tiff-plate'), 'plate.ome.tiff'), 'hcs/run 1/plate.ome.tiff')
    b.copy(os.path.join(sample('ome-xml-plate'), 'one-screen-one-plate-four-wells.ome.xml'), 'hcs/four.ome.xml')
    b.card('hcs/hcs.toml', project, 'alice', **card)
    return project


@check
def plates_go_to_a_screen_with_the_cards_annotations(b):
    project = two_plates(b, pairs=[('cells', 'HeLa')], tags=['screened'], comment='two plates')
    b.import_share().must(0)
    with Person(b.server, 'alice', PASSWORD) as alice:
        (screen,) = screens(alice, f'{project} / hcs')
        four, run = plates_of(screen)
        equal([four.getName(), run.getName()], ['four.ome.xml', 'run_1-plate.ome.tiff'], 'plates')
        equal(wells_of(four), expected_wells('ome-xml-plate'), 'wells of the first')
        equal(wells_of(run), expected_wells('made-ome-tiff-plate'), 'wells of the second')
        for obj in (screen, four, run):
            equal(pairs(obj, CARD_NS), [[['cells', 'HeLa']]], f'pairs of {obj.getName()}')
            equal(tags(obj), ['screened'], f'tags of {obj.getName()}')
            equal(comments(obj), ['two plates'], f'comments of {obj.getName()}')
        equal(dict(pairs(screen, SOURCE_NS)[0])['path'], 'hcs', 'provenance of the screen')
        field = next(next(run.listChildren()).listChildren()).getImage()
        equal(list(field.listAnnotations()), [], 'annotations of a field')
        equal(list(alice.conn.getObjects('Project', attributes={'name': project})), [], 'projects')
        b.impomero('verify', b.share).must(0)
        alice.conn.deleteObjects('Plate', [four.getId()], wait=True)
    said = b.impomero('verify', b.share)
    equal(said.status != 0, True, 'exit status after a plate was deleted')
    said.says(f'Plate:{four.getId()} was deleted')


@check
def plates_follow_a_changed_card_and_are_imported_once(b):
    project = two_plates(b, tags=['before'])
    b.import_share().must(0)
    b.card('hcs/hcs.toml', project, 'alice', tags=['after'], pairs=[('cells', 'U2OS')])
    b.import_share().must(0)
    with Person(b.server, 'alice', PASSWORD) as alice:
        (screen,) = screens(alice, f'{project} / hcs')
        equal(len(plates_of(screen)), 2, 'plates')
        for obj in (screen, *plates_of(screen)):
            equal(tags(obj), ['after'], f'tags of {obj.getName()}')
            equal(pairs(obj, CARD_NS), [[['cells', 'U2OS']]], f'pairs of {obj.getName()}')


@check
def plates_and_images_below_one_card_part_company(b):
    project = two_plates(b, tags=['both'])
    b.copy(os.path.join(sample('made-tiff-numbered'), sorted(os.listdir(sample('made-tiff-numbered')))[0]), 'hcs/overview.tif')
    b.import_share().must(0)
    with Person(b.server, 'alice', PASSWORD) as alice:
        (screen,) = screens(alice, f'{project} / hcs')
        equal(len(plates_of(screen)), 2, 'plates')
        images = alice.images(project, 'hcs')
        equal([i.getName() for i in images], ['overview.tif'], 'images of the dataset')
        equal(tags(images[0]), ['both'], 'tags of the image')

"""The system suite's checks of `annotations.each`: pairs of its own for each image or plate, edited and followed one by one."""
import omero

from checks import CLIENT_NS, check, equal, one_card
from checks_plates import plates_of, screens, two_plates
from fixture import PASSWORD
from official import Person, comments, pairs, tags

EACH = {'IMPOMERO_ANNOTATIONS_EACH': 'true', 'IMPOMERO_ANNOTATIONS_NAMESPACE': CLIENT_NS}


def maps(obj):
    return [a for a in obj.listAnnotations(ns=CLIENT_NS) if a.OMERO_TYPE is omero.model.MapAnnotationI]


def own_ids(*objects):
    """The number of each one's only map; no two have the same."""
    ids = [[a.getId() for a in maps(o)] for o in objects]
    equal([len(i) for i in ids], [1] * len(objects), 'maps of each')
    equal(len({i[0] for i in ids}), len(objects), 'different maps')
    return [i[0] for i in ids]


def edit(person, obj, rows):
    """What OMERO.web does with pairs in the clients' namespace."""
    note = maps(obj)[0]
    person.conn.SERVICE_OPTS.setOmeroGroup(str(obj.getDetails().getGroup().getId()))
    note.setValue(rows)
    note.save()
    person.conn.SERVICE_OPTS.setOmeroGroup('-1')


@check
def each_image_has_pairs_of_its_own(b):
    project, dataset = one_card(b, pairs=[('k', 'v'), ('n', '1')], tags=['card ' + b.tag], comment='shared')
    b.import_share(env=EACH).must(0)
    with Person(b.server, 'alice', PASSWORD, 'lab') as alice:
        d, (first, second) = alice.dataset(project, dataset), alice.images(project, dataset)
        ids = own_ids(d, first, second)
        for obj in (d, first, second):
            equal(pairs(obj, CLIENT_NS), [[['k', 'v'], ['n', '1']]], f'pairs of {obj.getName()}')
            equal((tags(obj), comments(obj)), (['card ' + b.tag], ['shared']), f'the rest of {obj.getName()}')
        edit(alice, first, [['k', 'by hand'], ['n', '1'], ['mine', 'x']])
        b.card('run/card.toml', project, 'alice', 'lab', pairs=[('k', 'w'), ('n', '2')], tags=['card ' + b.tag], comment='shared')
        b.import_share(env=EACH).must(0)
        d, (first, second) = alice.dataset(project, dataset), alice.images(project, dataset)
        equal(own_ids(d, first, second), ids, 'maps after the card changed')
        equal(sorted(pairs(first, CLIENT_NS)[0]), [['k', 'by hand'], ['mine', 'x'], ['n', '2']], 'pairs that a person had edited')
        equal((pairs(second, CLIENT_NS), pairs(d, CLIENT_NS)), ([[['k', 'w'], ['n', '2']]],) * 2, 'pairs of the others')
        b.impomero('verify', b.share, env=EACH).must(0)
        b.card('run/card.toml', project, 'alice', 'lab', tags=['card ' + b.tag])
        b.import_share(env=EACH).must(0)
        first, second = alice.images(project, dataset)
        equal([sorted(p) for p in pairs(first, CLIENT_NS)], [[['k', 'by hand'], ['mine', 'x']]], 'what is left of the edited ones')
        equal(maps(second), [], 'maps of the other image')
        equal([tags(first), tags(second)], [['card ' + b.tag]] * 2, 'tags')


@check
def each_plate_has_pairs_of_its_own(b):
    project = two_plates(b, pairs=[('cells', 'HeLa')], tags=['screened'])
    b.import_share(env=EACH).must(0)
    with Person(b.server, 'alice', PASSWORD) as alice:
        (screen,) = screens(alice, f'{project} / hcs')
        ids = own_ids(screen, *plates_of(screen))
        b.card('hcs/hcs.toml', project, 'alice', pairs=[('cells', 'U2OS')], tags=['screened'])
        b.import_share(env=EACH).must(0)
        (screen,) = screens(alice, f'{project} / hcs')
        equal(own_ids(screen, *plates_of(screen)), ids, 'maps after the card changed')
        for obj in (screen, *plates_of(screen)):
            equal((pairs(obj, CLIENT_NS), tags(obj)), ([[['cells', 'U2OS']]], ['screened']), f'pairs and tags of {obj.getName()}')

"""Steps in OMERO: what people do there by hand, through OME's official client.  All of it stands."""
import omero
from model import HandMade, Note
from omero.gateway import DatasetWrapper, MapAnnotationWrapper, TagAnnotationWrapper
from share import step

HAND_NS = 'openmicroscopy.org/omero/client/mapAnnotation'


def some_dataset(p):
    """(Dataset of the model, the official client's, whose session)."""
    there = [d for d in p.model.datasets if not d.gone]
    return p.find_dataset(p.rng.choice(there)) if there else None


def some_image(p):
    there = [i for i in p.model.images if i.place]
    return p.find_image(p.rng.choice(there)) if there else None


@step(2)
def an_image_is_deleted(p):
    found = some_image(p)
    if not found:
        return None
    image, real, person = found
    person.conn.deleteObjects('Image', [real.getId()], deleteAnns=False, wait=True)
    image.place = None
    return f'delete Image:{real.getId()}'


@step(1)
def an_image_moves_to_another_dataset(p):
    found = some_image(p)
    if not found:
        return None
    image, real, person = found
    hand = HandMade(person.name, f'{p.tag} by hand {len(p.model.hand_made)}')
    target = DatasetWrapper(person.conn, omero.model.DatasetI())
    target.setName(hand.name)
    target.save()
    old = [link.getId() for link in real.getParentLinks()]
    link = omero.model.DatasetImageLinkI()
    link.parent, link.child = omero.model.DatasetI(target.getId(), False), omero.model.ImageI(real.getId(), False)
    person.conn.getUpdateService().saveObject(link, person.conn.SERVICE_OPTS)
    person.conn.deleteObjects('DatasetImageLink', old, wait=True)
    p.model.hand_made.append(hand)
    image.place = hand
    return f'move Image:{real.getId()} to a dataset of one\'s own'


@step(1)
def a_dataset_is_renamed(p):
    found = some_dataset(p)
    if not found:
        return None
    d, real, _ = found
    number = p.rng.randrange(1000)
    d.name = f'renamed {number}'
    real.setName(d.name)
    if number % 2:
        d.described, d.description = True, f'described {number}'
        real.setDescription(d.description)
    real.save()
    d.renamed = True
    return f'rename Dataset:{real.getId()} to {d.name}'


@step(1)
def a_project_is_renamed(p):
    used = sorted({(d.project.user, d.project.name) for d in p.model.datasets if not d.gone})
    if not used:
        return None
    user, name = p.rng.choice(used)
    project = next(x for x in p.model.projects if (x.user, x.name) == (user, name))
    (real,) = p.people[user].projects(name)
    project.name = f'{p.tag} renamed {p.rng.randrange(10000)}'
    real.setName(project.name)
    real.save()
    return f'rename Project:{real.getId()} to {project.name}'


@step(0.5)
def a_dataset_is_deleted(p):
    found = some_dataset(p)
    if not found:
        return None
    d, real, person = found
    person.conn.deleteObjects('Dataset', [real.getId()], deleteAnns=False, deleteChildren=True, wait=True)
    d.gone = True
    for image in p.model.images:
        if image.place is d:
            image.place = None
    return f'delete Dataset:{real.getId()}'


@step(2)
def an_image_is_annotated(p):
    found = some_image(p)
    if not found:
        return None
    image, real, person = found
    if p.rng.random() < 0.5:
        text = f'{p.tag} hand {p.rng.randrange(10000)}'
        note, made = TagAnnotationWrapper(person.conn), Note('tag', text, by_hand=True)
        note.setValue(text)
    else:
        rows = [('organism', 'by hand'), ('mine', str(p.rng.randrange(100)))]
        note, made = MapAnnotationWrapper(person.conn), Note('map', rows, by_hand=True)
        note.setNs(HAND_NS)
        note.setValue([list(r) for r in rows])
    note.save()
    real.linkAnnotation(note)
    image.notes.add(made)
    return f'annotate Image:{real.getId()} by hand'


@step(2)
def a_tag_of_the_card_is_taken_off_an_image(p):
    found = some_image(p)
    if not found:
        return None
    image, real, person = found
    tags = sorted(n.value for n in image.notes if n.kind == 'tag' and n.value in p.tags)
    if not tags:
        return None
    text = p.rng.choice(tags)
    links = [link for link in person.conn.getAnnotationLinks('Image', parent_ids=[real.getId()])
             if type(link.getAnnotation()._obj) is omero.model.TagAnnotationI and link.getAnnotation().getTextValue() == text]
    person.conn.deleteObjects('ImageAnnotationLink', [link.getId() for link in links], wait=True)
    image.taken_off.add(text)
    image.notes = {n for n in image.notes if not (n.kind == 'tag' and n.value == text)}
    return f'take the tag {text} off Image:{real.getId()}'


@step(1)
def a_row_of_the_cards_map_is_changed(p):
    found = some_dataset(p)
    if not found or 'map' not in found[0].notes:
        return None
    d, real, person = found
    (note,) = [a for a in real.listAnnotations(ns='impomero/card') if type(a._obj) is omero.model.MapAnnotationI]
    rows = [tuple(r) for r in note.getValue()]
    if p.rng.random() < 0.6:
        i = p.rng.randrange(len(rows))
        rows[i] = (rows[i][0], f'by hand {p.rng.randrange(1000)}')
    else:
        rows.append((f'hand {p.rng.randrange(1000)}', 'added'))
    note.setValue([list(r) for r in rows])
    note.save()
    d.notes['map'].value = rows
    return f'edit the map of Dataset:{real.getId()}'


@step(1)
def the_cards_comment_is_changed(p):
    found = some_dataset(p)
    if not found or 'comment' not in found[0].notes:
        return None
    d, real, person = found
    (note,) = [a for a in real.listAnnotations(ns='impomero/card') if type(a._obj) is omero.model.CommentAnnotationI]
    text = f'by hand {p.rng.randrange(1000)}'
    note.setValue(text)
    note.save()
    d.notes['comment'].value = text
    return f'edit the comment of Dataset:{real.getId()}'


LASTING = (an_image_is_annotated, a_tag_of_the_card_is_taken_off_an_image, a_dataset_is_renamed)  # of these there is one in each episode at least

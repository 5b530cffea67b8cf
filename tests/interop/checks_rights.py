"""The system suite's checks of rights: the least that each feature needs, by the checks of the features themselves."""
import checks
import checks_identity
import checks_plates
import checks_server
from checks import check, equal, one_card
from fixture import PASSWORD, tiff
from official import Person

FEATURES = [checks.a_changed_card_is_followed, checks.what_people_wrote_in_omero_stays,
            checks.a_file_whose_pixels_cannot_be_unpacked_is_held_and_leaves_no_image,
            checks.retry_makes_a_dataset_anew_that_was_deleted, checks_identity.a_moved_directory_keeps_its_dataset,
            checks_identity.what_the_official_client_imported_is_adopted, checks_identity.a_lost_ledger_is_rebuilt,
            checks_server.files_stay_where_they_are_as_symbolic_links, checks_server.files_are_copied_into_the_repository_from_here,
            checks_server.verify_finds_what_was_done_on_the_disk_and_in_omero,
            checks_plates.plates_follow_a_changed_card_and_are_imported_once]


def as_administrator(role, name, feature):
    def run(b):
        b.administrator = (name, PASSWORD)
        feature(b)
    run.__name__ = f'{role}_{feature.__name__}'
    check(run)


# A session that a group's owner has opened may not delete, links included.
WITHOUT_DELETES = [checks.retry_makes_a_dataset_anew_that_was_deleted, checks_identity.a_moved_directory_keeps_its_dataset,
                   checks_identity.what_the_official_client_imported_is_adopted, checks_identity.a_lost_ledger_is_rebuilt,
                   checks_server.verify_finds_what_was_done_on_the_disk_and_in_omero]

for _feature in FEATURES:
    as_administrator('sudo_alone', 'importer', _feature)
for _feature in WITHOUT_DELETES:
    as_administrator('group_owner', 'olga', _feature)


@check
def every_privilege_but_sudo_is_not_enough(b):
    one_card(b)
    b.administrator = ('nosudo', PASSWORD)
    b.import_share().must(5).says('nosudo', 'Sudo')
    b.impomero('doctor', '--for=alice').says('nosudo', 'Sudo')


@check
def the_owner_of_a_group_is_told_that_it_may_not_delete(b):
    project, dataset = one_card(b, tags=['one ' + b.tag, 'two ' + b.tag])
    b.administrator = ('olga', PASSWORD)
    b.import_share().must(0)
    one_card(b, tags=['one ' + b.tag])
    b.import_share().must(1).says("group's owner", 'Sudo')
    with Person(b.server, 'alice', PASSWORD) as alice:
        equal(len(alice.images(project, dataset)), 2, 'images')
    b.administrator = ('importer', PASSWORD)
    b.impomero('retry')
    b.import_share().must(0)


@check
def the_owner_of_a_group_acts_for_nobody_elsewhere(b):
    one_card(b)
    b.card('other/card.toml', f'Project {b.tag}', 'carol', 'priv')
    b.write('other/c.tif', tiff(3))
    b.administrator = ('olga', PASSWORD)
    b.import_share().must(1).says("'priv' is none of them", 'Sudo')
    with Person(b.server, 'alice', PASSWORD) as alice:
        equal(len(alice.images(f'Project {b.tag}', 'run')), 2, 'images in the group that olga owns')

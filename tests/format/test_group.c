#include "place.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/str.h"

static void add_number(struct buf *b, uint32_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_add_byte(b, (uint8_t)(value >> 8 * i));
}

/* A TIFF of one directory whose only tag is a description. */
static void put_tiff(const struct place *p, const char *name, const char *description)
{
    struct buf b = BUF_INIT(1 << 20);

    buf_add(&b, "II*\0\x08\0\0\0\x01\0", 10);
    add_number(&b, 270, 2), add_number(&b, 2, 2), add_number(&b, (uint32_t)strlen(description) + 1, 4), add_number(&b, 26, 4);
    add_number(&b, 0, 4);
    buf_add(&b, description, strlen(description) + 1);
    put(p, name, b.data, b.len);
    buf_clear(&b);
}

/* An OME-TIFF of this UUID that names files: "b=B c=C" for FileName b with UUID B. */
static char *ome_xml(const char *uuid, const char *names)
{
    struct buf b = BUF_INIT(1 << 16);

    buf_printf(&b, "<?xml version=\"1.0\"?><OME UUID=\"%s\"><Image><Pixels>", uuid);
    for (size_t n; *names; names += n + (names[n] == ' ')) {
        n = strcspn(names, " ");
        size_t name = strcspn(names, "=");
        buf_printf(&b, "<TiffData><UUID FileName=\"%.*s\">%.*s</UUID></TiffData>", (int)name, names, (int)(n - name - 1),
                   names + name + 1);
    }
    buf_add_str(&b, "</Pixels></Image></OME>");
    return buf_take_str(&b);
}

static void put_ome(const struct place *p, const char *name, const char *uuid, const char *names)
{
    AUTO(mem_freep) char *xml = ome_xml(uuid, names);

    put_tiff(p, name, xml);
}

static const char *text_of(const struct place *p, const char *target)
{
    for (size_t i = 0; i < p->groups->n; i++)
        if (strcmp(p->groups->at[i].target->path, target) == 0)
            return format_group_at(p->groups, i).text;
    fail_msg("no group of %s", target);
    return NULL;
}

static void groups_come_by_target_and_every_file_is_in_one(void **state)
{
    struct place *p = *state;
    static const char *const names[] = {"z.tif", "a\nb.tif", "caf\xE9.tif", "notes.txt", "sub/x.tif"};

    mkdirat(p->fd, "sub", 0700);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        put_tiff(p, names[i], "");
    put_text(p, "notes.txt", "nothing");
    group(p);
    assert_int_equal(p->groups->n, ARRAY_LEN(names));
    for (size_t i = 1; i < p->groups->n; i++)
        assert_true(strcmp(p->groups->at[i - 1].target->path, p->groups->at[i].target->path) < 0);
    assert_group(p, "caf\xE9.tif | TIFF");
    assert_group(p, "notes.txt | unknown-format");
}

static bool is_card(void *arg, const struct tree_entry *e)
{
    return strcmp(e->name, arg) == 0;
}

static void ignored_and_hidden_files_are_in_no_group(void **state)
{
    struct place *p = *state;
    struct err err = ERR_INIT;

    put_tiff(p, ".hidden.tif", "");
    put_tiff(p, "a.tif", "");
    put_text(p, "card.toml", "x");
    assert_ok(tree_scan(p->path, &p->tree, &err), &err);
    const struct format_options options = {.ignore = is_card, .arg = (void *)"card.toml"};

    assert_ok(format_group_tree(p->tree, &options, &p->groups, &err), &err);
    assert_int_equal(p->groups->n, 1);
    assert_group(p, "a.tif | TIFF");
}

static void files_that_are_not_whole_say_so(void **state)
{
    struct place *p = *state;

    put_text(p, "empty.tif", "");
    put_text(p, "empty.czi", "");
    put_text(p, "empty.txt", "");
    put(p, "cut.tif", "II*\0\xFF\0\0\0", 8);
    put_text(p, "text.tif", "no tiff at all");
    put(p, "cut.png", "\x89PNG\r\n\x1A\n\0\0\0\rIHDR", 16);
    put_text(p, "cut.czi", "ZISRAWFILE");
    put(p, "cut.lif", "\x70\0\0\0\xFF\0\0\0\x2A\xFF\0\0\0<\0", 15);
    put_text(p, "text.lif", "no lif");
    put_text(p, "cut.companion.ome", "<?xml version=\"1.0\"?><OME><Image>");
    put_tiff(p, "x.tif.part", "");
    put_tiff(p, "y.tif~", "");
    put_tiff(p, "z.tif.ffs_tmp", "");
    put_tiff(p, "~$z.tif", "");
    group(p);
    assert_group(p, "empty.tif | empty");
    assert_group(p, "empty.czi | empty");
    assert_group(p, "empty.txt | unknown-format");
    assert_group(p, "cut.tif | broken-file");
    assert_group(p, "text.tif | broken-file");
    assert_group(p, "cut.png | broken-file");
    assert_group(p, "cut.czi | broken-file");
    assert_group(p, "cut.lif | broken-file");
    assert_group(p, "text.lif | broken-file");
    assert_group(p, "cut.companion.ome | broken-file");
    assert_group(p, "x.tif.part | temporary");
    assert_group(p, "y.tif~ | temporary");
    assert_group(p, "z.tif.ffs_tmp | temporary");
    assert_group(p, "~$z.tif | temporary");
}

static void a_file_that_vanished_or_became_a_link_says_so(void **state)
{
    struct place *p = *state;
    struct err err = ERR_INIT;

    put_tiff(p, "gone.tif", "");
    put_tiff(p, "link.tif", "");
    put_tiff(p, "fifo.tif", "");
    assert_ok(tree_scan(p->path, &p->tree, &err), &err);
    assert_int_equal(unlinkat(p->fd, "gone.tif", 0), 0);
    assert_int_equal(unlinkat(p->fd, "link.tif", 0), 0);
    assert_int_equal(unlinkat(p->fd, "fifo.tif", 0), 0);
    assert_int_equal(symlinkat("/etc/passwd", p->fd, "link.tif"), 0);
    assert_int_equal(mkfifoat(p->fd, "fifo.tif", 0600), 0);
    assert_ok(format_group_tree(p->tree, NULL, &p->groups, &err), &err);
    assert_group(p, "gone.tif | gone");
    assert_group(p, "link.tif | link");
    assert_group(p, "fifo.tif | not-regular");
}

static void a_set_waits_for_its_members(void **state)
{
    struct place *p = *state;

    put_ome(p, "a.ome.tif", "A", "a.ome.tif=A b.ome.tif=B");
    put_text(p, "b.ome.tif.part", "half");
    put_ome(p, "c.ome.tif", "C", "c.ome.tif=C d.ome.tif=D");
    put_text(p, "d.ome.tif", "");
    group(p);
    assert_group(p, "a.ome.tif | incomplete");
    assert_string_equal(text_of(p, "a.ome.tif"), "b.ome.tif is missing");
    assert_group(p, "c.ome.tif d.ome.tif | incomplete");
    assert_non_null(strstr(text_of(p, "c.ome.tif"), "d.ome.tif"));
}

static void names_never_lead_out_of_the_tree(void **state)
{
    struct place *p = *state;
    static const char *const names[] = {"../../etc/passwd", "/etc/passwd", "../a.tif", "s/../../a.tif"};
    char target[] = "0.ome.tif", names_of[64];

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        target[0] = (char)('0' + i);
        snprintf(names_of, sizeof(names_of), "%s=X", names[i]);
        put_ome(p, target, "U", names_of);
    }
    group(p);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        target[0] = (char)('0' + i);
        AUTO(mem_freep) char *want = mem_printf("%s | incomplete", target);
        assert_group(p, want);
    }
}

static void names_may_lead_through_the_tree(void **state)
{
    struct place *p = *state;

    mkdirat(p->fd, "d", 0700), mkdirat(p->fd, "e", 0700);
    put_ome(p, "d/a.ome.tif", "A", "./a.ome.tif=A ../e/b.tif=B");
    put_tiff(p, "e/b.tif", "");
    group(p);
    assert_group(p, "d/a.ome.tif e/b.tif | OME-TIFF");
    assert_int_equal(p->groups->n, 1);
}

static void a_copy_of_a_member_is_not_imported_for_its_set(void **state)
{
    struct place *p = *state;

    put_ome(p, "a.ome.tif", "A", "a.ome.tif=A b.ome.tif=B");
    put_ome(p, "b.ome.tif", "B", "a.ome.tif=A b.ome.tif=B");
    put_ome(p, "copy of a.ome.tif", "A", "a.ome.tif=A b.ome.tif=B");
    put_ome(p, "single.ome.tif", "S", "single.ome.tif=S");
    put_ome(p, "copy.ome.tif", "S", "single.ome.tif=S");
    group(p);
    assert_group(p, "a.ome.tif b.ome.tif | OME-TIFF");
    assert_group(p, "single.ome.tif | OME-TIFF");
    assert_group(p, "copy.ome.tif | OME-TIFF");
    assert_int_equal(p->groups->n, 4);
    assert_non_null(strstr(text_of(p, "copy of a.ome.tif"), "copy of a member"));
}

static void sets_that_share_a_file_are_left_alone(void **state)
{
    struct place *p = *state;

    put_ome(p, "a.ome.tif", "A", "a.ome.tif=A shared.tif=X");
    put_ome(p, "b.ome.tif", "B", "b.ome.tif=B shared.tif=X");
    put_tiff(p, "shared.tif", "");
    group(p);
    assert_group(p, "a.ome.tif shared.tif | OME-TIFF");
    assert_group(p, "b.ome.tif | deferred");
    assert_string_equal(text_of(p, "b.ome.tif"), "shared.tif belongs to two sets");
}

static void a_pointer_without_its_companion_is_a_plain_tiff(void **state)
{
    struct place *p = *state;

    put_tiff(p, "a.ome.tif", "<OME UUID=\"A\"><BinaryOnly MetadataFile=\"gone.companion.ome\" UUID=\"M\"/></OME>");
    put_text(p, "empty.companion.ome", "<OME/>");
    put_tiff(p, "b.ome.tif", "<OME UUID=\"B\"><BinaryOnly MetadataFile=\"empty.companion.ome\" UUID=\"M\"/></OME>");
    group(p);
    assert_group(p, "a.ome.tif | TIFF");
    assert_group(p, "b.ome.tif | deferred");
    assert_group(p, "empty.companion.ome | broken-file");
}

static void planes_of_sets_that_cannot_be_are_never_lone_images(void **state)
{
    struct place *p = *state;

    mkdirat(p->fd, "mm", 0700), mkdirat(p->fd, "i.oif.files", 0700), mkdirat(p->fd, "j.oif.files", 0700);
    mkdirat(p->fd, "k.zarr", 0700), mkdirat(p->fd, "k.zarr/0", 0700);
    put_text(p, "exp.nd", "\"NDInfoFile\", Version 1.0");
    put_tiff(p, "exp_w1_t1.tif", ""), put_tiff(p, "exp_w1_t2.tif", ""), put_tiff(p, "experiment.tif", "");
    put_text(p, "mm/metadata.txt", "{\"Summary\": {\"MicroManagerVersion\": \"1.4.22\"}}");
    put_tiff(p, "mm/img.tif", "");
    put_text(p, "i.oif", "x"), put_tiff(p, "i.oif.files/s_C001.tif", "");
    put_tiff(p, "j.oif.files/s_C001.tif", "");
    put_text(p, "k.zarr/0/0", "x"), put_text(p, "k.zarr/zarr.json", "{}");
    put_text(p, "report.htm", "<html>");
    group(p);
    assert_group(p, "exp.nd exp_w1_t1.tif exp_w1_t2.tif | incomplete");
    assert_group(p, "experiment.tif | TIFF");
    assert_group(p, "mm/metadata.txt mm/img.tif | incomplete");
    assert_group(p, "i.oif i.oif.files/s_C001.tif | broken-file");
    assert_group(p, "j.oif.files/s_C001.tif | incomplete");
    assert_group(p, "k.zarr/zarr.json k.zarr/0/0 | deferred");
    assert_group(p, "report.htm | unknown-format");
}

static void metadata_of_another_program_defers_nothing(void **state)
{
    struct place *p = *state;

    put_text(p, "metadata.txt", "somebody's notes");
    put_tiff(p, "a.tif", "");
    group(p);
    assert_group(p, "a.tif | TIFF");
    assert_group(p, "metadata.txt | unknown-format");
}

/* So many that several threads look at them. */
static void many_files_are_each_told_for_themselves(void **state)
{
    enum { N = 1000 };
    struct place *p = *state;

    for (unsigned i = 0; i < N; i++) {
        static const char *const kinds[][2] = {{"pgm", "P5\n1 1\n255\nx"}, {"txt", "notes"}, {"jpg", "no JPEG"}, {"pgm", ""}};
        AUTO(mem_freep) char *name = mem_printf("%04u.%s", i, kinds[i % 4][0]);

        put_text(p, name, kinds[i % 4][1]);
    }
    group(p);
    assert_int_equal(p->groups->n, N);
    for (unsigned i = 0; i < N; i++) {
        static const enum reason why[] = {REASON_NONE, REASON_UNKNOWN_FORMAT, REASON_BROKEN_FILE, REASON_EMPTY};
        const struct format_group g = format_group_at(p->groups, i);

        assert_int_equal(g.why, why[i % 4]);
        assert_int_equal(strtoul(g.members[0]->path, NULL, 10), i);
        assert_string_equal(g.format, i % 4 == 0 ? "Portable Any Map" : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(groups_come_by_target_and_every_file_is_in_one),
        in_place(ignored_and_hidden_files_are_in_no_group),
        in_place(many_files_are_each_told_for_themselves),
        in_place(files_that_are_not_whole_say_so),
        in_place(a_file_that_vanished_or_became_a_link_says_so),
        in_place(a_set_waits_for_its_members),
        in_place(names_never_lead_out_of_the_tree),
        in_place(names_may_lead_through_the_tree),
        in_place(a_copy_of_a_member_is_not_imported_for_its_set),
        in_place(sets_that_share_a_file_are_left_alone),
        in_place(a_pointer_without_its_companion_is_a_plain_tiff),
        in_place(planes_of_sets_that_cannot_be_are_never_lone_images),
        in_place(metadata_of_another_program_defers_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

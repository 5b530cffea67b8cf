/* Masters as an enemy writes them: each ends in a reason, within bounds, and nothing outside the tree is touched. */
#include "place.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/ceilings.h"

/* A TIFF without pixels. */
static void put_tiff(const struct place *p, const char *name)
{
    put(p, name, "II*\0\x08\0\0\0\x01\0\x00\x01\x03\0\x01\0\0\0\x01\0\0\0\0\0\0", 26);
}

static struct format_group group_of(const struct place *p, const char *path)
{
    for (size_t i = 0; i < p->groups->n; i++) {
        const struct format_group g = format_group_at(p->groups, i);

        for (size_t m = 0; m < g.n_members; m++)
            if (strcmp(g.members[m]->path, path) == 0)
                return g;
    }
    fail_msg("no group of %s", path);
    return (struct format_group){0};
}

/* One file, and what is said of it. */
struct given {
    const char *name;
    const char *bytes;
    size_t n; /* 0: a text */
    enum reason want;
    const char *text; /* part of what is said; NULL: anything */
};

static void check(struct place *p, const struct given *g)
{
    put(p, g->name, g->bytes, g->n ? g->n : strlen(g->bytes));
    group(p);

    const struct format_group have = group_of(p, g->name);

    if (have.why != g->want || (g->text && !strstr(have.text, g->text)))
        fail_msg("%s: %s (%s)", g->name, reason_row(have.why)->name, have.text);
    unlinkat(p->fd, g->name, 0);
}

static void masters_that_are_no_such_thing_say_so(void **state)
{
    static const struct given given[] = {
        {"x.nd", "", 0, REASON_EMPTY, NULL},
        {"x.nd", "\xFF\0\xFF\0junk", 8, REASON_INCOMPLETE, NULL},
        {"x.oif", "", 0, REASON_EMPTY, NULL},
        {"x.oif", "[ProfileSaveInfo]", 0, REASON_BROKEN_FILE, "no planes"},
        {"x.oif", "\xFF\xFE[\0P", 5, REASON_BROKEN_FILE, "no planes"},
        {"x.lei", "IIII", 0, REASON_BROKEN_FILE, "cut short"},
        {"x.lei", "IIII\0\0\0\0\0\0\0\0\x0C\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 28, REASON_BROKEN_FILE, "cut short"},
        {"x.lei", "IIII\0\0\0\0\0\0\0\0\x10\0\0\0\xFF\xFF\xFF\xFF\x0F\0\0\0\xFF\xFF\xFF\x7F", 28, REASON_BROKEN_FILE, NULL},
        {"x.xlef", "<a><b></a>", 0, REASON_BROKEN_FILE, "no well-formed XML"},
        {"x.afi", "<ImageList/>", 0, REASON_BROKEN_FILE, "names no images"},
        {"x.vms", "[Virtual Microscope Specimen]\nNoLayers=1\n", 0, REASON_BROKEN_FILE, "names no images"},
        {"x.ndpis", "Image0", 0, REASON_BROKEN_FILE, "names no images"},
        {"x.pattern", "img_<0-", 0, REASON_BROKEN_FILE, "no pattern"},
        {"x.pattern", "img_<9-0>.tif", 0, REASON_BROKEN_FILE, "no pattern"},
        {"x.pattern", "img_<0-9:0>.tif", 0, REASON_BROKEN_FILE, "no pattern"},
        {"x.pattern", "img_<0-999999999999>.tif", 0, REASON_BROKEN_FILE, "no pattern"},
        {"x.pattern", "<0-999><0-999><0-999>", 0, REASON_BROKEN_FILE, "more files than any set"},
        {"x.pattern", "../<0-9>.tif", 0, REASON_BROKEN_FILE, "other directories"},
        {"x.pattern", "/etc/<a-z>", 0, REASON_BROKEN_FILE, "other directories"},
        {"x.nd", "\"NTimePoints\", 4000000000\r\n\"DoTimelapse\", TRUE\r\n", 0, REASON_BROKEN_FILE, "more files than any set"},
        {"experiment_descriptor.xml", "<LVData>", 0, REASON_BROKEN_FILE, "no well-formed XML"},
        {"x.hdr", "\x5C\x01\0\0", 4, REASON_UNKNOWN_FORMAT, NULL},
        {"x.hed", "x", 0, REASON_INCOMPLETE, "x.img is missing"},
        {"x.nhdr", "NRRD0004\ndata file: ../../etc/passwd\n", 0, REASON_INCOMPLETE, "is missing"},
        {"x.nhdr", "NRRD0004\ndata file: LIST\n", 0, REASON_DEFERRED, "several files"},
        {"x.oir", "not", 0, REASON_BROKEN_FILE, "its first bytes do not"},
    };

    for (size_t i = 0; i < ARRAY_LEN(given); i++)
        check(*state, &given[i]);
}

static void entities_are_refused_everywhere(void **state)
{
#define BOMB "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>"
    static const struct given given[] = {
        {"x.afi", BOMB "<L><Path>&b;</Path></L>", 0, REASON_BROKEN_FILE, "declares entities"},
        {"x.xlef", BOMB "<L/>", 0, REASON_BROKEN_FILE, "declares entities"},
        {"x.omp2info", BOMB "<L/>", 0, REASON_BROKEN_FILE, "declares entities"},
        {"experiment_descriptor.xml", BOMB "<LVData/>", 0, REASON_BROKEN_FILE, "declares entities"},
        {"x.companion.ome", BOMB "<OME/>", 0, REASON_BROKEN_FILE, "declares entities"},
        {"index.xml", BOMB "<Harmony/>", 0, REASON_BROKEN_FILE, "declares entities"},
        {"x.xml", BOMB "<PVScan/>", 0, REASON_BROKEN_FILE, "declares entities"},
    };

    for (size_t i = 0; i < ARRAY_LEN(given); i++)
        check(*state, &given[i]);
}

static void elements_within_one_another_have_an_end(void **state)
{
    struct place *p = *state;
    struct buf b = BUF_INIT(1 << 20);

    for (int i = 0; i < 100000; i++)
        buf_add_str(&b, "<a>");
    put(p, "x.afi", b.data, b.len);
    buf_clear(&b);
    group(p);
    assert_int_equal(group_of(p, "x.afi").why, REASON_BROKEN_FILE);
    assert_non_null(strstr(group_of(p, "x.afi").text, "within one another"));
}

/* Names that lead out, or to what is no member, are missing and nothing else. */
static void names_never_lead_out(void **state)
{
    static const struct {
        const char *name, *text;
    } masters[] = {
        {"in/x.afi", "<L><Path>../../../etc/passwd</Path></L>"},
        {"in/x.afi", "<L><Path>/etc/passwd</Path></L>"},
        {"in/x.vms", "ImageFile=../../etc/passwd\n"},
        {"in/x.ndpis", "Image0=../../x.ndpi\n"},
        {"in/x.xlef", "<E><Reference File=\"..%5C..%5C..%5Cetc%2Fpasswd\"/></E>"},
        {"in/x.xlef", "<E><Reference File=\"/etc/passwd\"/></E>"},
    };
    struct place *p = *state;

    mkdirat(p->fd, "in", 0700);
    for (size_t i = 0; i < ARRAY_LEN(masters); i++) {
        put_text(p, masters[i].name, masters[i].text);
        group(p);

        const struct format_group g = group_of(p, masters[i].name);

        if (g.why != REASON_INCOMPLETE || g.n_missing != 1 || g.n_members != 1)
            fail_msg("%s: %s: %s (%s)", masters[i].name, masters[i].text, reason_row(g.why)->name, g.text);
        unlinkat(p->fd, masters[i].name, 0);
    }
}

/* 100,000 names that are not there: named in part, counted in full. */
static void a_master_of_many_names_is_bounded(void **state)
{
    struct place *p = *state;
    struct buf b = BUF_INIT(16 << 20);

    buf_add_str(&b, "{\"Summary\": {\"MicroManagerVersion\": \"1.4\"},\n");
    for (int i = 0; i < 100000; i++)
        buf_printf(&b, "\"FileName\": \"img_%09d.tif\",\n", i);
    put(p, "metadata.txt", b.data, b.len);
    buf_clear(&b);
    put_tiff(p, "img_000000007.tif");
    group(p);

    const struct format_group g = group_of(p, "metadata.txt");

    assert_int_equal(g.why, REASON_INCOMPLETE);
    assert_int_equal(g.n_missing, 99999);
    assert_string_equal(g.missing[FORMAT_MISSING_KEPT - 1].name, "img_000000020.tif");
    assert_non_null(strstr(g.text, "and 99996 more are missing"));
    assert_true(g.tolerated);
}

/* So many masters of so many names that all of them together meet the ceiling. */
static void many_masters_of_many_names_are_bounded(void **state)
{
    struct place *p = *state;
    size_t refused = 0;

    for (int i = 0; i < 30; i++) {
        AUTO(mem_freep) char *name = mem_printf("m%02d.pattern", i);
        AUTO(mem_freep) char *text = mem_printf("%d_<0-9><0-9><0-9><0-9><0-9>.tif", i);

        put_text(p, name, text);
    }
    group(p);
    for (size_t i = 0; i < p->groups->n; i++)
        refused += strstr(format_group_at(p->groups, i).text, "name too many others") != NULL;
    assert_int_equal(refused, 30 - NAMES_TREE_MAX / 100000 - 1);
}

/* A file of 4 GiB that is nearly all holes: no more of it is read than of any other. */
static void sparse_files_are_not_read(void **state)
{
    static const char *const names[] = {"a.nd", "a.oif", "a.lei", "a.pattern", "metadata.txt", "a.tif", "a.czi", "a.ics",
                                        "a.afi"};
    struct place *p = *state;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        put_text(p, names[i], "micromanager");
        int fd = openat(p->fd, names[i], O_WRONLY | O_CLOEXEC);

        assert_int_equal(ftruncate(fd, (off_t)4 << 30), 0);
        close(fd);
    }
    group(p);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (group_of(p, names[i]).why == REASON_NONE)
            fail_msg("%s was taken", names[i]);
}

/* .xlif files that name one another, and themselves. */
static void circles_of_masters_end(void **state)
{
    struct place *p = *state;

    put_text(p, "p.xlef", "<E><Reference File=\"a.xlcf\"/></E>");
    put_text(p, "a.xlcf", "<E><Reference File=\"b.xlcf\"/><Reference File=\"p.xlef\"/><Reference File=\"a.xlcf\"/></E>");
    put_text(p, "b.xlcf", "<E><Reference File=\"A.XLCF\"/><Frame File=\"x.tif\"/></E>");
    put_tiff(p, "x.tif");
    group(p);
    assert_int_equal(group_of(p, "x.tif").n_members, 4);
    assert_string_equal(group_of(p, "x.tif").members[0]->path, "p.xlef");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(masters_that_are_no_such_thing_say_so),
        in_place(entities_are_refused_everywhere),
        in_place(elements_within_one_another_have_an_end),
        in_place(names_never_lead_out),
        in_place(a_master_of_many_names_is_bounded),
        in_place(many_masters_of_many_names_are_bounded),
        in_place(sparse_files_are_not_read),
        in_place(circles_of_masters_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Sets that are not among the cases: what belongs together was seen with Bio-Formats 7.3.1. */
#include "place.h"

#include <sys/stat.h>

static void put_pic(const struct place *p, const char *name, const char *note, const char *second)
{
    uint8_t pic[76 + 30 + 2 * 96] = {6, 0, 5, 0, 1, 0, [14] = 1, [54] = '9', '0'};
    const char *notes[] = {note, second};
    size_t n = 76 + 30;

    for (size_t i = 0; i < ARRAY_LEN(notes) && notes[i]; i++, n += 96) {
        pic[n + 2] = i + 1 < ARRAY_LEN(notes) && notes[i + 1];
        memcpy(pic + n + 16, notes[i], strlen(notes[i]));
    }
    put(p, name, pic, n);
}

#define AXIS_2 "AXIS_2 = 257 0.0 0.5 um"

static void numbered_pictures_go_together_when_a_note_says_so(void **state)
{
    static const char *const three[] = {"s8.pic", "s9.pic", "s10.pic"};
    struct place *p = *state;

    for (size_t i = 0; i < ARRAY_LEN(three); i++)
        put_pic(p, three[i], AXIS_2, "AXIS_9 = 11 0 3 RGB");
    put_pic(p, "s7.pic", AXIS_2, NULL); /* of another length */
    put_pic(p, "t1.pic", AXIS_2, "AXIS_9 = 11 0 3 RGB");
    put_pic(p, "u1.pic", AXIS_2, "AXIS_9 = 1 0 3");
    put_pic(p, "u2.pic", AXIS_2, "AXIS_9 = 1 0 3");
    group(p);
    assert_int_equal(p->groups->n, 5);
    assert_group(p, "s10.pic s8.pic s9.pic | Bio-Rad PIC");
    assert_group(p, "s7.pic | Bio-Rad PIC");
    assert_group(p, "t1.pic | Bio-Rad PIC");
    assert_group(p, "u1.pic | Bio-Rad PIC");
    assert_group(p, "u2.pic | Bio-Rad PIC");
}

static void numbered_pictures_wait_for_one_another(void **state)
{
    struct place *p = *state;

    put_pic(p, "gap0.pic", "AXIS_9 = 11 0 3 RGB", NULL);
    put_pic(p, "gap1.pic", "AXIS_9 = 11 0 3 RGB", NULL);
    put_pic(p, "gap3.pic", "AXIS_9 = 11 0 3 RGB", NULL);
    put_pic(p, "few1.pic", "AXIS_9 = 11 0 3 RGB", NULL);
    put_pic(p, "few2.pic", "AXIS_9 = 11 0 3 RGB", NULL);
    put_pic(p, "x1_t1.pic", "AXIS_9 = 11 0 2 RGB", NULL);
    put_pic(p, "x1_t2.pic", "AXIS_9 = 11 0 2 RGB", NULL);
    put_pic(p, "x2_t1.pic", "AXIS_9 = 11 0 2 RGB", NULL);
    group(p);
    assert_int_equal(p->groups->n, 3);
    assert_group(p, "gap0.pic gap1.pic gap3.pic | incomplete");
    assert_group(p, "few1.pic few2.pic | incomplete");
    assert_group(p, "x1_t1.pic x1_t2.pic x2_t1.pic | deferred");
}

static void a_report_of_visitech_has_its_channels(void **state)
{
    struct place *p = *state;

    put_text(p, "exp Report.html", "<html></html>");
    put_text(p, "exp 1.xys", "1");
    put_text(p, "exp 2.xys", "2");
    put_text(p, "exp 10 notes.txt", "3");
    put_text(p, "gap Report.html", "<html></html>");
    put_text(p, "gap 1.xys", "1");
    put_text(p, "gap 3.xys", "3");
    put_text(p, "lost 1.xys", "1");
    put_text(p, "monthly Report.html", "<html></html>");
    group(p);
    assert_int_equal(p->groups->n, 5);
    assert_group(p, "exp Report.html exp 1.xys exp 2.xys | Visitech XYS");
    assert_group(p, "gap Report.html gap 1.xys gap 3.xys | incomplete");
    assert_group(p, "lost 1.xys | incomplete");
    assert_group(p, "exp 10 notes.txt | unknown-format");
    assert_group(p, "monthly Report.html | unknown-format");
}

/* A database as far as it is looked at: how it begins, and texts somewhere. */
static void put_mdb(const struct place *p, const char *name, const char *texts, size_t n)
{
    uint8_t mdb[6000] = "\0\1\0\0Standard Jet DB";

    memcpy(mdb + 3000, "ID", 2);
    memcpy(mdb + 5000, texts, n);
    put(p, name, mdb, sizeof(mdb));
}

/* A TIFF of two directories, as Zeiss writes it, and 4 KiB long. */
static void put_lsm(const struct place *p, const char *name)
{
    uint8_t lsm[4096] = "II*\0\x08\0\0\0\x01\0\x00\x01\x03\0\x01\0\0\0\x01\0\0\0\x1A\0\0\0\x01\0\x00\x01\x03\0\x01\0\0\0\x01\0\0";

    put(p, name, lsm, sizeof(lsm));
}

#define TEXTS(s) s, sizeof(s) - 1

static void a_database_leads_to_its_lsm_files(void **state)
{
    struct place *p = *state;
    static const char *const dirs[] = {"all", "wide", "row", "doubt", "other"};

    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        AUTO(mem_freep) char *one = mem_printf("%s/one.lsm", dirs[i]), *two = mem_printf("%s/two.lsm", dirs[i]);

        mkdirat(p->fd, dirs[i], 0700);
        put_lsm(p, one), put_lsm(p, two);
    }
    put_lsm(p, "wide/three.lsm");
    put_mdb(p, "all/x.mdb", TEXTS("\xFF\xFE" "D:\\scans\\one.lsm\xFF\xFEtwo.lsm\0"));
    put_mdb(p, "wide/x.mdb", TEXTS("\1\2o\0n\0e\0.\0l\0s\0m\0\3\4t\0h\0r\0e\0e\0.\0l\0s\0m\0"));
    put_mdb(p, "row/x.mdb", TEXTS("rec1one.lsmrec2two.lsm"));      /* whatever is exact: all are named */
    put_mdb(p, "doubt/x.mdb", TEXTS("rec1one.lsm\0gone.lsm\0"));
    put_mdb(p, "other/x.mdb", TEXTS("a database of something else"));
    group(p);
    assert_group(p, "all/x.mdb all/one.lsm all/two.lsm | Zeiss LSM");
    assert_group(p, "wide/x.mdb wide/one.lsm wide/three.lsm | Zeiss LSM");
    assert_group(p, "wide/two.lsm | Zeiss LSM");
    assert_group(p, "row/x.mdb row/one.lsm row/two.lsm | Zeiss LSM");
    assert_group(p, "doubt/x.mdb doubt/one.lsm doubt/two.lsm | deferred");
    assert_group(p, "other/x.mdb | unknown-format");
    assert_group(p, "other/one.lsm | Zeiss LSM");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(numbered_pictures_go_together_when_a_note_says_so),
        in_place(numbered_pictures_wait_for_one_another),
        in_place(a_report_of_visitech_has_its_channels),
        in_place(a_database_leads_to_its_lsm_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

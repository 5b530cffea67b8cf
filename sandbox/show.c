#include "sandbox/show.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "sandbox/entity.h"
#include "sandbox/store.h"

enum { STEP = 2 }; /* columns a level */

struct shown {
    struct store *store;
    FILE *out;
};

static const char *text_at(sqlite3_stmt *q, int col)
{
    const char *text = (const char *)sqlite3_column_text(q, col);

    return text ? text : "";
}

/* What users sent is printed so that no terminal obeys it. */
static void print_safe(const struct shown *s, const char *text)
{
    AUTO(mem_freep) char *safe = str_show(text);

    fputs(safe, s->out);
}

static void print_indent(const struct shown *s, int level)
{
    fprintf(s->out, "%*s", level * STEP, "");
}

/* --- annotations --- */

static void show_pairs(const struct shown *s, int64_t note, int level)
{
    AUTO(store_donep)
    sqlite3_stmt *q =
        store_query(s->store,
                    "select name, value from Pair where holder = 'Annotation.mapValue' and object = ? order by position", "i",
                    note);

    while (store_next(s->store, q)) {
        print_indent(s, level);
        print_safe(s, text_at(q, 0));
        fputs(" = ", s->out);
        print_safe(s, text_at(q, 1));
        fputc('\n', s->out);
    }
}

static void show_note(const struct shown *s, sqlite3_stmt *q, int level)
{
    static const struct {
        const char *kind, *word;
    } words[] = {{"TagAnnotation", "tag"}, {"CommentAnnotation", "comment"}, {"MapAnnotation", "key-value pairs"}};
    const char *kind = text_at(q, 1), *ns = text_at(q, 2);

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(words[i].kind, kind) == 0)
            kind = words[i].word;
    print_indent(s, level);
    fputs(kind, s->out);
    if (ns[0]) {
        fputs(" (", s->out);
        print_safe(s, ns);
        fputc(')', s->out);
    }
    fputs(strcmp(kind, "key-value pairs") == 0 ? ":" : ": ", s->out);
    print_safe(s, text_at(q, 3));
    fputc('\n', s->out);
    show_pairs(s, sqlite3_column_int64(q, 0), level + 1);
}

static void show_notes(const struct shown *s, const char *parent, int64_t id, int level)
{
    AUTO(mem_freep)
    char *sql = mem_printf("select distinct a.id, a._kind, a.ns, a.textValue from %sAnnotationLink l "
                           "join Annotation a on a.id = l.child where l.parent = ? order by a._kind desc, a.textValue",
                           parent);
    AUTO(store_donep) sqlite3_stmt *q = store_query(s->store, sql, "i", id);

    while (store_next(s->store, q))
        show_note(s, q, level);
}

/* Annotations of an image that its dataset lacks. */
static int64_t n_own_notes(const struct shown *s, int64_t image, int64_t dataset)
{
    return store_long(s->store, 0, "select count(*) from ImageAnnotationLink l where l.parent = ? and l.child not in "
                                   "(select child from DatasetAnnotationLink where parent = ?)", "ii", image, dataset);
}

static void show_image_notes(const struct shown *s, int64_t image, int64_t dataset, int level)
{
    int64_t n = store_long(s->store, 0, "select count(*) from ImageAnnotationLink where parent = ?", "i", image);

    if (n == 0)
        return;
    if (n_own_notes(s, image, dataset) > 0) {
        show_notes(s, "Image", image, level);
        return;
    }
    print_indent(s, level);
    fprintf(s->out, "%lld of the dataset's annotations\n", (long long)n);
}

/* --- containers --- */

static void show_files(const struct shown *s, int64_t fileset, int level)
{
    AUTO(store_donep)
    sqlite3_stmt *q =
        store_query(s->store,
                    "select o.name, o.size from FilesetEntry e join OriginalFile o on o.id = e.originalFile where e.fileset = ? "
                    "order by e.id",
                    "i", fileset);

    while (store_next(s->store, q)) {
        print_indent(s, level);
        fputs("file ", s->out);
        print_safe(s, text_at(q, 0));
        fprintf(s->out, ", %lld bytes\n", (long long)sqlite3_column_int64(q, 1));
    }
}

static void show_images(const struct shown *s, int64_t dataset, int level)
{
    AUTO(store_donep)
    sqlite3_stmt *q = store_query(
        s->store,
        "select i.id, i.name, i.fileset, p.sizeX, p.sizeY, p.sizeZ, p.sizeC, p.sizeT, p.pixelsType from DatasetImageLink l "
        "join Image i on i.id = l.child left join Pixels p on p.image = i.id where l.parent = ? order by i.name, i.id",
        "i", dataset);

    while (store_next(s->store, q)) {
        int64_t image = sqlite3_column_int64(q, 0);
        print_indent(s, level);
        fputs("image ", s->out);
        print_safe(s, text_at(q, 1));
        fprintf(s->out, "  (Image:%lld, %d x %d pixels, z %d, c %d, t %d, %s)\n", (long long)image, sqlite3_column_int(q, 3),
                sqlite3_column_int(q, 4), sqlite3_column_int(q, 5), sqlite3_column_int(q, 6), sqlite3_column_int(q, 7),
                text_at(q, 8));
        show_files(s, sqlite3_column_int64(q, 2), level + 1);
        show_image_notes(s, image, dataset, level + 1);
    }
}

/* A row: id, name, description, owner, group. */
static void show_head(const struct shown *s, sqlite3_stmt *q, const char *kind, int level)
{
    print_indent(s, level);
    fprintf(s->out, "%s ", kind);
    print_safe(s, text_at(q, 1));
    fprintf(s->out, "  (id %lld, of %s in %s)\n", (long long)sqlite3_column_int64(q, 0), text_at(q, 3), text_at(q, 4));
    if (!text_at(q, 2)[0])
        return;
    print_indent(s, level + 1);
    print_safe(s, text_at(q, 2));
    fputc('\n', s->out);
}

#define HEAD "x.id, x.name, x.description, e.omeName, g.name"
#define OWNER "join Experimenter e on e.id = x._owner join ExperimenterGroup g on g.id = x._grp"

static void show_datasets(const struct shown *s, const char *condition, int64_t project, int level)
{
    AUTO(mem_freep) char *sql = mem_printf("select " HEAD " from Dataset x " OWNER " where %s order by x.name, x.id", condition);
    AUTO(store_donep) sqlite3_stmt *q = store_query(s->store, sql, "i", project);

    while (store_next(s->store, q)) {
        show_head(s, q, "dataset", level);
        show_notes(s, "Dataset", sqlite3_column_int64(q, 0), level + 1);
        show_images(s, sqlite3_column_int64(q, 0), level + 1);
    }
}

static void show_projects(const struct shown *s)
{
    AUTO(store_donep)
    sqlite3_stmt *q = store_query(s->store, "select " HEAD " from Project x " OWNER " order by x.name, x.id", "");

    while (store_next(s->store, q)) {
        show_head(s, q, "project", 0);
        show_notes(s, "Project", sqlite3_column_int64(q, 0), 1);
        show_datasets(s, "exists (select 1 from ProjectDatasetLink l where l.child = x.id and l.parent = ?)",
                      sqlite3_column_int64(q, 0), 1);
    }
    show_datasets(s, "? = 0 and not exists (select 1 from ProjectDatasetLink l where l.child = x.id)", 0, 0);
}

static void show_plates(const struct shown *s, const char *condition, int64_t screen, int level)
{
    AUTO(mem_freep)
    char *sql = mem_printf("select " HEAD ", (select count(*) from WellSample w join Well v on v.id = w.well "
                           "where v.plate = x.id), (select count(*) from Well v where v.plate = x.id) from Plate x " OWNER
                           " where %s order by x.name, x.id", condition);
    AUTO(store_donep) sqlite3_stmt *q = store_query(s->store, sql, "i", screen);

    while (store_next(s->store, q)) {
        show_head(s, q, "plate", level);
        print_indent(s, level + 1);
        fprintf(s->out, "%lld images in %lld wells\n", (long long)sqlite3_column_int64(q, 5),
                (long long)sqlite3_column_int64(q, 6));
        show_notes(s, "Plate", sqlite3_column_int64(q, 0), level + 1);
    }
}

static void show_screens(const struct shown *s)
{
    AUTO(store_donep)
    sqlite3_stmt *q = store_query(s->store, "select " HEAD " from Screen x " OWNER " order by x.name, x.id", "");

    while (store_next(s->store, q)) {
        show_head(s, q, "screen", 0);
        show_notes(s, "Screen", sqlite3_column_int64(q, 0), 1);
        show_plates(s, "exists (select 1 from ScreenPlateLink l where l.child = x.id and l.parent = ?)",
                    sqlite3_column_int64(q, 0), 1);
    }
    show_plates(s, "? = 0 and not exists (select 1 from ScreenPlateLink l where l.child = x.id)", 0, 0);
}

static void show_people(const struct shown *s)
{
    AUTO(store_donep)
    sqlite3_stmt *q = store_query(
        s->store,
        "select e.omeName, group_concat(g.name, ', ') from Experimenter e join GroupExperimenterMap m on m.child = e.id "
        "join ExperimenterGroup g on g.id = m.parent group by e.id order by e.id",
        "");

    while (store_next(s->store, q)) {
        fputs("user ", s->out);
        print_safe(s, text_at(q, 0));
        fputs("  (", s->out);
        print_safe(s, text_at(q, 1));
        fputs(")\n", s->out);
    }
}

int show(const char *dir, FILE *out, struct err *err)
{
    AUTO(mem_freep) char *file = mem_printf("%s/sandbox.db", dir);
    struct shown s = {.out = out};

    if (store_open(&s.store, file, true, err) < 0)
        return -1;
    show_people(&s);
    show_projects(&s);
    show_screens(&s);
    store_close(s.store);
    return 0;
}

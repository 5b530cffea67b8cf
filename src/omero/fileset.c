/* Filesets that are in OMERO: found by a job's token, looked at, removed when empty. */
#include <string.h>

#include "omero/delete.h"
#include "omero/import.h"

/* Asked for in all of the user's groups: the job may have been sent with another one. */
int om_import_find(struct om_client *c, const char *token, int64_t *fileset, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct om_arg args[] = {om_arg_string("n", OM_JOB_KEY), om_arg_string("v", token)};
    const struct om_query q = {.hql = "select l.parent.id from FilesetJobLink l, UploadJob j join j.versionInfo v "
                                      "where l.child.id = j.id and v.name = :n and v.value = :v",
                               .cols = "l",
                               .n_args = 2,
                               .args = args};
    struct om_rows rows;

    if (om_query_everywhere(c, &q, mem, &rows, err) < 0)
        return -1;
    if (rows.n == 0)
        return OM_ABSENT;
    for (size_t i = 1; i < rows.n; i++)
        if (om_long(&rows, i, 0) != om_long(&rows, 0, 0))
            return err_set(err, REASON_UNKNOWN_OUTCOME, 0, "several filesets carry the token of one job: %lld and %lld",
                           (long long)om_long(&rows, 0, 0), (long long)om_long(&rows, i, 0));
    *fileset = om_long(&rows, 0, 0);
    return 0;
}

int om_import_is_verified(struct om_client *c, int64_t fileset, bool *out, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct om_arg args[] = {om_arg_long("f", fileset)};
    const struct om_query q = {.hql = "select s.value from FilesetJobLink l, UploadJob j join j.status s "
                                      "where l.child.id = j.id and l.parent.id = :f",
                               .cols = "s",
                               .n_args = 1,
                               .args = args};
    struct om_rows rows;

    if (om_query_everywhere(c, &q, mem, &rows, err) < 0)
        return -1;
    *out = rows.n == 0 || strcmp(om_string(&rows, 0, 0), "Submitted") != 0; /* what is not known counts as carried out */
    return 0;
}

int om_import_log_size(struct om_client *c, int64_t fileset, int64_t *out, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const struct om_arg args[] = {om_arg_long("f", fileset)};
    const struct om_query q = {.hql = "select o.size from FilesetJobLink l join l.child j join j.originalFileLinks jl "
                                      "join jl.child o where l.parent.id = :f and o.mimetype = 'application/omero-log-file'",
                               .cols = "L",
                               .n_args = 1,
                               .args = args};
    struct om_rows rows;

    if (om_query_everywhere(c, &q, mem, &rows, err) < 0)
        return -1;
    *out = rows.n == 0 || om_cell(&rows, 0, 0)->null ? -1 : om_long(&rows, 0, 0);
    return 0;
}

static void fill_image(const struct om_rows *rows, size_t i, void *out)
{
    *(struct om_image_row *)out = (struct om_image_row){
        .id = om_long(rows, i, 0), .name = om_string(rows, i, 1), .series = (int32_t)om_long(rows, i, 2)};
}

static int look_images(struct om_client *c, int64_t fileset, struct arena *mem, struct om_import_result *out, struct err *err)
{
    const struct om_arg args[] = {om_arg_long("f", fileset)};
    const struct om_query q = {.hql =
                                   "select i.id, i.name, i.series from Image i where i.fileset.id = :f order by i.series, i.id",
                               .cols = "lSI",
                               .n_args = 1,
                               .args = args};
    void *images;

    if (om_query_list(c, &q, mem, sizeof(*out->images), fill_image, &images, &out->n_images, err) < 0)
        return -1;
    out->images = images;
    return 0;
}

static void fill_plate(const struct om_rows *rows, size_t i, void *out)
{
    *(struct om_plate_row *)out = (struct om_plate_row){.id = om_long(rows, i, 0), .name = om_string(rows, i, 1)};
}

static int look_plates(struct om_client *c, int64_t fileset, struct arena *mem, struct om_import_result *out, struct err *err)
{
    const struct om_arg args[] = {om_arg_long("f", fileset)};
    const struct om_query q = {.hql = "select distinct pl.id, pl.name from WellSample ws join ws.image i join ws.well w "
                                      "join w.plate pl where i.fileset.id = :f",
                               .cols = "lS",
                               .n_args = 1,
                               .args = args};
    void *plates;

    if (om_query_list(c, &q, mem, sizeof(*out->plates), fill_plate, &plates, &out->n_plates, err) < 0)
        return -1;
    out->plates = plates;
    return 0;
}

int om_fileset_look(struct om_client *c, int64_t fileset, struct arena *mem, struct om_import_result *out, struct err *err)
{
    struct om_import_result found = {.fileset = fileset};

    if (look_images(c, fileset, mem, &found, err) < 0 || look_plates(c, fileset, mem, &found, err) < 0)
        return -1;
    *out = found;
    return 0;
}

/* --- files --- */

static enum om_transfer transfer_of(const struct om_rows *notes, int64_t fileset)
{
    for (size_t i = 0; i < notes->n; i++)
        for (int how = 0; how < OM_N_TRANSFERS; how++)
            if (om_long(notes, i, 0) == fileset && om_transfer_classes[how] &&
                strcmp(om_string(notes, i, 1), om_transfer_classes[how]) == 0)
                return (enum om_transfer)how;
    return OM_UPLOAD;
}

static int ask_transfers(struct om_client *c, const int64_t *filesets, size_t n, struct arena *mem, struct om_rows *out,
                         struct err *err)
{
    const struct om_arg args[] = {om_arg_longs("f", filesets, n), om_arg_string("ns", OM_TRANSFER_NS)};
    const struct om_query q = {.hql = "select l.parent.id, a.textValue from FilesetAnnotationLink l join l.child a "
                                      "where l.parent.id in (:f) and a.ns = :ns order by l.parent.id",
                               .cols = "lS",
                               .n_args = 2,
                               .args = args};

    return om_query_everywhere(c, &q, mem, out, err);
}

static void fill_file(const struct om_rows *rows, size_t i, void *out)
{
    *(struct om_file_row *)out = (struct om_file_row){
        .fileset = om_long(rows, i, 0), .path = om_string(rows, i, 1), .name = om_string(rows, i, 2),
        .size = om_cell(rows, i, 3)->null ? -1 : om_long(rows, i, 3), .hash = om_string(rows, i, 4),
        .algorithm = om_string(rows, i, 5)};
}

int om_fileset_files(struct om_client *c, const int64_t *filesets, size_t n, struct arena *mem, struct om_file_rows *out,
                     struct err *err)
{
    const struct om_arg args[] = {om_arg_longs("f", filesets, n)};
    const struct om_query q = {.hql = "select f.id, o.path, o.name, o.size, o.hash, h.value from Fileset f join f.usedFiles e "
                                      "join e.originalFile o left outer join o.hasher h where f.id in (:f) "
                                      "order by f.id, index(e)",
                               .cols = "lssLSS",
                               .n_args = 1,
                               .args = args};
    struct om_rows notes;
    void *list;
    size_t count;

    *out = (struct om_file_rows){0};
    if (n == 0)
        return 0;
    if (om_query_list(c, &q, mem, sizeof(*out->at), fill_file, &list, &count, err) < 0 ||
        ask_transfers(c, filesets, n, mem, &notes, err) < 0)
        return -1;

    struct om_file_row *files = list;

    for (size_t i = 0; i < count; i++)
        files[i].transfer = transfer_of(&notes, files[i].fileset);
    *out = (struct om_file_rows){.n = count, .at = files};
    return 0;
}

int om_fileset_delete(struct om_client *c, int64_t fileset, struct err *err)
{
    return om_delete(c, "Fileset", &fileset, 1, err);
}

int om_fileset_delete_empty(struct om_client *c, int64_t fileset, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct om_import_result now = {0};

    if (look_images(c, fileset, mem, &now, err) < 0)
        return -1;
    if (now.n_images > 0)
        return err_set(err, REASON_DUPLICATE, 0, "Fileset:%lld has %zu image%s and stays", (long long)fileset, now.n_images,
                       now.n_images == 1 ? "" : "s");
    return om_fileset_delete(c, fileset, err);
}

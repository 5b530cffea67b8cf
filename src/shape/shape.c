#include "shape/shape.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

json_t *shape_dir(const char *dir)
{
    return js_text(*dir ? dir : ".");
}

json_t *shape_time(int64_t wall_ms)
{
    char text[25];

    if (wall_ms == 0 || wall_ms == CLOCK_NEVER)
        return json_null();
    clock_text(wall_ms, text);
    return json_string(text);
}

static const char *class_name(enum err_class cls)
{
    static const char *const names[] = {[ERR_RETRY] = "retry", [ERR_WAIT] = "wait", [ERR_FINAL] = "held"};

    return names[cls];
}

static json_t *place(int n)
{
    return n > 0 ? json_integer(n) : json_null();
}

json_t *shape_problem(const struct shape_problem *p)
{
    const struct reason_row *row = reason_row(p->why);
    json_t *o = json_object();

    if (p->root)
        js_add_path(o, "root", p->root);
    js_add_path(o, "path", *p->path ? p->path : ".");
    json_object_set_new(o, "line", place(p->line));
    json_object_set_new(o, "column", place(p->column));
    json_object_set_new(o, "reason", json_string(row->name));
    json_object_set_new(o, "class", json_string(class_name(p->cls)));
    json_object_set_new(o, "who", json_string(reason_who_name(row->who)));
    json_object_set_new(o, "meaning", json_string(row->text));
    json_object_set_new(o, "text", js_text(p->text ? p->text : ""));
    json_object_set_new(o, "hint", js_text(p->hint && *p->hint ? p->hint : row->hint));
    json_object_set_new(o, "since", shape_time(p->since_ms));
    json_object_set_new(o, "retry_at", shape_time(p->retry_ms));
    return o;
}

json_t *shape_file(const char *path, int64_t size, int64_t mtime_ns)
{
    json_t *o = json_object();

    js_add_path(o, "path", path);
    json_object_set_new(o, "size", json_integer(size));
    json_object_set_new(o, "modified", shape_time(mtime_ns / NS_PER_MS));
    return o;
}

void shape_reason(json_t *o, enum reason why, const char *text)
{
    json_object_set_new(o, "reason", why == REASON_NONE ? json_null() : json_string(reason_row(why)->name));
    json_object_set_new(o, "text", js_text(text));
}

static json_t *shape_tags(const struct ledger_revision *r)
{
    json_t *tags = json_array();

    for (size_t i = 0; i < r->n_tags; i++)
        json_array_append_new(tags, js_text(r->tags[i]));
    return tags;
}

static json_t *shape_pairs(const struct ledger_revision *r)
{
    json_t *pairs = json_array();

    for (size_t i = 0; i < r->n_pairs; i++)
        json_array_append_new(pairs, json_pack("[o, o]", js_text(r->pairs[i].key), js_text(r->pairs[i].value)));
    return pairs;
}

json_t *shape_annotations(const struct ledger_revision *r)
{
    return json_pack("{s:o, s:o, s:o}", "tags", shape_tags(r), "kv", shape_pairs(r), "comment", js_text(r->comment));
}

json_t *shape_card(const struct ledger_card *c)
{
    const struct ledger_revision *r = c->revision;
    json_t *o = json_object();

    if (c->root)
        js_add_path(o, "root", c->root);
    js_add_path(o, "path", c->path);
    json_object_set_new(o, "applies", json_boolean(c->why == REASON_NONE));
    shape_reason(o, c->why, c->text);
    json_object_set_new(o, "line", place(c->line));
    json_object_set_new(o, "title", js_text(r ? r->title : NULL));
    json_object_set_new(o, "project", js_text(r ? r->project : NULL));
    json_object_set_new(o, "user", js_text(r ? r->user : NULL));
    json_object_set_new(o, "group", js_text(r ? r->group : NULL));
    json_object_set_new(o, "comment", js_text(r ? r->comment : NULL));
    json_object_set_new(o, "tags", r ? shape_tags(r) : json_null());
    json_object_set_new(o, "kv_pairs", r ? shape_pairs(r) : json_null());
    return o;
}

static json_t *known_files(const struct ledger_fileset *f)
{
    json_t *files = json_array();

    for (size_t i = 0; i < f->n_members; i++)
        json_array_append_new(files, shape_file(f->members[i].path, f->members[i].stamp.size, f->members[i].stamp.mtime_ns));
    return files;
}

json_t *shape_fileset(const struct ledger_fileset *f)
{
    json_t *o = json_object();

    js_add_path(o, "root", f->root_path);
    js_add_path(o, "path", f->path);
    json_object_set_new(o, "name", js_text(f->name));
    json_object_set_new(o, "kind", json_string(f->plate ? "plate" : "image"));
    json_object_set_new(o, "format", js_text(f->format));
    json_object_set_new(o, "reader", js_text(f->reader));
    json_object_set_new(o, "project", *f->project ? js_text(f->project) : json_null());
    json_object_set_new(o, "user", *f->user ? js_text(f->user) : json_null());
    json_object_set_new(o, "group", js_text(f->group));
    json_object_set_new(o, "bytes", json_integer(f->bytes));
    json_object_set_new(o, "state", json_string(ledger_state_name(f->state)));
    shape_reason(o, f->why, f->text);
    json_object_set_new(o, "since", shape_time(f->since_ms));
    json_object_set_new(o, "retry_at", shape_time(f->retry_ms));
    json_object_set_new(o, "fileset_id", f->omero_id ? json_integer(f->omero_id) : json_null());
    json_object_set_new(o, "files", known_files(f));
    if (f->more_members)
        json_object_set_new(o, "more_files", json_true());
    return o;
}

static json_t *number(int64_t n)
{
    return n ? json_integer(n) : json_null();
}

json_t *shape_images(const struct ledger_image *images, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:I, s:s, s:o, s:i, s:o}", "id", (json_int_t)images[i].omero_id, "kind",
                                              images[i].plate ? "plate" : "image", "name", js_text(images[i].name), "series",
                                              images[i].series, "deleted", shape_time(images[i].deleted_ms)));
    return list;
}

json_t *shape_fileset_whole(const struct ledger_fileset *f, const struct ledger_dataset *d, const struct ledger_image *images,
                            size_t n)
{
    json_t *o = shape_fileset(f);

    json_object_set_new(o, "dataset", d ? js_text(d->name) : json_null());
    json_object_set_new(o, "dataset_dir", d ? shape_dir(d->dir) : json_null());
    json_object_set_new(o, "dataset_id", d ? number(d->omero_id) : json_null());
    json_object_set_new(o, "images", shape_images(images, n));
    return o;
}

json_t *shape_event(const struct ledger_event *e)
{
    json_t *o = json_pack("{s:I, s:o, s:s, s:s}", "id", (json_int_t)e->id, "at", shape_time(e->at_ms), "of",
                          e->fileset ? "fileset" : "dataset", "what", e->what);

    js_add_path(o, "root", e->root_path);
    js_add_path(o, "path", *e->path ? e->path : ".");
    shape_reason(o, e->why, e->text);
    return o;
}

json_t *shape_dataset(const struct ledger_dataset *d, const char *card)
{
    json_t *o = json_object();

    js_add_path(o, "root", d->root_path);
    js_add_path(o, "dir", *d->dir ? d->dir : ".");
    json_object_set_new(o, "kind", json_string(ledger_kind_name(d->kind)));
    json_object_set_new(o, "name", js_text(d->name));
    json_object_set_new(o, "project", js_text(d->made_project ? d->made_project : d->project));
    json_object_set_new(o, "user", js_text(d->made_user ? d->made_user : d->user));
    json_object_set_new(o, "group", js_text(d->made_group ? d->made_group : d->group));
    if (card)
        js_add_path(o, "card", card);
    else
        json_object_set_new(o, "card", json_null());
    json_object_set_new(o, "uuid", json_string(d->uuid));
    json_object_set_new(o, "dataset_id", number(d->omero_id));
    json_object_set_new(o, "project_id", number(d->project_id));
    json_object_set_new(o, "server", js_text(d->server));
    return o;
}

json_t *shape_count(const struct ledger_count *c)
{
    return json_pack("{s:s, s:o, s:I, s:I, s:o}", "state", ledger_state_name(c->state), "reason",
                     c->why == REASON_NONE ? json_null() : json_string(reason_row(c->why)->name), "n", (json_int_t)c->n, "bytes",
                     (json_int_t)c->bytes, "oldest", shape_time(c->oldest_ms));
}

json_t *shape_root(const struct ledger_root *r)
{
    json_t *o = json_pack("{s:o, s:o, s:o, s:o}", "name", js_text(r->name), "looked_at", shape_time(r->scanned_ms), "away_since",
                          shape_time(r->away_ms), "text", js_text(r->away_text));

    js_add_path(o, "path", r->path);
    return o;
}

void shape_bytes(int64_t n, char out[32])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    double value = (double)n;
    size_t unit = 0;

    while (value >= 1000 && unit + 1 < ARRAY_LEN(units)) {
        value /= 1000;
        unit++;
    }
    snprintf(out, 32, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

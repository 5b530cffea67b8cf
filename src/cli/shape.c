#include "cli/shape.h"

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

static json_t *shape_file(const char *path, int64_t size, int64_t mtime_ns)
{
    json_t *o = json_object();

    js_add_path(o, "path", path);
    json_object_set_new(o, "size", json_integer(size));
    json_object_set_new(o, "modified", shape_time(mtime_ns / NS_PER_MS));
    return o;
}

static json_t *planned_files(const struct format_group *g)
{
    json_t *files = json_array();

    for (size_t i = 0; i < g->n_members; i++)
        json_array_append_new(files, shape_file(g->members[i]->path, g->members[i]->stamp.size, g->members[i]->stamp.mtime_ns));
    return files;
}

static void set_reason(json_t *o, enum reason why, const char *text)
{
    json_object_set_new(o, "reason", why == REASON_NONE ? json_null() : json_string(reason_row(why)->name));
    json_object_set_new(o, "text", js_text(text));
}

json_t *shape_planned_fileset(const struct plan *p, const struct plan_fileset *f)
{
    const struct plan_target *t = f->target == SIZE_MAX ? NULL : &p->targets[f->target];
    const struct card *c = f->card->card;
    json_t *o = json_object();

    js_add_path(o, "path", f->path);
    json_object_set_new(o, "name", js_text(f->name));
    json_object_set_new(o, "kind", json_string(f->group.plate ? "plate" : "image"));
    json_object_set_new(o, "format", js_text(f->group.format));
    json_object_set_new(o, "reader", js_text(f->group.reader));
    json_object_set_new(o, "project", js_text(c ? c->project : NULL));
    json_object_set_new(o, "dataset", js_text(t ? t->name : NULL));
    json_object_set_new(o, "dataset_dir", shape_dir(f->card->dir));
    json_object_set_new(o, "user", js_text(c ? c->user : NULL));
    json_object_set_new(o, "group", js_text(c ? c->group : NULL));
    json_object_set_new(o, "bytes", json_integer(plan_fileset_bytes(f)));
    json_object_set_new(o, "state", json_string(f->why == REASON_NONE ? "planned"
                                                : reason_row(f->why)->cls == ERR_FINAL ? "held" : "waiting"));
    set_reason(o, f->why, f->text);
    json_object_set_new(o, "files", planned_files(&f->group));
    return o;
}

json_t *shape_planned_dataset(const struct plan_target *t)
{
    const struct card *c = t->card->card;
    json_t *o = json_object();

    js_add_path(o, "dir", *t->dir ? t->dir : ".");
    json_object_set_new(o, "kind", json_string(t->screen ? "screen" : "dataset"));
    json_object_set_new(o, "name", js_text(t->name));
    json_object_set_new(o, "project", js_text(c->project));
    json_object_set_new(o, "user", js_text(c->user));
    json_object_set_new(o, "group", js_text(c->group));
    js_add_path(o, "card", t->card->entry->path);
    json_object_set_new(o, "filesets", json_integer((json_int_t)t->n_filesets));
    return o;
}

static json_t *shape_tags(const struct card *c)
{
    json_t *tags = json_array();

    for (size_t i = 0; i < c->n_tags; i++)
        json_array_append_new(tags, js_text(c->tags[i]));
    return tags;
}

static json_t *shape_pairs(const struct card *c)
{
    json_t *pairs = json_array();

    for (size_t i = 0; i < c->n_pairs; i++)
        json_array_append_new(pairs, json_pack("[o, o]", js_text(c->pairs[i].key), js_text(c->pairs[i].value)));
    return pairs;
}

json_t *shape_annotations(const struct card *c)
{
    return json_pack("{s:o, s:o, s:o}", "tags", shape_tags(c), "kv", shape_pairs(c), "comment", js_text(c->comment));
}

json_t *shape_card(const struct found_card *f)
{
    const struct card *c = f->card;
    json_t *o = json_object();

    js_add_path(o, "path", f->entry->path);
    json_object_set_new(o, "applies", json_boolean(f->why == REASON_NONE));
    set_reason(o, f->why, f->text ? f->text : "");
    json_object_set_new(o, "line", place(f->line));
    json_object_set_new(o, "title", js_text(c ? c->title : NULL));
    json_object_set_new(o, "project", js_text(c ? c->project : NULL));
    json_object_set_new(o, "user", js_text(c ? c->user : NULL));
    json_object_set_new(o, "group", js_text(c ? c->group : NULL));
    json_object_set_new(o, "comment", js_text(c ? c->comment : NULL));
    json_object_set_new(o, "tags", c ? shape_tags(c) : json_null());
    json_object_set_new(o, "kv_pairs", c ? shape_pairs(c) : json_null());
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
    set_reason(o, f->why, f->text);
    json_object_set_new(o, "since", shape_time(f->since_ms));
    json_object_set_new(o, "retry_at", shape_time(f->retry_ms));
    json_object_set_new(o, "fileset_id", f->omero_id ? json_integer(f->omero_id) : json_null());
    json_object_set_new(o, "files", known_files(f));
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

#include "cli/shape_plan.h"

#include "base/mem.h"
#include "engine/record.h"

static json_t *planned_files(const struct format_group *g)
{
    json_t *files = json_array();

    for (size_t i = 0; i < g->n_members; i++)
        json_array_append_new(files, shape_file(g->members[i]->path, g->members[i]->stamp.size, g->members[i]->stamp.mtime_ns));
    return files;
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
    shape_reason(o, f->why, f->text);
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

json_t *shape_planned_annotations(const struct card *c)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    struct ledger_revision r;

    record_revision(a, c, &r);
    r.comment = c->comment;
    return shape_annotations(&r);
}

json_t *shape_found_card(const struct found_card *f)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    struct ledger_revision r;

    if (f->card) {
        record_revision(a, f->card, &r);
        r.comment = f->card->comment;
    }
    return shape_card(&(struct ledger_card){
        .path = f->entry->path, .why = f->why, .line = f->line, .text = f->text ? f->text : "", .revision = f->card ? &r : NULL});
}

#include "sandbox/rows.h"

#include <string.h>

int64_t row_new(struct rows *m, const char *entity)
{
    const struct entity *e = entity_by_name(entity);
    int64_t event = save_event(m->c, &m->saver);
    AUTO(mem_freep) char *sql =
        mem_printf("insert into %s (_kind, _owner, _grp, _version, _made, _changed) values (?, ?, ?, 0, ?, ?)", e->table);

    (void)store_run(m->c->server->store, sql, "siiii", strcmp(e->name, e->table) == 0 ? NULL : e->name, m->c->session->user,
                    m->c->group, event, event);
    return store_last_id(m->c->server->store);
}

int64_t row_link(struct rows *m, const char *entity, int64_t parent, int64_t child)
{
    const struct entity *e = entity_by_name(entity);
    int64_t event = save_event(m->c, &m->saver);
    AUTO(mem_freep)
    char *sql = mem_printf("insert into %s (_owner, _grp, _version, _made, _changed, parent, child) values (?, ?, 0, ?, ?, ?, ?)",
                           e->table);

    if (store_run(m->c->server->store, sql, "iiiiii", m->c->session->user, m->c->group, event, event, parent, child) < 0)
        return -1;
    return store_last_id(m->c->server->store);
}

void row_pairs(struct rows *m, const char *holder, int64_t object, const struct om_api_named_value_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->at[i])
            (void)store_run(m->c->server->store,
                            "insert into Pair (holder, object, position, name, value) values (?, ?, ?, ?, ?)", "siiss", holder,
                            object, (int64_t)i, list->at[i]->name, list->at[i]->value);
}

int64_t row_note(struct rows *m, const struct om_annotation *a)
{
    if (!a->id && save_graph(m->c, &m->saver, (const struct om_iobject *)(const void *)a) < 0)
        return -1;
    return a->id->val;
}

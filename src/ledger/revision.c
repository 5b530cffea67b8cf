#include "ledger/store.h"

#include <jansson.h>

#include "base/clock.h"

static void json_freep(json_t **j)
{
    json_decref(*j);
}

static char *tags_json(const struct ledger_revision *r)
{
    AUTO(json_freep) json_t *list = json_array();

    for (size_t i = 0; i < r->n_tags; i++)
        json_array_append_new(list, json_string(r->tags[i]));
    return json_dumps(list, JSON_COMPACT);
}

static char *pairs_json(const struct ledger_revision *r)
{
    AUTO(json_freep) json_t *list = json_array();

    for (size_t i = 0; i < r->n_pairs; i++)
        json_array_append_new(list, json_pack("[s, s]", r->pairs[i].key, r->pairs[i].value));
    return json_dumps(list, JSON_COMPACT);
}

int revision_put(struct ledger *l, const struct ledger_revision *r, int64_t *id, struct err *err)
{
    int found = sql_int(l, id, err, "SELECT id FROM card_revision WHERE sha256 = ?1", "t", r->sha256);
    if (found != LEDGER_NOTHING)
        return found;

    AUTO(mem_freep) char *tags = tags_json(r);
    AUTO(mem_freep) char *pairs = pairs_json(r);
    if (!tags || !pairs)
        return err_set(err, REASON_BUG, 0, "ledger '%s': a card's text is not UTF-8", l->path);
    if (sql_do(l, err, "INSERT INTO card_revision (sha256, project, user, grp, title, comment, tags, pairs, first_ms)"
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", "ttttttt" "ti", r->sha256, r->project, r->user, r->group,
               r->title, r->comment, tags, pairs, clock_wall_ms()) < 0)
        return -1;
    *id = sqlite3_last_insert_rowid(l->db);
    return 0;
}

static void read_tags(const char *text, struct arena *a, struct ledger_revision *r)
{
    AUTO(json_freep) json_t *list = json_loads(text, 0, NULL);
    size_t n = json_array_size(list);
    const char **tags = arena_alloc(a, n + 1, sizeof(*tags));

    for (size_t i = 0; i < n; i++)
        tags[i] = arena_str(a, json_string_value(json_array_get(list, i)));
    r->tags = tags;
    r->n_tags = n;
}

static void read_pairs(const char *text, struct arena *a, struct ledger_revision *r)
{
    AUTO(json_freep) json_t *list = json_loads(text, 0, NULL);
    size_t n = json_array_size(list);
    struct ledger_pair *pairs = arena_alloc(a, n + 1, sizeof(*pairs));

    for (size_t i = 0; i < n; i++) {
        json_t *pair = json_array_get(list, i);

        pairs[i].key = arena_str(a, json_string_value(json_array_get(pair, 0)));
        pairs[i].value = arena_str(a, json_string_value(json_array_get(pair, 1)));
    }
    r->pairs = pairs;
    r->n_pairs = n;
}

int revision_get(struct ledger *l, int64_t id, struct arena *a, const struct ledger_revision **out, struct err *err)
{
    AUTO(sql_reset) sqlite3_stmt *st = NULL;

    if (sql_start(l, &st, err, "SELECT sha256, project, user, grp, title, comment, tags, pairs FROM card_revision WHERE id = ?1",
                  "i", id) < 0)
        return -1;
    int r = sql_step(l, st, err);
    if (r <= 0)
        return r < 0 ? -1 : LEDGER_NOTHING;

    struct ledger_revision *rev = arena_alloc(a, 1, sizeof(*rev));
    *rev = (struct ledger_revision){.id = id, .sha256 = sql_text(st, 0, a), .project = sql_text(st, 1, a),
                                    .user = sql_text(st, 2, a), .group = sql_str(st, 3, a), .title = sql_str(st, 4, a),
                                    .comment = sql_text(st, 5, a)};
    read_tags(sql_text(st, 6, a), a, rev);
    read_pairs(sql_text(st, 7, a), a, rev);
    *out = rev;
    return 0;
}

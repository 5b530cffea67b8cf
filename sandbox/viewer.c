#include "sandbox/viewer.h"

#include <string.h>

#include "base/auto.h"
#include "sandbox/store.h"

static const struct viewer_group *load_groups(struct store *s, struct arena *mem, int64_t user, size_t *n)
{
    AUTO(store_donep) sqlite3_stmt *q = store_query(
        s, "select g.id, g.name, g.perms, m.id is not null, m.owner from ExperimenterGroup g "
           "left join GroupExperimenterMap m on m.parent = g.id and m.child = ? order by g.id", "i", user);
    size_t most = (size_t)store_long(s, 0, "select count(*) from ExperimenterGroup", "");
    struct viewer_group *groups = arena_alloc(mem, most, sizeof(*groups));

    for (*n = 0; *n < most && store_next(s, q); ++*n)
        groups[*n] = (struct viewer_group){.id = sqlite3_column_int64(q, 0),
                                           .name = store_col_text(mem, q, 1),
                                           .perms = store_col_text(mem, q, 2),
                                           .member = sqlite3_column_int(q, 3),
                                           .leader = sqlite3_column_int(q, 4)};
    return groups;
}

static const int64_t *load_mine(struct store *s, struct arena *mem, int64_t user, size_t *n)
{
    AUTO(store_donep) sqlite3_stmt *q =
        store_query(s, "select parent from GroupExperimenterMap where child = ? order by id", "i", user);
    size_t most = (size_t)store_long(s, 0, "select count(*) from GroupExperimenterMap where child = ?", "i", user);
    int64_t *mine = arena_alloc(mem, most, sizeof(*mine));

    for (*n = 0; *n < most && store_next(s, q); ++*n)
        mine[*n] = sqlite3_column_int64(q, 0);
    return mine;
}

const struct viewer *viewer_load(struct store *s, struct arena *mem, int64_t user, int64_t scope)
{
    struct viewer *v = arena_alloc(mem, 1, sizeof(*v));
    const char *privileges = store_text(s, mem, "select privileges from Experimenter where id = ?", "i", user);

    v->user = user;
    v->scope = scope;
    v->groups = load_groups(s, mem, user, &v->n);
    v->mine = load_mine(s, mem, user, &v->n_mine);
    for (size_t i = 0; i < v->n; i++) {
        v->admin |= v->groups[i].member && v->groups[i].id == GROUP_SYSTEM;
        v->active |= v->groups[i].member && v->groups[i].id == GROUP_USER;
    }
    v->full = v->admin && (!privileges || strstr(privileges, "WriteOwned"));
    return v;
}

const struct viewer_group *viewer_group(const struct viewer *v, int64_t id)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->groups[i].id == id)
            return &v->groups[i];
    return NULL;
}

unsigned viewer_may(const struct viewer *v, int64_t group, int64_t owner)
{
    enum { WORK = MAY_LINK | MAY_EDIT | MAY_DELETE | MAY_ANNOTATE };
    const struct viewer_group *g = viewer_group(v, group);

    if (v->full)
        return MAY_ALL;
    if (!g || (!g->member && !v->admin))
        return group == GROUP_USER ? MAY_SEE : 0;
    if (owner == v->user && g->member)
        return MAY_SEE | WORK | MAY_CHGRP;
    if (g->leader)
        return MAY_SEE | WORK | MAY_CHGRP;
    if (strncmp(g->perms + 2, "rw", 2) == 0)
        return MAY_SEE | (g->member ? WORK : 0);
    if (strncmp(g->perms + 2, "ra", 2) == 0)
        return MAY_SEE | (g->member ? MAY_ANNOTATE : 0);
    return g->perms[2] == 'r' || v->admin ? MAY_SEE : 0;
}

bool viewer_sees(const struct viewer *v, int64_t group, int64_t owner)
{
    return (v->scope == GROUP_ALL || group == v->scope || group == GROUP_USER) && (viewer_may(v, group, owner) & MAY_SEE);
}

/* --- ::omero::model::Permissions: a nibble each for owner, group and world from bit 8 down; the bits that mean nothing are set
 * --- */

enum { READ = 4, WRITE = 2, ANNOTATE = 1, UNUSED = 8 };

int64_t perms_bits(const char *perms)
{
    int64_t bits = -1;

    for (int i = 0; i < 3; i++) {
        int64_t nibble = UNUSED;
        char read = perms[2 * i], more = perms[2 * i + 1];
        nibble |= read == 'r' ? READ : 0;
        nibble |= more == 'w' ? WRITE | ANNOTATE : more == 'a' ? ANNOTATE : 0;
        bits &= ~((INT64_C(15) & ~nibble) << (8 - 4 * i));
    }
    return bits;
}

const char *perms_text(struct arena *mem, int64_t bits)
{
    char text[] = "------";

    for (int i = 0; i < 3; i++) {
        int64_t nibble = bits >> (8 - 4 * i);
        text[2 * i] = nibble & READ ? 'r' : '-';
        text[2 * i + 1] = nibble & WRITE ? 'w' : nibble & ANNOTATE ? 'a' : '-';
    }
    return arena_str(mem, text);
}

#include "sandbox/people.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/auto.h"
#include "base/slurp.h"
#include "base/toml.h"
#include "base/uuid.h"
#include "sandbox/store.h"
#include "sandbox/viewer.h"

enum { FILE_MAX = 1 << 20, DIGEST_HEX = 65 };

/* --- passwords: kept as salt and digest, though they are made for trying --- */

static void digest(const char *salt, const char *password, char out[DIGEST_HEX])
{
    AUTO(mem_freep) char *text = mem_printf("%s:%s", salt, password);
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    EVP_Digest(text, strlen(text), bytes, &n, EVP_sha256(), NULL);
    for (unsigned i = 0; i < n && 2 * i + 2 < DIGEST_HEX; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

void people_set_password(struct store *s, int64_t user, const char *password)
{
    char salt[UUID_TEXT], hex[DIGEST_HEX] = "";

    uuid_new(salt);
    digest(salt, password, hex);

    AUTO(mem_freep) char *kept = mem_printf("%s:%s", salt, hex);

    (void)store_run(s, "update Experimenter set password = ? where id = ?", "si", kept, user);
}

int64_t people_login(struct store *s, const char *user, const char *password)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const char *kept = store_text(s, mem, "select password from Experimenter where omeName = ?", "s", user);
    int64_t id = people_find(s, user);
    char salt[UUID_TEXT] = "", hex[DIGEST_HEX] = "";

    if (id == USER_GUEST)
        return id;
    if (!kept || strlen(kept) < UUID_TEXT)
        return -1;
    memcpy(salt, kept, UUID_TEXT - 1);
    digest(salt, password, hex);
    return strcmp(hex, kept + UUID_TEXT) == 0 ? id : -1;
}

/* --- finding --- */

int64_t people_find(struct store *s, const char *user)
{
    return store_long(s, -1, "select id from Experimenter where omeName = ?", "s", user);
}

int64_t people_group(struct store *s, const char *name)
{
    return store_long(s, -1, "select id from ExperimenterGroup where name = ?", "s", name);
}

int64_t people_default_group(struct store *s, int64_t user)
{
    return store_long(s, GROUP_USER, "select parent from GroupExperimenterMap where child = ? order by parent = 1, id limit 1",
                      "i", user);
}

/* --- adding --- */

int64_t people_add_group(struct store *s, const char *name, const char *perms)
{
    if (people_group(s, name) >= 0 ||
        store_run(s, "insert into ExperimenterGroup (name, ldap, perms, _version) values (?, 0, ?, 0)", "ss", name, perms) < 0)
        return -1;
    return store_last_id(s);
}

int64_t people_add_user(struct store *s, const char *name, const char *first, const char *last, const char *password,
                        const char *privileges)
{
    if (people_find(s, name) >= 0 ||
        store_run(s,
                  "insert into Experimenter (omeName, firstName, lastName, ldap, privileges, _version) values (?, ?, ?, 0, ?, 0)",
                  "ssss", name, first, last, privileges) < 0)
        return -1;

    int64_t id = store_last_id(s);

    people_set_password(s, id, password);
    return id;
}

void people_add_member(struct store *s, int64_t group, int64_t user)
{
    if (store_long(s, 0, "select 1 from GroupExperimenterMap where parent = ? and child = ?", "ii", group, user) == 0)
        (void)store_run(s, "insert into GroupExperimenterMap (parent, child, owner, _version) values (?, ?, 0, 0)", "ii", group,
                        user);
}

void people_begin(struct store *s)
{
    if (people_find(s, "root") >= 0)
        return;
    (void)store_run(s, "insert into ExperimenterGroup (id, name, ldap, perms, _version) values (0, 'system', 0, 'rw----', 0), "
                       "(1, 'user', 0, 'rwrwr-', 0), (2, 'guest', 0, 'rw----', 0)", "");
    (void)store_run(
        s,
        "insert into Experimenter (id, omeName, firstName, lastName, ldap, _version) values (0, 'root', 'root', 'root', 0, 0), "
        "(1, 'guest', 'Guest', 'Account', 0, 0)",
        "");
    people_set_password(s, USER_ROOT, "omero");
    people_add_member(s, GROUP_SYSTEM, USER_ROOT);
    people_add_member(s, GROUP_USER, USER_ROOT);
    people_add_member(s, GROUP_GUEST, USER_GUEST);
}

/* --- the file --- */

static const char *text_at(const struct toml_node *table, const char *key, const char *otherwise)
{
    const struct toml_node *v = toml_get(table, key);

    return v && v->type == TOML_STRING ? v->text : otherwise;
}

static int read_groups(struct store *s, const struct toml_node *groups, struct err *err)
{
    for (size_t i = 0; groups && i < groups->n_items; i++) {
        const struct toml_node *g = &groups->items[i];
        if (g->type != TOML_STRING || strlen(g->text) != strlen("rwra--"))
            return err_set(err, REASON_CONFIG, 0, "line %d: group %s has no permissions like \"rwra--\"", g->line, g->key);
        (void)people_add_group(s, g->key, g->text); /* there already: as it is */
    }
    return 0;
}

static const char *joined(struct arena *mem, const struct toml_node *list)
{
    const char *text = "";

    if (!list)
        return NULL;
    for (size_t i = 0; i < list->n_items; i++)
        text = arena_printf(mem, "%s%s%s", text, i ? " " : "", list->items[i].text ? list->items[i].text : "");
    return text;
}

/* Of the groups that the user is in. */
static void make_owner(struct store *s, int64_t id, const struct toml_node *groups)
{
    for (size_t i = 0; groups && i < groups->n_items; i++)
        (void)store_run(s, "update GroupExperimenterMap set owner = 1 where child = ? and parent = ?", "ii", id,
                        people_group(s, groups->items[i].text ? groups->items[i].text : ""));
}

static int add_memberships(struct store *s, int64_t id, const struct toml_node *user, struct err *err)
{
    const struct toml_node *groups = toml_get(user, "groups"), *active = toml_get(user, "active");

    for (size_t i = 0; groups && i < groups->n_items; i++) {
        const char *name = groups->items[i].text ? groups->items[i].text : "";
        int64_t group = people_group(s, name);
        if (group < 0)
            return err_set(err, REASON_CONFIG, 0, "line %d: user %s is to be in '%s', which is no group", user->line, user->key,
                           name);
        people_add_member(s, group, id);
    }
    make_owner(s, id, toml_get(user, "owner_of"));
    if (!active || active->type != TOML_BOOL || active->boolean)
        people_add_member(s, GROUP_USER, id);
    return 0;
}

static int read_users(struct store *s, const struct toml_node *users, struct err *err)
{
    AUTO(arena_freep) struct arena *mem = arena_new();

    for (size_t i = 0; users && i < users->n_items; i++) {
        const struct toml_node *u = &users->items[i];
        const char *name = text_at(u, "name", u->key), *space = strchr(name, ' ');
        const char *first = space ? arena_strn(mem, name, (size_t)(space - name)) : name;
        int64_t id = people_add_user(s, u->key, first, space ? space + 1 : name, text_at(u, "password", ""),
                                     joined(mem, toml_get(u, "privileges")));
        if (id >= 0 && add_memberships(s, id, u, err) < 0)
            return -1;
    }
    return 0;
}

int people_read(struct store *s, const char *file, struct err *err)
{
    AUTO(buf_clear) struct buf text = BUF_INIT(FILE_MAX);
    AUTO(toml_freep) struct toml_doc *doc = NULL;
    struct toml_fault fault;

    if (slurp(file, &text, err) < 0)
        return -1;
    doc = toml_read((const char *)text.data, text.len, &fault);
    if (!doc)
        return err_set(err, REASON_CONFIG, 0, "%s:%d:%d: %s", file, fault.line, fault.column, fault.text);
    store_begin(s);

    int r = read_groups(s, toml_get(toml_root(doc), "groups"), err);

    if (r == 0)
        r = read_users(s, toml_get(toml_root(doc), "users"), err);
    store_end(s, r == 0);
    return r < 0 ? err_prefix(err, "%s: ", file) : 0;
}

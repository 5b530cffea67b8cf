/* Configuration files: one, and the drop-ins beside it. */
#include "base/conf.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"
#include "base/conf_inside.h"
#include "base/slurp.h"
#include "base/str.h"
#include "base/suggest.h"

/* One reading of a file: what is wrong is said with its name and line. */
struct reading {
    struct conf *conf;
    const char *path; /* in the arena */
    const char *file; /* the same, safe to show */
    struct err *err;
};

static int wrong(struct reading *r, int line, const char *what)
{
    err_set(r->err, REASON_CONFIG, 0, "%s:%d: %s", r->file, line, what);
    return -1;
}

static const struct conf_key *key_named(const struct conf *c, const char *section, const char *name)
{
    for (size_t i = 0; i < c->n_keys; i++) {
        const struct conf_key *k = &c->keys[i];
        bool same = section && k->section ? strcmp(section, k->section) == 0 : !section && !k->section;
        if (same && strcmp(k->name, name) == 0)
            return k;
    }
    return NULL;
}

static bool is_section(const struct conf *c, const char *name)
{
    for (size_t i = 0; i < c->n_keys; i++)
        if (c->keys[i].section && strcmp(c->keys[i].section, name) == 0)
            return true;
    return false;
}

static int unknown_key(struct reading *r, const char *section, const struct toml_node *value, bool of_root)
{
    const struct conf *c = r->conf;
    AUTO(mem_freep) char(*names)[64] = mem_new(c->n_keys, sizeof(*names));
    AUTO(mem_freep) const char **words = mem_new(c->n_keys + 2, sizeof(*words));
    size_t n = 0;

    for (size_t i = 0; i < c->n_keys; i++) {
        if (of_root && c->keys[i].level != CONF_ROOT)
            continue;
        conf_key_name(&c->keys[i], names[n++]);
    }
    for (size_t i = 0; i < n; i++)
        words[i] = names[i];
    words[n++] = of_root ? "name" : "root";
    if (of_root)
        words[n++] = "path";

    AUTO(mem_freep) char *full = section ? mem_printf("%s.%s", section, value->key) : mem_str(value->key);
    AUTO(mem_freep) char *shown = str_show(full);
    const char *near = suggest_word(full, words, n);
    err_set(r->err, REASON_CONFIG, 0, "%s:%d: unknown key '%s'%s", r->file, value->key_line, shown,
            of_root ? " in [[root]]" : "");
    if (near)
        err_hint(r->err, "did you mean '%s'?", near);
    return -1;
}

static int take_value(struct reading *r, const struct conf_key *key, const struct toml_node *node, struct slot *slots)
{
    struct conf *c = r->conf;
    struct slot *s = &slots[key - c->keys];
    struct conf_value v = {.from = CONF_FROM_FILE, .line = node->key_line, .file = r->path,
                           .place = arena_printf(c->arena, "%s:%d", r->file, node->key_line)};

    if (conf_value_from_toml(key, node, c->arena, &v, r->err) < 0)
        return err_prefix(r->err, "%s:%d: ", r->file, node->key_line);
    s->value[CONF_FROM_FILE] = v;
    s->set[CONF_FROM_FILE] = true;
    return 0;
}

static int root_text(struct reading *r, const struct toml_node *node, const char **out)
{
    if (node->type != TOML_STRING || str_is_blank(node->text)) {
        AUTO(mem_freep) char *what = mem_printf("'%s' of a [[root]] must be text", node->key);
        return wrong(r, node->key_line, what);
    }
    *out = arena_str(r->conf->arena, node->text);
    return 0;
}

static int check_root(struct reading *r, const struct conf_root *root, int line)
{
    if (!root->name || !root->path)
        return wrong(r, line, "a [[root]] needs 'name' and 'path'");
    if (root->path[0] != '/')
        return wrong(r, line, "the 'path' of a [[root]] must be absolute");
    for (size_t i = 0; i < r->conf->n_roots; i++) {
        const struct conf_root *other = &r->conf->roots[i].root;
        if (strcmp(other->name, root->name) != 0)
            continue;
        AUTO(mem_freep) char *shown = str_show(other->file);
        AUTO(mem_freep) char *what = mem_printf("another [[root]] has the same 'name': %s:%d", shown, other->line);
        return wrong(r, line, what);
    }
    return 0;
}

/* A section's keys; within a [[root]] only those that may differ from root to root. */
static int take_section(struct reading *r, const struct toml_node *table, struct slot *slots, bool of_root)
{
    if (table->type != TOML_TABLE) {
        AUTO(mem_freep) char *what = mem_printf("'%s' is a section: [%s]", table->key, table->key);
        return wrong(r, table->key_line, what);
    }
    for (size_t i = 0; i < table->n_items; i++) {
        const struct toml_node *v = &table->items[i];
        const struct conf_key *key = key_named(r->conf, table->key, v->key);
        if (!key || (of_root && key->level != CONF_ROOT))
            return unknown_key(r, table->key, v, of_root);
        if (take_value(r, key, v, slots) < 0)
            return -1;
    }
    return 0;
}

static int take_root_item(struct reading *r, const struct toml_node *v, struct conf_root *root, struct slot *slots)
{
    const struct conf_key *key = key_named(r->conf, NULL, v->key);

    if (strcmp(v->key, "name") == 0)
        return root_text(r, v, &root->name);
    if (strcmp(v->key, "path") == 0)
        return root_text(r, v, &root->path);
    if (key && key->level == CONF_ROOT)
        return take_value(r, key, v, slots);
    return is_section(r->conf, v->key) ? take_section(r, v, slots, true) : unknown_key(r, NULL, v, true);
}

static int take_root(struct reading *r, const struct toml_node *table)
{
    struct conf *c = r->conf;

    if (table->type != TOML_TABLE)
        return wrong(r, table->line, "a root is written as a table [[root]]");
    if (c->n_roots == CONF_ROOTS_MAX)
        return wrong(r, table->line, "too many [[root]] tables");

    AUTO(mem_freep) struct slot *slots = mem_new(c->n_keys, sizeof(*slots));
    struct conf_root root = {.line = table->line, .file = r->path};
    for (size_t i = 0; i < table->n_items; i++)
        if (take_root_item(r, &table->items[i], &root, slots) < 0)
            return -1;
    if (check_root(r, &root, table->line) < 0)
        return -1;
    c->roots = mem_grow(c->roots, c->n_roots, &c->cap_roots, sizeof(*c->roots));
    c->roots[c->n_roots++] = (struct root){.root = root, .slots = STEAL(slots)};
    return 0;
}

static int take_roots(struct reading *r, const struct toml_node *value)
{
    if (value->type != TOML_ARRAY)
        return wrong(r, value->key_line, "a root is written as a table [[root]], with two brackets");
    for (size_t i = 0; i < value->n_items; i++)
        if (take_root(r, &value->items[i]) < 0)
            return -1;
    return 0;
}

static int take_top(struct reading *r, const struct toml_node *v)
{
    const struct conf_key *key = key_named(r->conf, NULL, v->key);

    if (key)
        return take_value(r, key, v, r->conf->slots);
    if (strcmp(v->key, "root") == 0)
        return take_roots(r, v);
    return is_section(r->conf, v->key) ? take_section(r, v, r->conf->slots, false) : unknown_key(r, NULL, v, false);
}

int conf_read_text(struct conf *c, const char *name, const char *text, size_t n, struct err *err)
{
    AUTO(mem_freep) char *shown = str_show(name);
    struct reading r = {c, arena_str(c->arena, name), shown, err};
    struct toml_fault fault;
    AUTO(toml_freep) struct toml_doc *toml = toml_read(text, n, &fault);

    if (!toml)
        return err_set(err, REASON_CONFIG, 0, "%s:%d:%d: %s", shown, fault.line, fault.column, fault.text);
    c->files = mem_grow(c->files, c->n_files, &c->cap_files, sizeof(*c->files));
    c->files[c->n_files++] = r.path;
    const struct toml_node *root = toml_root(toml);
    for (size_t i = 0; i < root->n_items; i++)
        if (take_top(&r, &root->items[i]) < 0)
            return -1;
    return 0;
}

int conf_read_file(struct conf *c, const char *path, bool must, struct err *err)
{
    AUTO(buf_clear) struct buf text = BUF_INIT(TOML_MAX_BYTES);

    if (slurp(path, &text, err) < 0) {
        if (err->why == REASON_GONE && !must)
            return 0;
        err->why = REASON_CONFIG;
        return err_prefix(err, "configuration ");
    }
    return conf_read_text(c, path, text.data ? (const char *)text.data : "", text.len, err);
}

/* ---- drop-ins ---- */

static int is_drop_in(const struct dirent *d)
{
    return d->d_name[0] != '.' && str_ends(d->d_name, ".toml");
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int conf_read_dir(struct conf *c, const char *path, struct err *err)
{
    struct dirent **names = NULL;
    int n = scandir(path, &names, is_drop_in, by_bytes), r = 0;

    if (n < 0) {
        AUTO(mem_freep) char *shown = str_show(path);
        return errno == ENOENT ? 0 : err_set(err, REASON_CONFIG, errno, "configuration directory '%s'", shown);
    }
    for (int i = 0; i < n; i++) {
        AUTO(mem_freep) char *file = mem_printf("%s/%s", path, names[i]->d_name);
        if (r == 0)
            r = conf_read_file(c, file, true, err);
        free(names[i]);
    }
    free(names);
    return r;
}

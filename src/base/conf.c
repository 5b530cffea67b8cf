#include "base/conf.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"
#include "base/conf_value.h"
#include "base/mem.h"
#include "base/slurp.h"
#include "base/str.h"
#include "base/suggest.h"
#include "base/toml.h"

enum { N_SOURCES = CONF_FROM_OPTION + 1 };

/* The values of one key by source; `set` says which are there. */
struct slot {
    struct conf_value value[N_SOURCES];
    bool set[N_SOURCES];
};

struct root {
    struct conf_root root;
    struct slot *slots; /* one a key; only CONF_FROM_FILE of CONF_ROOT keys is used */
};

struct conf {
    const struct conf_key *keys;
    size_t n_keys;
    struct slot *slots;
    struct root *roots;
    size_t n_roots, cap_roots;
    struct arena *arena;
};

static void must_be_right(const struct conf_key *key, int failed, const struct err *err)
{
    if (failed < 0) {
        fprintf(stderr, "impomero: default of '%s': %s\n", key->name, err->text);
        abort();
    }
}

struct conf *conf_new(const struct conf_key *keys, size_t n)
{
    struct conf *c = mem_new(1, sizeof(*c));

    *c = (struct conf){.keys = keys, .n_keys = n, .slots = mem_new(n, sizeof(*c->slots)), .arena = arena_new()};
    for (size_t i = 0; i < n; i++) {
        struct err err = ERR_INIT;
        struct slot *s = &c->slots[i];
        s->value[CONF_FROM_DEFAULT] = (struct conf_value){.place = "default"};
        const char *text = keys[i].fallback ? keys[i].fallback : "";
        if (!text[0] && (keys[i].type == CONF_TEXT || keys[i].type == CONF_PATH))
            s->value[CONF_FROM_DEFAULT].text = "";
        else
            must_be_right(&keys[i], conf_value_from_text(&keys[i], text, c->arena, &s->value[CONF_FROM_DEFAULT], &err), &err);
        s->set[CONF_FROM_DEFAULT] = true;
    }
    return c;
}

void conf_free(struct conf *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_roots; i++)
        free(c->roots[i].slots);
    free(c->roots);
    free(c->slots);
    arena_free(c->arena);
    free(c);
}

void conf_freep(struct conf **c)
{
    conf_free(*c);
}

/* --- names --- */

static void joined(const struct conf_key *key, char sep, char *out, size_t size)
{
    if (key->section)
        snprintf(out, size, "%s%c%s", key->section, sep, key->name);
    else
        snprintf(out, size, "%s", key->name);
}

static void replace(char *s, char from, char to)
{
    for (; *s; s++)
        if (*s == from)
            *s = to;
}

void conf_key_name(const struct conf_key *key, char out[64])
{
    joined(key, '.', out, 64);
}

void conf_option_name(const struct conf_key *key, char out[64])
{
    out[0] = '\0';
    if (key->secret)
        return;
    if (key->option)
        snprintf(out, 64, "%s", key->option);
    else
        joined(key, '-', out, 64);
    replace(out, '_', '-');
}

void conf_env_name(const struct conf_key *key, char out[80])
{
    char name[64];

    joined(key, '_', name, sizeof(name));
    for (char *s = name; *s; s++)
        *s = (char)toupper((unsigned char)*s);
    snprintf(out, 80, "IMPOMERO_%s", name);
}

const struct conf_key *conf_option(const struct conf_key *keys, size_t n, const char *option)
{
    for (size_t i = 0; i < n; i++) {
        char name[64];
        conf_option_name(&keys[i], name);
        if (name[0] && strcmp(name, option) == 0)
            return &keys[i];
    }
    return NULL;
}

/* --- environment and options --- */

static int set_from_text(struct conf *c, const struct conf_key *key, enum conf_source from, const char *place, const char *text,
                         struct err *err)
{
    struct slot *s = &c->slots[key - c->keys];
    struct conf_value v = {.from = from, .place = arena_str(c->arena, place)};

    if (conf_value_from_text(key, text, c->arena, &v, err) < 0)
        return err_prefix(err, "%s: ", place);
    s->value[from] = v;
    s->set[from] = true;
    return 0;
}

static const char *env_get(const char *const *env, const char *name)
{
    size_t n = strlen(name);

    for (; *env; env++)
        if (strncmp(*env, name, n) == 0 && (*env)[n] == '=' && (*env)[n + 1])
            return *env + n + 1;
    return NULL;
}

int conf_read_env(struct conf *c, const char *const *env, struct err *err)
{
    for (size_t i = 0; i < c->n_keys; i++) {
        char own[80];
        conf_env_name(&c->keys[i], own);
        const char *place = own, *text = env_get(env, own);
        if (!text && c->keys[i].env) {
            place = c->keys[i].env;
            text = env_get(env, place);
        }
        if (text && set_from_text(c, &c->keys[i], CONF_FROM_ENV, place, text, err) < 0)
            return -1;
    }
    return 0;
}

int conf_set_option(struct conf *c, const char *option, const char *value, struct err *err)
{
    const struct conf_key *key = conf_option(c->keys, c->n_keys, option);
    char place[80];

    if (!key)
        return err_set(err, REASON_CONFIG, 0, "unknown option --%s", option);
    snprintf(place, sizeof(place), "--%s", option);
    return set_from_text(c, key, CONF_FROM_OPTION, place, key->type == CONF_BOOL && !value[0] ? "true" : value, err);
}

/* --- the file --- */

/* One reading of a file: what is wrong is said with its name and line. */
struct reading {
    struct conf *conf;
    const char *file;
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
    struct conf_value v = {.from = CONF_FROM_FILE, .line = node->key_line,
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
    for (size_t i = 0; i < r->conf->n_roots; i++)
        if (strcmp(r->conf->roots[i].root.name, root->name) == 0)
            return wrong(r, line, "another [[root]] has the same 'name'");
    return 0;
}

static int take_root(struct reading *r, const struct toml_node *table)
{
    struct conf *c = r->conf;

    if (table->type != TOML_TABLE)
        return wrong(r, table->line, "a root is written as a table [[root]]");
    if (c->n_roots == CONF_ROOTS_MAX)
        return wrong(r, table->line, "too many [[root]] tables");

    AUTO(mem_freep) struct slot *slots = mem_new(c->n_keys, sizeof(*slots));
    struct conf_root root = {.line = table->line};
    for (size_t i = 0; i < table->n_items; i++) {
        const struct toml_node *v = &table->items[i];
        const struct conf_key *key = key_named(c, NULL, v->key);
        int failed;
        if (strcmp(v->key, "name") == 0)
            failed = root_text(r, v, &root.name);
        else if (strcmp(v->key, "path") == 0)
            failed = root_text(r, v, &root.path);
        else
            failed = key && key->level == CONF_ROOT ? take_value(r, key, v, slots) : unknown_key(r, NULL, v, true);
        if (failed < 0)
            return -1;
    }
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

static int take_section(struct reading *r, const struct toml_node *table)
{
    if (table->type != TOML_TABLE) {
        AUTO(mem_freep) char *what = mem_printf("'%s' is a section: [%s]", table->key, table->key);
        return wrong(r, table->key_line, what);
    }
    for (size_t i = 0; i < table->n_items; i++) {
        const struct toml_node *v = &table->items[i];
        const struct conf_key *key = key_named(r->conf, table->key, v->key);
        if (!key)
            return unknown_key(r, table->key, v, false);
        if (take_value(r, key, v, r->conf->slots) < 0)
            return -1;
    }
    return 0;
}

static int take_top(struct reading *r, const struct toml_node *v)
{
    const struct conf_key *key = key_named(r->conf, NULL, v->key);

    if (key)
        return take_value(r, key, v, r->conf->slots);
    if (strcmp(v->key, "root") == 0)
        return take_roots(r, v);
    return is_section(r->conf, v->key) ? take_section(r, v) : unknown_key(r, NULL, v, false);
}

int conf_read_text(struct conf *c, const char *name, const char *text, size_t n, struct err *err)
{
    AUTO(mem_freep) char *shown = str_show(name);
    struct reading r = {c, shown, err};
    struct toml_fault fault;
    AUTO(toml_freep) struct toml_doc *toml = toml_read(text, n, &fault);

    if (!toml)
        return err_set(err, REASON_CONFIG, 0, "%s:%d:%d: %s", shown, fault.line, fault.column, fault.text);
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

/* --- what holds --- */

size_t conf_n_roots(const struct conf *c)
{
    return c->n_roots;
}

const struct conf_root *conf_root(const struct conf *c, size_t i)
{
    return &c->roots[i].root;
}

const struct conf_value *conf_get(const struct conf *c, const struct conf_key *key, size_t root)
{
    const struct slot *s = &c->slots[key - c->keys];
    int from = CONF_FROM_OPTION;

    while (!s->set[from])
        from--;
    if (from <= CONF_FROM_FILE && root != CONF_NO_ROOT && c->roots[root].slots[key - c->keys].set[CONF_FROM_FILE])
        return &c->roots[root].slots[key - c->keys].value[CONF_FROM_FILE];
    return &s->value[from];
}

void conf_fill(const struct conf *c, enum conf_level level, size_t root, void *out)
{
    for (size_t i = 0; i < c->n_keys; i++)
        if (c->keys[i].level == level)
            conf_value_put(&c->keys[i], conf_get(c, &c->keys[i], root), out);
}

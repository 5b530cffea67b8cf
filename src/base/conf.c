#include "base/conf.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf_inside.h"

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
        if (!text[0] && !conf_value_is_number(&keys[i]))
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
    free(c->files);
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

/* --- what holds --- */

size_t conf_n_files(const struct conf *c)
{
    return c->n_files;
}

const char *conf_file(const struct conf *c, size_t i)
{
    return c->files[i];
}

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

bool conf_same(const struct conf *a, size_t root_a, const struct conf *b, size_t root_b, const struct conf_key *key)
{
    const struct conf_value *x = conf_get(a, key, root_a), *y = conf_get(b, key, root_b);

    return strcmp(x->text, y->text) == 0;
}

void conf_fill(const struct conf *c, enum conf_level level, size_t root, void *out)
{
    for (size_t i = 0; i < c->n_keys; i++)
        if (c->keys[i].level == level)
            conf_value_put(&c->keys[i], conf_get(c, &c->keys[i], root), out);
}

#include "json_match.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ice/codec.h"

enum { INSTANCES = 4096 };

struct match {
    const struct ice_object *instances[INSTANCES]; /* by the number that the notation gives them */
    char *why;
    char path[400];
};

struct any_sequence {
    size_t n;
    const uint8_t *at;
};

static bool value(struct match *m, json_t *j, const struct ice_type *t, const void *v);

static bool differs(struct match *m, const char *what)
{
    if (!*m->why)
        snprintf(m->why, 512, "%s: %s", m->path, what);
    return false;
}

static bool inside(struct match *m, const char *step, json_t *j, const struct ice_type *t, const void *v)
{
    size_t len = strlen(m->path);

    snprintf(m->path + len, sizeof(m->path) - len, ".%s", step);
    bool same = j ? value(m, j, t, v) : differs(m, "not in the notation");
    m->path[len] = '\0';
    return same;
}

static bool number(struct match *m, json_t *j, const struct ice_type *t, const void *v)
{
    int64_t n = 0;

    switch (t->kind) {
    case ICE_BYTE: n = *(const uint8_t *)v; break;
    case ICE_SHORT: n = *(const int16_t *)v; break;
    case ICE_INT: n = *(const int32_t *)v; break;
    default: n = *(const int64_t *)v;
    }
    return json_is_integer(j) && json_integer_value(j) == n ? true : differs(m, "another number");
}

static bool real(struct match *m, json_t *j, const struct ice_type *t, const void *v)
{
    double n = t->kind == ICE_FLOAT ? (double)*(const float *)v : *(const double *)v;

    return json_is_number(j) && memcmp(&n, &(double){json_number_value(j)}, sizeof(n)) == 0 ? true : differs(m, "another number");
}

static bool boolean(struct match *m, json_t *j, const struct ice_type *t, const void *v)
{
    (void)t;
    return json_is_boolean(j) && json_is_true(j) == *(const bool *)v ? true : differs(m, "another truth");
}

static bool string(struct match *m, json_t *j, const struct ice_type *t, const void *v)
{
    (void)t;
    return json_is_string(j) && strcmp(json_string_value(j), *(const char *const *)v) == 0 ? true : differs(m, "another text");
}

static bool enumerator(struct match *m, json_t *j, const struct ice_type *t, const void *v)
{
    const char *name = json_string_value(json_object_get(j, "enum"));

    return name && strcmp(name, t->names[*(const int32_t *)v]) == 0 ? true : differs(m, "another enumerator");
}

static bool members(struct match *m, json_t *j, const struct ice_field *fields, size_t n, const void *v)
{
    bool same = true;

    for (size_t i = 0; i < n && same; i++)
        same = inside(m, fields[i].name, json_object_get(j, fields[i].name), fields[i].type, (const char *)v + fields[i].offset);
    return same;
}

static bool structure(struct match *m, json_t *j, const struct ice_type *t, const void *v)
{
    return members(m, j, t->fields, t->n_fields, v);
}

static bool bytes(struct match *m, json_t *j, const struct any_sequence *s)
{
    const char *hex = json_string_value(json_object_get(j, "bytes"));
    bool same = hex && strlen(hex) == 2 * s->n;

    for (size_t i = 0; i < s->n && same; i++) {
        char two[3];
        snprintf(two, sizeof(two), "%02x", s->at[i]);
        same = strncmp(two, hex + 2 * i, 2) == 0;
    }
    return same ? true : differs(m, "other bytes");
}

static bool sequence(struct match *m, json_t *j, const struct ice_type *t, const void *v)
{
    const struct any_sequence *s = v;
    bool same = true;

    if (t->item->kind == ICE_BYTE)
        return bytes(m, j, s);
    if (!json_is_array(j) || json_array_size(j) != s->n)
        return differs(m, "another number of items");
    for (size_t i = 0; i < s->n && same; i++)
        same = inside(m, "item", json_array_get(j, i), t->item, s->at + i * t->item->size);
    return same;
}

static bool dictionary(struct match *m, json_t *j, const struct ice_type *t, const void *v)
{
    const struct any_sequence *s = v;
    json_t *pairs = json_object_get(j, "dict");
    bool same = true;

    if (!json_is_array(pairs) || json_array_size(pairs) != s->n)
        return differs(m, "another number of entries");
    for (size_t i = 0; i < s->n && same; i++) {
        json_t *pair = json_array_get(pairs, i);
        same = inside(m, "key", json_array_get(pair, 0), t->key, s->at + i * t->entry_size) &&
               inside(m, "value", json_array_get(pair, 1), t->item, s->at + i * t->entry_size + t->value_offset);
    }
    return same;
}

/* The wire form that a proxy's notation means, in encoding 1.1 and with TCP endpoints. */
static void proxy_bytes(json_t *j, const char *name, const char *category, struct buf *b)
{
    static const uint8_t versions[] = {1, 0, 1, 1};
    json_t *endpoints = json_object_get(j, "endpoints"), *e;
    size_t i;

    ice_write_string(b, name);
    ice_write_string(b, category);
    ice_write_size(b, 0);
    buf_add_byte(b, (uint8_t)json_integer_value(json_object_get(j, "mode")));
    buf_add_byte(b, (uint8_t)json_integer_value(json_object_get(j, "secure")));
    buf_add(b, versions, sizeof(versions));
    ice_write_size(b, json_array_size(endpoints));
    json_array_foreach(endpoints, i, e) {
        const char *host = json_string_value(json_object_get(e, "host"));
        ice_write_i16(b, (int16_t)json_integer_value(json_object_get(e, "type")));
        ice_write_i32(b, (int32_t)(6 + 1 + strlen(host) + 4 + 4 + 1));
        buf_add(b, versions + 2, 2);
        ice_write_string(b, host);
        ice_write_i32(b, (int32_t)json_integer_value(json_object_get(e, "port")));
        ice_write_i32(b, (int32_t)json_integer_value(json_object_get(e, "timeout")));
        buf_add_byte(b, (uint8_t)json_integer_value(json_object_get(e, "compress")));
    }
    if (!json_array_size(endpoints))
        ice_write_string(b, json_string_value(json_object_get(j, "adapter")));
}

static bool proxy(struct match *m, json_t *j, const struct ice_type *t, const void *v)
{
    const struct ice_proxy *p = *(const struct ice_proxy *const *)v;
    const char *whole = json_string_value(json_object_get(j, "proxy"));
    AUTO(mem_freep) char *mine = p ? mem_printf("%s%s%s", p->id.category, *p->id.category ? "/" : "", p->id.name) : NULL;
    AUTO(buf_clear) struct buf expected = BUF_INIT(1 << 16);

    (void)t;
    if (!p || json_is_null(j))
        return !p && json_is_null(j) ? true : differs(m, "a null proxy on one side");
    if (!whole || strcmp(whole, mine) != 0)
        return differs(m, "another identity");
    if (!p->encoding_minor) /* the notation is of what a 1.1 form would be */
        return true;
    proxy_bytes(j, p->id.name, p->id.category, &expected);
    return expected.len == p->raw_len && memcmp(expected.data, p->raw, p->raw_len) == 0 ? true : differs(m, "another proxy");
}

static bool all_members(struct match *m, json_t *j, const struct ice_object *object)
{
    bool same = true;

    for (const struct ice_class *c = object->cls; c && same; c = c->base)
        same = members(m, j, c->fields, c->n_fields, object);
    return same;
}

static bool instance(struct match *m, json_t *j, const struct ice_type *t, const void *v)
{
    const struct ice_object *object = *(const struct ice_object *const *)v;
    json_t *ref = json_object_get(j, "ref");
    const char *cls = json_string_value(json_object_get(j, "class"));
    int64_t n = json_integer_value(ref ? ref : json_object_get(j, "#"));

    (void)t;
    if (!object || json_is_null(j))
        return !object && json_is_null(j) ? true : differs(m, "a null reference on one side");
    if (n < 1 || n >= INSTANCES)
        return differs(m, "no number");
    if (ref)
        return m->instances[n] == object ? true : differs(m, "a reference to another instance");
    if (!cls || strcmp(cls, object->cls->id) != 0 || m->instances[n])
        return differs(m, "another class");
    m->instances[n] = object;
    return all_members(m, j, object);
}

static bool value(struct match *m, json_t *j, const struct ice_type *t, const void *v)
{
    static bool (*const match[])(struct match *, json_t *, const struct ice_type *, const void *) = {
        [ICE_BOOL] = boolean, [ICE_BYTE] = number, [ICE_SHORT] = number, [ICE_INT] = number, [ICE_LONG] = number,
        [ICE_FLOAT] = real, [ICE_DOUBLE] = real, [ICE_STRING] = string, [ICE_ENUM] = enumerator, [ICE_STRUCT] = structure,
        [ICE_SEQUENCE] = sequence, [ICE_DICTIONARY] = dictionary, [ICE_PROXY] = proxy, [ICE_CLASS] = instance,
    };

    return match[t->kind](m, j, t, v);
}

bool json_match_fields(json_t *items, const struct ice_field *fields, size_t n, const void *values, char why[512])
{
    struct match m = {.why = why};
    bool same = json_array_size(items) == n;

    *why = '\0';
    if (!same)
        differs(&m, "another number of parameters");
    for (size_t i = 0; i < n && same; i++)
        same = inside(&m, fields[i].name, json_array_get(items, i), fields[i].type, (const char *)values + fields[i].offset);
    return same;
}

bool json_match_exception(json_t *item, const struct ice_object *exc, char why[512])
{
    struct match m = {.why = why};
    const char *id = json_string_value(json_object_get(item, "exception"));

    *why = '\0';
    if (!id || !exc || strcmp(id, exc->cls->id) != 0)
        return differs(&m, "another exception");
    return all_members(&m, item, exc);
}

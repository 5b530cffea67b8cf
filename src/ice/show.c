#include "ice/show.h"

#include <string.h>

#include "base/ceilings.h"

struct any_sequence {
    size_t n;
    const uint8_t *at;
};

struct show {
    const struct ice_show *how;
    const struct ice_op *op;
    const char *field; /* whose value is being shown */
    struct buf *out;
    const struct ice_object **met;
    size_t n_met, cap_met;
};

static void show_value(struct show *s, const struct ice_type *t, const void *at);

/* "::omero::model::Image" -> "Image" */
static const char *short_name(const char *id)
{
    const char *colon = strrchr(id, ':');

    return colon ? colon + 1 : id;
}

static void put_text(struct show *s, const char *text)
{
    s->how->text(s->how->arg, s->out, s->op, s->field, text);
}

/* --- values --- */

static void show_number(struct show *s, const struct ice_type *t, const void *at)
{
    switch (t->kind) {
    case ICE_BOOL: buf_add_str(s->out, *(const bool *)at ? "true" : "false"); break;
    case ICE_BYTE: buf_printf(s->out, "%u", *(const uint8_t *)at); break;
    case ICE_SHORT: buf_printf(s->out, "%d", *(const int16_t *)at); break;
    case ICE_INT: buf_printf(s->out, "%d", *(const int32_t *)at); break;
    case ICE_LONG: buf_printf(s->out, "%lld", (long long)*(const int64_t *)at); break;
    case ICE_FLOAT: buf_printf(s->out, "%g", (double)*(const float *)at); break;
    default: buf_printf(s->out, "%g", *(const double *)at); break;
    }
}

static void show_string(struct show *s, const struct ice_type *t, const void *at)
{
    const char *text = *(const char *const *)at;

    (void)t;
    buf_add_byte(s->out, '"');
    put_text(s, text ? text : "");
    buf_add_byte(s->out, '"');
}

static void show_enum(struct show *s, const struct ice_type *t, const void *at)
{
    int32_t v = *(const int32_t *)at;

    if (v >= 0 && (size_t)v < t->n_names)
        buf_add_str(s->out, t->names[v]);
    else
        buf_printf(s->out, "%d", v);
}

static void show_identity(struct show *s, const struct ice_identity *id)
{
    buf_add_byte(s->out, '<');
    put_text(s, id->name);
    if (id->category[0]) {
        buf_add_byte(s->out, ' ');
        put_text(s, id->category);
    }
    buf_add_byte(s->out, '>');
}

static void show_proxy(struct show *s, const struct ice_type *t, const void *at)
{
    const struct ice_proxy *p = *(const struct ice_proxy *const *)at;

    (void)t;
    if (p)
        show_identity(s, &p->id);
    else
        buf_add_str(s->out, "null");
}

static bool is_empty(const struct ice_type *t, const void *at)
{
    if (t->kind == ICE_SEQUENCE || t->kind == ICE_DICTIONARY)
        return ((const struct any_sequence *)at)->n == 0;
    return (t->kind == ICE_CLASS || t->kind == ICE_PROXY) && !*(const void *const *)at;
}

/* Returns whether there was one before. */
static bool show_fields(struct show *s, const struct ice_field *fields, size_t n, const void *at, const char *between,
                        bool before)
{
    const char *outside = s->field;

    for (size_t i = 0; i < n && !s->out->full; i++) {
        const void *value = (const uint8_t *)at + fields[i].offset;

        if (is_empty(fields[i].type, value))
            continue;
        buf_printf(s->out, "%s%s=", before ? between : "", fields[i].name);
        s->field = fields[i].name;
        show_value(s, fields[i].type, value);
        before = true;
    }
    s->field = outside;
    return before;
}

static void show_struct(struct show *s, const struct ice_type *t, const void *at)
{
    buf_add_byte(s->out, '{');
    show_fields(s, t->fields, t->n_fields, at, " ", false);
    buf_add_byte(s->out, '}');
}

static void show_sequence(struct show *s, const struct ice_type *t, const void *at)
{
    const struct any_sequence *list = at;

    if (t->item->kind == ICE_BYTE) {
        buf_printf(s->out, "(%zu bytes)", list->n);
        return;
    }
    buf_add_byte(s->out, '[');
    for (size_t i = 0; i < list->n && !s->out->full; i++) {
        buf_add_str(s->out, i ? " " : "");
        show_value(s, t->item, list->at + i * t->item->size);
    }
    buf_add_byte(s->out, ']');
}

/* The key is the place of its value: a map of settings may hold a secret. */
static void show_dictionary(struct show *s, const struct ice_type *t, const void *at)
{
    const struct any_sequence *list = at;
    const char *outside = s->field;

    buf_add_byte(s->out, '{');
    for (size_t i = 0; i < list->n && !s->out->full; i++) {
        const uint8_t *entry = list->at + i * t->entry_size;

        buf_add_str(s->out, i ? " " : "");
        show_value(s, t->key, entry);
        buf_add_byte(s->out, '=');
        s->field = t->key->kind == ICE_STRING ? *(const char *const *)entry : outside;
        show_value(s, t->item, entry + t->value_offset);
        s->field = outside;
    }
    buf_add_byte(s->out, '}');
}

/* 0, or the number of the instance when it was met before. */
static size_t meet(struct show *s, const struct ice_object *o)
{
    for (size_t i = 0; i < s->n_met; i++)
        if (s->met[i] == o)
            return i + 1;
    s->met = mem_grow(s->met, s->n_met, &s->cap_met, sizeof(*s->met));
    s->met[s->n_met++] = o;
    return 0;
}

static bool show_slices(struct show *s, const struct ice_class *c, const struct ice_object *o)
{
    bool before = c->base ? show_slices(s, c->base, o) : false;

    return show_fields(s, c->fields, c->n_fields, o, " ", before);
}

/* The one member of a class that has no other, else NULL. */
static const struct ice_field *only_field(const struct ice_class *c)
{
    const struct ice_field *found = NULL;
    size_t n = 0;

    for (; c; c = c->base) {
        n += c->n_fields;
        found = c->n_fields ? c->fields : found;
    }
    return n == 1 ? found : NULL;
}

static bool is_plain(const struct ice_field *f)
{
    return f && f->type->kind <= ICE_ENUM;
}

/* A box in a field keeps that field's name as its place. */
static void show_only(struct show *s, const struct ice_object *o, const struct ice_field *only)
{
    const char *outside = s->field;

    s->field = outside ? outside : only->name;
    show_value(s, only->type, (const uint8_t *)o + only->offset);
    s->field = outside;
}

static void show_members(struct show *s, const struct ice_object *o, const struct ice_field *only)
{
    buf_printf(s->out, "%s%c", short_name(o->cls->id), only ? '(' : '{');
    if (only)
        show_only(s, o, only);
    else
        show_slices(s, o->cls, o);
    buf_add_byte(s->out, only ? ')' : '}');
}

/* A boxed number or text that is shared is shown again. */
static void show_object(struct show *s, const struct ice_object *o)
{
    const struct ice_field *only = o ? only_field(o->cls) : NULL;
    size_t number = !o || is_plain(only) ? 0 : meet(s, o);

    if (!o)
        buf_add_str(s->out, "null");
    else if (number)
        buf_printf(s->out, "#%zu", number);
    else
        show_members(s, o, only);
}

static void show_class(struct show *s, const struct ice_type *t, const void *at)
{
    (void)t;
    show_object(s, *(const struct ice_object *const *)at);
}

static void show_value(struct show *s, const struct ice_type *t, const void *at)
{
    static void (*const show[])(struct show *, const struct ice_type *, const void *) = {
        [ICE_BOOL] = show_number, [ICE_BYTE] = show_number, [ICE_SHORT] = show_number, [ICE_INT] = show_number,
        [ICE_LONG] = show_number, [ICE_FLOAT] = show_number, [ICE_DOUBLE] = show_number, [ICE_STRING] = show_string,
        [ICE_ENUM] = show_enum, [ICE_STRUCT] = show_struct, [ICE_SEQUENCE] = show_sequence,
        [ICE_DICTIONARY] = show_dictionary, [ICE_PROXY] = show_proxy, [ICE_CLASS] = show_class,
    };

    if (!s->out->full)
        show[t->kind](s, t, at);
}

/* --- messages --- */

static void show_encaps(struct show *s, const struct ice_msg *msg, const struct ice_field *fields, size_t n, size_t bytes,
                        bool classes)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct ice_in in = msg->encaps;
    void *values = arena_alloc(mem, 1, bytes);
    struct err err = ERR_INIT;
    enum ice_encoding enc;

    if (ice_read_encaps(&in, s->how->registry, mem, fields, n, classes, values, &enc, &err) < 0) {
        buf_add_str(s->out, " unreadable: ");
        put_text(s, err.text);
        return;
    }
    show_fields(s, fields, n, values, " ", true);
}

static void show_exception(struct show *s, const struct ice_msg *msg)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct ice_in in = msg->encaps;
    const struct ice_object *exception = NULL;
    const char *id = "";
    struct err err = ERR_INIT;
    enum ice_encoding enc;

    buf_add_str(s->out, " throws ");
    if (ice_read_exception(&in, s->how->registry, mem, &exception, &id, &enc, &err) < 0)
        put_text(s, err.text);
    else if (exception)
        show_object(s, exception);
    else
        put_text(s, short_name(id));
}

static void show_context(struct show *s, const struct ice_context *ctx)
{
    for (size_t i = 0; i < ctx->n && !s->out->full; i++) {
        buf_add_str(s->out, i ? " " : " [");
        put_text(s, ctx->at[i].key);
        buf_add_byte(s->out, '=');
        s->field = ctx->at[i].key;
        put_text(s, ctx->at[i].value);
        s->field = NULL;
    }
    buf_add_str(s->out, ctx->n ? "]" : "");
}

static void show_name(struct show *s, const struct ice_msg *msg)
{
    buf_printf(s->out, "%d ", msg->id);
    if (s->op)
        buf_printf(s->out, "%s.%s", short_name(s->op->interface), s->op->name);
    else
        put_text(s, msg->operation);
}

static void show_request(struct show *s, const struct ice_msg *msg)
{
    show_name(s, msg);
    if (s->op)
        show_encaps(s, msg, s->op->in, s->op->n_in, s->op->in_size, s->op->in_classes);
    buf_add_str(s->out, " to=");
    show_identity(s, &msg->target);
    show_context(s, &msg->context);
}

static void show_reply(struct show *s, const struct ice_msg *msg)
{
    static const char *const words[] = {
        [ICE_OK] = " ok", [ICE_USER_EXCEPTION] = "", [ICE_NO_OBJECT] = " no such object ", [ICE_NO_FACET] = " no such facet ",
        [ICE_NO_OPERATION] = " no such operation ", [ICE_LOCAL_EXCEPTION] = " fails inside: ",
        [ICE_UNKNOWN_USER] = " fails unknown: ", [ICE_UNKNOWN] = " fails: ",
    };

    show_name(s, msg);
    buf_add_str(s->out, words[msg->status]);
    if (msg->status == ICE_OK && s->op)
        show_encaps(s, msg, s->op->out, s->op->n_out, s->op->out_size, s->op->out_classes);
    else if (msg->status == ICE_USER_EXCEPTION)
        show_exception(s, msg);
    else if (msg->status >= ICE_NO_OBJECT && msg->status <= ICE_NO_OPERATION)
        show_identity(s, &msg->target);
    else if (msg->text)
        put_text(s, msg->text);
}

void ice_show_message(const struct ice_show *how, bool sent, const struct ice_msg *msg, const struct ice_op *op, struct buf *out)
{
    struct buf line = BUF_INIT(ICE_LINE_MAX);
    struct show s = {.how = how, .op = op, .out = &line};

    buf_add_str(&line, sent ? "> " : "< ");
    if (msg->type == ICE_REQUEST)
        show_request(&s, msg);
    else if (msg->type == ICE_REPLY)
        show_reply(&s, msg);
    else
        buf_add_str(&line, msg->type == ICE_VALIDATE ? "validate" : "close");
    buf_add(out, line.data, line.len);
    if (line.full)
        buf_add_str(out, " ... cut");
    buf_clear(&line);
    mem_freep(&s.met);
}

/* Verdicts as bytes and back: numbers as 8 bytes of this machine, texts with their length before them. */
#include "format/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/ceilings.h"
#include "format/driver.h"

/* What was recalled, and the bytes that said it. */
struct recalled {
    struct buf bytes;
    const struct format_driver *driver;
    const struct format_verdict *said; /* NULL: nothing yet */
};

struct recollection {
    const struct format_memory *memory;
    struct arena *arena;
    const struct format_names *last; /* the last list, both ways */
    long long last_id;
    struct recalled slots[FORMAT_SAID_SLOTS]; /* the same is said of most files */
};

unsigned format_memory_version(void)
{
    static unsigned version;
    uint32_t h = 2166136261u;

    for (size_t d = 0; version == 0 && format_drivers[d]; d++) {
        struct format_about about;

        for (size_t i = 0; format_drivers[d]->about(i, &about); i++)
            for (const char *c = about.told; *c; c++)
                h = (h ^ (unsigned char)*c) * 16777619u;
        for (const char *c = format_drivers[d]->wants; *c; c++)
            h = (h ^ (unsigned char)*c) * 16777619u;
    }
    if (version == 0)
        version = h | 1;
    return version;
}

struct recollection *recollection_new(const struct format_memory *memory, struct arena *arena)
{
    struct recollection *r = mem_new(1, sizeof(*r));

    *r = (struct recollection){.memory = memory, .arena = arena, .last_id = -1};
    return r;
}

void recollection_free(struct recollection *r)
{
    for (size_t i = 0; i < FORMAT_SAID_SLOTS; i++)
        buf_clear(&r->slots[i].bytes);
    free(r);
}

/* ---- to bytes ---- */

static void put_number(struct buf *b, uint64_t n)
{
    buf_add(b, &n, sizeof(n));
}

static void put_text(struct buf *b, const char *text)
{
    put_number(b, text ? strlen(text) : UINT64_MAX);
    if (text)
        buf_add(b, text, strlen(text));
}

static long long keep_names(struct recollection *r, const struct format_names *names)
{
    AUTO(buf_clear) struct buf b = BUF_INIT(MEMORY_BYTES_MAX);

    if (names == r->last && r->last_id >= 0)
        return r->last_id;
    put_number(&b, names->n);
    for (size_t i = 0; i < names->n; i++) {
        put_text(&b, names->at[i].name);
        put_text(&b, names->at[i].more);
    }
    if (b.full)
        return -1;
    r->last = names;
    r->last_id = r->memory->keep_list(r->memory->arg, b.data, b.len);
    return r->last_id;
}

static bool put_facts(struct recollection *r, struct buf *b, const struct format_facts *f)
{
    long long names = f && f->names ? keep_names(r, f->names) : -1;

    put_number(b, f != NULL);
    if (!f)
        return true;
    put_number(b, f->row);
    put_number(b, f->flags);
    put_number(b, f->number);
    put_text(b, f->text[0]);
    put_text(b, f->text[1]);
    put_number(b, f->names != NULL);
    put_number(b, (uint64_t)names);
    return !f->names || names >= 0;
}

void recollection_keep(struct recollection *r, const struct format_file *file)
{
    const struct format_verdict *v = file->said;
    AUTO(buf_clear) struct buf b = BUF_INIT(MEMORY_BYTES_MAX);

    if (!r->memory || v->why == REASON_UNREADABLE || v->why == REASON_GONE)
        return;
    put_number(&b, format_memory_version());
    put_text(&b, file->driver ? file->driver->name : NULL);
    put_text(&b, reason_row(v->why)->name);
    put_text(&b, v->text);
    put_text(&b, v->format);
    put_text(&b, v->reader);
    put_number(&b, (v->plate ? 1u : 0u) | (v->unknown ? 2u : 0u) | (v->by_name ? 4u : 0u));
    if (put_facts(r, &b, v->facts) && !b.full)
        r->memory->keep(r->memory->arg, file->entry, b.data, b.len);
}

/* ---- and back ---- */

struct bytes {
    const uint8_t *at;
    size_t left;
    struct arena *arena;
    bool bad;
};

static uint64_t get_number(struct bytes *b)
{
    uint64_t n = 0;

    if (b->left < sizeof(n)) {
        b->bad = true;
        return 0;
    }
    memcpy(&n, b->at, sizeof(n));
    b->at += sizeof(n);
    b->left -= sizeof(n);
    return n;
}

static const char *get_text(struct bytes *b)
{
    uint64_t n = get_number(b);

    if (b->bad || n == UINT64_MAX)
        return NULL;
    if (n > b->left) {
        b->bad = true;
        return NULL;
    }

    const char *text = arena_strn(b->arena, (const char *)b->at, (size_t)n);

    b->at += n;
    b->left -= (size_t)n;
    return text;
}

static const struct format_names *find_names(struct recollection *r, long long id)
{
    struct bytes b = {.arena = r->arena};
    const void *bytes;

    if (id == r->last_id)
        return r->last;
    if (!r->memory->recall_list(r->memory->arg, id, &bytes, &b.left))
        return NULL;
    b.at = bytes;

    uint64_t n = get_number(&b);

    if (b.bad || n > b.left / 16)
        return NULL;

    struct format_names *names = arena_alloc(r->arena, 1, sizeof(*names));
    struct format_name *at = arena_alloc(r->arena, (size_t)n, sizeof(*at));

    for (uint64_t i = 0; i < n && !b.bad; i++) {
        at[i].name = get_text(&b);
        at[i].more = get_text(&b);
        b.bad |= !at[i].name || !at[i].more;
    }
    *names = (struct format_names){at, (size_t)n};
    if (b.bad)
        return NULL;
    r->last = names;
    r->last_id = id;
    return names;
}

static const struct format_facts *get_facts(struct recollection *r, struct bytes *b)
{
    if (get_number(b) != 1)
        return NULL;

    struct format_facts *f = arena_alloc(r->arena, 1, sizeof(*f));

    f->row = (uint16_t)get_number(b);
    f->flags = (uint16_t)get_number(b);
    f->number = get_number(b);
    f->text[0] = get_text(b);
    f->text[1] = get_text(b);
    if (get_number(b) == 1) {
        f->names = find_names(r, (long long)get_number(b));
        b->bad |= !f->names;
    }
    return f;
}

static const struct format_driver *driver_named(const char *name, bool *known)
{
    *known = true;
    for (size_t i = 0; name && format_drivers[i]; i++)
        if (strcmp(format_drivers[i]->name, name) == 0)
            return format_drivers[i];
    *known = !name;
    return NULL;
}

static bool read_said(struct recollection *r, struct bytes *b, struct recalled *out)
{
    struct format_verdict *v = arena_alloc(r->arena, 1, sizeof(*v));
    bool known;

    if (get_number(b) != format_memory_version())
        return false;
    out->driver = driver_named(get_text(b), &known);

    const char *why = get_text(b);

    v->text = get_text(b);
    v->format = get_text(b);
    v->reader = get_text(b);

    uint64_t flags = get_number(b);

    v->why = reason_named(why ? why : "");
    v->plate = flags & 1;
    v->unknown = flags & 2;
    v->by_name = flags & 4;
    v->facts = get_facts(r, b);
    out->said = v;
    return !b->bad && known && why;
}

static struct recalled *slot_of(struct recollection *r, const uint8_t *bytes, size_t n)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < n; i++)
        h = (h ^ bytes[i]) * 16777619u;
    return &r->slots[(h ^ h >> 16) % FORMAT_SAID_SLOTS];
}

bool recollection_find(struct recollection *r, struct format_file *file)
{
    struct bytes b = {.arena = r->arena};
    const void *bytes;

    if (!r->memory || !r->memory->recall(r->memory->arg, file->entry, &bytes, &b.left))
        return false;
    b.at = bytes;

    struct recalled *slot = slot_of(r, b.at, b.left);

    if (!slot->said || slot->bytes.len != b.left || memcmp(slot->bytes.data, bytes, b.left) != 0) {
        slot->said = NULL;
        buf_clear(&slot->bytes);
        slot->bytes = (struct buf)BUF_INIT(MEMORY_BYTES_MAX);
        buf_add(&slot->bytes, bytes, b.left);
        if (!read_said(r, &b, slot)) {
            slot->said = NULL;
            return false;
        }
    }
    file->driver = slot->driver;
    file->said = slot->said;
    return true;
}

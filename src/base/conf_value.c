#include "base/conf_value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/ceilings.h"
#include "base/str.h"
#include "base/suggest.h"

static const struct { const char *words, *arg; } type_rows[] = {
    [CONF_TEXT] = {"text in quotes", "TEXT"},
    [CONF_PATH] = {"an absolute path in quotes", "PATH"},
    [CONF_INT] = {"a whole number", "N"},
    [CONF_SECONDS] = {"seconds, or text with a unit: \"90s\", \"10m\", \"2h\", \"1d\"", "TIME"},
    [CONF_BOOL] = {"true or false", "BOOL"},
    [CONF_CHOICE] = {"one of its words in quotes", "WORD"},
    [CONF_LIST] = {"a list of texts: [ \"one\", \"two\" ]", "ITEM;..."},
};

const char *conf_type_word(const struct conf_key *key)
{
    return key->arg ? key->arg : type_rows[key->type].arg;
}

const char *conf_value_example(const struct conf_key *key)
{
    return key->example ? key->example : key->fallback ? key->fallback : "";
}

/* A secret's value is never repeated in a message. */
static int wrong(const struct conf_key *key, const char *text, struct err *err)
{
    AUTO(mem_freep) char *shown = str_show(text);
    char name[64];

    conf_key_name(key, name);
    if (key->secret)
        return err_set(err, REASON_CONFIG, 0, "'%s' must be %s", name, type_rows[key->type].words);
    err_set(err, REASON_CONFIG, 0, "'%s' must be %s, not %s", name, type_rows[key->type].words, shown);
    return conf_value_example(key)[0] ? err_hint(err, "for example %s", conf_value_example(key)) : -1;
}

static int in_range(const struct conf_key *key, struct conf_value *out, struct arena *arena, struct err *err)
{
    char name[64];

    conf_key_name(key, name);
    if (out->number < key->min || out->number > key->max)
        return err_set(err, REASON_CONFIG, 0, "'%s' must be between %lld and %lld, not %lld", name, (long long)key->min,
                       (long long)key->max, (long long)out->number);
    out->text = arena_printf(arena, "%lld", (long long)out->number);
    return 0;
}

static bool read_seconds(const char *text, int64_t *out)
{
    static const struct { const char *unit; int64_t seconds; } units[] = {
        {"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400},
    };
    char *end;

    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (end == text || errno)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (strcmp(end, units[i].unit) == 0)
            return !__builtin_mul_overflow(n, units[i].seconds, out);
    return false;
}

static bool read_int(const char *text, int64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoll(text, &end, 10);
    return end != text && *end == '\0' && errno == 0;
}

static bool read_bool(const char *text, int64_t *out)
{
    static const struct { const char *word; bool value; } words[] = {
        {"true", true}, {"yes", true}, {"on", true}, {"1", true}, {"false", false}, {"no", false}, {"off", false}, {"0", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(text, words[i].word) == 0) {
            *out = words[i].value;
            return true;
        }
    return false;
}

static int read_choice(const struct conf_key *key, const char *text, struct conf_value *out, struct err *err)
{
    char name[64];
    size_t n = 0;

    for (; key->choices[n]; n++)
        if (strcmp(key->choices[n], text) == 0) {
            out->text = key->choices[n];
            return 0;
        }

    AUTO(mem_freep) char *shown = str_show(text);
    conf_key_name(key, name);
    err_set(err, REASON_CONFIG, 0, "'%s' knows no '%s'", name, shown);
    const char *near = suggest_word(text, key->choices, n);
    return err_hint(err, "did you mean '%s'?", near ? near : key->choices[0]);
}

static int read_text(const struct conf_key *key, const char *text, struct arena *arena, struct conf_value *out, struct err *err)
{
    if (!str_is_utf8(text, strlen(text)) && key->type == CONF_TEXT)
        return wrong(key, text, err);
    if (key->type == CONF_PATH && text[0] && text[0] != '/')
        return wrong(key, text, err);
    out->text = arena_str(arena, text);
    if (!key->check || !text[0] || key->check(text, err) == 0)
        return 0;
    char name[64];
    conf_key_name(key, name);
    err->why = REASON_CONFIG;
    return err_prefix(err, "'%s': ", name);
}

struct items {
    struct arena *arena;
    const char **at;
    size_t n, bytes;
};

static struct items items_begin(struct arena *arena, size_t most)
{
    return (struct items){.arena = arena, .at = arena_alloc(arena, most + 1, sizeof(char *))};
}

static void items_add(struct items *items, const char *text, size_t n)
{
    items->at[items->n++] = arena_printf(items->arena, "%.*s", (int)n, text);
    items->bytes += n + 2;
}

/* The list, and all of it as one text. */
static void items_end(const struct items *items, struct conf_value *out)
{
    struct buf text = BUF_INIT(items->bytes + 1);

    for (size_t i = 0; i < items->n; i++)
        buf_printf(&text, "%s%s", i ? "; " : "", items->at[i]);
    AUTO(mem_freep) char *whole = buf_take_str(&text);

    out->list = items->at;
    out->text = arena_str(items->arena, whole);
}

static int read_list(const struct conf_key *key, const char *text, struct arena *arena, struct conf_value *out, struct err *err)
{
    static const char blanks[] = " \t\n";
    struct items items = items_begin(arena, strlen(text));

    if (strlen(text) > CONF_LIST_MAX)
        return wrong(key, "a longer one than there may be", err);
    while (*text) {
        size_t whole = strcspn(text, ";"), lead = strspn(text, blanks), n = whole;

        while (n > lead && strchr(blanks, text[n - 1]))
            n--;
        if (n > lead)
            items_add(&items, text + lead, n - lead);
        text += whole + (text[whole] == ';');
    }
    items_end(&items, out);
    return 0;
}

static int list_from_toml(const struct conf_key *key, const struct toml_node *node, struct arena *arena, struct conf_value *out,
                          struct err *err)
{
    struct items items = items_begin(arena, node->n_items);

    if (node->n_items > CONF_LIST_MAX)
        return wrong(key, "a longer one than there may be", err);
    for (size_t i = 0; i < node->n_items; i++) {
        const struct toml_node *item = &node->items[i];

        if (item->type != TOML_STRING || str_is_blank(item->text))
            return wrong(key, item->type == TOML_STRING ? "an empty text" : toml_type_words(item->type), err);
        items_add(&items, item->text, strlen(item->text));
    }
    items_end(&items, out);
    return 0;
}

bool conf_value_is_number(const struct conf_key *key)
{
    return key->type == CONF_INT || key->type == CONF_SECONDS || key->type == CONF_BOOL;
}

int conf_value_from_text(const struct conf_key *key, const char *text, struct arena *arena, struct conf_value *out,
                         struct err *err)
{
    switch (key->type) {
    case CONF_TEXT:
    case CONF_PATH:
        return read_text(key, text, arena, out, err);
    case CONF_INT:
        return read_int(text, &out->number) ? in_range(key, out, arena, err) : wrong(key, text, err);
    case CONF_SECONDS:
        return read_seconds(text, &out->number) ? in_range(key, out, arena, err) : wrong(key, text, err);
    case CONF_BOOL:
        if (!read_bool(text, &out->number))
            return wrong(key, text, err);
        out->text = out->number ? "true" : "false";
        return 0;
    case CONF_CHOICE:
        return read_choice(key, text, out, err);
    case CONF_LIST:
        return read_list(key, text, arena, out, err);
    }
    return wrong(key, text, err);
}

/* Which TOML types a key takes, as bits. */
static unsigned takes(enum conf_type type)
{
    static const unsigned bits[] = {
        [CONF_TEXT] = 1u << TOML_STRING,   [CONF_PATH] = 1u << TOML_STRING,
        [CONF_INT] = 1u << TOML_INTEGER,   [CONF_SECONDS] = 1u << TOML_INTEGER | 1u << TOML_STRING,
        [CONF_BOOL] = 1u << TOML_BOOL,     [CONF_CHOICE] = 1u << TOML_STRING,
        [CONF_LIST] = 1u << TOML_ARRAY,
    };

    return bits[type];
}

int conf_value_from_toml(const struct conf_key *key, const struct toml_node *node, struct arena *arena, struct conf_value *out,
                         struct err *err)
{
    if (!(takes(key->type) & 1u << node->type))
        return wrong(key, toml_type_words(node->type), err);
    if (node->type == TOML_ARRAY)
        return list_from_toml(key, node, arena, out, err);
    if (node->type == TOML_STRING)
        return conf_value_from_text(key, node->text, arena, out, err);
    if (node->type == TOML_BOOL) {
        out->number = node->boolean;
        out->text = node->boolean ? "true" : "false";
        return 0;
    }
    out->number = node->integer;
    return in_range(key, out, arena, err);
}

void conf_value_put(const struct conf_key *key, const struct conf_value *value, void *out)
{
    void *at = (char *)out + key->offset;

    switch (key->type) {
    case CONF_TEXT:
    case CONF_PATH:
    case CONF_CHOICE:
        *(const char **)at = value->text[0] ? value->text : NULL;
        break;
    case CONF_INT:
    case CONF_SECONDS:
        *(int64_t *)at = value->number;
        break;
    case CONF_BOOL:
        *(bool *)at = value->number != 0;
        break;
    case CONF_LIST:
        *(const char *const **)at = value->list && value->list[0] ? value->list : NULL;
        break;
    }
}

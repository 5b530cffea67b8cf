#include "card/build.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"
#include "base/mem.h"
#include "base/str.h"
#include "card/digest.h"

/* The card and the memory of its texts. */
struct owned_card {
    struct card card; /* must stay first: card_free gets its address */
    struct arena *arena;
};

struct building {
    struct owned_card *to;
    struct card_fault *fault;
    struct found { /* pairs before they are brought in the order of the file */
        struct card_pair pair;
        int column;
    } *found;
    size_t n_found, cap_found;
};

void card_free(struct card *c)
{
    if (!c)
        return;
    arena_free(((struct owned_card *)c)->arena);
    free(c);
}

void card_freep(struct card **c)
{
    card_free(*c);
}

ATTR_PRINTF(5, 6) static int wrong(struct building *b, int line, int column, const char *hint, const char *fmt, ...)
{
    va_list args;

    *b->fault = (struct card_fault){.line = line, .column = column};
    va_start(args, fmt);
    vsnprintf(b->fault->message, sizeof(b->fault->message), fmt, args);
    va_end(args);
    snprintf(b->fault->hint, sizeof(b->fault->hint), "%s", hint);
    return -1;
}

static int too_much(struct building *b, int line, int column)
{
    return wrong(b, line, column, "shorten it", "the card's texts are more than %u bytes together", CARD_MEANING_MAX);
}

/* The text of any value, in the card's memory; NULL with the fault set when the card grows too large. */
static const char *text_of(struct building *b, const struct toml_node *value)
{
    struct arena *arena = b->to->arena;
    size_t left = arena_bytes(arena) < CARD_MEANING_MAX ? CARD_MEANING_MAX - arena_bytes(arena) : 0;
    AUTO(mem_freep) char *text = toml_value_text(value, left);

    if (text)
        return arena_str(arena, text);
    too_much(b, value->line, value->column);
    return NULL;
}

/* --- who and where to --- */

static int take_required(struct building *b, const struct toml_node *root, const char *key, const char **out, int *line)
{
    const struct toml_node *v = toml_get(root, key);
    char hint[80];

    snprintf(hint, sizeof(hint), "add a line: %s = \"...\"", key);
    if (!v)
        return wrong(b, 1, 1, hint, "the card has no '%s'", key);
    snprintf(hint, sizeof(hint), "put it in quotes: %s = \"...\"", key);
    if (v->type != TOML_STRING)
        return wrong(b, v->line, v->column, hint, "'%s' must be text, not %s", key, toml_type_words(v->type));
    if (str_is_blank(v->text))
        return wrong(b, v->line, v->column, "fill it in", "'%s' is empty", key);
    *out = text_of(b, v);
    *line = v->key_line;
    return *out ? 0 : -1;
}

/* `*out` stays as it is when the key is absent. */
static int take_optional(struct building *b, const struct toml_node *root, const char *key, const char **out)
{
    const struct toml_node *v = toml_get(root, key);

    if (!v)
        return 0;
    const char *text = text_of(b, v);
    if (!text)
        return -1;
    *out = text;
    return 0;
}

static int take_texts(struct building *b, const struct toml_node *root)
{
    struct card *c = &b->to->card;
    const struct toml_node *group = toml_get(root, "group");

    if (!toml_get(root, "project") && !toml_get(root, "user"))
        return wrong(b, 1, 1, "add the lines project = \"...\" and user = \"...\"", "the card has neither 'project' nor 'user'");
    c->comment = "";
    if (take_required(b, root, "project", &c->project, &c->project_line) < 0 ||
        take_required(b, root, "user", &c->user, &c->user_line) < 0 || take_optional(b, root, "group", &c->group) < 0 ||
        take_optional(b, root, "title", &c->title) < 0 || take_optional(b, root, "created", &c->created) < 0 ||
        take_optional(b, root, "comment", &c->comment) < 0)
        return -1;
    if (c->group && str_is_blank(c->group))
        c->group = NULL;
    c->group_line = c->group ? group->key_line : 0;
    return 0;
}

/* --- choice --- */

/* Text, or a list of texts, as one text parted by semicolons. */
static int take_list(struct building *b, const struct toml_node *root, const char *key, const char **out)
{
    const struct toml_node *v = toml_get(root, key);
    const char *list = NULL;

    if (!v)
        return 0;
    if (v->type != TOML_ARRAY && v->type != TOML_STRING)
        return wrong(b, v->line, v->column, "write it as a list: [ \"*.czi\", \"*.lif\" ]", "'%s' must be a list or text, not %s",
                     key, toml_type_words(v->type));
    if (v->type == TOML_STRING)
        list = text_of(b, v);
    for (size_t i = 0; v->type == TOML_ARRAY && i < v->n_items; i++) {
        const char *item = text_of(b, &v->items[i]);

        if (!item)
            return -1;
        if (arena_bytes(b->to->arena) > CARD_MEANING_MAX)
            return too_much(b, v->line, v->column);
        list = list ? arena_printf(b->to->arena, "%s;%s", list, item) : item;
    }
    *out = list && !str_is_blank(list) ? list : NULL;
    return v->type == TOML_STRING && !list ? -1 : 0;
}

static int take_choice(struct building *b, const struct toml_node *root)
{
    struct card *c = &b->to->card;

    return take_list(b, root, "include", &c->include) < 0 || take_list(b, root, "exclude", &c->exclude) < 0 ||
                   take_list(b, root, "formats", &c->formats) < 0 ||
                   take_list(b, root, "exclude_formats", &c->exclude_formats) < 0
               ? -1 : 0;
}

/* --- tags --- */

static bool has_tag(const char *const *tags, size_t n, const char *tag)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(tags[i], tag) == 0)
            return true;
    return false;
}

static int add_tag(struct building *b, const char **tags, const struct toml_node *value)
{
    struct card *c = &b->to->card;
    const char *text = text_of(b, value);

    if (!text)
        return -1;
    if (str_is_blank(text) || has_tag(tags, c->n_tags, text))
        return 0;
    tags[c->n_tags++] = text;
    return 0;
}

static int take_tags(struct building *b, const struct toml_node *root)
{
    const struct toml_node *v = toml_get(root, "tags");

    if (!v)
        return 0;
    if (v->type != TOML_ARRAY && v->type != TOML_STRING)
        return wrong(b, v->line, v->column, "write tags = [ \"one\", \"two\" ]", "'tags' must be a list or text, not %s",
                     toml_type_words(v->type));

    size_t n = v->type == TOML_STRING ? 1 : v->n_items;
    if (n > CARD_TAGS_MAX)
        return wrong(b, v->items[CARD_TAGS_MAX].line, v->items[CARD_TAGS_MAX].column, "leave some out", "more than %u tags",
                     CARD_TAGS_MAX);
    const char **tags = arena_alloc(b->to->arena, n, sizeof(*tags));
    b->to->card.tags = tags;
    if (v->type == TOML_STRING)
        return add_tag(b, tags, v);
    for (size_t i = 0; i < n; i++)
        if (add_tag(b, tags, &v->items[i]) < 0)
            return -1;
    return 0;
}

/* --- key-value pairs --- */

static int add_pair(struct building *b, const char *key, const struct toml_node *value)
{
    const char *text = text_of(b, value);

    if (!text)
        return -1;
    if (b->n_found == CARD_PAIRS_MAX)
        return wrong(b, value->key_line, value->key_column, "leave some out", "more than %u key-value pairs", CARD_PAIRS_MAX);
    b->found = mem_grow(b->found, b->n_found, &b->cap_found, sizeof(*b->found));
    b->found[b->n_found++] = (struct found){.pair = {key, text, value->key_line}, .column = value->key_column};
    return 0;
}

/* Depth is bounded by the TOML reader (TOML_LEVELS_MAX). */
static int flatten(struct building *b, const char *prefix, const struct toml_node *table)
{
    struct arena *arena = b->to->arena;

    for (size_t i = 0; i < table->n_items; i++) {
        const struct toml_node *v = &table->items[i];
        if (strlen(prefix) + strlen(v->key) + arena_bytes(arena) > CARD_MEANING_MAX)
            return too_much(b, v->key_line, v->key_column);
        const char *key = arena_printf(arena, "%s%s%s", prefix, prefix[0] ? "." : "", v->key);
        int failed = v->type == TOML_TABLE ? flatten(b, key, v) : add_pair(b, key, v);
        if (failed < 0)
            return -1;
    }
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct found *x = a, *y = b;

    if (x->pair.line != y->pair.line)
        return x->pair.line < y->pair.line ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

static int take_pairs(struct building *b, const struct toml_node *root)
{
    const struct toml_node *v = toml_get(root, "kv_pairs");

    if (!v)
        return 0;
    if (v->type != TOML_TABLE)
        return wrong(b, v->line, v->column, "write [kv_pairs] on a line of its own and a line key = \"value\" for each below it",
                     "'kv_pairs' must be a table, not %s", toml_type_words(v->type));
    if (flatten(b, "", v) < 0)
        return -1;
    if (b->n_found)
        qsort(b->found, b->n_found, sizeof(*b->found), by_place);

    struct card_pair *pairs = arena_alloc(b->to->arena, b->n_found, sizeof(*pairs));
    for (size_t i = 0; i < b->n_found; i++)
        pairs[i] = b->found[i].pair;
    b->to->card.pairs = pairs;
    b->to->card.n_pairs = b->n_found;
    return 0;
}

int card_build(const struct toml_node *root, struct card **out, struct card_fault *fault)
{
    AUTO(card_freep) struct card *card = mem_new(1, sizeof(struct owned_card));
    struct building b = {.to = (struct owned_card *)card, .fault = fault};

    b.to->arena = arena_new();
    int failed = take_texts(&b, root) < 0 || take_choice(&b, root) < 0 || take_tags(&b, root) < 0 || take_pairs(&b, root) < 0;
    free(b.found);
    if (failed)
        return -1;
    card_digest(card, card->sha256);
    *out = STEAL(card);
    return 0;
}

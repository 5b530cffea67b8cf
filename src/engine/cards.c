#include "engine/cards.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/ceilings.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"

static void refuse(struct found_card *f, enum reason why, int line, int column, const char *text, const char *hint)
{
    f->why = why;
    f->line = line;
    f->column = column;
    f->text = mem_str(text);
    f->hint = mem_str(hint);
}

/* Something that cannot be read is reported as a broken card only when its first line says that it is a card: the ceiling alone
 * is no reason to ask about a stranger's file. */
static bool parse(struct found_card *f, const struct buf *bytes, bool cut, const struct err *err)
{
    struct card_fault fault = {0};
    int r = card_parse(bytes->data ? (const char *)bytes->data : "", bytes->len, &f->card, &fault);

    if (r == CARD_NOT_A_CARD)
        return false;
    if (cut)
        refuse(f, REASON_BROKEN_CARD, 1, 0, err->text, err_hint_text(err));
    else if (r == CARD_BROKEN)
        refuse(f, REASON_BROKEN_CARD, fault.line, fault.column, fault.message, fault.hint);
    return true;
}

static void note_owner(int fd, struct found_card *f)
{
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0)
        f->owner = (struct policy_owner){st.st_uid, st.st_nlink > UINT32_MAX ? UINT32_MAX : (uint32_t)st.st_nlink};
}

/* Is there a card, good or not, in this file? */
static bool read_one(const struct tree *tree, const struct tree_entry *e, struct found_card *f)
{
    AUTO(buf_clear) struct buf bytes = BUF_INIT(CARD_MAX_BYTES + 16);
    AUTO(io_closep) int fd = -1;
    struct err err = ERR_INIT;

    *f = (struct found_card){.entry = e, .dir = mem_strn(e->path, e->dir_len)};
    fd = tree_open(tree, e, &err);
    note_owner(fd, f);
    if (fd >= 0 && (io_read_all(fd, &bytes, &err) == 0 || err.why == REASON_TOO_LARGE))
        return parse(f, &bytes, err.why == REASON_TOO_LARGE, &err);
    refuse(f, err.why, 0, 0, err.text, err_hint_text(&err));
    return true;
}

static void found_clear(struct found_card *f)
{
    card_free(f->card);
    free(f->dir);
    free(f->text);
    free(f->hint);
}

static int by_dir(const void *a, const void *b)
{
    const struct found_card *x = a, *y = b;
    int order = strcmp(x->dir, y->dir);

    return order ? order : strcmp(x->entry->path, y->entry->path);
}

void cards_read(const struct tree *tree, struct policy *policy, struct cards *out)
{
    size_t cap = 0;

    *out = (struct cards){0};
    for (size_t i = 0; i < tree->n; i++) {
        const struct tree_entry *e = &tree->entries[i];

        if (e->kind != TREE_FILE || e->skip != REASON_NONE || !card_name_fits(e->name))
            continue;
        out->at = mem_grow(out->at, out->n, &cap, sizeof(*out->at));
        if (read_one(tree, e, &out->at[out->n]))
            out->n++;
        else
            found_clear(&out->at[out->n]);
    }
    if (out->n > 0)
        qsort(out->at, out->n, sizeof(*out->at), by_dir);
    cards_judge(out, tree, policy);
}

void cards_clear(struct cards *c)
{
    for (size_t i = 0; i < c->n; i++)
        found_clear(&c->at[i]);
    free(c->at);
    *c = (struct cards){0};
}

static void judge_pairs(struct found_card *f)
{
    for (size_t i = 0; i < f->card->n_pairs; i++) {
        const struct card_pair *p = &f->card->pairs[i];
        bool key = strlen(p->key) > OM_PAIR_MAX;

        if (!key && strlen(p->value) <= OM_PAIR_MAX)
            continue;
        AUTO(mem_freep) char *name = mem_strn(p->key, 60);
        AUTO(mem_freep) char *shown = str_show(name);
        AUTO(mem_freep) char *text = mem_printf("the %s '%s%s' is longer than the %u bytes that OMERO can store",
                                                key ? "key" : "value of", shown, strlen(p->key) > 60 ? "..." : "",
                                                OM_PAIR_MAX);
        refuse(f, REASON_TOO_LONG, p->line, 0, text, "shorten it, or put the text into the comment");
        return;
    }
}

static void contradict(struct found_card *f, const struct found_card *other)
{
    AUTO(mem_freep) char *shown = str_show(other->entry->name);
    AUTO(mem_freep) char *text = mem_printf("it contradicts the card '%s' in the same directory", shown);

    refuse(f, REASON_CONFLICT, 0, 0, text, "remove one of the two cards, or make them equal");
    f->other = other;
}

/* The first good card of the directory of `i` with other content, or NULL. */
static const struct found_card *opponent(const struct cards *c, size_t first, size_t end, size_t i)
{
    for (size_t j = first; j < end; j++)
        if (c->at[j].card && c->at[j].why != REASON_REFUSED && strcmp(c->at[j].card->sha256, c->at[i].card->sha256) != 0)
            return &c->at[j];
    return NULL;
}

static size_t same_dir(const struct cards *c, size_t first)
{
    size_t end = first + 1;

    while (end < c->n && strcmp(c->at[end].dir, c->at[first].dir) == 0)
        end++;
    return end;
}

static void judge_policy(struct cards *c, const struct tree *tree, struct policy *policy)
{
    for (size_t i = 0; i < c->n; i++) {
        struct found_card *f = &c->at[i];
        const struct tree_entry *dir = f->card && f->why == REASON_NONE ? tree_find(tree, f->dir) : NULL;
        struct err err = ERR_INIT;

        if (dir && policy_card(policy, f->dir, f->card->user, &f->owner, dir->stamp.uid, &err) < 0)
            refuse(f, err.why, 0, 0, err.text, err_hint_text(&err));
    }
}

void cards_judge(struct cards *c, const struct tree *tree, struct policy *policy)
{
    judge_policy(c, tree, policy);
    for (size_t first = 0, end; first < c->n; first = end) {
        end = same_dir(c, first);
        for (size_t i = first; i < end; i++) {
            struct found_card *f = &c->at[i];
            const struct found_card *other = f->card && f->why == REASON_NONE ? opponent(c, first, end, i) : NULL;

            if (other)
                contradict(f, other);
            else if (f->card && f->why == REASON_NONE)
                judge_pairs(f);
        }
    }
}

/* The cards of exactly this directory. */
static const struct found_card *in_dir(const struct cards *c, const char *dir, size_t len, size_t *n)
{
    size_t low = 0, high = c->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strncmp(c->at[mid].dir, dir, len);

        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == c->n || strncmp(c->at[low].dir, dir, len) != 0 || c->at[low].dir[len] != '\0')
        return NULL;
    *n = same_dir(c, low) - low;
    return &c->at[low];
}

const struct found_card *cards_near(const struct cards *c, const char *dir, size_t len, size_t *n)
{
    *n = 0;
    for (;;) {
        const struct found_card *found = in_dir(c, dir, len, n);

        if (found || len == 0)
            return found;
        while (len > 0 && dir[len - 1] != '/')
            len--;
        len -= len > 0;
    }
}

const struct found_card *cards_apply(const struct found_card *near, size_t n, const struct found_card **blocked)
{
    const struct found_card *good = NULL;

    *blocked = NULL;
    for (size_t i = 0; i < n; i++) {
        if (near[i].why == REASON_NONE)
            good = good ? good : &near[i];
        else if (!*blocked || near[i].why == REASON_CONFLICT)
            *blocked = &near[i];
    }
    return good;
}

static int by_entry(const void *key, const void *item)
{
    const struct tree_entry *e = key;
    const struct found_card *f = item;
    AUTO(mem_freep) char *dir = mem_strn(e->path, e->dir_len);
    int order = strcmp(dir, f->dir);

    return order ? order : strcmp(e->path, f->entry->path);
}

bool cards_hold(void *arg, const struct tree_entry *e)
{
    const struct cards *c = arg;

    return c->n > 0 && card_name_fits(e->name) && bsearch(e, c->at, c->n, sizeof(*c->at), by_entry);
}

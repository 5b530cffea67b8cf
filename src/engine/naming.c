#include "engine/naming.h"

#include <string.h>

#include "base/buf.h"
#include "base/ceilings.h"
#include "base/str.h"
#include "base/suggest.h"

/* ---- words ---- */

enum { FOR_DATASET = 1, FOR_IMAGE = 2, FOR_BOTH = 3 };

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static const char *dir_name(const struct naming_of *of)
{
    return *of->card_dir ? last_part(of->card_dir) : of->root_name;
}

static const char *path_part(const struct naming_of *of)
{
    size_t n = strlen(of->card_dir);

    if (of->path)
        return of->path + n + (n > 0);
    return *of->card_dir ? of->card_dir : of->root_name;
}

static const char *root_part(const struct naming_of *of)
{
    return of->root_name;
}

static const char *file_part(const struct naming_of *of)
{
    return last_part(of->path);
}

static const char *project_part(const struct naming_of *of)
{
    return of->project;
}

static const char *user_part(const struct naming_of *of)
{
    return of->user;
}

static const struct word {
    const char *name;
    int kinds;
    bool of_tree; /* bytes of the file tree: cleaned */
    bool stem;    /* without the last extension */
    const char *(*part)(const struct naming_of *of);
} words[] = {
    {"dir", FOR_BOTH, true, false, dir_name},          {"path", FOR_BOTH, true, false, path_part},
    {"root", FOR_BOTH, true, false, root_part},        {"file", FOR_IMAGE, true, false, file_part},
    {"stem", FOR_IMAGE, true, true, file_part},        {"project", FOR_BOTH, false, false, project_part},
    {"user", FOR_BOTH, false, false, user_part},
};

static const struct word *word_at(const char *text, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strlen(words[i].name) == n && strncmp(words[i].name, text, n) == 0)
            return &words[i];
    return NULL;
}

/* ---- reading ---- */

/* What stands next in a template: text, or a word with its separator.  False at the end. */
struct piece {
    const char *text;
    size_t n;
    bool word, open; /* open: a brace without its other half */
    const char *sep;
    size_t n_sep;
};

static void take_word(const char *at, struct piece *p)
{
    size_t n = strcspn(at, "}{");
    const char *colon = memchr(at, ':', n);

    p->word = true;
    p->open = at[n] != '}';
    p->text = at;
    p->n = colon ? (size_t)(colon - at) : n;
    p->sep = colon ? colon + 1 : "-";
    p->n_sep = colon ? n - p->n - 1 : 1;
}

static bool next_piece(const char **at, struct piece *p)
{
    const char *s = *at;
    size_t n = strcspn(s, "{}");

    *p = (struct piece){.text = s, .n = n};
    if (!*s)
        return false;
    if (n > 0)
        *at += n;
    else if (s[0] == s[1]) {
        p->n = 1;
        *at += 2;
    } else if (s[0] == '}') {
        p->open = true;
        *at += 1;
    } else {
        take_word(s + 1, p);
        *at += 1 + strcspn(s + 1, "}{") + !p->open;
    }
    return true;
}

static int unknown(const struct piece *p, int kind, struct err *err)
{
    AUTO(mem_freep) char *name = mem_printf("%.*s", (int)p->n, p->text);
    const char *names[ARRAY_LEN(words)];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (words[i].kinds & kind)
            names[n++] = words[i].name;
    const char *near = suggest_word(name, names, n);
    err_set(err, REASON_CONFIG, 0, "there is no {%s}", name);
    return err_hint(err, "did you mean {%s}?", near ? near : "path");
}

static int check(const char *text, int kind, struct err *err)
{
    bool any = false;

    for (struct piece p; next_piece(&text, &p);) {
        const struct word *w = p.word ? word_at(p.text, p.n) : NULL;

        if (p.open) {
            err_set(err, REASON_CONFIG, 0, "a brace without its other half");
            return err_hint(err, "a brace itself is written twice: {{ or }}");
        }
        if (p.word && (!w || !(w->kinds & kind)))
            return unknown(&p, kind, err);
        any |= p.word;
    }
    if (any)
        return 0;
    err_set(err, REASON_CONFIG, 0, "all would get one name");
    return err_hint(err, "use {path} or another word in braces");
}

int naming_check_dataset(const char *text, struct err *err)
{
    return check(text, FOR_DATASET, err);
}

int naming_check_image(const char *text, struct err *err)
{
    return check(text, FOR_IMAGE, err);
}

/* ---- making ---- */

/* C1's too. */
static bool is_blank_or_control(const unsigned char *c)
{
    return *c <= ' ' || *c == 0x7F || (c[0] == 0xC2 && c[1] >= 0x80 && c[1] < 0xA0);
}

/* Blanks and control characters become underscores; the parts of a path are joined. */
static void add_clean(struct buf *out, const char *s, size_t n, const struct piece *p)
{
    for (size_t i = 0, len; i < n; i += len) {
        len = str_char_len(s + i, n - i);
        if (s[i] == '/')
            buf_add(out, p->sep, p->n_sep);
        else if (is_blank_or_control((const unsigned char *)s + i))
            buf_add_byte(out, '_');
        else
            buf_add(out, s + i, len);
    }
}

static size_t stem_len(const char *s)
{
    const char *dot = strrchr(s, '.');

    return dot && dot != s ? (size_t)(dot - s) : strlen(s);
}

static void add_word(struct buf *out, const struct word *w, const struct piece *p, const struct naming_of *of)
{
    const char *part = w->part(of);
    AUTO(mem_freep) char *shown = str_is_utf8(part, strlen(part)) ? NULL : str_show(part);
    const char *s = shown ? shown : part;

    if (w->of_tree)
        add_clean(out, s, w->stem ? stem_len(s) : strlen(s), p);
    else
        buf_add(out, s, strlen(s));
}

char *naming_make(const char *text, const struct naming_of *of, struct arena *a)
{
    AUTO(buf_clear) struct buf out = BUF_INIT(NAMING_MAX);

    for (struct piece p; next_piece(&text, &p);) {
        if (p.word)
            add_word(&out, word_at(p.text, p.n), &p, of);
        else
            buf_add(&out, p.text, p.n);
    }
    return arena_strn(a, (const char *)out.data, out.len);
}

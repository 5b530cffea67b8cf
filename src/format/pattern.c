/* File patterns: a text such as "img_<A,B>_z<00-12:2>.tif" names all files that it expands to, in the directory of the pattern.
 *
 * A block is a list of texts, or one range FIRST-LAST[:STEP] of numbers or, in base 36, of letters.  Bio-Formats' documentation,
 * "Grouping files using a pattern file", and its class FilePatternBlock. */
#include "format/set.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/ceilings.h"
#include "format/text.h"

enum { BLOCKS_MAX = 16, PATTERN_MAX = 64 * 1024 };

struct block {
    char **at;
    size_t n, cap;
};

static void blocks_clear(struct block *blocks)
{
    for (size_t b = 0; b < BLOCKS_MAX; b++) {
        for (size_t i = 0; i < blocks[b].n; i++)
            free(blocks[b].at[i]);
        free(blocks[b].at);
    }
}

static void add_element(struct block *b, char *text)
{
    b->at = mem_grow(b->at, b->n, &b->cap, sizeof(char *));
    b->at[b->n++] = text;
}

/* Digits of a base, up to 12 of them. */
static bool read_digits(const char *s, int base, uint64_t *out)
{
    char *end;
    size_t n = strlen(s);

    if (n == 0 || n > 12 || !isalnum((unsigned char)s[0]))
        return false;
    *out = strtoull(s, &end, base);
    return *end == '\0';
}

static char *write_digits(uint64_t value, int base, size_t width, bool lower)
{
    char digits[32];
    size_t at = sizeof(digits);

    digits[--at] = '\0';
    do {
        unsigned digit = (unsigned)(value % (unsigned)base);

        digits[--at] = (char)(digit < 10 ? '0' + digit : (lower ? 'a' : 'A') + digit - 10);
        value /= (unsigned)base;
    } while (value > 0 || sizeof(digits) - 1 - at < width);
    return mem_str(digits + at);
}

/* FIRST-LAST[:STEP] in decimal, else in base 36; of one width when both are written so. */
static bool add_range(struct block *b, const char *first, const char *last, const char *step_text)
{
    uint64_t from, to, step = 1;
    int base = read_digits(first, 10, &from) && read_digits(last, 10, &to) ? 10 : 36;

    if (!read_digits(first, base, &from) || !read_digits(last, base, &to) ||
        (step_text && !read_digits(step_text, base, &step)) || step == 0 || from > to || (to - from) / step >= NAMES_MAX)
        return false;
    for (uint64_t i = from; i <= to; i += step)
        add_element(b, write_digits(i, base, strlen(first) == strlen(last) ? strlen(first) : 1,
                                    islower((unsigned char)first[0])));
    return true;
}

static bool read_block(struct block *b, char *list)
{
    char *dash = strchr(list, '-');

    if (!strchr(list, ',') && dash) {
        char *colon = strchr(dash + 1, ':');

        *dash = '\0';
        if (colon)
            *colon = '\0';
        return add_range(b, list, dash + 1, colon ? colon + 1 : NULL);
    }
    for (char *comma; list; list = comma ? comma + 1 : NULL) {
        comma = strchr(list, ',');
        if (comma)
            *comma = '\0';
        add_element(b, mem_str(list));
    }
    return true;
}

/* All names, the last block turning fastest. */
static void expand(char *const *texts, const struct block *blocks, size_t n, struct names *names)
{
    size_t at[BLOCKS_MAX] = {0};

    for (bool more = true; more && !names->full; ) {
        struct buf b = BUF_INIT(TREE_PATH_MAX);

        for (size_t i = 0; i < n; i++) {
            buf_add_str(&b, texts[i]);
            buf_add_str(&b, blocks[i].at[at[i]]);
        }
        buf_add_str(&b, texts[n]);
        if (b.len == 0)
            return;

        AUTO(mem_freep) char *name = buf_take_str(&b);
        names_add(names, name, "");
        more = false;
        for (size_t i = n; i-- > 0 && !more; ) {
            more = ++at[i] < blocks[i].n;
            if (!more)
                at[i] = 0;
        }
    }
}

/* Part the line into texts and blocks; the number of blocks, -1: it is no pattern. */
static int part(char *line, char **texts, struct block *blocks)
{
    int n = 0;

    for (texts[0] = line; ; n++) {
        char *open = strchr(texts[n], '<'), *close = open ? strchr(open, '>') : NULL;

        if (!open)
            return n;
        if (!close || n == BLOCKS_MAX)
            return -1;
        *open = *close = '\0';
        if (!read_block(&blocks[n], open + 1))
            return -1;
        texts[n + 1] = close + 1;
    }
}

int set_read_pattern(struct format_look *look, struct names *names, const char **text)
{
    AUTO(mem_freep) char *bytes = text_of(look, PATTERN_MAX, text);
    struct block blocks[BLOCKS_MAX] = {0};
    char *texts[BLOCKS_MAX + 1];

    if (!bytes)
        return -1;

    char *line = text_trim(bytes);
    bool elsewhere = strchr(line, '/') != NULL;
    int n = elsewhere ? -1 : part(line, texts, blocks);

    if (n >= 0)
        expand(texts, blocks, (size_t)n, names);
    blocks_clear(blocks);
    *text = elsewhere ? "its pattern leads to other directories"
            : names->full ? "its pattern stands for more files than any set has" : "its text is no pattern of names";
    return n < 0 || names->full || names->n == 0 ? -1 : 1;
}

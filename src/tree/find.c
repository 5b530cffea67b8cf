#include "tree/tree.h"

#include <string.h>

/* Directories as the scan visits them: a directory before what lies in it, and what lies in it before the next name.  That is
 * the order of bytes with the slash below all others. */
static int compare_dirs(const char *a, size_t n_a, const char *b, size_t n_b)
{
    size_t n = n_a < n_b ? n_a : n_b, i = 0;

    while (i < n && a[i] == b[i])
        i++;
    if (i == n)
        return n_a < n_b ? -1 : n_a > n_b;
    if (a[i] == '/' || b[i] == '/')
        return a[i] == '/' ? -1 : 1;
    return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
}

int tree_order(const char *a, const char *b)
{
    const char *slash_a = strrchr(a, '/'), *slash_b = strrchr(b, '/');
    int order = compare_dirs(a, slash_a ? (size_t)(slash_a - a) : 0, b, slash_b ? (size_t)(slash_b - b) : 0);

    return order ? order : strcmp(slash_a ? slash_a + 1 : a, slash_b ? slash_b + 1 : b);
}

int tree_walk_order(const char *a, const char *b)
{
    return compare_dirs(a, strlen(a), b, strlen(b));
}

const struct tree_entry *tree_find(const struct tree *t, const char *path)
{
    size_t low = 0, high = t->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct tree_entry *e = &t->entries[middle];
        int order = tree_order(path, e->path);

        if (order == 0)
            return strcmp(path, e->path) == 0 ? e : NULL; /* "/a" stands where "a" does */
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

bool tree_stamp_equal(const struct tree_stamp *a, const struct tree_stamp *b)
{
    return a->size == b->size && a->mtime_ns == b->mtime_ns;
}

bool tree_stamp_untouched(const struct tree_stamp *a, const struct tree_stamp *b)
{
    return tree_stamp_equal(a, b) && a->ctime_ns == b->ctime_ns && a->ino == b->ino;
}

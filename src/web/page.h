/* What the pages share. */
#pragma once

#include "shape/problems.h"
#include "web/html.h"
#include "web/routes.h"

enum { PAGE_ROWS = 50 };

/* Head, navigation (`here`: the address whose entry is the current one; NULL) and the opening of main with its heading. */
void page_begin(struct view *v, const char *here, const char *title);
void page_end(struct view *v);

/* "Next" with the address of this page and another `after`; nothing when `after` is NULL. */
void page_more(struct buf *b, const char *address, const char *key, const char *value, const char *after);

/* "/root/path" as a link to the fileset's page; row 0: no link. */
void page_path(struct buf *b, const char *root, const char *path, int64_t row);
/* "Dataset 12" as a link into OMERO.web where its address is known; `kind`: "dataset", "screen", "image", "plate". */
void page_omero(struct view *v, const char *kind, int64_t id, const char *name);
/* An article: where, why, since when, who can do what. */
void page_problem(struct buf *b, const struct shape_problem *p);
void page_problem_words(struct buf *b, const struct shape_problem *p); /* without where it is */
void page_reason(struct buf *b, enum reason why, const char *text); /* "no-user: OMERO knows no ...: text" */

/* Articles of cards with their datasets. */
int page_card_list(struct view *v, const struct ledger_card *cards, size_t n, struct err *err);

/* "12 ready, 3 done" of counts by state. */
void page_counts(struct buf *b, const int64_t n[N_LEDGER_STATES]);

/* Bars of the last hours, of values that are named by `unit`. */
struct chart {
    const char *id, *title, *unit;
    const int64_t *values;
    size_t n;
    bool bytes; /* they are shown as sizes */
};
void page_chart(struct buf *b, const struct chart *c);

/* Annotations and their links: made once, linked many times.
 *
 * Links are saved and deleted in batches of OM_BATCH (base/ceilings.h): one duplicate fails a whole save, one missing id a whole
 * delete, so what is there is asked for before each batch. */
#pragma once

#include "omero/container.h"

enum om_note_kind { OM_TAG, OM_MAP, OM_COMMENT };

/* An annotation by its id; the kind is needed where it is named on the wire. */
struct om_note_ref {
    enum om_note_kind kind;
    int64_t id;
};

/* Made together with its link to a parent: one without the other is never left behind.  Maps of the same rows may be made
 * for many parents, one each, in one transaction; `out` has n places.  Keys and values over OM_PAIR_MAX bytes are refused
 * (REASON_TOO_LONG): the server's index takes 2,704. */
int om_maps_create(struct om_client *c, enum om_parent kind, const int64_t *parents, size_t n, const char *ns,
                   const struct om_pair *pairs, size_t n_pairs, int64_t *out, struct err *err);
int om_comment_create(struct om_client *c, enum om_parent kind, int64_t parent, const char *ns, const char *text, int64_t *out,
                      struct err *err);

/* An annotation as it is now, for a rewrite. */
struct om_note {
    int64_t id, owner, group;
    const char *ns, *text; /* text: comment or tag; "" for a map */
    size_t n_pairs;
    const struct om_pair *pairs; /* map */
    bool can_edit;
    const struct om_annotation *loaded;
};
/* 0, or OM_ABSENT.  Everything lives in the arena. */
int om_map_load(struct om_client *c, int64_t id, struct arena *mem, struct om_note *out, struct err *err);
int om_comment_load(struct om_client *c, int64_t id, struct arena *mem, struct om_note *out, struct err *err);
/* The same for many, in the order of `ids`; those that are not there are left with `loaded` NULL. */
int om_maps_load(struct om_client *c, const int64_t *ids, size_t n, struct arena *mem, struct om_note *out, struct err *err);
/* Replace the content.  0, or OM_STALE: somebody changed it since it was loaded; load it again and think again. */
int om_map_save(struct om_client *c, const struct om_note *note, const struct om_pair *pairs, size_t n, struct err *err);
/* Many, each with the pairs that it holds now, in one transaction. */
int om_maps_save(struct om_client *c, const struct om_note *notes, size_t n, struct err *err);
int om_comment_save(struct om_client *c, const struct om_note *note, const char *text, struct err *err);

/* Tags of these texts (n of them, no two the same) that the session's user may link: for each an own one first, then the lowest
 * id of those that may be annotated with (linked) in this kind of group; never a tag set.  Those that are not there are made:
 * `made` says which.  `ids` and `made` have n places.  One question, and one transaction if any is missing. */
int om_tags_need(struct om_client *c, const char *const *texts, size_t n, int64_t *ids, bool *made, struct err *err);

/* The same without making any: `ids` of those that are not there are -1, and their number is the answer. */
int om_tags_find(struct om_client *c, const char *const *texts, size_t n, int64_t *ids, struct err *err);

struct om_tag_row {
    int64_t id;
    const char *text;
};
struct om_tag_rows {
    size_t n;
    const struct om_tag_row *at; /* in the arena, lowest id first */
};
/* The tags that the session's user has linked a dataset or screen to. */
int om_tags_linked(struct om_client *c, enum om_parent kind, int64_t parent, struct arena *mem, struct om_tag_rows *out,
                   struct err *err);

/* Which of these annotations still exist in that group with that owner (owner -1: any)?  `alive` has n places. */
int om_annotations_alive(struct om_client *c, const struct om_note_ref *notes, size_t n, int64_t owner, int64_t group,
                         bool *alive, struct err *err);

struct om_link_row {
    int64_t id, parent, child;
    int64_t made_ms; /* when, by the server's clock */
};
struct om_link_rows {
    size_t n;
    const struct om_link_row *at; /* in the arena */
};
/* The links that the session's user owns from these parents to these annotations. */
int om_links_find(struct om_client *c, enum om_parent kind, const int64_t *parents, size_t n_parents,
                  const struct om_note_ref *children, size_t n_children, struct arena *mem, struct om_link_rows *out,
                  struct err *err);
/* The links that the session's user owns from these parents to annotations of that namespace. */
int om_links_named(struct om_client *c, enum om_parent kind, const int64_t *parents, size_t n, const char *ns, struct arena *mem,
                   struct om_link_rows *out, struct err *err);
/* Link every parent to every child where the user's link is missing.  `*made` = how many were saved. */
int om_links_add(struct om_client *c, enum om_parent kind, const int64_t *parents, size_t n_parents,
                 const struct om_note_ref *children, size_t n_children, size_t *made, struct err *err);
/* The same for annotations that were made a moment ago and hang on none of these parents: nobody is asked. */
int om_links_add_first(struct om_client *c, enum om_parent kind, const int64_t *parents, size_t n_parents,
                       const struct om_note_ref *children, size_t n_children, size_t *made, struct err *err);
/* Delete those of the user's links that go from a parent to the annotation of the same place.  `*gone` = how many were there. */
int om_links_remove_own(struct om_client *c, enum om_parent kind, const int64_t *parents, const int64_t *children, size_t n,
                        size_t *gone, struct err *err);
/* Delete the user's links from these parents to these annotations.  `*gone` = how many were there. */
int om_links_remove(struct om_client *c, enum om_parent kind, const int64_t *parents, size_t n_parents,
                    const struct om_note_ref *children, size_t n_children, size_t *gone, struct err *err);

/* Users and groups: who there is, and the file that names them. */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct store;

/* Make what is always there: root (password omero), guest, the groups system, user and guest. */
void people_begin(struct store *s);
/* Add the groups and users of a file (sample/users.toml shows its form) that are not there yet. */
int people_read(struct store *s, const char *file, struct err *err);

/* Ids, or -1 when there is none such. */
int64_t people_login(struct store *s, const char *user, const char *password);
int64_t people_find(struct store *s, const char *user);
int64_t people_group(struct store *s, const char *name);
int64_t people_default_group(struct store *s, int64_t user);

/* `privileges` NULL: those of an ordinary user, or a full administrator's.  -1 when the name is taken. */
int64_t people_add_group(struct store *s, const char *name, const char *perms);
int64_t people_add_user(struct store *s, const char *name, const char *first, const char *last, const char *password,
                        const char *privileges);
void people_add_member(struct store *s, int64_t group, int64_t user);
void people_set_password(struct store *s, int64_t user, const char *password);

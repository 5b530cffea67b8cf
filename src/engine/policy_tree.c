/* The policies that look at the tree: a list of directories and users, and owners. */
#include "engine/policy.h"

#include <fnmatch.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { ACCOUNT_BYTES = 16 * 1024 };

static bool system_account(uid_t uid, char *out, size_t size)
{
    AUTO(mem_freep) char *bytes = mem_new(ACCOUNT_BYTES, 1);
    struct passwd entry, *found = NULL;

    if (getpwuid_r(uid, &entry, bytes, ACCOUNT_BYTES, &found) != 0 || !found)
        return false;
    return snprintf(out, size, "%s", found->pw_name) < (int)size;
}

/* ---- rows of `allow` ---- */

static const char blanks[] = " \t\n";

struct span {
    const char *at;
    size_t n;
};

static struct span trimmed(const char *at, size_t n)
{
    while (n > 0 && strchr(blanks, at[n - 1]))
        n--;
    while (n > 0 && strchr(blanks, *at))
        at++, n--;
    return (struct span){at, n};
}

/* The parts of a row on both sides of its last "=": names of directories may have one. */
static bool split(const char *row, struct span *pattern, struct span *users)
{
    const char *sign = strrchr(row, '=');

    if (!sign)
        return false;
    *pattern = trimmed(row, (size_t)(sign - row));
    *users = trimmed(sign + 1, strlen(sign + 1));
    return pattern->n > 0 && users->n > 0;
}

/* The next part of a path; the rest begins behind its slash. */
static struct span next_part(struct span *rest)
{
    struct span part = {rest->at, 0};

    while (part.n < rest->n && rest->at[part.n] != '/')
        part.n++;
    rest->at += part.n + (part.n < rest->n);
    rest->n -= part.n + (part.n < rest->n);
    return part;
}

static bool is_good_part(struct span part)
{
    return part.n > 0 && !(part.n == 1 && part.at[0] == '.') && !(part.n == 2 && strncmp(part.at, "..", 2) == 0);
}

static bool is_root(struct span pattern)
{
    return pattern.n == 1 && pattern.at[0] == '.';
}

static bool is_good_row(const char *row)
{
    struct span pattern, users;

    if (!split(row, &pattern, &users))
        return false;
    if (is_root(pattern))
        return true;
    if (pattern.at[0] == '/')
        return false;
    while (pattern.n > 0)
        if (!is_good_part(next_part(&pattern)))
            return false;
    return true;
}

static bool is_text(struct span span, const char *text)
{
    return span.n == strlen(text) && strncmp(span.at, text, span.n) == 0;
}

/* {user} fits any part, and lets nobody but the user of that name. */
static bool fits_part(struct span pattern, struct span part, const char *user, bool *may)
{
    AUTO(mem_freep) char *glob = mem_strn(pattern.at, pattern.n);
    AUTO(mem_freep) char *name = mem_strn(part.at, part.n);

    if (strcmp(glob, "{user}") != 0)
        return fnmatch(glob, name, 0) == 0;
    *may &= strcmp(name, user) == 0;
    return true;
}

/* How many parts of the directory the pattern takes in: -1, it does not fit. */
static int depth_of(struct span pattern, const char *dir, const char *user, bool *may)
{
    struct span rest = {dir, strlen(dir)};
    int depth = 0;

    for (; !is_root(pattern) && pattern.n > 0; depth++)
        if (rest.n == 0 || !fits_part(next_part(&pattern), next_part(&rest), user, may))
            return -1;
    return depth;
}

static bool names(struct span users, const char *user)
{
    const char *end = users.at + users.n;

    while (users.at < end) {
        const char *comma = memchr(users.at, ',', (size_t)(end - users.at));
        struct span one = trimmed(users.at, (size_t)((comma ? comma : end) - users.at));

        if (is_text(one, "*") || is_text(one, user))
            return true;
        users.at = comma ? comma + 1 : end;
    }
    return false;
}

static int check_list(const struct policy *p, const char *dir, const char *user, struct err *err)
{
    AUTO(mem_freep) char *shown = str_show(*dir ? dir : ".");
    int deepest = -1;
    bool may = false;

    for (size_t i = 0; p->allow[i]; i++) {
        struct span pattern, users;
        bool this = true;
        int depth = split(p->allow[i], &pattern, &users) ? depth_of(pattern, dir, user, &this) : -1;

        if (depth < deepest || depth < 0)
            continue;
        may = (depth == deepest && may) || (this && names(users, user));
        deepest = depth;
    }
    if (may)
        return 0;
    return deepest < 0 ? err_set(err, REASON_REFUSED, 0, "no row of 'allow' is for the directory '%s'", shown)
                       : err_set(err, REASON_REFUSED, 0, "'allow' does not name user '%s' for the directory '%s'", user, shown);
}

/* ---- owners ---- */

static const char *account_of(struct policy *p, uid_t uid)
{
    if (!p->asked || p->uid != uid) {
        if (!p->account(uid, p->name, sizeof(p->name)))
            p->name[0] = '\0';
        p->uid = uid;
        p->asked = true;
    }
    return p->name;
}

static int check_owner(struct policy *p, const char *what, uid_t uid, const char *user, struct err *err)
{
    const char *name = account_of(p, uid);

    if (!*name)
        return err_set(err, REASON_REFUSED, 0, "%s belongs to number %u, which is no account here", what, uid);
    if (uid < POLICY_UID_MIN || uid == POLICY_UID_NOBODY)
        return err_set(err, REASON_REFUSED, 0, "%s belongs to '%s', which is no person's account", what, name);
    if (strcmp(name, user) != 0)
        return err_set(err, REASON_REFUSED, 0, "%s belongs to '%s', not to user '%s'", what, name, user);
    return 0;
}

static int check_owned(struct policy *p, const char *what, const struct policy_owner *of, const char *user, struct err *err)
{
    if (check_owner(p, what, of->uid, user, err) < 0)
        return -1;
    return of->nlink <= 1 ? 0 : err_set(err, REASON_REFUSED, 0, "%s has %u hard links", what, of->nlink);
}

/* ---- asking ---- */

int policy_of(const struct root_settings *set, struct policy *out, struct err *err)
{
    static const char *const kinds[] = {[POLICY_ANY] = "any", [POLICY_LIST] = "list", [POLICY_OWNER] = "owner"};

    *out = (struct policy){.allow = set->allow, .account = system_account};
    for (size_t i = 0; set->policy && i < ARRAY_LEN(kinds); i++)
        if (strcmp(kinds[i], set->policy) == 0)
            out->kind = (enum policy_kind)i;
    if (out->kind == POLICY_LIST && !set->allow)
        return err_set(err, REASON_CONFIG, 0, "policy = \"list\" needs 'allow'");
    for (size_t i = 0; set->allow && set->allow[i]; i++)
        if (!is_good_row(set->allow[i])) {
            err_set(err, REASON_CONFIG, 0, "'allow' has no \"DIRECTORY = USER, USER\" in '%s'", set->allow[i]);
            return err_hint(err, "write \"plates/{user} = *\", \"teams/fly = ann, bob\" or \". = ann\", paths below the root");
        }
    return 0;
}

int policy_card(struct policy *p, const char *dir, const char *user, const struct policy_owner *card, uid_t dir_uid,
                struct err *err)
{
    if (p->kind == POLICY_LIST)
        return check_list(p, dir, user, err);
    if (p->kind == POLICY_OWNER)
        return check_owned(p, "the card", card, user, err) < 0 ? -1 : check_owner(p, "its directory", dir_uid, user, err);
    return 0;
}

int policy_file(struct policy *p, const char *dir, const char *user, const struct policy_owner *file, struct err *err)
{
    if (p->kind == POLICY_LIST)
        return check_list(p, dir, user, err);
    return p->kind == POLICY_OWNER ? check_owned(p, "the file", file, user, err) : 0;
}

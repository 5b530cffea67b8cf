/* Who may ask: by the head of a request alone.  Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The head's lines that matter; NULL: absent. */
struct guard_head {
    const char *method, *host, *origin, *site /* Sec-Fetch-Site */, *mode /* Sec-Fetch-Mode */, *authorization;
    size_t n_hosts; /* how often `Host` stands there */
};

struct guard_rules {
    const char *token;        /* NULL: none is asked for */
    const char *const *hosts; /* more names; NULL: none */
};

/* 0, or the status that refuses it: 400 no `Host` that can be understood, 403 another page's script, 405 neither GET nor HEAD,
 * 421 a name that is none of ours (a page elsewhere whose name leads here), 401 no token or a wrong one; `*why` in words. */
int guard_check(const struct guard_rules *rules, const struct guard_head *head, const char **why);

/* "NAME[:PORT]" of a `Host`: localhost, an address in numbers, or one of the names. */
bool guard_knows_host(const char *const *hosts, const char *host);
/* `Bearer TOKEN`, or `Basic` with the token as password; compared in the same time wherever they differ. */
bool guard_knows_token(const char *token, const char *authorization);

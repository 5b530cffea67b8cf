#include "base/reason.h"

#include <string.h>

static const struct reason_row rows[N_REASONS] = {
#define X(id, name, cls, who, text, hint) {name, ERR_##cls, WHO_##who, text, hint},
    REASONS(X)
#undef X
};

const struct reason_row *reason_row(enum reason why)
{
    return (unsigned)why < N_REASONS ? &rows[why] : &rows[REASON_BUG];
}

enum reason reason_named(const char *name)
{
    for (unsigned i = 0; i < N_REASONS; i++)
        if (strcmp(rows[i].name, name) == 0)
            return (enum reason)i;
    return REASON_BUG;
}

const char *reason_who_name(enum reason_who who)
{
    static const char *const names[] = {"nobody", "researcher", "administrator", "developer"};

    return names[who];
}

#include "base/mail.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"

bool mail_is_plain(const char *s)
{
    for (const char *c = s; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr(".-_+@", *c))
            return false;
    return isalnum((unsigned char)s[0]);
}

int mail_check_address(const char *text, struct err *err)
{
    const char *user = strstr(text, "{user}");
    AUTO(mem_freep) char *filled = user ? mem_printf("%.*su%s", (int)(user - text), text, user + strlen("{user}"))
                                        : mem_str(text);
    const char *at = strchr(filled, '@');

    if (at && at != filled && at[1] && !strchr(at + 1, '@') && mail_is_plain(filled))
        return 0;
    err_set(err, REASON_CONFIG, 0, "no plain mail address");
    return err_hint(err, "for example omero@institute.example, or {user}@institute.example for the card's user");
}

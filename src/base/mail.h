/* Mail addresses of the configuration. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* Letters, digits and what addresses have; nothing that ends a header, begins an option or names a second address. */
bool mail_is_plain(const char *s);

/* One address, in which {user} may stand for a plain word.  -1: REASON_CONFIG. */
int mail_check_address(const char *text, struct err *err);

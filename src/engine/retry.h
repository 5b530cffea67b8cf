/* When something that went wrong is tried again, and whether all work or only one piece of it is concerned. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Milliseconds until the next try after `attempts` earlier ones (0 = the first failure): doubling from the reason's base to its
 * ceiling, a quarter more or less by `random` so that many do not come at once.  CLOCK_NEVER: not by itself (ERR_FINAL). */
int64_t retry_delay_ms(enum reason why, enum err_class cls, int attempts, uint32_t random);

/* Does it concern the server or the login, and so every piece of work? */
bool retry_is_for_all(enum reason why);

/* May what was sent last still be running on the server: was there no answer? */
bool retry_is_unanswered(enum reason why);

uint32_t retry_random(void);

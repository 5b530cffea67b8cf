/* Places of traps: a place is a stack of the program's own calls, wherever program and libraries lie in memory, so that it is
 * the same in each run of one build.  What a library does within one call of the program's is one place; a function that calls
 * itself is another place at each depth. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/trap.h"

/* Before threads start: the first stack that is looked at loads a library. */
void trap_place_start(void);
uint64_t trap_place_here(void); /* never 0 */

/* A table of its own, since an allocation may be what is counted; what does not fit is not counted and said. */
bool trap_place_count(enum trap_kind kind, uint64_t place); /* was it the first? */
void trap_place_say(const char *const *names); /* a line on stderr for each, as trap.h says */

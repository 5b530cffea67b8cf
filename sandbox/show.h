/* What the sandbox holds, for people. */
#pragma once

#include "sandbox/store.h"

void show(struct store *s);

/* The hash of what a card means.  Only build.c uses this. */
#pragma once

#include "card/card.h"

void card_digest(const struct card *c, char out[65]);

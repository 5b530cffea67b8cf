/* From the TOML of a card to what the importer takes from it.  Only card.c uses this. */
#pragma once

#include "base/toml.h"
#include "card/card.h"

/* 0, or -1 with `*fault` but for its source line. */
int card_build(const struct toml_node *root, struct card **out, struct card_fault *fault);

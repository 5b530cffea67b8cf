/* Any bytes as a card: no crash, and what comes out keeps its promises.  Corpus: tests/data/cards. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"
#include "base/str.h"
#include "card/card.h"

static void must(int holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(card_freep) struct card *c = NULL;
    struct card_fault fault = {0};
    int outcome = card_parse(data, size, &c, &fault);

    must((outcome == 0) == (c != NULL));
    if (outcome == CARD_BROKEN)
        must(fault.line >= 1 && fault.column >= 1 && fault.message[0] && str_is_utf8(fault.message, strlen(fault.message)));
    if (!c)
        return 0;
    must(!str_is_blank(c->project) && !str_is_blank(c->user) && strlen(c->sha256) == 64);
    must(c->n_tags <= CARD_TAGS_MAX && c->n_pairs <= CARD_PAIRS_MAX);
    for (size_t i = 0; i < c->n_pairs; i++)
        must(c->pairs[i].line >= 1 && str_is_utf8(c->pairs[i].value, strlen(c->pairs[i].value)));
    return 0;
}

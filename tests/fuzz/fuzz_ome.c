/* OME-XML, in pieces whose length the first byte gives. */
#include "format/ome.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int feed_all(struct ome_parser *p, const uint8_t *data, size_t size, size_t step, struct err *err)
{
    for (size_t at = 0; at < size; at += step)
        if (ome_parser_feed(p, data + at, size - at < step ? size - at : step, err) < 0)
            return -1;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;

    struct err err = ERR_INIT;
    struct ome_facts *facts = NULL;
    AUTO(arena_freep) struct arena *arena = arena_new();
    AUTO(ome_parser_freep) struct ome_parser *p = ome_parser_new(arena, NULL);

    if (feed_all(p, data + 1, size - 1, (size_t)data[0] + 1, &err) == 0)
        (void)!ome_parser_end(p, &facts, &err); /* any answer will do */
    return 0;
}

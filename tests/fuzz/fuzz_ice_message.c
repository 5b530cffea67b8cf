/* The push parser on any stream: in one piece and byte by byte it must hand out the same messages and end the same way. */
#include <stdlib.h>
#include <string.h>

#include "ice/message.h"

struct outcome {
    size_t messages, bytes;
    int end; /* of the last call: 0 more is wanted, -1 refused */
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* What every message promises to its reader. */
static void check(const struct ice_msg *msg)
{
    require(msg->target.name && msg->target.category && msg->facet && msg->operation);
    if (msg->type == ICE_REQUEST || (msg->type == ICE_REPLY && msg->status <= ICE_USER_EXCEPTION))
        require(msg->encaps.at <= msg->encaps.end && (size_t)(msg->encaps.end - msg->encaps.at) <= msg->size);
    for (size_t i = 0; i < msg->context.n; i++)
        require(strlen(msg->context.at[i].key) + strlen(msg->context.at[i].value) < msg->size);
}

static struct outcome run(const uint8_t *data, size_t size, size_t piece)
{
    AUTO(ice_parser_clear) struct ice_parser p = ICE_PARSER_INIT;
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct outcome o = {0};
    struct ice_msg msg;
    struct err err = ERR_INIT;

    for (size_t at = 0; at < size && o.end >= 0; at += piece) {
        o.end = ice_parser_feed(&p, data + at, size - at < piece ? size - at : piece, &err);
        while (o.end == 0 && (o.end = ice_parser_next(&p, mem, &msg, &err)) == 1) {
            check(&msg);
            o.messages++;
            o.bytes += msg.size;
            o.end = 0;
        }
        if (o.end < 0)
            require(err.why != REASON_NONE && err.text[0] && ice_parser_next(&p, mem, &msg, &err) < 0);
    }
    require(o.bytes <= size);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole = run(data, size, size ? size : 1);
    struct outcome single = size <= 4096 ? run(data, size, 1) : whole;

    require(whole.messages <= single.messages && whole.end == single.end);
    return 0;
}

#include "ice/message.h"

#include <string.h>

#include "base/ceilings.h"

enum { HEAD_TYPE = 8, HEAD_COMPRESSION = 9, HEAD_SIZE = 10, COMPRESSED = 2, KEEP_BYTES = 8 << 20 };

/* Magic, protocol 1.0, header encoding 1.0. */
static const uint8_t head_start[] = {'I', 'c', 'e', 'P', 1, 0, 1, 0};

void ice_parser_clear(struct ice_parser *p)
{
    buf_clear(&p->in);
    p->used = 0;
    p->bad = false;
}

static int check_start(const uint8_t *at, size_t n, struct err *err)
{
    enum { MAGIC = 4 };
    size_t known = n < sizeof(head_start) ? n : sizeof(head_start);

    if (memcmp(at, head_start, known < MAGIC ? known : MAGIC) != 0)
        return err_set(err, REASON_NOT_OMERO, 0, "what came does not begin like an Ice message");
    if (memcmp(at, head_start, known) != 0)
        return err_set(err, REASON_PROTOCOL, 0, "Ice message of another protocol version than 1.0");
    return 0;
}

static int check_type(uint8_t type, uint8_t compression, struct err *err)
{
    if (type > ICE_CLOSE)
        return err_set(err, REASON_PROTOCOL, 0, "Ice message of unknown type %d", type);
    if (type == ICE_BATCH)
        return err_set(err, REASON_PROTOCOL, 0, "Ice batch request: these are not taken");
    if (compression == COMPRESSED)
        return err_set(err, REASON_PROTOCOL, 0, "compressed Ice message: these are not taken");
    if (compression > COMPRESSED)
        return err_set(err, REASON_PROTOCOL, 0, "Ice message of unknown compression %d", compression);
    return 0;
}

static int check_size(uint8_t type, int32_t size, struct err *err)
{
    if (size < ICE_HEADER_BYTES)
        return err_set(err, REASON_PROTOCOL, 0, "Ice message of %d bytes: less than its header", size);
    if ((uint32_t)size > ICE_MESSAGE_MAX)
        return err_set(err, REASON_TOO_LARGE, 0, "Ice message of %d bytes: at most %u are taken", size, ICE_MESSAGE_MAX);
    if (type > ICE_REPLY && size != ICE_HEADER_BYTES)
        return err_set(err, REASON_PROTOCOL, 0, "Ice message of type %d with %d bytes: it has no body", type, size);
    return 0;
}

/* The size of the message that begins at the front; 0 when its header is not complete, -1 when it is wrong. */
static int64_t check_header(const uint8_t *at, size_t n, struct err *err)
{
    struct ice_in in = ICE_IN(at + HEAD_SIZE, sizeof(int32_t));

    if (n && check_start(at, n, err) < 0)
        return -1;
    if (n > HEAD_COMPRESSION && check_type(at[HEAD_TYPE], at[HEAD_COMPRESSION], err) < 0)
        return -1;
    if (n < ICE_HEADER_BYTES)
        return 0;

    int32_t size = ice_read_i32(&in);
    return check_size(at[HEAD_TYPE], size, err) < 0 ? -1 : size;
}

static int failed_before(struct err *err)
{
    return err_set(err, REASON_PROTOCOL, 0, "the stream of Ice messages was broken before");
}

/* The front message of what was not handed out; as check_header(). */
static int64_t front(struct ice_parser *p, struct err *err)
{
    size_t n = p->in.len - p->used;
    int64_t size = n ? check_header(p->in.data + p->used, n, err) : 0;

    p->bad = size < 0;
    return size;
}

uint8_t *ice_parser_room(struct ice_parser *p, size_t n, struct err *err)
{
    if (p->bad) {
        failed_before(err);
        return NULL;
    }
    buf_drop_front(&p->in, p->used);
    p->used = 0;
    if (!p->in.len && p->in.cap > KEEP_BYTES)
        buf_clear(&p->in);

    uint8_t *room = buf_reserve(&p->in, n);

    if (!room) {
        p->bad = true;
        err_set(err, REASON_TOO_LARGE, 0, "more bytes than one Ice message may have are waiting");
        return NULL;
    }
    p->in.len -= n;
    return room;
}

int ice_parser_came(struct ice_parser *p, size_t n, struct err *err)
{
    p->in.len += n;
    return front(p, err) < 0 ? -1 : 0;
}

int ice_parser_feed(struct ice_parser *p, const void *bytes, size_t n, struct err *err)
{
    uint8_t *room = n || p->bad ? ice_parser_room(p, n, err) : NULL;

    if (!room)
        return n || p->bad ? -1 : 0;
    memcpy(room, bytes, n);
    return ice_parser_came(p, n, err);
}

bool ice_parser_trade(struct ice_parser *p, struct buf *other)
{
    struct buf mine = p->in;

    if (p->bad || p->used != p->in.len)
        return false;
    p->in = *other;
    p->in.max = mine.max;
    buf_reset(&p->in);
    p->used = 0;
    *other = mine;
    return true;
}

static const char *read_facet(struct ice_in *in, struct arena *mem)
{
    size_t n = ice_read_size(in, 1);

    if (n > 1)
        ice_fail(in, "several facets");
    return n ? ice_read_string(in, mem) : "";
}

static void read_context(struct ice_in *in, struct arena *mem, struct ice_context *out)
{
    size_t before = arena_bytes(mem), n = ice_read_size(in, 2);
    struct ice_pair *pairs = n ? arena_alloc(mem, n, sizeof(*pairs)) : NULL;

    for (size_t i = 0; i < n && !in->bad; i++) {
        pairs[i].key = ice_read_string(in, mem);
        pairs[i].value = ice_read_string(in, mem);
        if (arena_bytes(mem) - before > ICE_ARENA_MAX)
            ice_fail(in, "the context needs more memory than one message may take");
    }
    *out = (struct ice_context){.n = n, .at = pairs};
}

/* The rest of the message is an encapsulation; its encoding can be seen before it is read. */
static void hand_encaps(struct ice_in *in, struct ice_msg *msg)
{
    enum { MINOR_AT = 5 };

    msg->encaps = (struct ice_in)ICE_IN(in->at, (size_t)(in->end - in->at));
    if (in->end - in->at > MINOR_AT && in->at[MINOR_AT] == 1)
        msg->encaps.enc = ICE_ENC_1_1;
}

static void read_request(struct ice_in *in, struct arena *mem, struct ice_msg *msg)
{
    msg->id = ice_read_i32(in);
    ice_read_identity(in, mem, &msg->target);
    msg->facet = read_facet(in, mem);
    msg->operation = ice_read_string(in, mem);
    uint8_t mode = ice_read_u8(in);
    if (mode > ICE_IDEMPOTENT)
        ice_fail(in, "an unknown operation mode");
    msg->mode = (enum ice_mode)mode;
    read_context(in, mem, &msg->context);
    hand_encaps(in, msg);
}

static void read_reply(struct ice_in *in, struct arena *mem, struct ice_msg *msg)
{
    msg->id = ice_read_i32(in);
    uint8_t status = ice_read_u8(in);
    if (status > ICE_UNKNOWN)
        ice_fail(in, "an unknown reply status");
    msg->status = (enum ice_status)status;
    if (status <= ICE_USER_EXCEPTION) {
        hand_encaps(in, msg);
    } else if (status <= ICE_NO_OPERATION) {
        ice_read_identity(in, mem, &msg->target);
        msg->facet = read_facet(in, mem);
        msg->operation = ice_read_string(in, mem);
    } else {
        msg->text = ice_read_string(in, mem);
    }
}

int ice_parser_next(struct ice_parser *p, struct arena *mem, struct ice_msg *msg, struct err *err)
{
    if (p->bad)
        return failed_before(err);

    int64_t size = front(p, err);
    if (size < 0)
        return -1;
    if (!size || (size_t)size > p->in.len - p->used)
        return 0;

    const uint8_t *at = p->in.data + p->used;
    struct ice_in in = ICE_IN(at + ICE_HEADER_BYTES, (size_t)size - ICE_HEADER_BYTES);
    struct ice_msg m = {.type = (enum ice_msg_type)at[HEAD_TYPE], .size = (size_t)size, .target = {"", ""}, .facet = "",
                        .operation = ""};
    if (m.type == ICE_REQUEST)
        read_request(&in, mem, &m);
    else if (m.type == ICE_REPLY)
        read_reply(&in, mem, &m);
    if (in.bad) {
        p->bad = true;
        return err_set(err, REASON_PROTOCOL, 0, "Ice %s: %s", m.type == ICE_REQUEST ? "request" : "reply", in.why);
    }
    p->used += (size_t)size;
    *msg = m;
    return 1;
}

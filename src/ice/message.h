/* Ice messages, and a push parser that knows no socket (Ice protocol 1.0).
 *
 * Feed bytes as they come and ask for messages; the same code serves a client, the sandbox, the fuzzer and the trace. */
#pragma once

#include "base/buf.h"
#include "base/ceilings.h"
#include "ice/codec.h"

enum ice_msg_type { ICE_REQUEST = 0, ICE_BATCH = 1, ICE_REPLY = 2, ICE_VALIDATE = 3, ICE_CLOSE = 4 };
enum { ICE_HEADER_BYTES = 14 };

enum ice_status {
    ICE_OK = 0, ICE_USER_EXCEPTION = 1, ICE_NO_OBJECT = 2, ICE_NO_FACET = 3, ICE_NO_OPERATION = 4,
    ICE_LOCAL_EXCEPTION = 5, ICE_UNKNOWN_USER = 6, ICE_UNKNOWN = 7,
};

struct ice_pair { const char *key, *value; };
struct ice_context { size_t n; const struct ice_pair *at; };

/* One message.  Strings live in the arena given to ice_parser_next, `body` in the parser until its next call. */
struct ice_msg {
    enum ice_msg_type type;
    size_t size;              /* bytes, header included */
    int32_t id;               /* request and reply; 0 = oneway */
    struct ice_identity target; /* request; reply of status 2-4: what does not exist */
    const char *facet;        /* "" = default */
    const char *operation;    /* request; reply of status 2-4 */
    enum ice_mode mode;
    struct ice_context context;
    enum ice_status status;   /* reply */
    const char *text;         /* reply of status 5-7, else NULL */
    struct ice_in encaps;     /* request, reply of status 0 and 1: from the encapsulation's head to the end of the message */
};

struct ice_parser {
    struct buf in;
    size_t used; /* bytes at the front of `in` that were handed out */
    bool bad;
};

#define ICE_PARSER_INIT {.in = BUF_INIT(ICE_MESSAGE_MAX + 65536)}

void ice_parser_clear(struct ice_parser *p);
/* 0, or -1 (REASON_NOT_OMERO for a wrong magic, REASON_PROTOCOL, REASON_TOO_LARGE).  A failure sticks. */
int ice_parser_feed(struct ice_parser *p, const void *bytes, size_t n, struct err *err);
/* The same without a copy: room for n bytes, of which `came` says how many were put there.  NULL: REASON_TOO_LARGE. */
uint8_t *ice_parser_room(struct ice_parser *p, size_t n, struct err *err);
int ice_parser_came(struct ice_parser *p, size_t n, struct err *err);
/* 1 a message, 0 feed more, -1. Batch requests and compressed messages are refused (OMERO sends neither). */
int ice_parser_next(struct ice_parser *p, struct arena *mem, struct ice_msg *msg, struct err *err);

/* When the last message ended what was fed: its bytes change places with `other` (of the same ceiling, or empty), which is then
 * the caller's; what points into them stays valid.  False: more bytes came behind it, and nothing was done. */
bool ice_parser_trade(struct ice_parser *p, struct buf *other);

/* Whole messages, appended to a buffer.  Parameters are encoded from the op's table. */
int ice_write_request(struct buf *b, int32_t id, const struct ice_identity *target, const struct ice_op *op,
                      const struct ice_context *ctx, enum ice_encoding enc, const void *in, struct err *err);
/* The same, but that a large sequence of bytes may be left out of the buffer; `gap` empty before. */
int ice_write_request_around(struct buf *b, int32_t id, const struct ice_identity *target, const struct ice_op *op,
                             const struct ice_context *ctx, enum ice_encoding enc, const void *in, struct ice_gap *gap,
                             struct err *err);
int ice_write_reply(struct buf *b, int32_t id, const struct ice_op *op, enum ice_encoding enc, const void *out,
                    struct err *err);
int ice_write_reply_exception(struct buf *b, int32_t id, enum ice_encoding enc, const struct ice_object *exc, struct err *err);
/* Status 2-4. */
void ice_write_reply_missing(struct buf *b, int32_t id, enum ice_status status, const struct ice_identity *target,
                             const char *operation);
/* Status 5-7. */
void ice_write_reply_text(struct buf *b, int32_t id, enum ice_status status, const char *text);
void ice_write_bare(struct buf *b, enum ice_msg_type type); /* validate connection, close connection */

#include "ice/message.h"

#include "base/ceilings.h"
#include "ice/encode.h"

/* A header whose size comes with end(); where it begins. */
static size_t begin(struct buf *b, enum ice_msg_type type)
{
    const uint8_t head[] = {'I', 'c', 'e', 'P', 1, 0, 1, 0, (uint8_t)type, 0};
    size_t at = b->len;

    buf_add(b, head, sizeof(head));
    ice_write_i32(b, 0);
    return at;
}

/* `left_out`: bytes of the message that are not in the buffer. */
static void end(struct buf *b, size_t at, size_t left_out)
{
    ice_put_i32(b, at + ICE_HEADER_BYTES - sizeof(int32_t), (int32_t)(b->len - at + left_out));
}

/* As end(), where the content may have become too large: nothing is appended then. */
static int end_checked(struct buf *b, size_t at, size_t left_out, const char *what, struct err *err)
{
    if (b->full || b->len - at + left_out > ICE_MESSAGE_MAX) {
        b->len = at;
        return err_set(err, REASON_TOO_LARGE, 0, "%s: it does not fit into an Ice message of %u bytes", what, ICE_MESSAGE_MAX);
    }
    end(b, at, left_out);
    return 0;
}

static int undo(struct buf *b, size_t at, const char *what, struct err *err)
{
    b->len = at;
    return err_prefix(err, "%s: ", what);
}

static void write_context(struct buf *b, const struct ice_context *ctx)
{
    size_t n = ctx ? ctx->n : 0;

    ice_write_size(b, n);
    for (size_t i = 0; i < n; i++) {
        ice_write_string(b, ctx->at[i].key);
        ice_write_string(b, ctx->at[i].value);
    }
}

int ice_write_request(struct buf *b, int32_t id, const struct ice_identity *target, const struct ice_op *op,
                      const struct ice_context *ctx, enum ice_encoding enc, const void *in, struct err *err)
{
    return ice_write_request_around(b, id, target, op, ctx, enc, in, NULL, err);
}

int ice_write_request_around(struct buf *b, int32_t id, const struct ice_identity *target, const struct ice_op *op,
                             const struct ice_context *ctx, enum ice_encoding enc, const void *in, struct ice_gap *gap,
                             struct err *err)
{
    size_t at = begin(b, ICE_REQUEST);

    ice_write_i32(b, id);
    ice_write_identity(b, target);
    ice_write_size(b, 0); /* the default facet */
    ice_write_string(b, op->name);
    buf_add_byte(b, (uint8_t)op->mode);
    write_context(b, ctx);
    if (ice_encode_encaps(b, enc, op->in, op->n_in, op->in_classes, in, gap, err) < 0)
        return undo(b, at, op->name, err);
    return end_checked(b, at, gap ? gap->n : 0, op->name, err);
}

static size_t begin_reply(struct buf *b, int32_t id, enum ice_status status)
{
    size_t at = begin(b, ICE_REPLY);

    ice_write_i32(b, id);
    buf_add_byte(b, (uint8_t)status);
    return at;
}

int ice_write_reply(struct buf *b, int32_t id, const struct ice_op *op, enum ice_encoding enc, const void *out,
                    struct err *err)
{
    size_t at = begin_reply(b, id, ICE_OK);

    if (ice_write_encaps(b, enc, op->out, op->n_out, op->out_classes, out, err) < 0)
        return undo(b, at, op->name, err);
    return end_checked(b, at, 0, op->name, err);
}

int ice_write_reply_exception(struct buf *b, int32_t id, enum ice_encoding enc, const struct ice_object *exc, struct err *err)
{
    size_t at = begin_reply(b, id, ICE_USER_EXCEPTION);

    if (ice_write_exception(b, enc, exc, err) < 0)
        return undo(b, at, exc->cls->id, err);
    return end_checked(b, at, 0, exc->cls->id, err);
}

void ice_write_reply_missing(struct buf *b, int32_t id, enum ice_status status, const struct ice_identity *target,
                             const char *operation)
{
    size_t at = begin_reply(b, id, status);

    ice_write_identity(b, target);
    ice_write_size(b, 0);
    ice_write_string(b, operation);
    end(b, at, 0);
}

void ice_write_reply_text(struct buf *b, int32_t id, enum ice_status status, const char *text)
{
    size_t at = begin_reply(b, id, status);

    ice_write_string(b, text);
    end(b, at, 0);
}

void ice_write_bare(struct buf *b, enum ice_msg_type type)
{
    end(b, begin(b, type), 0);
}

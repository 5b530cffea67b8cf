/* Values of OMERO's operations from any encapsulation.  What can be read must be written in both encodings, and what was written
 * must be read and written again with the same bytes.
 *
 * An input: a byte that names the operation, a byte for parameters (0), results (1) or an exception (2), the encapsulation. */
#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"
#include "ice/codec.h"
#include "model/ops.h"

/* The corpus refers to these by their place: append only. */
static const struct ice_op *const ops[] = {
    &om_api_iquery_projection_op, &om_api_iquery_get_op, &om_api_iquery_find_all_by_query_op,
    &om_api_iupdate_save_and_return_object_op, &om_api_iupdate_save_array_op, &om_api_iadmin_get_event_context_op,
    &om_grid_managed_repository_import_fileset_op, &om_grid_import_process_verify_upload_op, &om_cmd_handle_get_response_op,
    &om_cmd_session_submit_op, &om_grid_shared_resources_repositories_op, &om_api_raw_file_store_write_op,
    &om_ice_router_add_proxies_op, &om_glacier2_router_create_session_op, &om_cmd_handle_get_status_op,
};

struct content {
    const struct ice_op *op;
    enum { PARAMETERS, RESULTS, EXCEPTION } side;
};

static int read_content(const struct content *c, struct ice_in *in, struct arena *mem, void *values, struct err *err)
{
    const struct ice_op *op = c->op;
    enum ice_encoding enc;
    const char *id;

    if (c->side == EXCEPTION)
        return ice_read_exception(in, &om_registry, mem, values, &id, &enc, err);
    if (c->side == RESULTS)
        return ice_read_encaps(in, &om_registry, mem, op->out, op->n_out, op->out_classes, values, &enc, err);
    return ice_read_encaps(in, &om_registry, mem, op->in, op->n_in, op->in_classes, values, &enc, err);
}

static int write_content(const struct content *c, enum ice_encoding enc, const void *values, struct buf *out, struct err *err)
{
    const struct ice_op *op = c->op;

    if (c->side == EXCEPTION)
        return ice_write_exception(out, enc, *(const struct ice_object *const *)values, err);
    if (c->side == RESULTS)
        return ice_write_encaps(out, enc, op->out, op->n_out, op->out_classes, values, err);
    return ice_write_encaps(out, enc, op->in, op->n_in, op->in_classes, values, err);
}

static size_t content_size(const struct content *c)
{
    size_t size = c->side == EXCEPTION ? sizeof(void *) : c->side == RESULTS ? c->op->out_size : c->op->in_size;

    return size ? size : 1;
}

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void round_trip(const struct content *c, enum ice_encoding enc, const void *values, struct arena *mem)
{
    AUTO(buf_clear) struct buf once = BUF_INIT(ICE_MESSAGE_MAX), again = BUF_INIT(ICE_MESSAGE_MAX);
    void *back = arena_alloc(mem, 1, content_size(c));
    struct err err = ERR_INIT;

    /* What 1.0 holds flat may be too deep for 1.1, and an endpoint may make no sense in the other encoding. */
    if (write_content(c, enc, values, &once, &err) < 0) {
        require(err.why == REASON_TOO_LARGE || err.why == REASON_PROTOCOL);
        return;
    }
    struct ice_in in = ICE_IN(once.data, once.len);
    require(read_content(c, &in, mem, back, &err) == 0);
    require(write_content(c, enc, back, &again, &err) == 0);
    require(once.len == again.len && memcmp(once.data, again.data, once.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    struct err err = ERR_INIT;

    if (size < 2)
        return 0;

    struct content c = {.op = ops[data[0] % ARRAY_LEN(ops)], .side = data[1] % 3};
    struct ice_in in = ICE_IN(data + 2, size - 2);
    void *values = arena_alloc(mem, 1, content_size(&c));
    if (read_content(&c, &in, mem, values, &err) < 0) {
        require(err.why == REASON_PROTOCOL && err.text[0]);
        return 0;
    }
    if (c.side == EXCEPTION && !*(const struct ice_object *const *)values)
        return 0;
    round_trip(&c, ICE_ENC_1_0, values, mem);
    round_trip(&c, ICE_ENC_1_1, values, mem);
    return 0;
}

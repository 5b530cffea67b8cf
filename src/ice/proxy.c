#include "ice/proxy.h"

#include <string.h>

#include "base/ceilings.h"
#include "ice/codec.h"
#include "ice/decode.h"

enum { TWOWAY = 0, LAST_MODE = 4, LEAST_ENDPOINT_BYTES = 8, ENCAPS_HEAD = 6 };
enum { TCP = 1, SSL = 2, UDP = 3, WS = 4, WSS = 5 };

bool ice_identity_equal(const struct ice_identity *a, const struct ice_identity *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->category, b->category) == 0;
}

const struct ice_proxy *ice_proxy_make(struct arena *mem, const char *name, const char *category, const char *host,
                                       uint16_t port)
{
    struct ice_proxy *p = arena_alloc(mem, 1, sizeof(*p));

    p->id = (struct ice_identity){.name = arena_str(mem, name), .category = arena_str(mem, category)};
    p->host = arena_str(mem, host);
    p->port = port;
    return p;
}

const struct ice_proxy *ice_proxy_copy(struct arena *mem, const struct ice_proxy *p)
{
    if (!p)
        return NULL;

    struct ice_proxy *copy = arena_alloc(mem, 1, sizeof(*copy));
    *copy = *p;
    copy->id = (struct ice_identity){.name = arena_str(mem, p->id.name), .category = arena_str(mem, p->id.category)};
    copy->host = arena_str(mem, p->host);
    if (p->raw)
        copy->raw = (const uint8_t *)arena_strn(mem, (const char *)p->raw, p->raw_len);
    return copy;
}

static void skip_string(struct ice_in *in)
{
    ice_take(in, ice_read_size(in, 1));
}

/* The encapsulation of an endpoint: where its content begins; its length goes to `*n`. */
static const uint8_t *take_endpoint(struct ice_in *in, size_t *n)
{
    int32_t size = ice_read_i32(in);

    ice_take(in, 2);
    if (!in->bad && size < ENCAPS_HEAD)
        ice_fail(in, "the size of an endpoint is wrong");
    *n = in->bad ? 0 : (size_t)size - ENCAPS_HEAD;
    return ice_take(in, *n);
}

static void skip_endpoints(struct ice_in *in)
{
    size_t n = ice_read_size(in, LEAST_ENDPOINT_BYTES), bytes;

    if (!n)
        skip_string(in);
    while (n-- && !in->bad) {
        ice_read_i16(in);
        take_endpoint(in, &bytes);
    }
}

/* Facet, mode, secure and the versions. */
static void skip_options(struct ice_in *in)
{
    size_t facets = ice_read_size(in, 1);

    if (facets > 1)
        ice_fail(in, "a proxy with several facets");
    if (facets)
        skip_string(in);
    if (ice_read_u8(in) > LAST_MODE)
        ice_fail(in, "a proxy of unknown mode");
    ice_read_bool(in);
    if (in->enc == ICE_ENC_1_1)
        ice_take(in, 4);
}

const struct ice_proxy *ice_read_proxy(struct ice_in *in, struct arena *mem)
{
    const uint8_t *start = in->at;
    struct ice_identity id;

    ice_read_identity(in, mem, &id);
    if (in->bad || (!*id.name && !*id.category))
        return NULL;
    skip_options(in);
    skip_endpoints(in);
    if (in->bad)
        return NULL;

    struct ice_proxy *p = arena_alloc(mem, 1, sizeof(*p));
    p->id = id;
    p->encoding_minor = in->enc == ICE_ENC_1_1;
    p->raw_len = (size_t)(in->at - start);
    p->raw = (const uint8_t *)arena_strn(mem, (const char *)start, p->raw_len);
    return p;
}

/* In encoding 1.0 a proxy says nothing of versions: 1.0 is meant. */
static void write_versions(struct buf *b, enum ice_encoding enc, uint8_t encoding_minor)
{
    const uint8_t protocol_and_encoding[] = {1, 0, 1, encoding_minor};

    if (enc == ICE_ENC_1_1)
        buf_add(b, protocol_and_encoding, sizeof(protocol_and_encoding));
}

/* An encapsulation's head with the size still to come; where it begins. */
static size_t begin_encaps(struct buf *b, uint8_t minor)
{
    size_t at = b->len;

    ice_write_i32(b, 0);
    buf_add_byte(b, 1);
    buf_add_byte(b, minor);
    return at;
}

static void end_encaps(struct buf *b, size_t at)
{
    ice_put_i32(b, at, (int32_t)(b->len - at));
}

static void write_made(struct buf *b, enum ice_encoding enc, const struct ice_proxy *p)
{
    ice_write_identity(b, &p->id);
    ice_write_size(b, 0);
    buf_add_byte(b, TWOWAY);
    ice_write_bool(b, false);
    write_versions(b, enc, 1);
    if (!p->host) {
        ice_write_size(b, 0);
        ice_write_string(b, "");
        return;
    }
    ice_write_size(b, 1);
    ice_write_i16(b, TCP);
    size_t at = begin_encaps(b, enc == ICE_ENC_1_1);
    ice_write_string(b, p->host);
    ice_write_i32(b, p->port);
    ice_write_i32(b, -1);
    ice_write_bool(b, false);
    end_encaps(b, at);
}

static void copy_bytes(struct buf *b, struct ice_in *in, size_t n)
{
    const uint8_t *bytes = ice_take(in, n);

    if (bytes)
        buf_add(b, bytes, n);
}

static void copy_string(struct buf *b, struct ice_in *in)
{
    size_t n = ice_read_size(in, 1);

    ice_write_size(b, n);
    copy_bytes(b, in, n);
}

/* UDP carries versions in encoding 1.0 and none in 1.1. */
static void copy_udp(struct buf *b, enum ice_encoding enc, struct ice_in *in)
{
    static const uint8_t protocol_and_encoding[] = {1, 0, 1, 0};

    copy_string(b, in);
    copy_bytes(b, in, sizeof(int32_t));
    if (in->enc == ICE_ENC_1_0)
        ice_take(in, sizeof(protocol_and_encoding));
    if (enc == ICE_ENC_1_0)
        buf_add(b, protocol_and_encoding, sizeof(protocol_and_encoding));
    copy_bytes(b, in, in->bad ? 0 : (size_t)(in->end - in->at));
}

/* Endpoints of types that are not known here keep the encoding they came in: nobody can say what is in them. */
static void copy_endpoint(struct buf *b, enum ice_encoding enc, struct ice_in *in)
{
    int16_t type = ice_read_i16(in);
    uint8_t minor = in->end - in->at >= ENCAPS_HEAD ? in->at[ENCAPS_HEAD - 1] : 0;
    size_t n;
    const uint8_t *content = take_endpoint(in, &n);
    bool known = type >= TCP && type <= WSS;

    ice_write_i16(b, type);
    size_t at = begin_encaps(b, known ? enc == ICE_ENC_1_1 : minor);
    if (content && type == UDP) {
        struct ice_in inner = ICE_IN(content, n);
        inner.enc = in->enc;
        copy_udp(b, enc, &inner);
        in->bad = in->bad || inner.bad;
    } else if (content) {
        buf_add(b, content, n);
    }
    end_encaps(b, at);
}

/* A received proxy in the other encoding. */
static bool write_converted(struct buf *b, enum ice_encoding enc, const struct ice_proxy *p)
{
    struct ice_in in = ICE_IN(p->raw, p->raw_len);

    in.enc = p->encoding_minor ? ICE_ENC_1_1 : ICE_ENC_1_0;
    copy_string(b, &in);
    copy_string(b, &in);
    size_t facets = ice_read_size(&in, 1);
    ice_write_size(b, facets);
    if (facets)
        copy_string(b, &in);
    copy_bytes(b, &in, 2);
    if (in.enc == ICE_ENC_1_1)
        ice_take(&in, 4);
    write_versions(b, enc, 0);

    size_t n = ice_read_size(&in, LEAST_ENDPOINT_BYTES);
    ice_write_size(b, n);
    if (!n)
        copy_string(b, &in);
    while (n-- && !in.bad)
        copy_endpoint(b, enc, &in);
    return !in.bad;
}

int ice_write_proxy(struct buf *b, enum ice_encoding enc, const struct ice_proxy *p, struct err *err)
{
    static const struct ice_identity nobody = {.name = "", .category = ""};

    if (!p)
        ice_write_identity(b, &nobody);
    else if (!p->raw)
        write_made(b, enc, p);
    else if (p->encoding_minor == (enc == ICE_ENC_1_1))
        buf_add(b, p->raw, p->raw_len);
    else if (!write_converted(b, enc, p))
        return err_set(err, REASON_PROTOCOL, 0, "proxy %s: an endpoint cannot be converted to the other encoding", p->id.name);
    return b->full ? err_set(err, REASON_TOO_LARGE, 0, "a proxy does not fit into the message") : 0;
}

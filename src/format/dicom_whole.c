/* Does a DICOM file end where its last element does?  PS3.5, section 7.1: elements of tag, kind, length and value; sequences of
 * undefined length are walked through, for what is in them has the same form.  Private to the room. */
#include <string.h>

#include "format/bytes.h"
#include "format/dicom_whole.h"
#include "format/single.h"

enum { PREAMBLE = 132, HEAD_LEAST = 8, ELEMENTS_MOST = 4096, META = 0x0002, SYNTAX = 0x0010, ITEM = 0xFFFE };

#define UNDEFINED UINT32_MAX

struct element {
    uint16_t group, number;
    uint32_t length;
    uint64_t value; /* where it begins */
};

/* Kinds with a length of four bytes behind two that mean nothing. */
static bool is_long(const uint8_t *kind)
{
    static const char kinds[] = "OB OW OF OD OL OV SQ UC UR UT UN SV UV";

    for (size_t i = 0; i < sizeof(kinds); i += 3)
        if (memcmp(kinds + i, kind, 2) == 0)
            return true;
    return false;
}

/* False: the file ends within its head. */
static bool read_element(const struct format_look *look, uint64_t at, bool implicit, struct element *out)
{
    uint8_t head[12] = {0};
    size_t n = look->size - at < sizeof(head) ? (size_t)(look->size - at) : sizeof(head);

    if (!look_read(look, at, head, n))
        return false;
    *out = (struct element){.group = le16(head), .number = le16(head + 2), .length = le32(head + 4), .value = at + 8};
    if (out->group == ITEM || (implicit && out->group != META))
        return true;
    if (!is_long(head + 4)) {
        out->length = le16(head + 6);
        return true;
    }
    out->length = le32(head + 8);
    out->value = at + 12;
    return n == sizeof(head);
}

/* One of the plain forms; not packed as a whole, nor of the other byte order. */
static bool is_walkable(const struct format_look *look, const struct element *syntax, bool *implicit)
{
    static const char implicit_uid[] = "1.2.840.10008.1.2", big[] = "1.2.840.10008.1.2.2", deflated[] = "1.2.840.10008.1.2.1.99";
    char uid[64] = "";

    if (syntax->length >= sizeof(uid) || !look_read(look, syntax->value, uid, syntax->length))
        return false;
    *implicit = strcmp(uid, implicit_uid) == 0;
    return strcmp(uid, big) != 0 && strcmp(uid, deflated) != 0;
}

bool dicom_is_whole(const struct format_look *look)
{
    bool implicit = false;
    uint64_t at = PREAMBLE;

    /* Less than an element's head behind the last one is padding. */
    for (int i = 0; i < ELEMENTS_MOST && at < look->size && look->size - at >= HEAD_LEAST; i++) {
        struct element e;

        if (!read_element(look, at, implicit, &e))
            return false;
        if (e.group == META && e.number == SYNTAX && !is_walkable(look, &e, &implicit))
            return true;
        at = e.length == UNDEFINED ? e.value : e.value + e.length;
    }
    return at <= look->size;
}

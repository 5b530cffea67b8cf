/* The sizes of MRC and DeltaVision: both begin with the numbers of columns, rows and sections and the kind of pixel.
 * MRC2014 format, main header; for DeltaVision the same places, IVE image format. */
#include "format/single.h"

#include "format/bytes.h"

enum { MODE_AT = 12, MORE_AT = 92, HEADER = 1024 };

static uint32_t number(const struct format_look *look, size_t at, bool big_endian)
{
    return big_endian ? be32(look->head + at) : le32(look->head + at);
}

/* Half bytes are counted in `twice`. */
static unsigned twice_bytes_of(uint32_t mode)
{
    static const struct {
        uint32_t mode;
        unsigned twice;
    } modes[] = {{0, 2}, {1, 4}, {2, 8}, {3, 8}, {4, 16}, {5, 4}, {6, 4}, {7, 8}, {12, 4}, {16, 6}, {101, 1}};

    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        if (modes[i].mode == mode)
            return modes[i].twice;
    return 0;
}

uint64_t mrc_bytes(const struct format_look *look, bool big_endian)
{
    uint64_t twice = twice_bytes_of(number(look, MODE_AT, big_endian));

    if (twice == 0)
        return 0;
    for (size_t at = 0; at < MODE_AT; at += 4)
        if (__builtin_mul_overflow(twice, number(look, at, big_endian), &twice))
            return UINT64_MAX;
    return twice / 2 + HEADER + number(look, MORE_AT, big_endian);
}

static bool sizes_may_be(const struct format_look *look, bool big_endian)
{
    for (size_t at = 0; at < MODE_AT; at += 4) {
        uint32_t n = number(look, at, big_endian);

        if (n < 1 || n > INT32_MAX || n >= look->size)
            return false;
    }
    return true;
}

bool sign_mrc(const struct format_look *look)
{
    return look->head_len >= HEADER && (sizes_may_be(look, false) || sizes_may_be(look, true));
}

static bool holds(const struct format_look *look, bool big_endian)
{
    uint64_t bytes = mrc_bytes(look, big_endian);

    return sizes_may_be(look, big_endian) && bytes > 0 && bytes <= look->size;
}

bool sign_mrc_exactly(const struct format_look *look)
{
    return look->official ? sign_mrc(look) : look->head_len >= HEADER && (holds(look, false) || holds(look, true));
}

void check_mrc(const struct format_look *look, struct format_verdict *said)
{
    bool may_be_whole = false;

    for (int big_endian = 0; big_endian < 2; big_endian++)
        may_be_whole |= sizes_may_be(look, big_endian) && mrc_bytes(look, big_endian) <= look->size;
    if (!may_be_whole)
        say_cut(said, "an MRC whose end is missing");
}

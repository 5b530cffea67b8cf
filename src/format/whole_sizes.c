/* Formats whose header says how many pixels there are: the file, or the file beside it, must be as long as that. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "format/bytes.h"
#include "format/single.h"

static void check_length(const struct format_look *look, uint64_t needed, const char *text, struct format_verdict *said)
{
    if (needed > look->size)
        say_cut(said, text);
}

/* The product of a line's numbers, times `bytes`; UINT64_MAX: more than there can be. */
static uint64_t product_of(const char *line, uint64_t bytes)
{
    char *end;

    for (;; line = end) {
        line += strspn(line, " \t");

        unsigned long long n = strtoull(line, &end, 10);

        if (end == line)
            return bytes;
        if (__builtin_mul_overflow(bytes, (uint64_t)n, &bytes))
            return UINT64_MAX;
    }
}

static uint64_t sum_of(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static char *text_of(const struct format_look *look)
{
    return arena_strn(look->arena, (const char *)look->head, look->head_len);
}

/* ---- FITS: cards of 80 bytes in blocks of 2,880; FITS standard 4.0, sections 3.3 and 4.4.1 ---- */

enum { FITS_CARD = 80, FITS_BLOCK = 2880, FITS_BLOCKS_MOST = 36 };

/* False: the last card of the header. */
static bool take_card(const char *card, uint64_t *bytes, bool *has_axes)
{
    long long value = strtoll(card + 10, NULL, 10);

    if (strncmp(card, "END     ", 8) == 0)
        return false;
    if (strncmp(card, "BITPIX  ", 8) == 0)
        *bytes = (uint64_t)llabs(value) / 8;
    if (strncmp(card, "NAXIS", 5) != 0 || value < 0)
        return true;
    if (card[5] == ' ')
        *has_axes = value > 0;
    else if (__builtin_mul_overflow(*bytes, (uint64_t)value, bytes))
        *bytes = UINT64_MAX;
    return true;
}

void check_fits(const struct format_look *look, struct format_verdict *said)
{
    static const char cut[] = "a FITS whose end is missing";
    char block[FITS_BLOCK + 1];
    uint64_t bytes = 1;
    bool axes = false, more = true;

    for (uint64_t n = 0; n < FITS_BLOCKS_MOST && more; n++) {
        if (!look_read(look, n * FITS_BLOCK, block, FITS_BLOCK)) {
            say_cut(said, cut);
            return;
        }
        block[FITS_BLOCK] = '\0';
        for (size_t i = 0; i < FITS_BLOCK && more; i += FITS_CARD)
            more = take_card(block + i, &bytes, &axes);
        if (!more && axes)
            check_length(look, sum_of(bytes, (n + 1) * FITS_BLOCK), cut, said);
    }
}

/* ---- NIfTI-1: sizes at 40, bits at 72, where the pixels begin at 108; nifti1.h ---- */

enum { NIFTI_HEADER = 348, NIFTI_DIM = 40, NIFTI_BITS = 72, NIFTI_BEGIN = 108 };

static uint16_t nifti_16(const uint8_t *header, size_t at)
{
    uint16_t n = le16(header + at);

    return le32(header) == NIFTI_HEADER ? n : __builtin_bswap16(n);
}

static uint64_t nifti_pixels(const uint8_t *header)
{
    uint64_t bits = nifti_16(header, NIFTI_BITS);
    uint16_t n = nifti_16(header, NIFTI_DIM);

    for (size_t i = 1; i <= n && n < 8; i++) {
        uint16_t size = nifti_16(header, NIFTI_DIM + 2 * i);

        if (__builtin_mul_overflow(bits, size ? size : 1u, &bits))
            return UINT64_MAX;
    }
    return n < 8 ? bits / 8 : 0;
}

/* With the header; 0: not to be told. */
static uint64_t nifti_bytes(const uint8_t *header)
{
    uint32_t bits = le32(header) == NIFTI_HEADER ? le32(header + NIFTI_BEGIN) : be32(header + NIFTI_BEGIN);
    float begin;

    memcpy(&begin, &bits, sizeof(begin));
    return begin >= NIFTI_HEADER && begin < 1e9F ? sum_of(nifti_pixels(header), (uint64_t)begin) : 0;
}

void check_nifti(const struct format_look *look, struct format_verdict *said)
{
    if (look->head_len >= NIFTI_HEADER)
        check_length(look, nifti_bytes(look->head), "a NIfTI whose end is missing", said);
}

/* A gzip file of one member ends with its length before packing, modulo 2^32; RFC 1952, 2.3.1.  Some add a little at the end. */
void check_nifti_gz(const struct format_look *look, struct format_verdict *said)
{
    enum { FLAGS = 3, EXTRA = 4, WITH_GZIP = 16 + MAX_WBITS, SLACK = 65536 };
    uint8_t header[NIFTI_HEADER] = {0}, end[4];
    z_stream z = {.next_in = (Bytef *)(uintptr_t)look->head, .avail_in = (uInt)look->head_len, .next_out = header,
                  .avail_out = sizeof(header)};

    if (look->head_len < 18 || (look->head[FLAGS] & EXTRA) || inflateInit2(&z, WITH_GZIP) != Z_OK)
        return;
    (void)inflate(&z, Z_SYNC_FLUSH);
    inflateEnd(&z);
    if (z.avail_out > 0 || nifti_bytes(header) == 0 || !look_read(look, look->size - 4, end, 4))
        return;
    if (le32(end) - (uint32_t)nifti_bytes(header) > SLACK)
        say_cut(said, "a packed NIfTI whose end is missing");
}

uint64_t pixels_of_nifti(const struct format_look *look)
{
    return look->head_len >= NIFTI_HEADER ? nifti_pixels(look->head) : 0;
}

/* ---- ICS: "layout sizes BITS X Y ...", in the order that "layout order" gives, bits first; libics, Dean et al. 1990 ---- */

/* What follows two words at the beginning of a line; NULL. */
static const char *after(const char *text, const char *one, const char *two)
{
    for (const char *at = text; (at = strchr(at, '\n'));) {
        at++;
        if (strncmp(at, one, strlen(one)) != 0)
            continue;

        const char *word = at + strlen(one) + strspn(at + strlen(one), " \t");

        if (strncmp(word, two, strlen(two)) == 0)
            return word + strlen(two);
    }
    return NULL;
}

uint64_t pixels_of_ics(const struct format_look *look)
{
    const char *text = text_of(look), *sizes = after(text, "layout", "sizes"), *order = after(text, "layout", "order");
    const char *packed = after(text, "representation", "compression");

    if (!sizes || !order || strncmp(order + strspn(order, " \t"), "bits", 4) != 0 ||
        (packed && strncmp(packed + strspn(packed, " \t"), "uncompressed", 12) != 0))
        return 0;

    uint64_t bits = product_of(sizes, 1);

    return bits == UINT64_MAX ? bits : bits / 8;
}

void check_ics(const struct format_look *look, struct format_verdict *said)
{
    const char *text = text_of(look), *end = strstr(text, "\nend");

    if (end)
        check_length(look, sum_of(pixels_of_ics(look), (uint64_t)(end - text) + 4), "an ICS whose end is missing", said);
}

/* ---- NRRD: "type:", "sizes:", "encoding:"; format definition, section 4 ---- */

static uint64_t nrrd_type(const char *s)
{
    static const struct {
        const char *name;
        uint64_t bytes;
    } types[] = {{"int8", 1}, {"uint8", 1}, {"uchar", 1}, {"unsigned char", 1}, {"signed char", 1}, {"int16", 2}, {"uint16", 2},
                 {"short", 2}, {"ushort", 2}, {"unsigned short", 2}, {"signed short", 2}, {"int32", 4}, {"uint32", 4}, {"int", 4},
                 {"uint", 4}, {"unsigned int", 4}, {"signed int", 4}, {"int64", 8}, {"uint64", 8}, {"float", 4}, {"double", 8}};
    size_t n = strcspn(s, "\r\n");

    if (n > 2 && strncmp(s + n - 2, "_t", 2) == 0)
        n -= 2;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (strlen(types[i].name) == n && strncmp(s, types[i].name, n) == 0)
            return types[i].bytes;
    return 0;
}

uint64_t pixels_of_nrrd(const struct format_look *look)
{
    const char *text = text_of(look), *type = after(text, "type:", ""), *sizes = after(text, "sizes:", "");
    const char *encoding = after(text, "encoding:", "");

    if (!type || !sizes || !encoding || strncmp(encoding, "raw", 3) != 0)
        return 0;
    return product_of(sizes, nrrd_type(type));
}

void check_nrrd(const struct format_look *look, struct format_verdict *said)
{
    const char *text = text_of(look), *end = strstr(text, "\n\n");

    if (end)
        check_length(look, sum_of(pixels_of_nrrd(look), (uint64_t)(end - text) + 2), "an NRRD whose end is missing", said);
}

/* ---- Andor SIF: the line "Pixel number65541 LEFT TOP RIGHT BOTTOM FRAMES SETS NUMBERS ONE", then NUMBERS floats ---- */

static uint64_t sif_numbers(const char *line)
{
    enum { BEFORE = 7 };
    unsigned long long n = 0;
    char *end;

    for (int i = 0; i <= BEFORE; i++, line = end) {
        n = strtoull(line, &end, 10);
        if (end == line)
            return 0;
    }
    return n;
}

void check_sif(const struct format_look *look, struct format_verdict *said)
{
    enum { HEADER_MOST = 32768 };
    static const char word[] = "Pixel number";
    size_t n = look->size < HEADER_MOST ? (size_t)look->size : HEADER_MOST;
    char *text = arena_alloc(look->arena, n + 1, 1);

    if (!look_read(look, 0, text, n))
        return;
    for (char *at = text; (at = memmem(at, n - (size_t)(at - text), word, strlen(word)));) {
        at += strlen(word);

        uint64_t numbers = sif_numbers(at);

        if (numbers > 0 && numbers < UINT64_MAX / 8) {
            check_length(look, (uint64_t)(at - text) + 4 * numbers, "a SIF whose end is missing", said);
            return;
        }
    }
}

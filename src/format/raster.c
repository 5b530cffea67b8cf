/* PNG and JPEG: by content, whatever the name; one file, one image. */
#include "format/drivers.h"

#include <string.h>

#include "base/str.h"
#include "format/single.h"

static const uint8_t png_begin[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
static const uint8_t png_end[12] = {0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xAE, 0x42, 0x60, 0x82};

enum { PNG_TAIL = 4096 };

/* The last chunk of a whole PNG is IEND; some programs append their own bytes after it. */
static bool png_is_whole(const struct format_look *look)
{
    uint8_t tail[PNG_TAIL];
    size_t n = look->size > PNG_TAIL ? PNG_TAIL : (size_t)look->size;

    return look_read(look, look->size - n, tail, n) && memmem(tail, n, png_end, sizeof(png_end));
}

static bool detect_png(struct format_look *look, struct format_verdict *said)
{
    if (!look_has(look, 0, png_begin, sizeof(png_begin))) {
        if (str_ends_nocase(look->entry->name, ".png"))
            said->text = "its name says PNG, its first bytes do not";
        return false;
    }
    *said = (struct format_verdict){.format = "PNG", .reader = "loci.formats.in.APNGReader"};
    if (!png_is_whole(look)) {
        said->why = REASON_BROKEN_FILE;
        said->text = "a PNG whose end is missing";
    }
    return true;
}

static bool names_jpeg(const char *name)
{
    return str_ends_nocase(name, ".jpg") || str_ends_nocase(name, ".jpeg") || str_ends_nocase(name, ".jpe");
}

static bool detect_jpeg(struct format_look *look, struct format_verdict *said)
{
    if (!look_has(look, 0, "\xFF\xD8\xFF", 3) || look->head_len < 4 || look->head[3] < 0x10) {
        if (names_jpeg(look->entry->name))
            *said = (struct format_verdict){.text = "its name says JPEG, its first bytes do not", .unknown = true};
        return false;
    }
    *said = (struct format_verdict){.format = "JPEG", .reader = "loci.formats.in.JPEGReader"};
    return true;
}

static bool about_png(size_t i, struct format_about *out)
{
    *out = (struct format_about){"PNG", "loci.formats.in.APNGReader", "*.png", "its first 8 bytes, whatever its name",
                                 FORMAT_NATIVE};
    return i == 0;
}

static bool about_jpeg(size_t i, struct format_about *out)
{
    *out = (struct format_about){"JPEG", "loci.formats.in.JPEGReader", NULL, "FF D8 FF at 0, whatever its name", FORMAT_NATIVE};
    return i == 0;
}

const struct format_driver format_png = {.name = "PNG", .wants = "89 50 4E 47 0D 0A 1A 0A at 0", .detect = detect_png,
                                         .about = about_png};
const struct format_driver format_jpeg = {.name = "JPEG", .wants = "FF D8 FF at 0", .detect = detect_jpeg, .about = about_jpeg};

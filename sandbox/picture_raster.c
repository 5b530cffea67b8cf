/* PNG and JPEG: sizes from the header. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "sandbox/picture_kinds.h"

static uint32_t be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p)
{
    return be16(p) << 16 | be16(p + 2);
}

static int open_file(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    return fd >= 0 ? fd : err_set(err, REASON_UNREADABLE, errno, "cannot open '%s'", path);
}

/* Signature and IHDR (PNG specification, 5.2 and 11.2.2). */
int picture_png(const char *path, struct arena *arena, struct picture *out, struct err *err)
{
    static const uint32_t samples[] = {[0] = 1, [2] = 3, [3] = 1, [4] = 2, [6] = 4};
    uint8_t h[26];
    AUTO(io_closep) int fd = open_file(path, err);
    ssize_t n = fd < 0 ? -1 : io_pread(fd, h, sizeof h, 0, err);

    if (n < 0)
        return -1;
    if (n < 8 || memcmp(h, "\x89PNG\r\n\x1a\n", 8) != 0)
        return err_set(err, REASON_BROKEN_FILE, 0, "loci.formats.FormatException: Invalid PNG signature.");
    if (n < 26 || memcmp(h + 12, "IHDR", 4) != 0)
        return err_set(err, REASON_BROKEN_FILE, 0, "java.io.EOFException: Attempting to read beyond end of file.");
    uint32_t c = h[25] < ARRAY_LEN(samples) ? samples[h[25]] : 0;
    if (be32(h + 16) == 0 || be32(h + 20) == 0 || c == 0)
        return err_set(err, REASON_BROKEN_FILE, 0, "loci.formats.FormatException: Image dimensions are 0");
    picture_one(out, (struct picture_image){.name = out->file, .x = be32(h + 16), .y = be32(h + 20), .z = 1, .c = c, .t = 1,
                                            .type = h[24] == 16 ? "uint16" : "uint8"}, arena);
    return 0;
}

static bool is_frame(uint8_t marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

/* Markers up to the first frame header (ITU-T T.81, B.1 and B.2.2).  Four components come out as three. */
int picture_jpeg(const char *path, struct arena *arena, struct picture *out, struct err *err)
{
    uint8_t h[10] = {0};
    off_t at = 2;
    AUTO(io_closep) int fd = open_file(path, err);

    if (fd < 0)
        return -1;
    for (;;) {
        ssize_t n = io_pread(fd, h, sizeof h, at, err);
        if (n < 0)
            return -1;
        if (n < (ssize_t)sizeof h || h[0] != 0xff || be16(h + 2) < 2)
            return err_set(err, REASON_BROKEN_FILE, 0, "java.lang.ArithmeticException: / by zero");
        if (is_frame(h[1]))
            break;
        at += 2 + (off_t)be16(h + 2);
    }
    if (be16(h + 5) == 0 || be16(h + 7) == 0 || h[9] == 0)
        return err_set(err, REASON_BROKEN_FILE, 0, "java.lang.ArithmeticException: / by zero");
    picture_one(out, (struct picture_image){.name = out->file, .x = be16(h + 7), .y = be16(h + 5), .z = 1,
                                            .c = h[9] > 3 ? 3 : h[9], .t = 1, .type = "uint8"}, arena);
    return 0;
}

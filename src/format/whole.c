/* Is the file all there, as far as its own first or last bytes say?  Half a file is read by most programs without a word. */
#include "format/single.h"

#include <string.h>
#include <strings.h>

#include "format/bytes.h"

/* Where the pixels begin.  The length that the header has is written wrong too often. */
void check_bmp(const struct format_look *look, struct format_verdict *said)
{
    if (look->head_len < 14 || le32(look->head + 10) >= look->size)
        say_cut(said, "a BMP whose end is missing");
}

void check_gatan(const struct format_look *look, struct format_verdict *said)
{
    uint64_t length = be32(look->head) == 4 ? be64(look->head + 4) : be32(look->head + 4);

    if (length > look->size)
        say_cut(said, "a Digital Micrograph file whose end is missing");
}

/* WinView/WinSpec header: 4,100 bytes; sizes at 42 and 656, number of frames at 1446, kind of pixel at 108; 0x01234567 at 2996
 * by the maker's own programs. */
enum { SPE_HEADER = 4100, SPE_X = 42, SPE_KIND = 108, SPE_Y = 656, SPE_FRAMES = 1446, SPE_MARK = 2996 };

static uint64_t spe_bytes(const struct format_look *look)
{
    static const uint8_t bytes_of[] = {4, 4, 2, 2, 0, 8, 1, 0, 4};
    uint16_t kind = le16(look->head + SPE_KIND);
    uint64_t plane = kind < ARRAY_LEN(bytes_of) ? bytes_of[kind] : 0;

    plane *= (uint64_t)le16(look->head + SPE_X) * le16(look->head + SPE_Y);
    return plane == 0 ? 0 : SPE_HEADER + plane * (le32(look->head + SPE_FRAMES) & INT32_MAX);
}

bool sign_spe(const struct format_look *look)
{
    if (look->size < SPE_HEADER || look->head_len < SPE_MARK + 4)
        return false;
    return spe_bytes(look) > 0 && (le32(look->head + SPE_MARK) == 0x01234567 || spe_bytes(look) == look->size);
}

void check_spe(const struct format_look *look, struct format_verdict *said)
{
    if (spe_bytes(look) > look->size)
        say_cut(said, "an SPE whose end is missing");
}

/* A codestream ends with its end marker, and so does the file. */
void check_jpeg_2000(const struct format_look *look, struct format_verdict *said)
{
    uint8_t end[2];

    if (look->size < 2 || !look_read(look, look->size - 2, end, 2) || memcmp(end, "\xFF\xD9", 2) != 0)
        say_cut(said, "a JPEG 2000 whose end is missing");
}

/* The last 40 bytes say where the map of all chunks begins. */
void check_nd2(const struct format_look *look, struct format_verdict *said)
{
    static const char mark[] = "ND2 CHUNK MAP SIGNATURE 0000001!";
    enum { MARK = sizeof(mark) - 1 };
    uint8_t end[MARK + 8], chunk[4];

    if (look->size < sizeof(end) || !look_read(look, look->size - sizeof(end), end, sizeof(end)) ||
        memcmp(end, mark, MARK) != 0 || !look_read(look, le64(end + MARK), chunk, 4) ||
        memcmp(chunk, "\xDA\xCE\xBE\x0A", 4) != 0)
        say_cut(said, "an ND2 whose end is missing");
}

/* The superblock has the address of the file's end: after base address and one more in versions 2 and 3, after two in 0 and 1.
 * HDF5 file format specification, II.A.  Only addresses of 8 bytes, which all programs write. */
void check_hdf5(const struct format_look *look, struct format_verdict *said)
{
    bool old = look->head_len > 16 && look->head[8] < 2;
    size_t at = old ? 24 + 4 * (look->head[8] == 1) + 16 : 28;

    if (look->head_len < at + 8)
        say_cut(said, "an HDF5 file that ends within its header");
    else if (look->head[old ? 13 : 9] == 8 && le64(look->head + at) > look->size)
        say_cut(said, "an HDF5 file whose end is missing");
}

/* Compound files: sectors after a header of one sector's length, and a table (FAT) of one entry a sector, whose own sectors a
 * list (DIFAT) names that begins in the header.  The last entry in use must lie within the file.  [MS-CFB] 2.2, 2.3, 2.5. */
enum { OLE_SHIFT = 30, OLE_FAT_COUNT = 44, OLE_DIFAT_FIRST = 68, OLE_DIFAT = 76, OLE_IN_HEADER = 109, OLE_FREE = 0xFFFFFFFFu };

static uint64_t sector_at(uint64_t sector, unsigned shift)
{
    return (sector + 1) << shift;
}

/* The number of the last sector of the FAT; OLE_FREE: the list is cut. */
static uint32_t last_fat_sector(const struct format_look *look, unsigned shift)
{
    uint32_t n = le32(look->head + OLE_FAT_COUNT), next = le32(look->head + OLE_DIFAT_FIRST);
    uint32_t per_sector = (1u << (shift - 2)) - 1;
    uint8_t entry[4];

    if (n == 0 || n > look->size >> shift)
        return OLE_FREE;
    if (n <= OLE_IN_HEADER)
        return le32(look->head + OLE_DIFAT + 4 * (n - 1));
    for (n -= OLE_IN_HEADER; n > per_sector; n -= per_sector) {
        if (!look_read(look, sector_at(next, shift) + 4 * (uint64_t)per_sector, entry, 4))
            return OLE_FREE;
        next = le32(entry);
    }
    return look_read(look, sector_at(next, shift) + 4 * (uint64_t)(n - 1), entry, 4) ? le32(entry) : OLE_FREE;
}

static bool ole_is_whole(const struct format_look *look)
{
    unsigned shift = look->head_len >= 512 ? le16(look->head + OLE_SHIFT) : 0;

    if (shift != 9 && shift != 12)
        return false;

    uint64_t n = le32(look->head + OLE_FAT_COUNT), entries = 1u << (shift - 2);
    AUTO(mem_freep) uint8_t *fat = mem_new((size_t)entries, 4);

    if (!look_read(look, sector_at(last_fat_sector(look, shift), shift), fat, (size_t)entries * 4))
        return false;
    while (entries > 0 && le32(fat + 4 * (entries - 1)) == OLE_FREE)
        entries--;
    return entries == 0 || sector_at(((n - 1) << (shift - 2)) + entries - 1, shift) < look->size;
}

void check_ole(const struct format_look *look, struct format_verdict *said)
{
    if (!ole_is_whole(look))
        say_cut(said, "a compound file whose end is missing");
}

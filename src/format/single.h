/* Formats whose file stands alone, one row each: how it is told, and what must hold of it.  Private to the room.
 *
 * The order of the rows is Bio-Formats' own, as are the readers' names, suffixes and places of signs.  Where Bio-Formats takes a
 * file for its suffix alone, the row asks for the sign that the format's own description gives; rare formats that have none are
 * left alone, for a wrong guess would leave a ruin on the server. */
#pragma once

#include "format/driver.h"

enum row_rule {
    ANY_NAME, /* the content decides; a suffix without it is worth a word */
    NAMED,    /* suffix and content; a suffix without it is worth a word */
    QUIET,    /* suffix and content; the suffix is mostly something else */
    LATER,    /* left alone: the suffix, or the content */
    GUESS,    /* only the suffix could tell: left alone unless the official outcome is asked for */
    ORPHAN,   /* part of a set that another driver would have taken */
};

struct format_row {
    const char *format, *reader, *suffixes; /* "a b.c"; reader NULL: left alone */
    enum row_rule rule;
    struct {
        size_t offset, n;
        const char *bytes;
    } magic;                                       /* n = 0: none */
    bool (*test)(const struct format_look *look);  /* beside the magic; NULL: nothing more */
    /* Is it whole, and really one file?  Sets `why` and `text` when not. */
    void (*check)(const struct format_look *look, struct format_verdict *said);
    bool by_name; /* Bio-Formats takes it for its suffix, so that wrong content is an error there */
};

extern const struct format_row format_rows[]; /* format NULL at the end */

/* signs.c: what a format is told by, where a few bytes do not do. */
bool sign_pnm(const struct format_look *look);
bool sign_pcx(const struct format_look *look);
bool sign_targa(const struct format_look *look);
bool sign_iplab(const struct format_look *look);
bool sign_ivision(const struct format_look *look);
bool sign_spider(const struct format_look *look);
bool sign_mrc(const struct format_look *look);        /* as Bio-Formats: three sizes that may be */
bool sign_mrc_exactly(const struct format_look *look); /* and a known kind of pixel, all of them there */
bool sign_gatan(const struct format_look *look);
bool sign_slidebook(const struct format_look *look);
bool sign_bio_rad_scn(const struct format_look *look);
bool sign_li_cor(const struct format_look *look);
bool sign_kodak(const struct format_look *look);
bool sign_imspector(const struct format_look *look);
bool sign_sbig(const struct format_look *look);
bool sign_spe(const struct format_look *look);
bool sign_nifti(const struct format_look *look);
bool sign_ics_2(const struct format_look *look);
bool sign_table(const struct format_look *look);
bool sign_quicktime(const struct format_look *look);
bool sign_jpeg_2000(const struct format_look *look);
bool sign_tiff(const struct format_look *look);       /* one whose first directory is whole */
bool sign_lsm(const struct format_look *look);
bool sign_ndpi(const struct format_look *look);
bool sign_lof(const struct format_look *look);
bool sign_pqbin(const struct format_look *look);
bool sign_canon_raw(const struct format_look *look);
bool sign_leica_scn(const struct format_look *look);

/* whole.c and movie.c: what must hold. */
void check_bmp(const struct format_look *look, struct format_verdict *said);
void check_mrc(const struct format_look *look, struct format_verdict *said);
void check_gatan(const struct format_look *look, struct format_verdict *said);
void check_spe(const struct format_look *look, struct format_verdict *said);
void check_jpeg_2000(const struct format_look *look, struct format_verdict *said);
void check_nd2(const struct format_look *look, struct format_verdict *said);
void check_hdf5(const struct format_look *look, struct format_verdict *said);
void check_ole(const struct format_look *look, struct format_verdict *said);
void check_avi(const struct format_look *look, struct format_verdict *said);
void check_quicktime(const struct format_look *look, struct format_verdict *said);

/* whole_sizes.c: sizes in the header, against the length. */
void check_fits(const struct format_look *look, struct format_verdict *said);
void check_nifti(const struct format_look *look, struct format_verdict *said);
void check_nifti_gz(const struct format_look *look, struct format_verdict *said);
void check_ics(const struct format_look *look, struct format_verdict *said);
void check_nrrd(const struct format_look *look, struct format_verdict *said);
void check_sif(const struct format_look *look, struct format_verdict *said);
/* The bytes of pixels that a header in a file of its own names; 0: not to be told. */
uint64_t pixels_of_nifti(const struct format_look *look);
uint64_t pixels_of_ics(const struct format_look *look);
uint64_t pixels_of_nrrd(const struct format_look *look);

/* mrc.c: MRC and DeltaVision have one header: three sizes, the kind of pixel at 12, bytes of more header at 92.
 * The bytes that the file must have; 0: not to be told. */
uint64_t mrc_bytes(const struct format_look *look, bool big_endian);

void say_cut(struct format_verdict *said, const char *text); /* BROKEN_FILE */

/* All of `n` bytes at an offset. */
bool look_read(const struct format_look *look, uint64_t at, void *to, size_t n);

#include "card/card.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "base/ceilings.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/toml.h"
#include "card/build.h"

static const char header[] = "# omero annotation file";
static const char bom[] = "\xEF\xBB\xBF";

bool card_name_fits(const char *file_name)
{
    return file_name[0] != '.' && str_ends(file_name, ".toml");
}

/* Letters and digits of any script.  Bytes that are not UTF-8 are neither. */
static bool is_letter_or_digit(const char *s, size_t n)
{
    size_t len = n ? str_char_len(s, n) : 0;
    const unsigned char *b = (const unsigned char *)s;
    static const unsigned char lead_mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};

    if (len == 0)
        return false;
    wint_t code = b[0] & lead_mask[len];
    for (size_t i = 1; i < len; i++)
        code = code << 6 | (b[i] & 0x3F);
    locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (!unicode)
        return code >= 0x80 || iswalnum(code);
    bool yes = iswalnum_l(code, unicode);
    freelocale(unicode);
    return yes;
}

static bool has_header(const char *text, size_t n)
{
    const size_t len = sizeof(header) - 1;

    return n >= len && memcmp(text, header, len) == 0 && !is_letter_or_digit(text + len, n - len);
}

/* How to mend what the TOML reader found. */
static const char *toml_hint(enum toml_kind kind)
{
    static const char *const hints[] = {
        [TOML_SYNTAX] = "a line is written: key = \"text\"",
        [TOML_NOT_UTF8] = "save the file in the encoding UTF-8",
        [TOML_CONTROL] = "remove the character; lines end with LF or CR LF",
        [TOML_ESCAPE] = ("write \\\\ for each backslash of the text (\"C:\\\\data\"), or put the text in single quotes"
                         " ('C:\\data')"),
        [TOML_OPEN_STRING] = "close the text by the quote it begins with; text of several lines stands between \"\"\" and \"\"\"",
        [TOML_TWICE] = "keep one of the two lines",
        [TOML_TOO_LARGE] = "make the card simpler",
    };

    return hints[kind];
}

static int broken(struct card_fault *fault, const char *text, size_t n)
{
    toml_show_line(text, n, fault->line, fault->source, sizeof(fault->source));
    return CARD_BROKEN;
}

static int too_large(struct card_fault *fault)
{
    *fault = (struct card_fault){.line = 1, .column = 1};
    snprintf(fault->message, sizeof(fault->message), "the card is larger than %u bytes", CARD_MAX_BYTES);
    snprintf(fault->hint, sizeof(fault->hint), "shorten it");
    return CARD_BROKEN;
}

static int not_toml(const struct toml_fault *toml, struct card_fault *fault)
{
    *fault = (struct card_fault){.line = toml->line, .column = toml->column};
    snprintf(fault->message, sizeof(fault->message), "%s", toml->text);
    snprintf(fault->hint, sizeof(fault->hint), "%s", toml_hint(toml->kind));
    return CARD_BROKEN;
}

int card_parse(const void *bytes, size_t n, struct card **out, struct card_fault *fault)
{
    const char *text = bytes;

    if (n >= 3 && memcmp(text, bom, 3) == 0) {
        text += 3;
        n -= 3;
    }
    if (!has_header(text, n))
        return CARD_NOT_A_CARD;
    if (n > CARD_MAX_BYTES)
        return too_large(fault);

    struct toml_fault toml_fault;
    AUTO(toml_freep) struct toml_doc *toml = toml_read(text, n, &toml_fault);
    if (!toml) {
        not_toml(&toml_fault, fault);
        return broken(fault, text, n);
    }
    return card_build(toml_root(toml), out, fault) < 0 ? broken(fault, text, n) : 0;
}

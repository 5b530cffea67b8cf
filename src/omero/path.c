/* The rules "Windows required" and "UNIX required" of OMERO's repositories, applied to each component in this order: reserved
 * names, reserved beginnings, characters. */
#include "omero/path.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

static const char *const reserved[] = {"CON",  "PRN",  "AUX",  "NUL",  "CLOCK$", "COM1", "COM2", "COM3",
                                       "COM4", "COM5", "COM6", "COM7", "COM8",   "COM9", "LPT1", "LPT2",
                                       "LPT3", "LPT4", "LPT5", "LPT6", "LPT7",   "LPT8", "LPT9"};

static bool is_reserved(const char *s, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (strlen(reserved[i]) == n && strncasecmp(s, reserved[i], n) == 0)
            return true;
    return false;
}

static bool begins_reserved(const char *s, size_t n)
{
    const char *dot = memchr(s, '.', n);

    return s[0] == '$' || (dot && is_reserved(s, (size_t)(dot - s)));
}

static char safe_char(char ch)
{
    static const char from[] = "\"*/:<>?\\|", to[] = "'x!;[]%!!";
    const char *at = ch ? strchr(from, ch) : NULL;

    if ((unsigned char)ch < 0x20)
        return '_';
    return at ? to[at - from] : ch;
}

static void add_component(struct buf *b, const char *s, size_t n)
{
    bool whole = is_reserved(s, n);

    if (!whole && begins_reserved(s, n))
        buf_add_byte(b, '_');
    for (size_t i = 0; i < n; i++)
        buf_add_byte(b, (uint8_t)safe_char(s[i]));
    if (whole)
        buf_add_byte(b, '_');
}

/* The server takes `..` for what it is and leaves the fileset's directory. */
static bool is_dots(const char *s, size_t n)
{
    return (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.');
}

int om_path_clean(const char *path, char **out, struct err *err)
{
    AUTO(buf_clear) struct buf b = BUF_INIT(3 * strlen(path) + 2);

    if (!str_is_utf8(path, strlen(path)))
        return err_set(err, REASON_NOT_UTF8, 0, "a path for OMERO that is not UTF-8");
    for (const char *s = path; *s;) {
        size_t n = strcspn(s, "/");
        if (is_dots(s, n))
            return err_set(err, REASON_BUG, 0, "a path for OMERO with '.' or '..' in it: %s", path);
        if (n > 0 && b.len > 0)
            buf_add_byte(&b, '/');
        if (n > 0)
            add_component(&b, s, n);
        s += n + (s[n] == '/');
    }
    if (b.len == 0)
        return err_set(err, REASON_BUG, 0, "an empty path for OMERO");
    *out = buf_take_str(&b);
    return 0;
}

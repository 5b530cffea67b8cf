/* Names that copying programs give to files that are not whole yet. */
#include "format/driver.h"

#include <string.h>

#include "base/str.h"

bool format_name_is_temporary(const char *name)
{
    static const char *const suffixes[] = {".part", ".filepart", ".tmp", ".temp", ".partial", ".crdownload", ".download", "~"};

    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
        if (str_ends_nocase(name, suffixes[i]))
            return true;
    return false;
}

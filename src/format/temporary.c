/* Names that copying programs give to files that are not whole yet. */
#include "format/driver.h"

#include <string.h>

#include "base/str.h"

bool format_name_is_temporary(const char *name)
{
    /* curl, wget and browsers; WinSCP; FreeFileSync; Aspera; editors.  The names of rsync, Unison and lsyncd begin with a dot. */
    static const char *const suffixes[] = {".part", ".filepart", ".tmp", ".temp", ".partial", ".crdownload", ".download",
                                           ".opdownload", ".ffs_tmp", ".aspx", ".aspera-ckpt", ".rsync-tmp", ".!ut", ".tc!", "~"};

    size_t n = strlen(name);

    if (str_starts(name, "~$"))
        return true;
    if (n == 0 || !strchr("tpldx!~", name[n - 1] | (name[n - 1] >= 'A' && name[n - 1] <= 'Z' ? 32 : 0)))
        return false; /* none of them ends so */
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
        if (str_ends_nocase(name, suffixes[i]))
            return true;
    return false;
}

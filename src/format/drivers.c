#include "format/drivers.h"

const struct format_driver *const format_drivers[] = {
    &format_png,
    &format_jpeg,
    &format_tiff,
    NULL,
};

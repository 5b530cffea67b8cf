/* Every driver by name, for the one array of them.  Private to the room. */
#pragma once

#include "format/driver.h"

extern const struct format_driver format_png, format_jpeg, format_tiff;

/* Private to the room. */
#pragma once

#include "format/look.h"

/* Is a DICOM that begins with DICM there to the end of its last element, as far as 4,096 of them say? */
bool dicom_is_whole(const struct format_look *look);

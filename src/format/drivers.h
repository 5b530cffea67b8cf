/* Every driver by name, for the one array of them.  Private to the room. */
#pragma once

#include "format/driver.h"

extern const struct format_driver format_companion, format_sets, format_png, format_lif, format_czi, format_jpeg, format_pairs,
    format_oir, format_deltavision, format_deltavision_log, format_ome_xml, format_pic, format_dicom, format_single,
    format_numbered, format_dialect, format_ome_tiff, format_tiff;

/* The order of particularity: masters of sets, what content says beyond doubt, what a name decides, and TIFF from its dialects
 * down to the plain one.  LIF comes before JPEG because its logo belongs to it. */
#include "format/drivers.h"

const struct format_driver *const format_drivers[] = {
    &format_companion,
    &format_sets,
    &format_lif,
    &format_png,
    &format_jpeg,
    &format_czi,
    &format_oir,
    &format_deltavision,
    &format_deltavision_log,
    &format_ome_xml,
    &format_pairs,
    &format_pic,
    &format_single,
    &format_dicom,
    &format_numbered,
    &format_dialect,
    &format_ome_tiff,
    &format_tiff,
    NULL,
};

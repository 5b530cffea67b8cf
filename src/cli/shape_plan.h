/* The shapes of what is planned: objects of the same schema files as those of the ledger (shape/shape.h). */
#pragma once

#include "engine/look.h"
#include "shape/shape.h"

json_t *shape_planned_fileset(const struct plan *p, const struct plan_fileset *f) ATTR_MUST_USE;
json_t *shape_planned_dataset(const struct plan_target *t) ATTR_MUST_USE;
json_t *shape_planned_annotations(const struct card *c) ATTR_MUST_USE; /* tags, kv, comment */
json_t *shape_found_card(const struct found_card *c) ATTR_MUST_USE;

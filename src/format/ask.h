/* Asking the drivers about every file of a scene.  Private to the room. */
#pragma once

#include "format/driver.h"
#include "format/memory.h"

/* Give each file its driver and what that said: by its name, from the memory, or from its bytes. */
void scene_ask(struct format_scene *scene, const struct format_memory *memory);

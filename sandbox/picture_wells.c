#include "sandbox/picture_wells.h"

#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"

struct well {
    int32_t row, column;
    const char **fields;
    size_t n, cap;
};

struct well_plate {
    struct picture_plate head;
    struct well *wells;
    size_t n, cap;
};

void wells_clear(struct wells *w)
{
    for (size_t p = 0; p < w->n; p++) {
        for (size_t i = 0; i < w->plates[p].n; i++)
            free(w->plates[p].wells[i].fields);
        free(w->plates[p].wells);
    }
    free(w->plates);
    free(w->images);
}

void wells_image(struct wells *w, struct arena *arena, const char *id)
{
    w->images = mem_grow(w->images, w->n_images, &w->cap_images, sizeof(*w->images));
    w->images[w->n_images++] = id ? arena_str(arena, id) : "";
}

void wells_plate(struct wells *w, const struct picture_plate *plate)
{
    w->plates = mem_grow(w->plates, w->n, &w->cap, sizeof(*w->plates));
    w->plates[w->n++] = (struct well_plate){.head = *plate};
}

int wells_well(struct wells *w, int32_t row, int32_t column)
{
    struct well_plate *p = w->n > 0 ? &w->plates[w->n - 1] : NULL;

    if (!p)
        return 0;
    if (++w->n_things > SANDBOX_WELLS_MAX)
        return -1;
    p->wells = mem_grow(p->wells, p->n, &p->cap, sizeof(*p->wells));
    p->wells[p->n++] = (struct well){.row = row, .column = column};
    return 0;
}

int wells_field(struct wells *w, struct arena *arena, const char *image_id)
{
    struct well_plate *p = w->n > 0 ? &w->plates[w->n - 1] : NULL;
    struct well *well = p && p->n > 0 ? &p->wells[p->n - 1] : NULL;

    if (!well)
        return 0;
    if (++w->n_things > SANDBOX_WELLS_MAX)
        return -1;
    well->fields = mem_grow(well->fields, well->n, &well->cap, sizeof(*well->fields));
    well->fields[well->n++] = arena_str(arena, image_id);
    return 0;
}

/* ---- into the picture ---- */

static bool find_image(const struct wells *w, const char *id, size_t *out)
{
    for (*out = 0; *out < w->n_images; ++*out)
        if (strcmp(w->images[*out], id) == 0)
            return true;
    return false;
}

static struct picture_well take_well(const struct wells *w, const struct well *well, struct arena *arena)
{
    size_t *fields = arena_alloc(arena, well->n, sizeof(*fields)), n = 0;

    for (size_t i = 0; i < well->n; i++)
        n += find_image(w, well->fields[i], &fields[n]);
    return (struct picture_well){.row = well->row, .column = well->column, .fields = fields, .n_fields = n};
}

void wells_take(const struct wells *w, struct arena *arena, struct picture *out)
{
    struct picture_plate *plates = arena_alloc(arena, w->n, sizeof(*plates));

    for (size_t p = 0; p < w->n; p++) {
        struct picture_well *wells = arena_alloc(arena, w->plates[p].n, sizeof(*wells));

        for (size_t i = 0; i < w->plates[p].n; i++)
            wells[i] = take_well(w, &w->plates[p].wells[i], arena);
        plates[p] = w->plates[p].head;
        plates[p].wells = wells;
        plates[p].n_wells = w->plates[p].n;
    }
    out->plates = plates;
    out->n_plates = w->n;
}

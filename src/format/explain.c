/* For people: all formats, and what each driver says of one file. */
#include "format/driver.h"

#include <stdlib.h>
#include <string.h>

#include "base/ceilings.h"
#include "base/io.h"

void format_each(void (*take)(void *arg, const struct format_about *about), void *arg)
{
    for (size_t d = 0; format_drivers[d]; d++) {
        struct format_about about;

        for (size_t i = 0; format_drivers[d]->about(i, &about); i++)
            take(arg, &about);
    }
}

static void ask_each(struct format_look *look, void (*take)(void *arg, const char *driver, bool has_it, const char *text),
                     void *arg)
{
    for (size_t d = 0; format_drivers[d]; d++) {
        const struct format_driver *driver = format_drivers[d];
        struct format_verdict said = {.why = REASON_NONE};

        if (driver->detect(look, &said)) {
            take(arg, driver->name, true, said.format ? said.format : "");
            return;
        }

        AUTO(mem_freep) char *wants = mem_printf("it wants %s", driver->wants);
        take(arg, driver->name, false, said.text ? said.text : wants);
    }
}

int format_ask(const struct tree *tree, const struct tree_entry *e,
               void (*take)(void *arg, const char *driver, bool has_it, const char *text), void *arg, struct err *err)
{
    AUTO(arena_freep) struct arena *arena = arena_new();
    AUTO(mem_freep) struct format_look *look = mem_new(1, sizeof(*look));
    AUTO(io_closep) int fd = tree_open_sized(tree, e, &look->size, err);

    if (fd < 0)
        return -1;
    look->entry = e;
    look->fd = fd;
    look->arena = arena;
    look->names_left = NAMES_TREE_MAX;
    if (format_look_at(look, err) < 0)
        return -1;
    ask_each(look, take, arg);
    return 0;
}

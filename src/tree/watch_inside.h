/* The watcher's inside, for its tests: events that the system cannot be made to send, and lower ceilings. */
#pragma once

#include <sys/inotify.h>

#include "tree/watch.h"

/* Take one event; its name is not looked at beyond `len` bytes. */
void watch_event(struct watch *w, const struct inotify_event *event, const char *name);

/* Of all roots together. */
void watch_set_max(struct watch *w, size_t watches);
size_t watch_count(const struct watch *w);

bool watch_is_local_type(unsigned long f_type);

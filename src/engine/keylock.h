/* Locks by name: what is made once for each user and group must not be made by two workers at a time. */
#pragma once

#include <pthread.h>

struct keylock;

struct keylocks {
    pthread_mutex_t mutex;
    pthread_cond_t freed;
    struct keylock *held; /* a list: as long as there are workers */
};

#define KEYLOCKS_INIT {.mutex = PTHREAD_MUTEX_INITIALIZER, .freed = PTHREAD_COND_INITIALIZER}

/* Wait until nobody else holds this name.  The name is copied. */
void keylock_take(struct keylocks *k, const char *name);
void keylock_give(struct keylocks *k, const char *name);

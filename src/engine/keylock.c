#include "engine/keylock.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct keylock {
    struct keylock *next;
    char *name;
};

static struct keylock **find(struct keylocks *k, const char *name)
{
    struct keylock **at = &k->held;

    while (*at && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

void keylock_take(struct keylocks *k, const char *name)
{
    struct keylock *mine = mem_new(1, sizeof(*mine));

    mine->name = mem_str(name);
    pthread_mutex_lock(&k->mutex);
    while (*find(k, name))
        pthread_cond_wait(&k->freed, &k->mutex);
    mine->next = k->held;
    k->held = mine;
    pthread_mutex_unlock(&k->mutex);
}

void keylock_give(struct keylocks *k, const char *name)
{
    pthread_mutex_lock(&k->mutex);
    struct keylock **at = find(k, name), *mine = *at;

    if (mine)
        *at = mine->next;
    pthread_cond_broadcast(&k->freed);
    pthread_mutex_unlock(&k->mutex);
    if (mine)
        free(mine->name);
    free(mine);
}

#include "sandbox/server.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "sandbox/call.h"

void server_say(const char *fmt, ...)
{
    AUTO(mem_freep) char *text = NULL;
    char when[25];
    va_list args;

    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    clock_text(clock_wall_ms(), when);
    fprintf(stderr, "%s %s\n", when, n < 0 ? "" : text);
}

/* A UUID that stays the same for the life of the data directory. */
static void lasting_uuid(struct store *s, const char *name, char out[UUID_TEXT])
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    const char *kept = store_text(s, mem, "select value from Fact where name = ?", "s", name);

    if (kept) {
        snprintf(out, UUID_TEXT, "%s", kept);
        return;
    }
    uuid_new(out);
    (void)store_run(s, "insert into Fact (name, value) values (?, ?)", "ss", name, out);
}

int server_open(struct server *s, const char *dir, struct err *err)
{
    AUTO(mem_freep) char *managed = mem_printf("%s/ManagedRepository", dir);

    *s = (struct server){.last_task = &s->tasks};
    if (io_make_dirs(managed, err) < 0)
        return -1;
    s->dir = realpath(dir, NULL);
    s->repository = realpath(managed, NULL);
    if (!s->dir || !s->repository)
        return err_set(err, REASON_CONFIG, 0, "%s: not a directory that can be used", dir);

    AUTO(mem_freep) char *file = mem_printf("%s/sandbox.db", s->dir);

    if (store_open(&s->store, file, false, err) < 0)
        return -1;
    entity_schema(s->store);
    lasting_uuid(s->store, "repository", s->repo_uuid);
    lasting_uuid(s->store, "database", s->database_uuid);
    (void)store_run(s->store, "update Session set closed = ? where closed is null", "i", clock_wall_ms());
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);

    AUTO(mem_freep) char *repository = mem_printf("PublicRepository-%s", s->repo_uuid);

    servant_add(s, NULL, &router_kind, "router", "OMERO.Glacier2", NULL);
    servant_add(s, NULL, &repository_kind, repository, "", NULL);
    return 0;
}

void server_close(struct server *s)
{
    while (s->sessions)
        session_end(s, s->sessions);
    while (s->common)
        servant_drop(s, s->common);
    store_close(s->store);
    free(s->dir);
    free(s->repository);
    free(s->certificate);
    free(s->key);
}

void server_add_task(struct server *s, struct task *t)
{
    t->next = NULL;
    *s->last_task = t;
    s->last_task = &t->next;
    pthread_cond_broadcast(&s->changed);
}

static struct task *next_task(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    while (!s->tasks && !s->stopping)
        pthread_cond_wait(&s->changed, &s->lock);

    struct task *t = s->tasks;

    if (t) {
        s->tasks = t->next;
        if (!s->tasks)
            s->last_task = &s->tasks;
    }
    pthread_mutex_unlock(&s->lock);
    return t;
}

void *server_runner(void *server)
{
    struct server *s = server;

    for (struct task *t; (t = next_task(s));)
        t->run(s, t);
    return NULL;
}

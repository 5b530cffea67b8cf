#include "format/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/ceilings.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/str.h"
#include "format/group.h"

enum { WORDS_MAX = 64, NOTHING_FOUND = 125 };

/* ---- which directories ---- */

/* The deepest directory that holds all of a group; bytes of its path. */
static size_t common_dir(const struct format_group *g)
{
    const char *first = g->members[0]->path;
    size_t n = g->members[0]->dir_len;

    for (size_t i = 1; i < g->n_members; i++) {
        const char *other = g->members[i]->path;
        size_t same = 0, other_len = g->members[i]->dir_len;

        while (same < n && same < other_len && first[same] == other[same])
            same++;
        if (same == n && (same == other_len || other[same] == '/'))
            continue;
        if (same == other_len && first[same] == '/') {
            n = same;
            continue;
        }
        while (same > 0 && first[same - 1] != '/')
            same--;
        n = same > 0 ? same - 1 : 0;
    }
    return n;
}

static bool is_asked_about(const struct format_group *g)
{
    return g->why == REASON_DEFERRED && !g->by_name;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool lies_below(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0' || (n > 0 && dir[n - 1] == '/'));
}

/* Absolute paths, none within another; the number of them. */
static size_t directories(const struct format_groups *groups, const char *root, struct arena *arena, char ***out)
{
    char **dirs = arena_alloc(arena, groups->n + 1, sizeof(char *));
    size_t n = 0, kept = 0;

    for (size_t i = 0; i < groups->n; i++) {
        const struct format_group g = format_group_at(groups, i);
        size_t dir = is_asked_about(&g) ? common_dir(&g) : 0;

        if (is_asked_about(&g))
            dirs[n++] = arena_printf(arena, "%s%s%.*s", strcmp(root, "/") == 0 ? "" : root, dir ? "/" : "", (int)dir,
                                     g.members[0]->path);
    }
    qsort(dirs, n, sizeof(char *), by_text);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || !lies_below(dirs[i], dirs[kept - 1]))
            dirs[kept++] = dirs[i];
    dirs[kept] = NULL;
    *out = dirs;
    return kept;
}

/* ---- running it ---- */

/* The environment without what may be a secret. */
static char **clean_environment(struct arena *arena)
{
    size_t n = 0, kept = 0;

    while (environ[n])
        n++;

    char **env = arena_alloc(arena, n + 1, sizeof(char *));

    for (size_t i = 0; i < n; i++)
        if (!strstr(environ[i], "PASSWORD") && !str_starts(environ[i], "IMPOMERO_") && !str_starts(environ[i], "CREDENTIALS_"))
            env[kept++] = environ[i];
    return env;
}

static int words_of(const char *command, char **dirs, size_t n_dirs, struct arena *arena, char ***out, struct err *err)
{
    char **words = arena_alloc(arena, WORDS_MAX + n_dirs + 1, sizeof(char *));
    size_t n = 0;

    for (size_t len; *command; command += len + strspn(command + len, " \t")) {
        len = strcspn(command, " \t");
        if (len > 0 && n == WORDS_MAX)
            return err_set(err, REASON_CONFIG, 0, "grouping.helper has more than %d words", WORDS_MAX);
        if (len > 0)
            words[n++] = arena_strn(arena, command, len);
    }
    if (n == 0)
        return err_set(err, REASON_CONFIG, 0, "grouping.helper names no program");
    memcpy(words + n, dirs, n_dirs * sizeof(char *));
    *out = words;
    return 0;
}

static int start(char **words, int out, struct arena *arena, pid_t *pid, struct err *err)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;

    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out, 1);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);

    int failed = posix_spawnp(pid, words[0], &files, &attributes, words, clean_environment(arena));

    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return failed ? err_set(err, REASON_HELPER, failed, "starting '%s'", words[0]) : 0;
}

/* What it writes, until it closes its output. */
static int read_answer(int fd, int64_t deadline, struct buf *answer, struct err *err)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        uint8_t bytes[65536];
        int ready = poll(&p, 1, clock_poll_ms(deadline));

        if (ready < 0 && errno == EINTR)
            continue;
        if (ready == 0)
            return err_set(err, REASON_HELPER, 0, "it did not end in time");

        ssize_t n = ready < 0 ? -1 : read(fd, bytes, sizeof(bytes));

        if (n < 0 && errno != EINTR)
            return err_set(err, REASON_HELPER, errno, "reading its answer");
        if (n == 0)
            return 0;
        if (n > 0)
            buf_add(answer, bytes, (size_t)n);
        if (answer->full)
            return err_set(err, REASON_HELPER, 0, "its answer is longer than %u bytes", HELPER_ANSWER_MAX);
    }
}

/* Its end; whoever it left behind ends too. */
static int wait_for(pid_t pid, int64_t deadline, bool kill_it, struct err *err)
{
    int status = 0;

    for (bool late = kill_it; waitpid(pid, &status, late ? 0 : WNOHANG) == 0; late = clock_mono_ns() > deadline) {
        if (late)
            kill(-pid, SIGKILL);
        poll(NULL, 0, 20);
    }
    kill(-pid, SIGKILL);
    if (kill_it)
        return -1;
    if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == NOTHING_FOUND))
        return 0;
    return err_set(err, REASON_HELPER, 0, WIFEXITED(status) ? "it ended with status %d" : "it was ended by signal %d",
                   WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static int run(char **words, int64_t timeout_s, struct arena *arena, struct buf *answer, struct err *err)
{
    int64_t deadline = clock_after_ns(timeout_s * NS_PER_S);
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set(err, REASON_HELPER, errno, "making a pipe");

    AUTO(io_closep) int in = ends[0];
    int started = start(words, ends[1], arena, &pid, err);

    close(ends[1]);
    if (started < 0)
        return -1;

    int read = read_answer(in, deadline, answer, err);

    if (read < 0)
        kill(-pid, SIGKILL);
    return wait_for(pid, deadline, read < 0, err) < 0 || read < 0 ? -1 : 0;
}

/* ---- its answer ---- */

struct answer {
    const struct tree *tree;
    const char *root;
    struct arena *arena;
    struct format_group *at;
    size_t n, cap;
    const struct tree_entry **members;
    size_t n_members, cap_members;
};

static void answer_clear(struct answer *a)
{
    free(a->at);
    free(a->members);
}

static int end_group(struct answer *a, struct err *err)
{
    struct format_group *g = a->n > 0 ? &a->at[a->n - 1] : NULL;

    if (!g || g->members)
        return 0;
    if (a->n_members == 0)
        return err_set(err, REASON_HELPER, 0, "it names a group without files");

    const struct tree_entry **kept = arena_alloc(a->arena, a->n_members, sizeof(*kept));

    memcpy(kept, a->members, a->n_members * sizeof(*kept));
    g->members = kept;
    g->n_members = a->n_members;
    a->n_members = 0;
    return 0;
}

/* "# Group: PATH SPW: false Reader: CLASS" */
static int begin_group(struct answer *a, char *line, struct err *err)
{
    char *reader = NULL, *spw = NULL;

    for (char *at = line; (at = strstr(at, " SPW: ")); at++)
        spw = at;
    reader = spw ? strstr(spw, " Reader: ") : NULL;
    if (!reader || (strncmp(spw, " SPW: true ", 11) != 0 && strncmp(spw, " SPW: false ", 12) != 0) ||
        strspn(reader + 9, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._$") != strlen(reader + 9))
        return err_set(err, REASON_HELPER, 0, "a line of its answer is no head of a group");
    a->at = mem_grow(a->at, a->n, &a->cap, sizeof(*a->at));

    const char *class = arena_str(a->arena, reader + 9), *dot = strrchr(class, '.');

    a->at[a->n++] = (struct format_group){.format = dot ? dot + 1 : class, .reader = class, .plate = spw[6] == 't',
                                          .text = "as the grouping helper says", .helped = true};
    return 0;
}

static int add_file(struct answer *a, const char *line, struct err *err)
{
    size_t n = strcmp(a->root, "/") == 0 ? 0 : strlen(a->root);
    const struct tree_entry *e = lies_below(line, a->root) && line[n] == '/' ? tree_find(a->tree, line + n + 1) : NULL;

    if (a->n == 0 || a->at[a->n - 1].members)
        return err_set(err, REASON_HELPER, 0, "its answer has a file before any group");
    if (!e || e->kind != TREE_FILE || e->skip != REASON_NONE) {
        AUTO(mem_freep) char *shown = str_show(line);

        return err_set(err, REASON_HELPER, 0, "it names '%.200s', which is no file of this directory tree", shown);
    }
    a->members = mem_grow(a->members, a->n_members, &a->cap_members, sizeof(*a->members));
    a->members[a->n_members++] = e;
    return 0;
}

static int parse(struct answer *a, char *text, struct err *err)
{
    for (char *line = text, *end; *line; line = end) {
        end = line + strcspn(line, "\n");
        if (*end)
            *end++ = '\0';

        int done;

        if (str_starts(line, "#=="))
            done = end_group(a, err);
        else if (str_starts(line, "# Group: "))
            done = end_group(a, err) < 0 ? -1 : begin_group(a, line, err);
        else
            done = *line ? add_file(a, line, err) : 0;
        if (done < 0)
            return -1;
    }
    return end_group(a, err);
}

int format_help(const struct tree *tree, const char *root, const struct format_helper *helper, struct format_groups *groups,
                struct err *err)
{
    AUTO(arena_freep) struct arena *arena = arena_new();
    AUTO(buf_clear) struct buf answer = BUF_INIT(HELPER_ANSWER_MAX);
    AUTO(answer_clear) struct answer a = {.tree = tree, .root = root, .arena = groups_arena(groups)};
    char **dirs, **words = NULL;
    size_t n = directories(groups, root, arena, &dirs);

    if (n == 0 || !helper->command)
        return 0;
    if (words_of(helper->command, dirs, n, arena, &words, err) < 0 || run(words, helper->timeout_s, arena, &answer, err) < 0)
        return -1;
    buf_add_byte(&answer, '\0');
    if (strlen((char *)answer.data) + 1 != answer.len)
        return err_set(err, REASON_HELPER, 0, "its answer is no text");
    if (parse(&a, (char *)answer.data, err) < 0)
        return -1;
    groups_replace(groups, tree, a.at, a.n);
    return 0;
}

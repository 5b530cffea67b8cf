/* impomero retry, impomero forget: a request to the engine, by the ledger. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/command.h"
#include "ledger/ledger.h"

enum { ANSWER_WITHIN_MS = 3000, LOOK_EVERY_MS = 50 };

struct request {
    struct ledger *ledger;
    enum ledger_verb verb;
    char *path; /* NULL: all */
    int64_t id;
    char who[128]; /* "" = no engine runs */
    const char *answer; /* NULL: none yet */
};

/* Canonical and absolute, as far as it is there: what was removed from the disk may still be in the ledger. */
static char *full_path(const char *given)
{
    AUTO(mem_freep) char *head = given[0] == '/' ? mem_str(given) : mem_printf("./%s", given);
    size_t n = strlen(head);

    while (n > 1 && head[n - 1] == '/')
        head[--n] = '\0';
    for (char *slash = head + n; slash; slash = strrchr(head, '/')) {
        AUTO(mem_freep) char *found = NULL;

        *slash = '\0';
        found = realpath(*head ? head : "/", NULL);
        if (found)
            return slash == head + n
                       ? mem_str(found)
                       : mem_printf("%s/%s", strcmp(found, "/") == 0 ? "" : found, head + strlen(head) + 1);
    }
    return mem_str(given);
}

/* A mistyped path would do nothing, silently. */
static int check_known(const struct request *q, struct arena *a, struct err *err)
{
    const struct ledger_filter f = {.path = q->path, .max = 1};
    const struct ledger_fileset *list;
    AUTO(mem_freep) char *shown = str_show(q->path ? q->path : "");
    size_t n = 0;

    if (ledger_list(q->ledger, &f, a, &list, &n, err) < 0)
        return -1;
    if (n > 0 || !q->path)
        return 0;
    err_set(err, REASON_GONE, 0, "%s: the ledger knows of no image files there", shown);
    return err_hint(err, "impomero status shows what is known");
}

/* An engine takes it within a second, unless the server has to be asked first. */
static int wait_for_answer(struct request *q, struct arena *a, struct err *err)
{
    int64_t until = clock_after_ns(ANSWER_WITHIN_MS * NS_PER_MS);

    while (!q->answer && clock_mono_ns() < until) {
        const struct ledger_request *row;
        int r = ledger_request(q->ledger, q->id, a, &row, err);

        if (r < 0)
            return -1;
        q->answer = r == 0 ? row->answer : NULL;
        if (!q->answer)
            clock_sleep_ns(LOOK_EVERY_MS * NS_PER_MS);
    }
    return 0;
}

static void say(struct cli *cli, const struct request *q)
{
    if (cli->json) {
        AUTO(js_freep) json_t *o = json_pack("{s:s, s:I, s:o, s:o}", "verb", ledger_verb_name(q->verb), "id", (json_int_t)q->id,
                                             "engine", q->who[0] ? js_text(q->who) : json_null(), "answer",
                                             q->answer ? js_text(q->answer) : json_null());
        if (q->path)
            js_add_path(o, "path", q->path);
        js_print(cli->out, o);
    } else if (q->answer) {
        AUTO(mem_freep) char *shown = str_show(q->answer);
        fprintf(cli->out, "%s\n", shown);
    } else if (q->who[0]) {
        fprintf(cli->out, "asked for, and not taken yet: %s works on it and takes it when the server answers\n", q->who);
    } else {
        fprintf(cli->out, "no impomero is running: it is done when impomero watch or import is started next\n");
    }
}

static int ask(struct cli *cli, struct request *q, struct err *err)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    const char *state = cli->settings.state_dir;
    int r = ledger_open(state, LEDGER_REQUEST, &q->ledger, err);

    if (r > 0)
        return err_set(err, REASON_LEDGER, 0, "state directory '%s': no ledger yet: nothing was imported with it", state);
    if (r < 0 || check_known(q, a, err) < 0 || ledger_request_add(q->ledger, q->verb, q->path, &q->id, err) < 0)
        return -1;
    r = ledger_who(state, q->who, err);
    if (r < 0 || (r == 0 && wait_for_answer(q, a, err) < 0))
        return -1;
    say(cli, q);
    return 0;
}

static int run(struct cli *cli, enum ledger_verb verb)
{
    bool all = cli->n_args == 0 || (verb == LEDGER_VERB_RETRY && strcmp(cli->args[0], "all") == 0);
    AUTO(mem_freep) char *path = all ? NULL : full_path(cli->args[0]);
    struct request q = {.verb = verb, .path = path};
    struct err err = ERR_INIT;
    int r = ask(cli, &q, &err);

    ledger_close(q.ledger);
    return r < 0 ? cli_fail(cli, NULL, &err) : CLI_OK;
}

static int run_retry(struct cli *cli)
{
    return run(cli, LEDGER_VERB_RETRY);
}

static int run_forget(struct cli *cli)
{
    return run(cli, LEDGER_VERB_FORGET);
}

const struct command command_retry = {
    .name = "retry",
    .args = "[PATH|all]",
    .summary = "try again at once what waits, is held or was deleted in OMERO",
    .help = "For this file, for what lies below this directory, or for all: what waits or is held is tried again\n"
            "now, but for what is held by its card or its name: that follows by itself once it is mended.  Images\n"
            "of which nothing is left in OMERO are imported again; without this word they never are.  What may\n"
            "have reached the server before is asked for there first, so nothing is imported twice.\n"
            "\n"
            "A running impomero takes it within a second, else it is done at the next start.\n"
            "\n"
            "Examples:\n"
            "  impomero retry all\n"
            "  impomero retry /data/microscope/day1/a.tif\n",
    .max_args = 1,
    .settings = true,
    .json = true,
    .run = run_retry,
};

const struct command command_forget = {
    .name = "forget",
    .args = "PATH",
    .summary = "forget what is known of a file or of what lies below a directory",
    .help = "Takes the files out of the ledger and changes nothing in OMERO: for what was removed from the disk on\n"
            "purpose, or is to be seen as new.  Files that are still there are imported again, beside the images\n"
            "that OMERO has of them.  What is being imported at this moment is not forgotten.\n"
            "\n"
            "A running impomero takes it within a second, else it is done at the next start.\n"
            "\n"
            "Examples:\n"
            "  impomero forget /data/microscope/old\n",
    .min_args = 1,
    .max_args = 1,
    .settings = true,
    .json = true,
    .run = run_forget,
};

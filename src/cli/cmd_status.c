/* impomero status: what is under way, waits and is held, from the ledger alone. */
#include "cli/command.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/problems.h"

#define BIT(x) (1u << LEDGER_##x)

/* All that is shown, read at one go. */
struct report {
    const char *state_dir;
    char who[128]; /* "" = no engine works on it */
    char uuid[UUID_TEXT];
    const struct ledger_root *roots;
    size_t n_roots;
    const struct ledger_count *counts;
    size_t n_counts;
    const struct ledger_fileset *busy, *stuck; /* under way (with a path: all others); waiting and held */
    size_t n_busy, n_stuck;
    struct problems problems;
};

static int read_lists(struct ledger *l, const char *path, struct arena *a, struct report *r, struct err *err)
{
    unsigned rest = BIT(SENT) | BIT(STARTED);
    struct ledger_filter busy = {.path = path, .members = true, .states = rest};
    struct ledger_filter stuck = {.path = path, .members = true, .states = BIT(WAITING) | BIT(HELD)};

    if (path)
        busy.states |= BIT(SEEN) | BIT(SETTLING) | BIT(READY) | BIT(DONE);
    if (ledger_list(l, &busy, a, &r->busy, &r->n_busy, err) < 0 || ledger_list(l, &stuck, a, &r->stuck, &r->n_stuck, err) < 0)
        return -1;
    return problems_read(l, &(struct problems_ask){.paths = &path, .n_paths = path ? 1 : 0}, a, &r->problems, err);
}

/* LEDGER_NOTHING: there is no ledger. */
static int read_report(const char *path, struct arena *a, struct report *r, struct err *err)
{
    AUTO(ledger_closep) struct ledger *l = NULL;
    int opened = ledger_open(r->state_dir, LEDGER_READ, &l, err);

    if (opened != 0)
        return opened;
    memcpy(r->uuid, ledger_uuid(l), UUID_TEXT);
    if (ledger_who(r->state_dir, r->who, err) < 0 || ledger_roots(l, a, &r->roots, &r->n_roots, err) < 0 ||
        ledger_counts(l, a, &r->counts, &r->n_counts, err) < 0)
        return -1;
    return read_lists(l, path, a, r, err);
}

/* ---- for programs ---- */

static json_t *counts_json(const struct report *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->n_counts; i++) {
        const struct ledger_count *c = &r->counts[i];

        json_array_append_new(list, json_pack("{s:s, s:o, s:I, s:I, s:o}", "state", ledger_state_name(c->state), "reason",
                                              c->why == REASON_NONE ? json_null() : json_string(reason_row(c->why)->name), "n",
                                              (json_int_t)c->n, "bytes", (json_int_t)c->bytes, "oldest",
                                              shape_time(c->oldest_ms)));
    }
    return list;
}

static json_t *roots_json(const struct report *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->n_roots; i++) {
        const struct ledger_root *root = &r->roots[i];
        json_t *o = json_pack("{s:o, s:o, s:o, s:o}", "name", js_text(root->name), "looked_at", shape_time(root->scanned_ms),
                              "away_since", shape_time(root->away_ms), "text", js_text(root->away_text));

        js_add_path(o, "path", root->path);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *problems_json(const struct report *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->problems.n; i++)
        json_array_append_new(list, shape_problem(&r->problems.at[i]));
    return list;
}

static void print_json(struct cli *cli, const struct report *r, bool there)
{
    AUTO(js_freep) json_t *o = json_object();
    json_t *filesets = json_array();

    js_add_path(o, "state_dir", r->state_dir);
    json_object_set_new(o, "ledger", there ? json_string(r->uuid) : json_null());
    json_object_set_new(o, "engine", r->who[0] ? js_text(r->who) : json_null());
    for (size_t i = 0; i < r->n_busy; i++)
        json_array_append_new(filesets, shape_fileset(&r->busy[i]));
    for (size_t i = 0; i < r->n_stuck; i++)
        json_array_append_new(filesets, shape_fileset(&r->stuck[i]));
    json_object_set_new(o, "roots", roots_json(r));
    json_object_set_new(o, "counts", counts_json(r));
    json_object_set_new(o, "filesets", filesets);
    json_object_set_new(o, "problems", problems_json(r));
    js_print(cli->out, o);
}

/* ---- for people ---- */

static void say_counts(struct cli *cli, const struct report *r)
{
    int64_t n[N_LEDGER_STATES] = {0}, bytes[N_LEDGER_STATES] = {0};
    bool any = false;

    for (size_t i = 0; i < r->n_counts; i++) {
        n[r->counts[i].state] += r->counts[i].n;
        bytes[r->counts[i].state] += r->counts[i].bytes;
    }
    for (unsigned s = 0; s < N_LEDGER_STATES; s++) {
        char size[32];

        if (n[s] == 0)
            continue;
        any = true;
        shape_bytes(bytes[s], size);
        fprintf(cli->out, "  %6lld %-9s %10s  %s\n", (long long)n[s], ledger_state_name((enum ledger_state)s), size,
                ledger_state_help((enum ledger_state)s));
    }
    if (!any)
        fprintf(cli->out, "  nothing was found below a card yet\n");
}

static void say_roots(struct cli *cli, const struct report *r)
{
    for (size_t i = 0; i < r->n_roots; i++) {
        const struct ledger_root *root = &r->roots[i];
        AUTO(mem_freep) char *path = str_show(root->path);
        AUTO(mem_freep) char *text = str_show(root->away_text);
        char at[25] = "never";

        if (root->away_ms || root->scanned_ms)
            clock_text(root->away_ms ? root->away_ms : root->scanned_ms, at);
        fprintf(cli->out, "  %s: %s %s%s%s\n", path, root->away_ms ? "away since" : "looked at", at, *text ? ": " : "", text);
    }
}

static void say_busy(struct cli *cli, const struct report *r)
{
    if (r->n_busy > 0)
        fprintf(cli->out, "\n");
    for (size_t i = 0; i < r->n_busy; i++) {
        const struct ledger_fileset *f = &r->busy[i];
        AUTO(mem_freep) char *root = str_show(f->root_path);
        AUTO(mem_freep) char *path = str_show(f->path);
        char since[25];

        clock_text(f->since_ms, since);
        fprintf(cli->out, "  %s since %s: %s/%s", ledger_state_name(f->state), since, root, path);
        if (f->omero_id)
            fprintf(cli->out, " (Fileset:%lld)", (long long)f->omero_id);
        fprintf(cli->out, "\n");
    }
}

static void say_problem(struct cli *cli, const struct shape_problem *p)
{
    const struct reason_row *row = reason_row(p->why);
    AUTO(mem_freep) char *where = problem_where(p);
    AUTO(mem_freep) char *text = str_show(p->text);
    AUTO(mem_freep) char *hint = str_show(p->hint && *p->hint ? p->hint : row->hint);
    bool c = cli->colour_out;
    char at[25];

    fprintf(cli->out, "\n  %s%s%s\n", cli_colour(c, CLI_BOLD), where, cli_colour(c, CLI_PLAIN));
    fprintf(cli->out, "    %s%s%s\n", row->text, *text ? ": " : "", text);
    if (p->since_ms) {
        clock_text(p->since_ms, at);
        fprintf(cli->out, "    since %s", at);
    }
    if (p->retry_ms && p->retry_ms != CLOCK_NEVER) {
        clock_text(p->retry_ms, at);
        fprintf(cli->out, ", tried again at %s", at);
    }
    fprintf(cli->out, "\n    %s: %s\n", reason_who_name(row->who), hint);
}

static void say_report(struct cli *cli, const struct report *r, bool there)
{
    AUTO(mem_freep) char *dir = str_show(r->state_dir);

    if (!there) {
        fprintf(cli->out, "%s: no ledger yet: nothing was imported with this state directory\n", dir);
        return;
    }
    fprintf(cli->out, "%s: %s%s\n", dir, r->who[0] ? r->who : "no impomero", r->who[0] ? " works on it" : " works on it now");
    say_counts(cli, r);
    say_roots(cli, r);
    say_busy(cli, r);
    for (size_t i = 0; i < r->problems.n; i++)
        say_problem(cli, &r->problems.at[i]);
}

/* ---- the command ---- */

static int run(struct cli *cli)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    AUTO(mem_freep) char *path = NULL;
    struct err err = ERR_INIT;
    struct report r = {.state_dir = cli->settings.state_dir};

    if (cli->n_args == 1 && !(path = realpath(cli->args[0], NULL)))
        path = mem_str(cli->args[0]); /* what is gone from the disk may still be in the ledger */
    int found = read_report(path, a, &r, &err);
    if (found < 0)
        return cli_fail(cli, NULL, &err);
    if (cli->json)
        print_json(cli, &r, found == 0);
    else
        say_report(cli, &r, found == 0);
    return CLI_OK;
}

const struct command command_status = {
    .name = "status",
    .args = "[PATH]",
    .summary = "show what is under way, what waits and what is held, and why",
    .help = "Reads the ledger alone: no server is asked, and an import that is going on is not disturbed.  For\n"
            "each thing that waits or is held it says since when, why, who can do something about it, and\n"
            "what.  With a PATH, all that is known of this file or of what lies below this directory.\n"
            "\n"
            "Examples:\n"
            "  impomero status\n"
            "  impomero status /data/microscope/day1\n"
            "  impomero status --json | jq .problems\n",
    .max_args = 1,
    .settings = true,
    .json = true,
    .run = run,
};

/* impomero status: what is under way, waits and is held, from the ledger alone. */
#include "cli/command.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "shape/health.h"

/* LEDGER_NOTHING: there is no ledger. */
static int read_status(const char *state_dir, const char *path, struct arena *a, struct status *out, struct err *err)
{
    AUTO(ledger_closep) struct ledger *l = NULL;
    const struct status_ask ask = {.state_dir = state_dir, .path = path};

    return ledger_open(state_dir, LEDGER_READ, &l, err) < 0 ? -1 : status_read(l, &ask, a, out, err);
}

static void print_json(struct cli *cli, const struct status *s)
{
    AUTO(js_freep) json_t *o = status_json(s);

    js_print(cli->out, o);
}

/* ---- for people ---- */

static void say_counts(struct cli *cli, const struct status *r)
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

static void say_roots(struct cli *cli, const struct status *r)
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

static void say_busy(struct cli *cli, const struct status *r)
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

static void say_report(struct cli *cli, const struct status *r)
{
    AUTO(mem_freep) char *dir = str_show(r->state_dir);

    if (!r->there) {
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

/* ---- for monitors: one line and the exit codes of Nagios' plugins ---- */

static void say_figures(struct cli *cli, const struct status *s, const struct ledger_pulse *p)
{
    int64_t n[N_LEDGER_STATES] = {0}, age_s = p->oldest_due_ms ? (clock_wall_ms() - p->oldest_due_ms) / 1000 : 0;

    for (size_t i = 0; i < s->n_counts; i++)
        n[s->counts[i].state] += s->counts[i].n;
    fprintf(cli->out, " |");
    for (unsigned i = 0; i < N_LEDGER_STATES; i++)
        fprintf(cli->out, " %s=%lld;;;0", ledger_state_name((enum ledger_state)i), (long long)n[i]);
    fprintf(cli->out, " queue_age=%llds;%d;;0 ledger=%lldB;;;0\n", (long long)(age_s > 0 ? age_s : 0), HEALTH_STALLED_S,
            (long long)p->bytes);
}

static const struct health_root *watched(const struct settings *s, struct arena *a)
{
    struct health_root *roots = arena_alloc(a, s->n_roots + 1, sizeof(*roots));

    for (size_t i = 0; i < s->n_roots; i++)
        roots[i] = (struct health_root){.path = s->roots[i].path, .look_s = settings_look_s(&s->roots[i].set)};
    return roots;
}

static int judge(struct cli *cli, struct arena *a, struct health *h, struct err *err)
{
    AUTO(ledger_closep) struct ledger *l = NULL;
    const struct status_ask ask = {.state_dir = cli->settings.state_dir, .max = 1};
    const struct ledger_trouble *trouble = NULL;
    struct ledger_pulse pulse;
    struct status s;
    char text[1024];
    int r = ledger_open(ask.state_dir, LEDGER_READ, &l, err);

    if (r > 0)
        return err_set(err, REASON_LEDGER, 0, "no ledger yet in '%s'", ask.state_dir);
    if (r < 0 || status_read(l, &ask, a, &s, err) < 0 || ledger_trouble(l, a, &trouble, err) < 0 ||
        ledger_pulse(l, &pulse, err) < 0)
        return -1;
    health_judge(&(struct health_ask){.status = &s, .trouble = trouble, .pulse = &pulse, .roots = watched(&cli->settings, a),
                                      .n_roots = cli->settings.n_roots, .now_ms = clock_wall_ms()},
                 HEALTH_ALL, h);
    health_summary(h, text, sizeof(text));
    fprintf(cli->out, "IMPOMERO %s - %s", health_word(h->worst), text);
    say_figures(cli, &s, &pulse);
    return 0;
}

static int check(struct cli *cli)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    struct err err = ERR_INIT;
    struct health h;

    if (judge(cli, a, &h, &err) == 0)
        return (int)h.worst;
    AUTO(mem_freep) char *text = str_show(err.text);
    fprintf(cli->out, "IMPOMERO %s - %s\n", health_word(HEALTH_UNKNOWN), text);
    return HEALTH_UNKNOWN;
}

/* ---- the command ---- */

static int run(struct cli *cli)
{
    AUTO(arena_freep) struct arena *a = arena_new();
    AUTO(mem_freep) char *path = NULL;
    struct err err = ERR_INIT;
    struct status s;

    if (cli_flag(cli, "check"))
        return check(cli);
    if (cli->n_args == 1 && !(path = realpath(cli->args[0], NULL)))
        path = mem_str(cli->args[0]); /* what is gone from the disk may still be in the ledger */
    if (read_status(cli->settings.state_dir, path, a, &s, &err) < 0)
        return cli_fail(cli, NULL, &err);
    if (cli->json)
        print_json(cli, &s);
    else
        say_report(cli, &s);
    return CLI_OK;
}

static const struct cli_option options[] = {
    {"check", NULL, "one line for a monitor, and its exit code: 0 all is well, 1 a warning, 2 work stands still, 3 not known"},
    {NULL},
};

const struct command command_status = {
    .name = "status",
    .args = "[PATH]",
    .summary = "show what is under way, what waits and what is held, and why",
    .help = "Reads the ledger alone: no server is asked, and an import that is going on is not disturbed.  For\n"
            "each thing that waits or is held it says since when, why, who can do something about it, and\n"
            "what.  With a PATH, all that is known of this file or of what lies below this directory.\n"
            "\n"
            "--check is for monitors that understand Nagios' plugins: it looks whether work proceeds, whether\n"
            "OMERO and the directory trees are there, and whether something waits for an administrator.\n"
            "\n"
            "Examples:\n"
            "  impomero status\n"
            "  impomero status /data/microscope/day1\n"
            "  impomero status --json | jq .problems\n"
            "  impomero status --check\n",
    .options = options,
    .max_args = 1,
    .settings = true,
    .json = true,
    .run = run,
};

/* impomero doctor: tries what an administrator has to set up, a line each. */
#include "cli/doctor.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/job.h"
#include "tree/tree.h"

static const struct {
    const char *word;
    enum cli_colour colour;
} outcomes[] = {
    [GOOD] = {"ok", CLI_GREEN}, [DOUBTFUL] = {"look", CLI_YELLOW}, [LEFT_OUT] = {"-", CLI_DIM}, [BAD] = {"BAD", CLI_RED}};

/* What a run of the table came to. */
struct report {
    json_t *list; /* NULL: lines */
    size_t n_bad, n_doubtful;
    int status; /* of the first that was bad */
};

void doctor_say(struct finding *f, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(f->text, sizeof(f->text), fmt, args);
    va_end(args);
}

int doctor_doubt(struct finding *f, enum outcome outcome, const char *hint)
{
    snprintf(f->hint, sizeof(f->hint), "%s", hint);
    return (int)outcome;
}

/* ---- what is said ---- */

static void say_line(struct doctor *d, const struct probe *p, const struct finding *f)
{
    AUTO(mem_freep) char *text = str_show(f->text);
    AUTO(mem_freep) char *hint = str_show(f->hint);
    AUTO(mem_freep) char *root = str_show(d->root_name ? d->root_name : "");
    bool c = d->cli->colour_out;

    fprintf(d->cli->out, "%s%-4s%s  %-11s %s%s%s\n", cli_colour(c, outcomes[f->outcome].colour), outcomes[f->outcome].word,
            cli_colour(c, CLI_PLAIN), p->name, root, root[0] ? ": " : "", text);
    if (hint[0])
        fprintf(d->cli->out, "      %-11s %s\n", "", hint);
    fflush(d->cli->out); /* the next probe may take its time */
}

static json_t *shape(const struct doctor *d, const struct probe *p, const struct finding *f)
{
    static const char *const words[] = {[GOOD] = "ok", [DOUBTFUL] = "doubtful", [LEFT_OUT] = "left-out", [BAD] = "bad"};

    return json_pack("{s:s, s:o, s:s, s:o, s:o, s:o}", "check", p->name, "root", js_text(d->root_name), "outcome",
                     words[f->outcome],
                     "text", js_text(f->text), "hint", js_text(f->hint), "reason",
                     f->outcome == BAD ? json_string(reason_row(f->why.why)->name) : json_null());
}

/* ---- running the tables ---- */

static void look(struct doctor *d, const struct probe *p, struct finding *f)
{
    if ((d->has & p->needs) != p->needs) {
        f->outcome = LEFT_OUT;
        doctor_say(f, "not tried: it needs what is not right above");
        return;
    }

    int r = p->run(d, f, &f->why);

    if (r < 0) {
        f->outcome = BAD;
        doctor_say(f, "%s", f->why.text);
        snprintf(f->hint, sizeof(f->hint), "%s", err_hint_text(&f->why));
        return;
    }
    f->outcome = (enum outcome)r;
    if (f->outcome != LEFT_OUT)
        d->has |= p->gives;
}

static void run_table(struct doctor *d, const struct probe *table, struct report *r)
{
    for (const struct probe *p = table; p->name; p++) {
        struct finding f = {.why = ERR_INIT};

        look(d, p, &f);
        if (f.outcome == BAD && r->n_bad++ == 0)
            r->status = (int)cli_exit_of(&f.why);
        r->n_doubtful += f.outcome == DOUBTFUL;
        if (r->list)
            json_array_append_new(r->list, shape(d, p, &f));
        else
            say_line(d, p, &f);
    }
}

static void run_root(struct doctor *d, const char *name, const char *path, const struct root_settings *set, struct report *r)
{
    d->root_name = name;
    d->root_path = path;
    d->root = set;
    d->has &= ~(unsigned)HAS_ROOT;
    run_table(d, root_probes, r);
    tree_free(STEAL(d->tree));
    d->root_name = NULL;
}

static void run_all(struct doctor *d, char *const *dirs, struct report *r)
{
    run_table(d, server_probes, r);
    run_table(d, here_probes, r);
    for (int i = 0; i < d->cli->n_args; i++)
        run_root(d, dirs[i], dirs[i], settings_for(d->set, dirs[i]), r);
    for (size_t i = 0; i < d->set->n_roots && d->cli->n_args == 0; i++)
        run_root(d, d->set->roots[i].name, d->set->roots[i].path, &d->set->roots[i].set, r);
}

static int report(struct doctor *d, const struct report *r)
{
    if (r->list) {
        AUTO(js_freep) json_t *all = json_pack("{s:O}", "checks", r->list);

        js_print(d->cli->out, all);
    } else {
        fprintf(d->cli->out, "%zu bad, %zu to look at\n", r->n_bad, r->n_doubtful);
    }
    return r->n_bad ? r->status : CLI_OK;
}

static int run(struct cli *cli)
{
    AUTO(arena_freep) struct arena *mem = arena_new();
    AUTO(js_freep) json_t *list = cli->json ? json_array() : NULL;
    struct om_trace *trace = reach_trace(&cli->settings);
    struct doctor d = {.cli = cli, .set = &cli->settings, .mem = mem, .trust = OM_TRUST_INIT, .for_user = cli_value(cli, "for")};
    struct report r = {.list = list};
    struct err err = ERR_INIT;
    char **dirs = NULL;
    int status;

    reach_trust(d.set, arena_printf(mem, "%s/known_servers", d.set->state_dir), &d.trust);
    reach_server(d.set, &d.trust, trace, &d.server);
    if (job_find_dirs(cli, &dirs, &err) < 0 || io_make_dirs(d.set->state_dir, &err) < 0) {
        status = cli_fail(cli, NULL, &err);
    } else {
        run_all(&d, dirs, &r);
        status = report(&d, &r);
    }
    job_free_dirs(cli, dirs);
    if (d.admin && !d.admin->dead)
        om_sudo_close(d.admin, d.user);
    else
        om_client_close(d.user);
    om_client_close(d.admin);
    om_trace_free(trace);
    return status;
}

static const struct cli_option options[] = {
    {"pin", NULL, "remember the server's certificate, whatever it is: compare the fingerprint first"},
    {"for", "USER", "try it for this user: groups, a session"},
    {"group", "GROUP", "in this group of the user's, not the default one"},
    {NULL},
};

const struct command command_doctor = {
    .name = "doctor",
    .args = "[DIR...]",
    .summary = "try what has to be set up, and say what to do about what is not right",
    .help = "A line each: whether the server is found, answers, shows a certificate that is trusted; whether the\n"
            "administrator can log in and act for others; a user's groups; the repository and its checksums; the\n"
            "state directory and its ledger; and for each directory (or root of the configuration) whether it can\n"
            "be read, whose files are its own, whether changes are told, and whether files can be placed in\n"
            "OMERO's repository from here.  Nothing stays of what is tried.\n"
            "\n"
            "--pin writes the certificate's fingerprint to known_servers in the state directory.\n"
            "\n"
            "Examples:\n"
            "  impomero doctor\n"
            "  impomero doctor --for=alice --group=lab /data/microscope\n"
            "  impomero doctor --pin\n",
    .options = options,
    .max_args = -1,
    .settings = true,
    .json = true,
    .run = run,
};

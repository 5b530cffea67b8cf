/* Any bytes as a request to the page: the target, then `Host`, `Authorization` and `Origin`, a line each.  No crash; an answer is
 * always there; HTML has no script but ours and nothing that could not be shown, JSON is JSON, metrics have their end. */
#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "web/answer.h"
#include "web/guard.h"

static struct web_job job = {.omero_web = "https://omero.example.org/"};
static struct live live;
static struct ledger *ledger;
static char dir[] = "/tmp/impomero-fuzz-web-XXXXXX";

static void need(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

/* ---- a ledger with names that are markup ---- */

static void plan_at(const void *plans, size_t i, struct arena *a, struct ledger_plan *out)
{
    (void)a;
    *out = ((const struct ledger_plan *)plans)[i];
}

static void fill(struct ledger *l, int64_t root)
{
    static const struct ledger_revision revision = {
        .sha256 = "s", .project = "<b>P", .user = "ada", .comment = "", .title = "\"'<i>"};
    static const struct ledger_target target = {.dir = "d", .name = "<script>alert(1)</script>", .revision = &revision};
    static const struct ledger_card cards[] = {{.path = "d/c.toml", .dir = "d", .text = "", .revision = &revision},
                                               {.path = "e/c.toml", .why = REASON_BROKEN_CARD, .line = 3, .text = "<&\x01>"}};
    static const struct ledger_member members[] = {
        {.path = "d/a"}, {.path = "d/\"><img src=x>\xE9"}, {.path = "d/c"}, {.path = "f"}};
    struct ledger_plan plans[ARRAY_LEN(members)];
    const struct ledger_scan scan = {.root = root, .cards = cards, .n_cards = 2, .targets = &target, .n_targets = 1,
                                     .plan = plan_at, .arg = plans, .n_plans = ARRAY_LEN(members)};
    struct err err = ERR_INIT;
    struct ledger_synced out;

    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        plans[i] = (struct ledger_plan){.path = members[i].path, .name = "<n>", .format = "TIFF", .text = "<t>",
                                        .members = &members[i], .n_members = 1};
    plans[3].why = REASON_NOT_UTF8;
    plans[3].target = SIZE_MAX;
    need(ledger_sync(l, &scan, &out, &err) == 0, err.text);
    for (enum ledger_call call = LEDGER_CALL_IMPORT; call <= LEDGER_CALL_RUNNING; call++)
        need(ledger_journal(l, 1, &(struct ledger_journal){.call = call, .server = "s", .omero_id = 7}, &err) == 0, err.text);
    need(ledger_done(l, 1, 0, &(struct ledger_image){.omero_id = 500, .name = "<img>"}, 1, &err) == 0, err.text);
    err_set(&err, REASON_NO_USER, 0, "<u>");
    need(ledger_move(l, 2, LEDGER_WAITING, &(struct err){.why = REASON_NO_USER, .text = "<u>"}, CLOCK_NEVER, &err) == 0,
         err.text);
}

static void clean(void)
{
    static const char *const files[] = {"ledger.db", "ledger.db-wal", "ledger.db-shm", "lock"};

    ledger_close(ledger);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        AUTO(mem_freep) char *path = mem_printf("%s/%s", dir, files[i]);
        unlink(path);
    }
    rmdir(dir);
}

static void begin(void)
{
    struct err err = ERR_INIT;
    int64_t root = 0;

    need(mkdtemp(dir) != NULL, "a directory");
    need(ledger_open(dir, LEDGER_ENGINE, &ledger, &err) == 0 && ledger_root(ledger, "data", "/data", &root, &err) == 0, err.text);
    fill(ledger, root);
    job.state_dir = dir;
    live_init(&live);
    atexit(clean);
}

/* ---- what always holds ---- */

static size_t count(const char *text, const char *word)
{
    size_t n = 0;

    for (const char *at = text; (at = strcasestr(at, word)); at++)
        n++;
    return n;
}

static void check_html(const char *text)
{
    need(count(text, "<script") == 1 && strstr(text, "<script src=\"/page.js\" defer></script>"), "a script");
    need(count(text, "<img") == 0 && count(text, "href=\"javascript:") == 0, "markup");
    need(count(text, "<main") == 1 && count(text, "</html>") == 1, "a page");
}

static void check(const struct answer *a)
{
    AUTO(mem_freep) char *text = mem_strn(a->body.data ? (const char *)a->body.data : "", a->body.len);
    json_error_t ignored;

    need(a->status >= 200 && a->status < 600 && a->type, "an answer");
    if (a->fixed)
        return;
    need(strlen(text) == a->body.len && str_is_utf8(text, a->body.len), "text");
    for (const char *c = text; *c; c++)
        need((unsigned char)*c >= ' ' || *c == '\n', "control characters");
    if (str_starts(a->type, "text/html"))
        check_html(text);
    if (strcmp(a->type, "application/json") == 0) {
        json_t *o = json_loads(text, 0, &ignored);

        need(o != NULL, "JSON");
        json_decref(o);
    }
    if (str_starts(a->type, "application/openmetrics"))
        need(str_ends(text, "# EOF\n"), "the end of the metrics");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(answer_clear) struct answer out = {0};
    AUTO(mem_freep) char *text = mem_strn(size ? (const char *)data : "", size);
    char *lines[4] = {text}, *at = text;
    const char *why = NULL;

    if (!ledger)
        begin();
    for (size_t i = 1; i < ARRAY_LEN(lines) && (at = strchr(at, '\n')); i++) {
        *at++ = '\0';
        lines[i] = at;
    }
    const struct guard_head head = {.method = "GET", .host = lines[1], .n_hosts = lines[1] != NULL, .authorization = lines[2],
                                    .origin = lines[3]};
    static const char *const hosts[] = {"omero.example.org", NULL};
    const struct guard_rules rules = {.token = "0123456789abcdef0", .hosts = hosts};
    (void)guard_check(&rules, &head, &why);
    answer_make(&(struct web_facts){.job = &job, .live = &live}, ledger, lines[0], &out);
    check(&out);
    return 0;
}

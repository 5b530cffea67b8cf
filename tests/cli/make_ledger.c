/* Make a ledger with one fileset in each interesting state, in the state directory argv[1].  With argv[2] it stays open until its
 * standard input ends. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "ledger/ledger.h"

static struct err err = ERR_INIT;

static int import(struct ledger *l, int64_t id, enum ledger_call last)
{
    for (enum ledger_call call = LEDGER_CALL_IMPORT; call <= last; call++) {
        struct ledger_journal j = {.call = call, .server = "srv", .omero_id = call == LEDGER_CALL_UPLOAD ? 77 : 0};

        if (ledger_journal(l, id, &j, &err) < 0)
            return -1;
    }
    return last == LEDGER_CALL_RUNNING ? ledger_done(l, id, 0, &(struct ledger_image){.omero_id = 500}, 1, &err) : 0;
}

static int wait_for_user(struct ledger *l, int64_t id)
{
    struct err why = ERR_INIT;

    err_set(&why, REASON_NO_USER, 0, "OMERO knows no user 'ada'");
    return ledger_move(l, id, LEDGER_WAITING, &why, INT64_C(4102444800000), &err);
}

static void plan_at(const void *plans, size_t i, struct arena *a, struct ledger_plan *out)
{
    (void)a;
    *out = ((const struct ledger_plan *)plans)[i];
}

static int fill(struct ledger *l, int64_t root)
{
    static const struct ledger_revision revision = {.sha256 = "s", .project = "P", .user = "ada", .comment = ""};
    static const struct ledger_target target = {.dir = "d", .name = "d", .revision = &revision};
    const struct ledger_card cards[] = {{.path = "d/c.toml", .text = "", .revision = &revision},
                                        {.path = "e/c.toml", .why = REASON_BROKEN_CARD, .line = 3, .text = "odd text"}};
    static const struct ledger_member members[] = {{.path = "d/0done"}, {.path = "d/1sent"}, {.path = "d/2wait"},
                                                   {.path = "d/3ready"}, {.path = "d/4h\xE9ld"}};
    struct ledger_plan plans[ARRAY_LEN(members)] = {0};
    struct ledger_scan scan = {.root = root, .cards = cards, .n_cards = 2, .targets = &target, .n_targets = 1, .plan = plan_at,
                               .arg = plans,
                               .n_plans = ARRAY_LEN(members)};
    struct ledger_synced out;

    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        plans[i] = (struct ledger_plan){.path = members[i].path, .name = "n", .format = "TIFF", .text = "",
                                        .members = &members[i], .n_members = 1};
    plans[4].why = REASON_NOT_UTF8;
    plans[4].target = SIZE_MAX;
    if (ledger_sync(l, &scan, &out, &err) < 0 || import(l, 1, LEDGER_CALL_RUNNING) < 0 || import(l, 2, LEDGER_CALL_UPLOAD) < 0)
        return -1;
    return wait_for_user(l, 3);
}

int main(int argc, char **argv)
{
    AUTO(ledger_closep) struct ledger *l = NULL;
    int64_t root = 0;
    char byte;

    if (ledger_open(argv[1], LEDGER_ENGINE, &l, &err) < 0 || ledger_root(l, "data", "/data", &root, &err) < 0 ||
        fill(l, root) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    puts("made");
    fflush(stdout);
    return argc > 2 && read(STDIN_FILENO, &byte, 1) < 0;
}

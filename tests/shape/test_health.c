/* What health says of what is known: each check by itself, and which of them answers which question. */
#include "../test.h"

#include <string.h>

#include "shape/health.h"

#define NOW INT64_C(1000000000000)
#define AGO(s) (NOW - (s) * INT64_C(1000))

static const struct ledger_root there = {.path = "/data", .scanned_ms = AGO(10)};
static const struct ledger_root gone = {.path = "/away", .scanned_ms = AGO(10), .away_ms = AGO(5), .away_text = ""};
static const struct health_root wanted[] = {{"/data", 900}, {"/away", 900}};

struct scene {
    const char *name;
    bool idle_engine;  /* nobody works on it */
    struct ledger_root roots[2];
    size_t n_roots, n_wanted;
    struct ledger_count counts[2];
    size_t n_counts;
    struct ledger_pulse pulse;
    const struct ledger_trouble *trouble;
    const struct health_live *live;
    enum health_level all, alive, ready;
    const char *says;
};

static const struct ledger_trouble no_server = {REASON_NO_SERVER, "connect: refused | x", AGO(60)};
static const struct health_live fine = {.alive = true, .begun = true, .moved_ms = AGO(10)};
static const struct health_live stuck = {.alive = false, .begun = true, .moved_ms = AGO(10)};
static const struct health_live begins = {.alive = true};
static const struct health_live still = {.alive = true, .begun = true, .moved_ms = AGO(4000)};

#define TREES .roots = {there}, .n_roots = 1, .n_wanted = 1
#define READY_SINCE(s)                                                                                                           \
    .counts = {{.state = LEDGER_READY, .n = 3}}, .n_counts = 1, .pulse = {.oldest_due_ms = AGO(s), .event_ms = AGO(s)}

static void each_scene_has_its_verdict(void **state)
{
    const struct scene table[] = {
        {"all is well", TREES, .all = HEALTH_OK},
        {"nobody works", .idle_engine = true, TREES, .all = HEALTH_CRITICAL, .alive = HEALTH_CRITICAL, .ready = HEALTH_CRITICAL,
         .says = "no impomero works"},
        {"the loop stands", TREES, .live = &stuck, .all = HEALTH_CRITICAL, .alive = HEALTH_CRITICAL, .ready = HEALTH_CRITICAL,
         .says = "loop"},
        {"not looked yet", TREES, .live = &begins, .all = HEALTH_OK, .ready = HEALTH_CRITICAL},
        {"in time", TREES, READY_SINCE(3599), .all = HEALTH_OK},
        {"too late", TREES, READY_SINCE(3601), .all = HEALTH_CRITICAL, .alive = HEALTH_CRITICAL,
         .says = "3 ready and 0 under way"},
        {"bytes go out", TREES, READY_SINCE(7200), .live = &fine, .all = HEALTH_OK},
        {"no bytes either", TREES, READY_SINCE(7200), .live = &still, .all = HEALTH_CRITICAL, .alive = HEALTH_CRITICAL,
         .says = "66 min"},
        {"a large upload, from outside", TREES, .counts = {{.state = LEDGER_SENT, .n = 1}}, .n_counts = 1,
         .pulse = {.event_ms = AGO(7200)}, .all = HEALTH_WARNING, .alive = HEALTH_WARNING},
        {"an import without end", TREES, .counts = {{.state = LEDGER_STARTED, .n = 1}}, .n_counts = 1,
         .pulse = {.event_ms = AGO(7200)}, .all = HEALTH_CRITICAL, .alive = HEALTH_CRITICAL},
        {"the server is away, and that is all", TREES, READY_SINCE(7200), .trouble = &no_server, .all = HEALTH_CRITICAL,
         .ready = HEALTH_CRITICAL, .says = "refused / x"},
        {"one tree is away", .roots = {there, gone}, .n_roots = 2, .n_wanted = 2, .all = HEALTH_WARNING, .ready = HEALTH_WARNING,
         .says = "1 of 2 directory trees are away: /away"},
        {"all trees are away", .roots = {gone}, .n_roots = 1, .all = HEALTH_CRITICAL, .ready = HEALTH_CRITICAL},
        {"a configured tree was never seen", .n_wanted = 1, .all = HEALTH_CRITICAL, .ready = HEALTH_CRITICAL},
        {"not looked at in time", .roots = {{.path = "/data", .scanned_ms = AGO(3 * 900 + 3600 + 1)}}, .n_roots = 1,
         .n_wanted = 1, .all = HEALTH_WARNING, .alive = HEALTH_WARNING, .says = "/data was not looked at"},
        {"held for a researcher", TREES, .counts = {{.state = LEDGER_HELD, .why = REASON_BROKEN_CARD, .n = 2}}, .n_counts = 1,
         .all = HEALTH_OK},
        {"held for an administrator", TREES, .n_counts = 2, .all = HEALTH_WARNING,
         .says = "5 held for an administrator (refused)",
         .counts = {{.state = LEDGER_HELD, .why = REASON_REFUSED, .n = 2}, {.state = LEDGER_HELD, .why = REASON_BUG, .n = 3}}},
        {"waiting is not held", TREES, .counts = {{.state = LEDGER_WAITING, .why = REASON_NOT_MEMBER, .n = 2}}, .n_counts = 1,
         .all = HEALTH_OK},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        const struct scene *s = &table[i];
        struct status status = {
            .there = true, .roots = s->roots, .n_roots = s->n_roots, .counts = s->counts, .n_counts = s->n_counts};
        const struct health_ask ask = {.status = &status, .trouble = s->trouble, .pulse = &s->pulse, .roots = wanted,
                                       .n_roots = s->n_wanted, .live = s->live, .now_ms = NOW};
        const struct { int question; enum health_level want; } questions[] = {
            {HEALTH_ALL, s->all}, {HEALTH_ALIVE, s->alive}, {HEALTH_READY, s->ready}};
        struct health h;
        char text[1024];

        strcpy(status.who, s->idle_engine ? "" : "process 1");
        for (size_t q = 0; q < ARRAY_LEN(questions); q++) {
            health_judge(&ask, questions[q].question, &h);
            if (h.worst != questions[q].want)
                fail_msg("%s: question %d gives %s", s->name, questions[q].question, health_word(h.worst));
        }
        health_judge(&ask, HEALTH_ALL, &h);
        health_summary(&h, text, sizeof(text));
        if (s->says && !strstr(text, s->says))
            fail_msg("%s: %s", s->name, text);
        assert_null(strchr(text, '|'));
    }
}

static void a_summary_is_cut_to_its_size(void **state)
{
    struct health h = {.worst = HEALTH_CRITICAL, .n = 2, .at = {{"a", HEALTH_CRITICAL, ""}, {"b", HEALTH_WARNING, "x"}}};
    char text[40];

    (void)state;
    memset(h.at[0].text, 'y', sizeof(h.at[0].text) - 1);
    health_summary(&h, text, sizeof(text));
    assert_int_equal(strlen(text), sizeof(text) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_scene_has_its_verdict),
        cmocka_unit_test(a_summary_is_cut_to_its_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

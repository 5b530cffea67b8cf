#include "ledger/store.h"

#include <string.h>

/* One table a vocabulary: enumerator -> stored name and help. */
struct word {
    const char *name, *help;
};

#define X(id, name, help) {name, help},
static const struct word states[] = {LEDGER_STATES(X)};
static const struct word calls[] = {LEDGER_CALLS(X)};
static const struct word kinds[] = {LEDGER_KINDS(X)};
static const struct word notes[] = {LEDGER_NOTES(X)};
static const struct word verbs[] = {LEDGER_VERBS(X)};
#undef X

/* Only names that the schema's CHECKs let in are ever looked up. */
static unsigned find(const struct word *words, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i].name, name) == 0)
            return (unsigned)i;
    return 0;
}

const char *ledger_state_name(enum ledger_state state)
{
    return states[state].name;
}

const char *ledger_state_help(enum ledger_state state)
{
    return states[state].help;
}

const char *ledger_call_name(enum ledger_call call)
{
    return calls[call].name;
}

const char *ledger_kind_name(enum ledger_kind kind)
{
    return kinds[kind].name;
}

const char *ledger_note_name(enum ledger_note_kind kind)
{
    return notes[kind].name;
}

const char *ledger_verb_name(enum ledger_verb verb)
{
    return verbs[verb].name;
}

enum ledger_state state_named(const char *name)
{
    return (enum ledger_state)find(states, ARRAY_LEN(states), name);
}

enum ledger_call call_named(const char *name)
{
    return (enum ledger_call)find(calls, ARRAY_LEN(calls), name);
}

enum ledger_kind kind_named(const char *name)
{
    return (enum ledger_kind)find(kinds, ARRAY_LEN(kinds), name);
}

enum ledger_note_kind note_named(const char *name)
{
    return (enum ledger_note_kind)find(notes, ARRAY_LEN(notes), name);
}

enum ledger_verb verb_named(const char *name)
{
    return (enum ledger_verb)find(verbs, ARRAY_LEN(verbs), name);
}

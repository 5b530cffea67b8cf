/* Telling people what became of a card: a command, mail, a webhook.
 *
 * What happens to the filesets of one dataset is gathered until it has been quiet for settings.tell.quiet_s and nothing below the
 * card's directory is under way; then it is one message, "completed" or, where something waits or is held, "trouble".  The same
 * trouble is told once.  Over settings.tell.per_hour messages in an hour are counted and not sent; the next one says how many.
 *
 * Cards that do not apply (broken, contradicting, refused) and directories that cannot be read are one message a root, with no
 * user and no dataset, once they have been so for tell.quiet_s: each once, until something else is wrong with it.  Those that
 * the limit keeps back are told when the hour is over.  What was told is in the ledger; nothing is while no way is set.
 *
 * The message is a JSON object (doc/schema/told.json).  The command gets it on standard input, without a shell, and has
 * TELL_TIMEOUT_S; the webhook by POST; mail goes through sendmail -i -t as plain text, to addresses of the configuration alone,
 * of which {user} stands for the card's user where that is a plain word; where there is none it goes to tell.mail_else.  What
 * fails is logged and not tried again. */
#pragma once

#include "engine/engine.h"

#define TELL_TIMEOUT_S 30

struct teller;

/* `settings` says what holds at the moment, and `ledger` outlives the teller. */
struct teller *teller_new(const struct settings *(*settings)(void *arg), void *arg, struct ledger *ledger) ATTR_MUST_USE;
/* Note what the engine says; never waits. */
void teller_event(struct teller *t, const struct engine_event *event);
/* Tell what is left, and end. */
void teller_free(struct teller *t);

#include "engine/steps.h"

#include "engine/retry.h"
#include "engine/work.h"

const struct step steps[N_LEDGER_STATES] = {
    [LEDGER_READY] = {work_send, LEDGER_SENT},
    [LEDGER_SENT] = {work_upload, LEDGER_STARTED},
    [LEDGER_STARTED] = {work_wait, LEDGER_DONE},
};

enum step_left step_left(enum ledger_call call, enum reason why)
{
    bool unanswered = retry_is_unanswered(why);

    switch (call) {
    case LEDGER_CALL_IMPORT:
        return unanswered && why != REASON_STOPPED ? LEFT_UNKNOWN : LEFT_UPLOAD;
    case LEDGER_CALL_UPLOAD:
        return LEFT_UPLOAD;
    case LEDGER_CALL_VERIFY:
        return why == REASON_CHECKSUM ? LEFT_UPLOAD : LEFT_UNKNOWN;
    case LEDGER_CALL_RUNNING:
        return unanswered || why == REASON_SERVER_ERROR || why == REASON_PROTOCOL ? LEFT_UNKNOWN : LEFT_OVER;
    default:
        return LEFT_NOTHING;
    }
}

enum ledger_state step_failed(enum reason why, enum err_class cls, bool clean)
{
    if (why == REASON_STOPPED || retry_is_for_all(why))
        return LEDGER_READY; /* not its fault: as it was */
    return cls == ERR_FINAL && clean ? LEDGER_HELD : LEDGER_WAITING;
}

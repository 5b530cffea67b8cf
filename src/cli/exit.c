#include "cli/exit.h"

const struct cli_exit_row cli_exits[] = {
#define X(id, code, text) {code, text},
    EXITS(X)
#undef X
};
const unsigned cli_n_exits = ARRAY_LEN(cli_exits);

/* Reasons that are not in this list concern a file or a card. */
static const struct { enum reason why; enum cli_exit code; } by_reason[] = {
    {REASON_NONE, CLI_OK},
    {REASON_USAGE, CLI_USAGE},
    {REASON_CONFIG, CLI_CONFIG},
    {REASON_NO_SERVER, CLI_SERVER},
    {REASON_NOT_OMERO, CLI_SERVER},
    {REASON_CERTIFICATE, CLI_SERVER},
    {REASON_TLS, CLI_SERVER},
    {REASON_REPOSITORY_FULL, CLI_SERVER},
    {REASON_DB_READ_ONLY, CLI_SERVER},
    {REASON_SERVER_ERROR, CLI_SERVER},
    {REASON_SERVER_DOWN, CLI_SERVER},
    {REASON_SERVER_BUSY, CLI_SERVER},
    {REASON_TIMEOUT, CLI_SERVER},
    {REASON_LOST, CLI_SERVER},
    {REASON_PROTOCOL, CLI_SERVER},
    {REASON_LOGIN, CLI_LOGIN},
    {REASON_SESSION, CLI_LOGIN},
    {REASON_NO_RIGHT, CLI_LOGIN},
    {REASON_BUSY, CLI_BUSY},
    {REASON_LEDGER, CLI_STATE},
    {REASON_DISK_FULL, CLI_STATE},
    {REASON_BUG, CLI_BUG},
};

enum cli_exit cli_exit_of(const struct err *err)
{
    for (unsigned i = 0; i < ARRAY_LEN(by_reason); i++)
        if (by_reason[i].why == err->why)
            return by_reason[i].code;
    return CLI_SOME;
}

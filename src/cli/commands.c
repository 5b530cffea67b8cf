/* The table of commands: one line each here, one file each beside. */
#include "cli/command.h"

extern const struct command command_adopt;
extern const struct command command_card_check;
extern const struct command command_config_check;
extern const struct command command_config_example;
extern const struct command command_config_show;
extern const struct command command_doctor;
extern const struct command command_explain;
extern const struct command command_forget;
extern const struct command command_formats;
extern const struct command command_groups;
extern const struct command command_import;
extern const struct command command_ledger_copy;
extern const struct command command_ledger_rebuild;
extern const struct command command_plan;
extern const struct command command_retry;
extern const struct command command_status;
extern const struct command command_verify;
extern const struct command command_watch;
extern const struct command command_where;

const struct command *const commands[] = {
    &command_card_check,
    &command_config_check,
    &command_config_show,
    &command_config_example,
    &command_doctor,
    &command_plan,
    &command_groups,
    &command_explain,
    &command_formats,
    &command_import,
    &command_watch,
    &command_status,
    &command_where,
    &command_adopt,
    &command_ledger_copy,
    &command_ledger_rebuild,
    &command_verify,
    &command_retry,
    &command_forget,
};
const size_t n_commands = ARRAY_LEN(commands);

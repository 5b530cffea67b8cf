/* The table of commands: one line each here, one file each beside. */
#include "cli/command.h"

extern const struct command command_card_check;

const struct command *const commands[] = {
    &command_card_check,
};
const size_t n_commands = ARRAY_LEN(commands);

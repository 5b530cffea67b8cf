#include <unistd.h>

#include "base/mem.h"
#include "base/trap.h"
#include "cli/command.h"

int main(int argc, char **argv)
{
    mem_start();
    trap_start();
    return cli_main(argc, argv, (const char *const *)environ);
}

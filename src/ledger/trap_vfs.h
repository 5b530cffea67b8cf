/* SQLite's files and memory with the traps of base/trap.h: what a test lets fail once. */
#pragma once

/* Put them in, before the first ledger is opened and only when traps are set.  Harmless when called again. */
void trap_vfs_start(void);

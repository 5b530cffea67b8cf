#include "base/uuid.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* So few bytes come whole, or not at all when a signal interrupts the wait for the first entropy after boot. */
static void random_bytes(uint8_t *at, size_t n)
{
    while (getrandom(at, n, 0) != (ssize_t)n)
        if (errno != EINTR)
            abort(); /* a kernel without getrandom: nothing else here would run on it */
}

void uuid_new(char out[UUID_TEXT])
{
    uint8_t b[16];

    random_bytes(b, sizeof(b));
    b[6] = (uint8_t)(0x40 | (b[6] & 0x0F)); /* version 4 */
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3F)); /* variant of RFC 4122 */
    snprintf(out, UUID_TEXT, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3],
             b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

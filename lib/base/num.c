/* SPDX-License-Identifier: MPL-2.0 */
#include "base/base.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

int
num_parse (const char *text, int64_t least, int64_t most, int64_t *ret_value)
{
    const char *digits = text + (*text == '-' || *text == '+');
    if (*digits < '0' || *digits > '9')
        return -EINVAL;
    errno = 0;
    char *end;
    long long value = strtoll (text, &end, 10);
    if (*end)
        return -EINVAL;
    if (errno || value < least || value > most)
        return -ERANGE;
    *ret_value = value;
    return 0;
}

uint64_t
num_random (void)
{
    uint64_t value;
    if (getrandom (&value, sizeof value, 0) != (ssize_t) sizeof value) {
        log_error ("the kernel gives no random numbers");
        abort ();
    }
    return value;
}

uint64_t
num_hash (const void *data, size_t bytes)
{
    const unsigned char *p = data;
    uint64_t hash = UINT64_C (0xcbf29ce484222325);
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ p[i]) * UINT64_C (0x100000001b3);
    return hash;
}

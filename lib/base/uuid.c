/* SPDX-License-Identifier: MPL-2.0 */
#include "base/base.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct uuid
uuid_v7 (void)
{
    struct uuid uuid;
    uint64_t random[2] = { num_random (), num_random () };
    uint64_t ms = (uint64_t) (clock_wall_us () / 1000);
    memcpy (uuid.bytes, random, sizeof uuid.bytes);
    for (int i = 0; i < 6; i++)
        uuid.bytes[i] = (uint8_t) (ms >> (40 - 8 * i));
    uuid.bytes[6] = (uint8_t) ((uuid.bytes[6] & 0x0f) | 0x70);
    uuid.bytes[8] = (uint8_t) ((uuid.bytes[8] & 0x3f) | 0x80);
    return uuid;
}

const char *
uuid_format (const struct uuid *uuid, char out[UUID_TEXT_SIZE])
{
    char *p = out;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        p += snprintf (p, 3, "%02x", uuid->bytes[i]);
    }
    return out;
}

static int
hex_value (char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int
uuid_parse (const char *text, struct uuid *ret_uuid)
{
    struct uuid uuid;
    if (strlen (text) != UUID_TEXT_SIZE - 1)
        return -EINVAL;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            if (*text++ != '-')
                return -EINVAL;
        int high = hex_value (text[0]), low = hex_value (text[1]);
        if (high < 0 || low < 0)
            return -EINVAL;
        uuid.bytes[i] = (uint8_t) (high << 4 | low);
        text += 2;
    }
    *ret_uuid = uuid;
    return 0;
}

bool
uuid_is_nil (const struct uuid *uuid)
{
    static const struct uuid nil;
    return uuid_equal (uuid, &nil);
}

bool
uuid_equal (const struct uuid *a, const struct uuid *b)
{
    return memcmp (a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* address - the table of special-purpose addresses, after the two IANA registries (RFC 6890).
 * Blocks that the registries call globally reachable but that no news site or model lives in
 * (AS112, AMT, 6to4 relays) are refused as well. Forms that carry an IPv4 address inside an IPv6
 * one are judged by what they carry.
 * SPDX-License-Identifier: MPL-2.0 */
#include "http/address.h"
#include "http/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

struct block_v4 {
    uint8_t start[4];
    int bits;
};

static const struct block_v4 private_v4[] = {
    { { 0, 0, 0, 0 }, 8 },       /* "this network" */
    { { 10, 0, 0, 0 }, 8 },      /* private use */
    { { 100, 64, 0, 0 }, 10 },   /* carrier-grade NAT, also some clouds' metadata */
    { { 127, 0, 0, 0 }, 8 },     /* loopback */
    { { 169, 254, 0, 0 }, 16 },  /* link-local, cloud metadata */
    { { 172, 16, 0, 0 }, 12 },   /* private use */
    { { 192, 0, 0, 0 }, 24 },    /* protocol assignments */
    { { 192, 0, 2, 0 }, 24 },    /* documentation */
    { { 192, 31, 196, 0 }, 24 }, /* AS112 */
    { { 192, 52, 193, 0 }, 24 }, /* AMT */
    { { 192, 88, 99, 0 }, 24 },  /* 6to4 relays */
    { { 192, 168, 0, 0 }, 16 },  /* private use */
    { { 192, 175, 48, 0 }, 24 }, /* AS112 */
    { { 198, 18, 0, 0 }, 15 },   /* benchmarks */
    { { 198, 51, 100, 0 }, 24 }, /* documentation */
    { { 203, 0, 113, 0 }, 24 },  /* documentation */
    { { 224, 0, 0, 0 }, 3 },     /* multicast, reserved, broadcast */
};

enum { CARRIES_NONE = -1 };

struct block_v6 {
    uint8_t start[16];
    int bits;
    int carries; /* offset of the IPv4 address inside that decides, or CARRIES_NONE: private as a
                    whole */
};

/* First match decides; what no row matches is public within 2000::/3 and private outside. */
static const struct block_v6 special_v6[] = {
    { { [10] = 0xff, [11] = 0xff }, 96, 12 },               /* ::ffff:a.b.c.d, v4-mapped */
    { { 0, 0x64, 0xff, 0x9b }, 96, 12 },                    /* 64:ff9b::a.b.c.d, NAT64 */
    { { 0x20, 0x01, 0x00 }, 23, CARRIES_NONE },             /* protocol assignments, Teredo */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32, CARRIES_NONE },       /* documentation */
    { { 0x20, 0x02 }, 16, 2 },                              /* 2002:aabb:ccdd::, 6to4 */
    { { 0x26, 0x20, 0x00, 0x4f, 0x80 }, 48, CARRIES_NONE }, /* AS112 */
    { { 0x3f, 0xff, 0x00 }, 20, CARRIES_NONE },             /* documentation */
};

static bool
starts_with (const uint8_t *address, const uint8_t *start, int bits)
{
    size_t whole = (size_t) bits / 8;
    if (memcmp (address, start, whole) != 0)
        return false;
    int rest = bits % 8;
    return rest == 0 || (address[whole] ^ start[whole]) >> (8 - rest) == 0;
}

static bool
v4_is_private (const uint8_t address[4])
{
    for (size_t i = 0; i < COUNT_OF (private_v4); i++)
        if (starts_with (address, private_v4[i].start, private_v4[i].bits))
            return true;
    return false;
}

static bool
v6_is_private (const uint8_t address[16])
{
    for (size_t i = 0; i < COUNT_OF (special_v6); i++) {
        const struct block_v6 *block = &special_v6[i];
        if (starts_with (address, block->start, block->bits))
            return block->carries == CARRIES_NONE || v4_is_private (address + block->carries);
    }
    return (address[0] & 0xe0) != 0x20;
}

bool
address_is_private (const struct sockaddr *address, size_t bytes)
{
    uint8_t raw[16];
    if (address->sa_family == AF_INET && bytes >= sizeof (struct sockaddr_in)) {
        struct sockaddr_in in;
        memcpy (&in, address, sizeof in);
        memcpy (raw, &in.sin_addr, 4);
        return v4_is_private (raw);
    }
    if (address->sa_family == AF_INET6 && bytes >= sizeof (struct sockaddr_in6)) {
        struct sockaddr_in6 in6;
        memcpy (&in6, address, sizeof in6);
        memcpy (raw, &in6.sin6_addr, 16);
        return v6_is_private (raw);
    }
    return true;
}

bool
http_address_is_private (const char *address)
{
    uint8_t raw[16];
    if (inet_pton (AF_INET, address, raw) == 1)
        return v4_is_private (raw);
    if (inet_pton (AF_INET6, address, raw) == 1)
        return v6_is_private (raw);
    return true;
}

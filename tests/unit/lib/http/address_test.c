/* Which addresses the client refuses to connect to. SPDX-License-Identifier: MPL-2.0 */
#include "http/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const char *const refused[] = {
    "0.0.0.0",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.1.2.3",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:1ff::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "3fff::1",
    "3fff:fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    /* unreadable, or read differently by different readers */
    "",
    "localhost",
    "127.1",
    "0x7f000001",
    "2130706433",
    "010.0.0.1x",
    "1.2.3.4 ",
    "[::1]",
    "fe80::1%eth0",
    "1.2.3",
};

static const char *const allowed[] = {
    "1.1.1.1",          "8.8.8.8",         "9.255.255.255",
    "11.0.0.0",         "100.63.255.255",  "100.128.0.0",
    "126.255.255.255",  "128.0.0.1",       "169.253.0.1",
    "172.15.255.255",   "172.32.0.0",      "192.0.1.1",
    "192.167.255.255",  "192.169.0.1",     "198.17.255.255",
    "198.20.0.1",       "223.255.255.255", "::ffff:8.8.8.8",
    "64:ff9b::808:808", "2001:200::1",     "2001:4860:4860::8888",
    "2002:808:808::1",  "2606:4700::1111", "2a00:1450::1",
    "3ffe::1",          "3fff:1000::1",
};

static void
special_addresses_are_refused (void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF (refused); i++)
        if (!http_address_is_private (refused[i]))
            fail_msg ("%s is let through", refused[i]);
}

static void
public_addresses_are_allowed (void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF (allowed); i++)
        if (http_address_is_private (allowed[i]))
            fail_msg ("%s is refused", allowed[i]);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (special_addresses_are_refused),
        cmocka_unit_test (public_addresses_are_allowed),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}

/* Signatures of pushes: the second test case of RFC 2202, 3 (SHA-1), and of RFC 4231, 4.3 (SHA-2).
 * SPDX-License-Identifier: MPL-2.0 */
#include "stages/gateway/push.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SECRET "Jefe"
#define BODY "what do ya want for nothing?"

static const char *const good[] = {
    "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
    "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    "SHA256=5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843",
    "sha384=af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
    ("sha512=164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38"
     "bce737"),
};

static bool
is_signed (const char *signature)
{
    return push_is_signed (signature, SECRET, BODY, strlen (BODY));
}

static void
each_method_is_known (void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF (good); i++) {
        assert_true (is_signed (good[i]));
        assert_false (push_is_signed (good[i], "jefe", BODY, strlen (BODY)));
        assert_false (push_is_signed (good[i], SECRET, BODY, strlen (BODY) - 1));
        assert_false (push_is_signed (good[i], "", BODY, strlen (BODY)));
    }
}

static void
one_wrong_digit_is_enough (void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF (good); i++)
        for (size_t at = 0; good[i][at]; at++) {
            char *text = mem_dup (good[i]);
            text[at] = text[at] == '0' ? '1' : '0';
            assert_false (is_signed (text));
            text[at] = '\0';
            assert_false (is_signed (text));
            free (text);
        }
}

static void
other_headers_are_no_signatures (void **state UNUSED)
{
    static const char *const headers[] = { NULL, "", "=", "sha256", "sha256=", "sha1=sha1", "md5=900150983cd24fb0d6963f7d28e17f72",
                                           "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
                                           " sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
                                           "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79 ",
                                           "sha256=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" };
    for (size_t i = 0; i < COUNT_OF (headers); i++)
        assert_false (is_signed (headers[i]));
}

static void
a_push_may_be_empty (void **state UNUSED)
{
    assert_true (push_is_signed ("sha1=fbdb1d1b18aa6c08324b7d64b71fb76370690e1d", "", NULL, 0));
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (each_method_is_known),
        cmocka_unit_test (one_wrong_digit_is_enough),
        cmocka_unit_test (other_headers_are_no_signatures),
        cmocka_unit_test (a_push_may_be_empty),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}

/* SPDX-License-Identifier: MPL-2.0 */
#include "curve/curve.h"
#include "proto/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void
what_leaves_the_machine (void **state UNUSED)
{
    static const struct {
        const char *endpoint;
        bool leaves;
    } cases[] = {
        { "ipc:///run/newsmill/run", false }, { "tcp://127.0.0.1:7100", false }, { "tcp://127.8.9.10:7100", false },
        { "tcp://[::1]:7100", false },        { "tcp://localhost:7100", false }, { "tcp://*:7100", true },
        { "tcp://0.0.0.0:7100", true },       { "tcp://[::]:7100", true },       { "tcp://broker:7100", true },
        { "tcp://10.0.0.1:7100", true },      { "tcp://[fe80::1]:7100", true },  { "tcp://localhost.example:7100", true },
        { "tcp://128.0.0.1:7100", true },     { "tcp://", true },                { "tcp://127.0.0.1.example:1", true },
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        struct settings on = { .security_curve = "on" }, off = { .security_curve = "off" }, always = { .security_curve = "always" };
        bool tcp = strncmp (cases[i].endpoint, "tcp:", 4) == 0;
        assert_int_equal (curve_leaves_machine (cases[i].endpoint), cases[i].leaves);
        assert_int_equal (curve_is_on (&on, cases[i].endpoint), cases[i].leaves);
        assert_int_equal (curve_is_on (&always, cases[i].endpoint), tcp);
        assert_false (curve_is_on (&off, cases[i].endpoint));
    }
}

static void
a_star_is_this_machine_to_clients (void **state UNUSED)
{
    char *own = curve_to_connect ("tcp://*:7100"), *other = curve_to_connect ("tcp://broker:7100");
    assert_string_equal (own, "tcp://127.0.0.1:7100");
    assert_string_equal (other, "tcp://broker:7100");
    free (own);
    free (other);
}

static void
a_list_has_whole_roles_only (void **state UNUSED)
{
    assert_true (curve_has_role ("embedder", "embedder"));
    assert_true (curve_has_role ("chunker, embedder", "embedder"));
    assert_false (curve_has_role ("chunker,embedders", "embedder"));
    assert_false (curve_has_role ("embed", "embedder"));
    assert_false (curve_has_role ("", "embedder"));
    assert_false (curve_has_role ("embedder", ""));
    assert_true (curve_is_role ("operator"));
    assert_false (curve_is_role ("chunker,embedder"));
    assert_false (curve_is_role ("worker"));
}

/* Every socket of the broker has users, each domain admits just the roles that proto/WIRE.md names, and no other domain exists. */
static void
roles_fit_their_sockets (void **state UNUSED)
{
    char line[1024];
    FILE *page = fopen (SOURCE_DIR "/proto/WIRE.md", "r");
    int rows = 0;
    bool table = false;
    assert_non_null (page);
    while (fgets (line, sizeof line, page)) {
        if (strncmp (line, "| domain | roles |", 18) == 0)
            table = true;
        else if (table && line[0] != '|')
            break;
        else if (table && line[2] != '-') {
            char domains[128], roles[256], all[256];
            assert_int_equal (sscanf (line, "| %127[^|]| %255[^|]|", domains, roles), 2);
            for (char *d = strtok (domains, ", "); d; d = strtok (NULL, ", "), rows++) {
                snprintf (all, sizeof all, "%s", curve_roles ());
                char *rest = all;
                for (char *role; (role = strtok_r (rest, ", ", &rest)) != NULL;) {
                    assert_int_equal (curve_may_use (role, d), curve_has_role (roles, role));
                }
            }
        }
    }
    fclose (page);
    assert_int_equal (rows, 2 * WIRE_LINK_COUNT + 1);
    assert_true (curve_may_use ("summarizer,chunker,embedder", "vectors.in"));
    assert_false (curve_may_use ("summarizer,chunker,embedder", "vectors.out"));
    assert_false (curve_may_use ("", "vectors.in"));
    assert_false (curve_may_use ("embedder", "nonsense"));
}

int
main (void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test (what_leaves_the_machine),
        cmocka_unit_test (a_star_is_this_machine_to_clients),
        cmocka_unit_test (a_list_has_whole_roles_only),
        cmocka_unit_test (roles_fit_their_sockets),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}

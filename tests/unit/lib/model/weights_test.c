/* Where the weights are looked for. Copies of this test, in folders as an installation has them, say what they find.
 * SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "minilm/minilm.h"
#include "model/weights.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct world {
    char folder[64], *data, *installed;
};

static void
touch (const char *path)
{
    int fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true (fd >= 0);
    close (fd);
}

static void
folder (const struct world *w, const char *name)
{
    char *path = mem_printf ("%s/%s", w->folder, name);
    assert_int_equal (mkdir (path, 0700), 0);
    free (path);
}

static int
set_up (void **state)
{
    static const char *const folders[] = { "data", "bin", "libexec", "libexec/newsmill", "share", "share/newsmill", "other" };
    struct world *w = MEM_NEW (struct world);
    strcpy (w->folder, "/tmp/newsmill-weights-XXXXXX");
    assert_non_null (mkdtemp (w->folder));
    for (size_t i = 0; i < COUNT_OF (folders); i++)
        folder (w, folders[i]);
    w->data = mem_printf ("%s/data", w->folder);
    w->installed = mem_printf ("%s/share/newsmill/" MINILM_FILE, w->folder);
    *state = w;
    return 0;
}

static int
tear_down (void **state)
{
    struct world *w = *state;
    char *command = mem_printf ("rm -r %s", w->folder);
    assert_int_equal (system (command), 0);
    free (command);
    free (w->data);
    free (w->installed);
    free (w);
    return 0;
}

/* What a program in that folder finds. given (free) */
static char *
found_from (const struct world *w, const char *where)
{
    char *copy = mem_printf ("%s/%s/program", w->folder, where), said[4096];
    char *command = mem_printf ("cp /proc/%ld/exe %s && %s --find %s", (long) getpid (), copy, copy, w->data);
    FILE *pipe = popen (command, "r");
    assert_non_null (pipe);
    size_t n = fread (said, 1, sizeof said, pipe);
    assert_int_equal (pclose (pipe), 0);
    free (command);
    free (copy);
    return mem_copy (said, n);
}

static void
expect (char *found, const char *wanted)
{
    assert_string_equal (found ? found : "(none)", wanted);
    free (found);
}

static void
a_path_that_is_set_is_it (void **state)
{
    struct world *w = *state;
    expect (model_weights_find ("/no/such/file", w->data), "/no/such/file");
    expect (model_weights_place ("/no/such/file", w->data), "/no/such/file");
}

static void
none_is_none (void **state)
{
    struct world *w = *state;
    char *own = model_weights_place ("", w->data);
    touch (own);
    expect (model_weights_find ("none", w->data), "(none)");
    expect (model_weights_place ("none", w->data), "(none)");
    free (own);
}

static void
the_data_folder_goes_first (void **state)
{
    struct world *w = *state;
    char *own = mem_printf ("%s/" MINILM_FILE, w->data);
    expect (model_weights_find ("", w->data), "(none)");
    expect (model_weights_place ("", w->data), own);
    touch (w->installed);
    touch (own);
    expect (model_weights_find ("", w->data), own);
    expect (found_from (w, "bin"), own);
    free (own);
}

static void
tool_and_workers_find_the_installed_one (void **state)
{
    struct world *w = *state;
    expect (found_from (w, "bin"), "(none)");
    touch (w->installed);
    expect (found_from (w, "bin"), w->installed);
    expect (found_from (w, "libexec/newsmill"), w->installed);
    expect (found_from (w, "other"), "(none)");
}

int
main (int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (a_path_that_is_set_is_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown (none_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown (the_data_folder_goes_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown (tool_and_workers_find_the_installed_one, set_up, tear_down),
    };
    if (argc == 3 && strcmp (argv[1], "--find") == 0) {
        char *path = model_weights_find ("", argv[2]);
        fputs (path ? path : "(none)", stdout);
        free (path);
        return 0;
    }
    return cmocka_run_group_tests (tests, NULL, NULL);
}

/* Settings: defaults, the file, the environment, and what is said when they are wrong.
 * SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf/conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

struct world {
    char folder[64], *file, *secret;
    struct settings s;
    struct buf faults;
};

/* No setting may come from whoever runs the tests. */
static void
forget_environment (void)
{
    static const char *const others[] = { "DATABASE_URL", "OPENROUTER_API_KEY", "DEBUG", "XDG_DATA_HOME" };
    for (char **e = environ; *e;) {
        char *name = mem_copy (*e, strcspn (*e, "="));
        if (strncmp (name, "NEWSMILL_", 9) == 0) {
            unsetenv (name);
            e = environ;
        } else
            e++;
        free (name);
    }
    for (size_t i = 0; i < COUNT_OF (others); i++)
        unsetenv (others[i]);
}

static int
set_up (void **state)
{
    struct world *w = MEM_NEW (struct world);
    forget_environment ();
    strcpy (w->folder, "/tmp/newsmill-conf-XXXXXX");
    assert_non_null (mkdtemp (w->folder));
    assert_int_equal (chdir (w->folder), 0);
    w->file = mem_printf ("%s/test.conf", w->folder);
    w->secret = mem_printf ("%s/secret", w->folder);
    *state = w;
    return 0;
}

static int
tear_down (void **state)
{
    struct world *w = *state;
    unlink (w->file);
    unlink (w->secret);
    unlink ("newsmill.conf");
    assert_int_equal (chdir ("/"), 0);
    assert_int_equal (rmdir (w->folder), 0);
    buf_fini (&w->faults);
    free (w->file);
    free (w->secret);
    free (w);
    return 0;
}

static void
write_text (const char *path, const char *text)
{
    FILE *f = fopen (path, "we");
    assert_non_null (f);
    assert_true (fputs (text, f) >= 0);
    assert_int_equal (fclose (f), 0);
}

static int
load (struct world *w)
{
    buf_fini (&w->faults);
    return conf_load (w->file, &w->s, &w->faults);
}

static void
load_well (struct world *w, const char *text)
{
    write_text (w->file, text);
    if (load (w) != 0)
        fail_msg ("%s", w->faults.data);
}

static void
assert_fault (struct world *w, const char *where, const char *key)
{
    char *start = mem_printf ("%s: %s: ", where, key);
    if (!w->faults.data || !strstr (w->faults.data, start))
        fail_msg ("no fault \"%s\" in:\n%s", start, w->faults.data ? w->faults.data : "(none)");
    free (start);
}

static size_t
fault_count (const struct world *w)
{
    size_t count = 0;
    for (size_t i = 0; i < w->faults.len; i++)
        count += w->faults.data[i] == '\n';
    return count;
}

/* ---- the table ---- */

static void
every_default_is_within_its_limits (void **state)
{
    struct world *w = *state;
    size_t count;
    const struct conf_row *rows = conf_rows (&count);
    load_well (w, "");
    for (size_t i = 0; i < count; i++) {
        int64_t value;
        memcpy (&value, (const char *) &w->s + rows[i].offset, sizeof value);
        if (rows[i].kind == CONF_INT || rows[i].kind == CONF_BYTES) {
            assert_true (rows[i].least < rows[i].most);
            if (value < rows[i].least || value > rows[i].most)
                fail_msg ("%s is %lld", rows[i].key, (long long) value);
        }
        assert_true (*rows[i].help);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal (rows[i].key, rows[j].key);
            assert_true (rows[i].offset != rows[j].offset);
        }
    }
    assert_string_equal (w->s.ticker_cron, "*/1 * * * *");
    assert_string_equal (w->s.model_base_url, "local");
    assert_int_equal (w->s.model_dimensions, 384);
    assert_int_equal (w->s.http_port, 3001);
    assert_int_equal (w->s.fetcher_max_body, 15 << 20);
    assert_true (w->s.chunker_cjk);
    assert_false (w->s.fetcher_allow_private);
}

/* A row whose kind has another size than its field would overwrite its neighbour. */
static void
every_number_reaches_its_own_field (void **state)
{
    struct world *w = *state;
    size_t count;
    const struct conf_row *rows = conf_rows (&count);
    for (size_t i = 0; i < count; i++) {
        if ((rows[i].kind != CONF_INT && rows[i].kind != CONF_BYTES) || !strcmp (rows[i].key, "model.dimensions")
            || !strcmp (rows[i].key, "chunker.overlap") || !strcmp (rows[i].key, "chunker.size"))
            continue;
        const int64_t values[] = { rows[i].least, rows[i].most, rows[i].least - 1, rows[i].most + 1 };
        char *name = conf_env_name (rows[i].key);
        for (size_t j = 0; j < COUNT_OF (values); j++) {
            char text[24];
            int64_t got;
            snprintf (text, sizeof text, "%lld", (long long) values[j]);
            setenv (name, text, 1);
            write_text (w->file, "");
            int r = load (w);
            if ((j < 2) != (r == 0))
                fail_msg ("%s=%s: %d", name, text, r);
            memcpy (&got, (const char *) &w->s + rows[i].offset, sizeof got);
            if (j < 2)
                assert_true (got == values[j]);
            else
                assert_fault (w, name, rows[i].key);
        }
        unsetenv (name);
        free (name);
    }
}

/* ---- the file ---- */

static void
file_is_read (void **state)
{
    struct world *w = *state;
    load_well (w, "# a comment\nhttp\n    port = 4000\n    address = \"0.0.0.0\"\n\nlog\n    debug = yes\n"
                  "feeds\n    opml = https://news.example/feeds.opml\nwebsub\n    callback = https://news.example/\nticker\n    cron = \"*/5 * * * *\"\n    overlap = buffer_one\n");
    assert_int_equal (w->s.http_port, 4000);
    assert_string_equal (w->s.http_address, "0.0.0.0");
    assert_true (w->s.log_debug);
    assert_string_equal (w->s.feeds_opml, "https://news.example/feeds.opml");
    assert_string_equal (w->s.websub_callback, "https://news.example");
    assert_string_equal (w->s.ticker_cron, "*/5 * * * *");
    assert_string_equal (w->s.ticker_overlap, "buffer_one");
}

static void
every_fault_is_told_with_file_and_line (void **state)
{
    struct world *w = *state;
    static const struct { int line; const char *key; } expect[] = {
        { 2, "http.port" }, { 3, "http.prot" }, { 5, "log.debug" }, { 7, "ticker.cron" }, { 8, "ticker.overlap" },
        { 10, "nosuch.thing" }, { 13, "fetcher.max_body" }, { 15, "chunker.size" }, { 16, "chunker.overlap" },
        { 18, "broker.endpoint" }, { 20, "model.base_url" },
        { 22, "websub.callback" },
    };
    write_text (w->file, "http\n    port = 70000\n    prot = 80\nlog\n    debug = perhaps\nticker\n    cron = \"often\"\n"
                         "    overlap = both\nnosuch\n    thing = 1\n# fetcher\nfetcher\n    max_body = 15MB\n"
                         "chunker\n    size = none\n    overlap = 600\nbroker\n    endpoint = udp://127.0.0.1\n"
                         "model\n    base_url = gopher://model\nwebsub\n    callback = news.example\n");
    w->s.http_port = 77;
    assert_int_equal (load (w), -EINVAL);
    for (size_t i = 0; i < COUNT_OF (expect); i++) {
        char *where = mem_printf ("%s:%d", w->file, expect[i].line);
        assert_fault (w, where, expect[i].key);
        free (where);
    }
    assert_int_equal (fault_count (w), COUNT_OF (expect));
    assert_int_equal (w->s.http_port, 77); /* nothing half set */
}

static void
file_that_is_none_is_told (void **state)
{
    struct world *w = *state;
    assert_int_equal (load (w), -EINVAL); /* named, but not there */
    assert_non_null (strstr (w->faults.data, w->file));
    char *big = mem_alloc (70001);
    memset (big, '#', 70000);
    write_text (w->file, big);
    assert_int_equal (load (w), -EINVAL);
    assert_non_null (strstr (w->faults.data, w->file));
    free (big);
    write_text (w->file, "http\n");
    assert_int_equal (load (w), -EINVAL); /* a section with nothing in it */
    char *where = mem_printf ("%s:1", w->file);
    assert_fault (w, where, "http");
    free (where);
}

static void
file_is_found_without_being_named (void **state)
{
    struct world *w = *state;
    write_text ("newsmill.conf", "http\n    port = 4001\n");
    assert_int_equal (conf_load (NULL, &w->s, &w->faults), 0);
    assert_int_equal (w->s.http_port, 4001);
    write_text (w->file, "http\n    port = 4002\n");
    setenv ("NEWSMILL_CONF", w->file, 1);
    assert_int_equal (conf_load (NULL, &w->s, &w->faults), 0);
    assert_int_equal (w->s.http_port, 4002);
}

static void
bytes_have_units (void **state)
{
    struct world *w = *state;
    static const struct { const char *text; int64_t bytes; } cases[] = {
        { "2048", 2048 }, { "2048B", 2048 }, { "2KiB", 2048 }, { "3MiB", 3 << 20 }, { "256MiB", 256 << 20 },
        { "1GiB", -1 }, { "2kib", -1 }, { "2KB", -1 }, { "2 KiB", -1 }, { "KiB", -1 }, { "-2048", -1 }, { "2.5KiB", -1 },
        { "", -1 }, { "1023", -1 }, { "99999999999999999999", -1 }, { "1073741824GiB", -1 },
    };
    write_text (w->file, "");
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        setenv ("NEWSMILL_FETCHER_MAX_BODY", cases[i].text, 1);
        int r = load (w);
        if (r != (cases[i].bytes < 0 ? -EINVAL : 0) || (r == 0 && w->s.fetcher_max_body != cases[i].bytes))
            fail_msg ("\"%s\": %d", cases[i].text, r);
    }
}

static void
flags_have_many_words (void **state)
{
    struct world *w = *state;
    static const struct { const char *text; int value; } cases[] = {
        { "true", 1 }, { "TRUE", 1 }, { "yes", 1 }, { "on", 1 }, { "1", 1 }, { "false", 0 }, { "No", 0 }, { "off", 0 }, { "0", 0 },
        { "", -1 }, { "2", -1 }, { "tru", -1 }, { "truest", -1 },
    };
    write_text (w->file, "");
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        setenv ("NEWSMILL_FETCHER_ALLOW_PRIVATE", cases[i].text, 1);
        int r = load (w);
        if (r != (cases[i].value < 0 ? -EINVAL : 0) || (r == 0 && w->s.fetcher_allow_private != (cases[i].value == 1)))
            fail_msg ("\"%s\": %d", cases[i].text, r);
    }
}

/* ---- the environment ---- */

static void
environment_stands_over_the_file (void **state)
{
    struct world *w = *state;
    setenv ("NEWSMILL_HTTP_PORT", "5000", 1);
    load_well (w, "http\n    port = 4000\n    address = ::1\n");
    assert_int_equal (w->s.http_port, 5000);
    assert_string_equal (w->s.http_address, "::1");
    setenv ("NEWSMILL_HTTP_PORT", "no", 1);
    assert_int_equal (load (w), -EINVAL);
    assert_fault (w, "NEWSMILL_HTTP_PORT", "http.port");
    setenv ("NEWSMILL_HTTP_PORT", "5000", 1);
    setenv ("NEWSMILL_TICKER_CRON", "often", 1);
    setenv ("NEWSMILL_CHUNKER_SIZE", "50", 1); /* below the default overlap */
    assert_int_equal (load (w), -EINVAL);
    assert_fault (w, "NEWSMILL_TICKER_CRON", "ticker.cron");
    assert_fault (w, "default", "chunker.overlap");
}

static void
names_are_made_by_one_rule (void **state UNUSED)
{
    char *name = conf_env_name ("model.base_url");
    assert_string_equal (name, "NEWSMILL_MODEL_BASE_URL");
    free (name);
}

static void
names_users_already_have_are_honoured (void **state)
{
    struct world *w = *state;
    setenv ("DATABASE_URL", "postgresql://u:p@db/x", 1);
    setenv ("OPENROUTER_API_KEY", "sk-1", 1);
    setenv ("DEBUG", "true", 1);
    load_well (w, "database\n    url = postgresql://file/x\n");
    assert_string_equal (w->s.database_url, "postgresql://u:p@db/x");
    assert_string_equal (w->s.model_api_key, "sk-1");
    assert_string_equal (w->s.model_base_url, "https://openrouter.ai/api/v1"); /* there is a key */
    assert_int_equal (w->s.model_dimensions, 1536);
    assert_true (w->s.log_debug);
    setenv ("NEWSMILL_DATABASE_URL", "postgresql://own/x", 1);
    setenv ("NEWSMILL_MODEL_BASE_URL", "local", 1);
    load_well (w, "");
    assert_string_equal (w->s.database_url, "postgresql://own/x");
    assert_string_equal (w->s.model_base_url, "local");
    assert_int_equal (w->s.model_dimensions, 384);
    setenv ("NEWSMILL_MODEL_DIMENSIONS", "512", 1);
    assert_int_equal (load (w), -EINVAL);
    assert_fault (w, "NEWSMILL_MODEL_DIMENSIONS", "model.dimensions");
}

static void
secrets_come_from_files (void **state)
{
    struct world *w = *state;
    write_text (w->secret, "sk-from-file\n");
    setenv ("NEWSMILL_MODEL_API_KEY_FILE", w->secret, 1);
    setenv ("NEWSMILL_MODEL_API_KEY", "sk-from-environment", 1);
    load_well (w, "");
    assert_string_equal (w->s.model_api_key, "sk-from-file");
    unlink (w->secret);
    assert_int_equal (load (w), -EINVAL);
    assert_fault (w, "NEWSMILL_MODEL_API_KEY_FILE", "model.api_key");
    assert_null (strstr (w->faults.data, "sk-from"));
}

static void
shown_settings_hide_secrets (void **state)
{
    struct world *w = *state;
    struct buf out = { 0 };
    size_t count, lines = 0;
    load_well (w, "database\n    url = postgresql://u:verysecret@db/x\nmodel\n    api_key = verysecret\n    base_url = http://m/v1\n"
                  "http\n    token = verysecret\n    port = 4000\n");
    conf_show (&w->s, &out);
    assert_null (strstr (out.data, "verysecret"));
    assert_non_null (strstr (out.data, "model.api_key = \"********\""));
    assert_non_null (strstr (out.data, "http.port = 4000 "));
    assert_non_null (strstr (out.data, "model.base_url = \"http://m/v1\""));
    assert_non_null (strstr (out.data, "chunker.cjk = true "));
    conf_rows (&count);
    for (size_t i = 0; i < out.len; i++)
        lines += out.data[i] == '\n';
    assert_int_equal (lines, count);
    buf_fini (&out);
}

static void
places_follow_the_data_folder (void **state)
{
    struct world *w = *state;
    load_well (w, "data\n    dir = /srv/mill\n");
    assert_string_equal (w->s.broker_endpoint, "ipc:///srv/mill/run");
    assert_string_equal (w->s.collector_endpoint, "ipc:///srv/mill/run/status");
    load_well (w, "data\n    dir = here\nbroker\n    endpoint = tcp://broker:7000\n");
    assert_int_equal (*w->s.data_dir, '/');
    assert_string_equal (strrchr (w->s.data_dir, '/'), "/here");
    assert_string_equal (w->s.broker_endpoint, "tcp://broker:7000");
}

static void
a_budget_is_a_number_with_a_unit (void **state)
{
    static const struct {
        const char *text;
        double limit;
        const char *unit;
    } good[] = { { "5 USD", 5, CONF_USD }, { "0.25USD", 0.25, CONF_USD }, { "2000000 tokens", 2e6, CONF_TOKENS }, { "", 0, CONF_TOKENS } };
    static const char *const bad[] = { "5", "USD", "-5 USD", "0 USD", "5 EUR", "nan USD", "inf tokens", "5 USD a day", "tokens 5" };
    struct world *w = *state;
    struct conf_budget budget;
    for (size_t i = 0; i < COUNT_OF (good); i++) {
        assert_int_equal (conf_parse_budget (good[i].text, &budget), 0);
        assert_true (budget.limit == good[i].limit);
        assert_string_equal (budget.unit, good[i].unit);
    }
    for (size_t i = 0; i < COUNT_OF (bad); i++) {
        setenv ("NEWSMILL_MODEL_DAILY_BUDGET", bad[i], 1);
        write_text (w->file, "");
        assert_true (load (w) < 0);
        assert_fault (w, "NEWSMILL_MODEL_DAILY_BUDGET", "model.daily_budget");
    }
    unsetenv ("NEWSMILL_MODEL_DAILY_BUDGET");
}

#define CONF_TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        CONF_TEST (a_budget_is_a_number_with_a_unit),
        CONF_TEST (every_default_is_within_its_limits),
        CONF_TEST (every_number_reaches_its_own_field),
        CONF_TEST (file_is_read),
        CONF_TEST (every_fault_is_told_with_file_and_line),
        CONF_TEST (file_that_is_none_is_told),
        CONF_TEST (file_is_found_without_being_named),
        CONF_TEST (bytes_have_units),
        CONF_TEST (flags_have_many_words),
        CONF_TEST (environment_stands_over_the_file),
        CONF_TEST (names_are_made_by_one_rule),
        CONF_TEST (names_users_already_have_are_honoured),
        CONF_TEST (secrets_come_from_files),
        CONF_TEST (shown_settings_hide_secrets),
        CONF_TEST (places_follow_the_data_folder),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}

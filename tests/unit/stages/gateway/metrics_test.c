/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stages/gateway/metrics.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char status[] =
    "{\"healthy\":true,\"scheduler\":{\"currentlyExecuting\":true},"
    "\"stats\":{\"totalRuns\":42,\"successfulRuns\":40,\"failedRuns\":2,\"consecutiveFailures\":1,"
    "\"averageDurationMs\":3245},"
    "\"lastRun\":{\"status\":\"RUNNING\",\"completedAt\":null,\"durationMs\":null},"
    "\"recentRuns\":[{\"completedAt\":null,\"durationMs\":null},"
    "{\"completedAt\":\"2025-11-17T02:40:03.245Z\",\"durationMs\":3245},"
    "{\"completedAt\":\"2025-11-17T02:39:03.245Z\",\"durationMs\":1}],"
    "\"critical\":false,\"workers\":{\"chunker\":2,\"a\\\"b\\\\c\\nd\":1},"
    "\"ticks\":{\"ran\":40,\"skipped\":2,\"missed\":1},"
    "\"conservation\":{\"discovered\":9007199254740,\"duplicate\":10,\"intake\":4,\"done\":1,"
    "\"dead\":1,\"pending\":1,\"leased\":1,\"ok\":true}}";

static const char workers[] =
    "{\"workers\":[{\"stage\":\"broker\",\"held\":0,\"statistics\":{"
    "\"articles.queued\":7,\"articles.in\":9,\".queued\":3}},{\"stage\":\"chunker\",\"held\":2},"
    "{\"stage\":\"chunker\",\"held\":3,\"statistics\":null},{}]}";

static char *
metrics_of (const char *status_text, const char *workers_text)
{
    struct buf out = { 0 };
    json_t *a = status_text ? json_loads (status_text, 0, NULL) : NULL;
    json_t *b = workers_text ? json_loads (workers_text, 0, NULL) : NULL;
    assert_true (!status_text == !a && !workers_text == !b);
    metrics_write (&out, a, b);
    json_decref (a);
    json_decref (b);
    return buf_take (&out);
}

static void
each_figure_is_in_its_place (void **state UNUSED)
{
    static const char *const lines[] = {
        "newsmill_up 1",
        "newsmill_runs_total{status=\"success\"} 40",
        "newsmill_runs_total{status=\"failed\"} 2",
        "newsmill_last_run_timestamp_seconds 1763347203.245",
        "newsmill_last_run_duration_seconds 3.245",
        "newsmill_consecutive_failures 1",
        "newsmill_articles{state=\"done\"} 1",
        "newsmill_discovered_total 9007199254740",
        "newsmill_conservation_ok 1",
        "newsmill_critical 0",
        "newsmill_workers{stage=\"chunker\"} 2",
        "newsmill_workers{stage=\"a\\\"b\\\\c\\nd\"} 1",
        "newsmill_held_articles{stage=\"chunker\"} 5",
        "newsmill_queue_messages{link=\"articles\"} 7",
        "newsmill_ticks_total{outcome=\"missed\"} 1",
    };
    char *text = metrics_of (status, workers);
    for (size_t i = 0; i < COUNT_OF (lines); i++) {
        char *line = mem_printf ("\n%s\n", lines[i]);
        if (!strstr (text, line))
            fail_msg ("missing: %s", lines[i]);
        free (line);
    }
    free (text);
}

static void
what_is_unknown_is_left_out (void **state UNUSED)
{
    char *text = metrics_of (
        "{\"lastRun\":null,\"recentRuns\":[],\"stats\":{\"failedRuns\":\"many\"}}", NULL);
    assert_non_null (strstr (text, "newsmill_up 1\n"));
    assert_null (strstr (text, "last_run"));
    assert_null (strstr (text, "runs_total"));
    free (text);
    text = metrics_of (NULL, NULL);
    assert_non_null (strstr (text, "newsmill_up 0\n"));
    assert_null (strstr (text, "articles"));
    free (text);
}

/* Text format: HELP and TYPE once before a family's samples, the samples together, names and values
 * well-formed. */
static void
check_line (const char *line, char family[128], char *seen)
{
    char name[128] = "", type[32] = "", mark[140];
    if (sscanf (line, "# HELP %127s", name) == 1)
        return;
    if (sscanf (line, "# TYPE %127s %31s", name, type) == 2) {
        assert_true (strcmp (type, "gauge") == 0 || strcmp (type, "counter") == 0);
        snprintf (mark, sizeof mark, " %s ", name);
        if (strstr (seen, mark))
            fail_msg ("family twice: %s", name);
        strcat (seen, mark);
        strcpy (family, name);
        return;
    }
    size_t length = strcspn (line, "{ ");
    if (length != strlen (family) || strncmp (line, family, length) != 0)
        fail_msg ("a sample outside its family %s: %s", family, line);
    char *rest;
    strtod (strrchr (line, ' ') + 1, &rest);
    assert_true (*rest == '\0' && isdigit ((unsigned char) rest[-1]));
}

static void
families_stand_together_with_their_heads (void **state UNUSED)
{
    static const uint64_t answered[6] = { 0, 0, 1, 2, 3, 4 };
    struct buf out = { 0 };
    char family[128] = "", seen[8192] = "";
    json_t *a = json_loads (status, 0, NULL), *b = json_loads (workers, 0, NULL);
    metrics_write (&out, a, b);
    metrics_write_process (&out, 0, answered);
    json_decref (a);
    json_decref (b);
    assert_int_equal (out.data[out.len - 1], '\n');
    char *save = NULL;
    for (char *line = strtok_r (out.data, "\n", &save); line; line = strtok_r (NULL, "\n", &save))
        check_line (line, family, seen);
    assert_non_null (strstr (seen, " newsmill_http_replies_total "));
    assert_non_null (strstr (seen, " process_cpu_seconds_total "));
    buf_fini (&out);
}

int
main (void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test (each_figure_is_in_its_place),
        cmocka_unit_test (what_is_unknown_is_left_out),
        cmocka_unit_test (families_stand_together_with_their_heads),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}

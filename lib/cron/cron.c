/* SPDX-License-Identifier: MPL-2.0 */
#include "cron/cron.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define TEXT_MAX 256
#define YEARS_AHEAD 5

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may", "jun",
                                           "jul", "aug", "sep", "oct", "nov", "dec" };
static const char *const day_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

struct field {
    int least, most;
    const char *const *names; /* of least, least + 1, ...; NULL: none */
    size_t name_count;
};

static const struct field fields[] = {
    { 0, 59, NULL, 0 }, { 0, 23, NULL, 0 }, { 1, 31, NULL, 0 }, { 1, 12, month_names, 12 }, { 0, 7, day_names, 7 },
};

static int
parse_value (const struct field *field, const char *text, int *ret_value)
{
    int64_t value;
    for (size_t i = 0; i < field->name_count; i++)
        if (!strcasecmp (text, field->names[i])) {
            *ret_value = field->least + (int) i;
            return 0;
        }
    int r = num_parse (text, field->least, field->most, &value);
    *ret_value = r < 0 ? 0 : (int) value;
    return r;
}

/* One of the comma-separated parts: "*", "5", "1-5", each with "/step". */
static int
parse_part (const struct field *field, char *text, uint64_t *bits)
{
    int64_t step = 1;
    int from = field->least, to = field->most;
    char *slash = strchr (text, '/'), *dash;
    if (slash) {
        *slash = '\0';
        if (num_parse (slash + 1, 1, field->most, &step) < 0)
            return -EINVAL;
    }
    if (strcmp (text, "*") != 0) {
        dash = strchr (text, '-');
        if (dash)
            *dash = '\0';
        if (parse_value (field, text, &from) < 0)
            return -EINVAL;
        if (dash ? parse_value (field, dash + 1, &to) < 0 : 0)
            return -EINVAL;
        if (!dash && !slash)
            to = from;
    }
    if (from > to)
        return -EINVAL;
    for (int v = from; v <= to; v += (int) step)
        *bits |= UINT64_C (1) << v;
    return 0;
}

static int
parse_field (const struct field *field, char *text, uint64_t *ret_bits)
{
    *ret_bits = 0;
    size_t length = strlen (text);
    if (!length || text[length - 1] == ',' || text[0] == ',' || strstr (text, ",,"))
        return -EINVAL;
    char *state = NULL;
    for (char *part = strtok_r (text, ",", &state); part; part = strtok_r (NULL, ",", &state))
        if (parse_part (field, part, ret_bits) < 0)
            return -EINVAL;
    return 0;
}

/* Splits in place. The number of words, or 6 for more than five. */
static int
split (char *text, char *words[5])
{
    int count = 0;
    char *state = NULL;
    for (char *word = strtok_r (text, " \t", &state); word; word = strtok_r (NULL, " \t", &state)) {
        if (count == 5)
            return 6;
        words[count++] = word;
    }
    return count;
}

int
cron_parse (const char *text, struct cron *ret_cron)
{
    char copy[TEXT_MAX], *words[5];
    struct cron cron = { 0 };
    uint64_t *const bits[] = { &cron.minutes, &cron.hours, &cron.days, &cron.months, &cron.weekdays };
    if (strlen (text) >= sizeof copy)
        return -EINVAL;
    strcpy (copy, text);
    if (split (copy, words) != 5)
        return -EINVAL;
    cron.any_day = words[2][0] == '*';
    cron.any_weekday = words[4][0] == '*';
    for (size_t i = 0; i < 5; i++)
        if (parse_field (&fields[i], words[i], bits[i]) < 0)
            return -EINVAL;
    if (cron.weekdays & UINT64_C (1) << 7) /* 7 is Sunday too */
        cron.weekdays |= 1;
    *ret_cron = cron;
    return 0;
}

static bool
day_matches (const struct cron *cron, const struct tm *tm)
{
    bool day = cron->days >> tm->tm_mday & 1, weekday = cron->weekdays >> tm->tm_wday & 1;
    if (cron->any_day || cron->any_weekday)
        return day && weekday;
    return day || weekday;
}

int64_t
cron_next (const struct cron *cron, int64_t wall_us)
{
    time_t t = (time_t) (wall_us / US_PER_S / 60 * 60 + 60), limit = t + (time_t) YEARS_AHEAD * 366 * 86400;
    while (t < limit) {
        struct tm tm;
        gmtime_r (&t, &tm);
        if (!(cron->months >> (tm.tm_mon + 1) & 1) || !day_matches (cron, &tm))
            t += 86400 - (tm.tm_hour * 3600 + tm.tm_min * 60); /* midnight */
        else if (!(cron->hours >> tm.tm_hour & 1))
            t += 3600 - tm.tm_min * 60;
        else if (!(cron->minutes >> tm.tm_min & 1))
            t += 60;
        else
            return (int64_t) t * US_PER_S;
    }
    return INT64_MAX;
}

static bool
is_number (const char *text)
{
    return *text && text[strspn (text, "0123456789")] == '\0';
}

/* Only a step and nothing else: a list may begin with one. */
static bool
is_step (const char *text)
{
    return text[0] == '*' && text[1] == '/' && is_number (text + 2);
}

static char *
describe_words (char *const w[5])
{
    bool all[5];
    for (int i = 0; i < 5; i++)
        all[i] = !strcmp (w[i], "*") || !strcmp (w[i], "*/1");
    bool daily = all[2] && all[3] && all[4];
    const char *step = is_step (w[0]) ? w[0] + 2 : NULL;
    if (daily && all[1] && (all[0] || step)) {
        const char *n = all[0] ? "1" : step;
        return mem_printf ("Runs every %s minute%s", n, strcmp (n, "1") ? "s" : "");
    }
    if (daily && all[1] && is_number (w[0]))
        return mem_printf ("Runs every hour at minute %s", w[0]);
    if (daily && is_number (w[0]) && is_step (w[1]))
        return mem_printf ("Runs every %s hours at minute %s", w[1] + 2, w[0]);
    if (is_number (w[0]) && is_number (w[1]) && all[2] && all[3]) {
        int hour = atoi (w[1]), minute = atoi (w[0]);
        if (all[4])
            return mem_printf ("Runs every day at %02d:%02d UTC", hour, minute);
        if (!strcasecmp (w[4], "1-5") || !strcasecmp (w[4], "mon-fri"))
            return mem_printf ("Runs Monday to Friday at %02d:%02d UTC", hour, minute);
        return mem_printf ("Runs on weekday %s at %02d:%02d UTC", w[4], hour, minute);
    }
    return NULL;
}

char *
cron_describe (const char *text)
{
    char copy[TEXT_MAX], *words[5];
    struct cron cron;
    if (cron_parse (text, &cron) < 0)
        return mem_printf ("Not a schedule: %s", text);
    strcpy (copy, text);
    char *description = split (copy, words) == 5 ? describe_words (words) : NULL;
    return description ? description : mem_printf ("Runs on the schedule %s (UTC)", text);
}

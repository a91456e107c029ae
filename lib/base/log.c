/* SPDX-License-Identifier: MPL-2.0 */
#include "base/base.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *log_process = "newsmill";
static bool log_debug_wanted;

void
log_init (const char *process, bool debug)
{
    log_process = process;
    log_debug_wanted = debug;
}

bool
log_debug_on (void)
{
    return log_debug_wanted;
}

bool
log_is_due (int64_t *told_ms, int64_t every_ms)
{
    int64_t now = clock_mono_ms ();
    if (*told_ms && now - *told_ms < every_ms)
        return false;
    *told_ms = now;
    return true;
}

void
log_line (enum log_level level, const char *category, const char *format, ...)
{
    static const char *const names[] = { "error", "warn", "info", "debug" };
    if (level == LOG_LEVEL_DEBUG && !log_debug_wanted)
        return;
    char line[2048], when[CLOCK_TEXT_SIZE];
    int n = snprintf (line, sizeof line, "%s %-5s %s %s%s%s", clock_format (clock_wall_us (), when),
                      names[level], log_process, category ? "[" : "", category ? category : "",
                      category ? "] " : "");
    va_list args;
    va_start (args, format);
    int m = vsnprintf (line + n, sizeof line - (size_t) n - 1, format, args);
    va_end (args);
    if (m < 0)
        m = 0;
    size_t length = MIN_OF ((size_t) n + (size_t) m, sizeof line - 2);
    line[length++] = '\n';
    /* One write a line keeps the lines of several processes whole on a shared standard error. */
    if (write (STDERR_FILENO, line, length) < 0)
        return; /* nowhere left to complain */
}

const char *
log_quote (const char *text, char out[LOG_QUOTE_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    size_t at = 0;
    out[at++] = '"';
    for (size_t size; text && *text && at < LOG_QUOTE_SIZE - 6; text += size) {
        unsigned char c = (unsigned char) *text;
        uint32_t point = 0;
        size = utf8_decode (text, strnlen (text, 4), &point);
        if (c == '"' || c == '\\') {
            out[at++] = '\\';
            out[at++] = (char) c;
        } else if (point < 0x20 || (point >= 0x7f && point < 0xa0)) { /* also what is no UTF-8: a byte at a time */
            size = 1;
            out[at++] = '\\';
            out[at++] = 'x';
            out[at++] = hex[c >> 4];
            out[at++] = hex[c & 15];
        } else {
            memcpy (out + at, text, size);
            at += size;
        }
    }
    out[at++] = '"';
    out[at] = '\0';
    return out;
}

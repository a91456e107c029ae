/* base - what every file of newsmill may use: memory, byte buffers, clocks, UUIDs, numbers, logging.
 * Knows nothing of sockets, settings or databases.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK __attribute__ ((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__ ((format (printf, fmt, args)))
#define UNUSED __attribute__ ((unused))
#define COUNT_OF(array) (sizeof (array) / sizeof ((array)[0]))
#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))

/* Exit codes of every program. */
enum {
    EXIT_ASKED = 0,   /* did what it was asked, or was asked to stop */
    EXIT_USAGE = 100, /* wrong usage or settings: starting again won't help */
    EXIT_TEMP = 111,  /* something outside failed: starting again may help */
};

/* ---- memory: these end the process when memory is out; sizes from outside are checked before ---- */

void *mem_alloc (size_t bytes);                       /* zeroed. given (free) */
void *mem_grow (void *block, size_t count, size_t each); /* reallocarray. given (free) */
char *mem_copy (const void *data, size_t bytes);      /* copy with a NUL behind it. given (free) */
char *mem_dup (const char *text);                     /* NULL gives NULL. given (free) */
char *mem_printf (const char *format, ...) PRINTF_LIKE (1, 2); /* given (free) */
#define MEM_NEW(type) ((type *) mem_alloc (sizeof (type)))
/* Gives back what only starting up needed: free memory of the heap (malloc_trim(3)) and resident pages of code and
 * constants, which the kernel maps again from its page cache when they are used (madvise(2), MADV_DONTNEED). */
void mem_trim (void);

/* ---- buf: bytes that grow. data[len] is always NUL once something was added; zero-initialised is empty ---- */

struct buf {
    char *data; /* NULL while empty */
    size_t len, cap;
};

void buf_fini (struct buf *buf);
void buf_clear (struct buf *buf);                     /* keeps the memory */
void buf_reserve (struct buf *buf, size_t more);      /* room for `more` bytes and a NUL */
void buf_add (struct buf *buf, const void *data, size_t bytes);
void buf_add_str (struct buf *buf, const char *text);
void buf_add_char (struct buf *buf, char c);
/* As text or attribute value of XML and HTML: & < > " as references; control characters that XML 1.0 has no place for go. */
void buf_add_escaped (struct buf *buf, const char *text);
void buf_printf (struct buf *buf, const char *format, ...) PRINTF_LIKE (2, 3);
char *buf_take (struct buf *buf);                     /* "" if empty. given (free); buf is empty after */

/* ---- clocks: wall clock for what people or the database see, monotonic for everything that waits ---- */

#define US_PER_S INT64_C (1000000)
int64_t clock_wall_us (void); /* microseconds since 1970-01-01T00:00:00Z */
int64_t clock_mono_ms (void);
int64_t clock_mono_us (void);
#define CLOCK_TEXT_SIZE 32
/* RFC 3339, UTC, milliseconds: 2025-11-17T02:40:00.000Z. Returns out. */
const char *clock_format (int64_t wall_us, char out[CLOCK_TEXT_SIZE]);

/* ---- uuid: RFC 9562; version 7 sorts by time ---- */

struct uuid {
    uint8_t bytes[16];
};
#define UUID_TEXT_SIZE 37
struct uuid uuid_v7 (void);
const char *uuid_format (const struct uuid *uuid, char out[UUID_TEXT_SIZE]); /* returns out */
MUST_CHECK int uuid_parse (const char *text, struct uuid *ret_uuid);         /* 0 or -EINVAL */
bool uuid_is_nil (const struct uuid *uuid);
bool uuid_equal (const struct uuid *a, const struct uuid *b);

/* ---- numbers and text ---- */

/* The whole of text must be a decimal number within [least, most]. 0, -EINVAL, -ERANGE. */
MUST_CHECK int num_parse (const char *text, int64_t least, int64_t most, int64_t *ret_value);
uint64_t num_random (void);                 /* from the kernel's generator; ends the process if there is none */
uint64_t num_hash (const void *data, size_t bytes); /* FNV-1a, 64 bits (Fowler, Noll, Vo; RFC 9923): stable, not secret */

/* Bytes at the start of text that are valid UTF-8 (RFC 3629); equals bytes when all is. */
size_t utf8_valid_bytes (const char *text, size_t bytes);
/* Decodes one code point of at most `bytes` bytes. Returns its length, or 0 for an illegal or cut sequence. */
size_t utf8_decode (const char *text, size_t bytes, uint32_t *ret_point);
size_t utf8_encode (uint32_t point, char out[4]); /* length; U+FFFD for what is no code point */
/* A copy that PostgreSQL and JSON take: illegal bytes become U+FFFD, U+0000 is dropped, cut at a code point
 * border past max_bytes (0: no limit). given (free) */
char *utf8_clean (const char *text, size_t bytes, size_t max_bytes);
/* The same of text without white space (ASCII) at its ends. given (free), or NULL if nothing is left or text is NULL */
char *utf8_trim (const char *text, size_t max_bytes);

/* ---- logging: one line an event on standard error ---- */

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* process: borrowed for the program's life. Debug lines are written only when debug is true. */
void log_init (const char *process, bool debug);
bool log_debug_on (void);
void log_line (enum log_level level, const char *category, const char *format, ...) PRINTF_LIKE (3, 4);
/* Whether to speak of a trouble that goes on: the first time, then every_ms after the last. *told_ms: 0 at first; set here. */
bool log_is_due (int64_t *told_ms, int64_t every_ms);
#define log_error(...) log_line (LOG_LEVEL_ERROR, NULL, __VA_ARGS__)
#define log_warn(...) log_line (LOG_LEVEL_WARN, NULL, __VA_ARGS__)
#define log_info(...) log_line (LOG_LEVEL_INFO, NULL, __VA_ARGS__)
#define log_debug(...) (log_debug_on () ? log_line (LOG_LEVEL_DEBUG, NULL, __VA_ARGS__) : (void) 0)
/* Outside text made safe for a log line: quoted, control characters escaped, cut to fit. Returns out. */
#define LOG_QUOTE_SIZE 256
const char *log_quote (const char *text, char out[LOG_QUOTE_SIZE]);

#endif

/* download - what brings large files: an HTTP client that writes into a file, and other programs that do the like in a folder.
 * Bounded in size, in time, and in patience with what brings nothing; progress goes to standard error. SIGINT, SIGTERM and SIGHUP
 * end it. Proxies are taken from the environment, as libcurl does. All of it blocks.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CLI_DOWNLOAD_H
#define CLI_DOWNLOAD_H

#include "base/base.h"

#define DOWNLOAD_REASON_SIZE 512

struct download_limits {
    const char *what;    /* for progress: "npm" */
    int64_t patience_ms; /* without another byte */
    int64_t total_ms;
    size_t most_bytes;   /* of a file */
};

/* Between these two, signals end the download and not the program. */
void download_begin (void);
void download_end (void);
bool download_is_stopped (void); /* by a signal since download_begin */

/* Both: 0; -EINTR when a signal came, -ENOENT when there is no such program, another negative errno, each with reason in words. */

/* The body of url, http or https, into the file path. Redirects are followed, from https to https alone. */
MUST_CHECK int download_url (const char *url, const char *path, const struct download_limits *limits,
                             char reason[DOWNLOAD_REASON_SIZE]);
/* A program, looked for in PATH, with folder as its working folder; what it says goes to the file `said` in there. What it brings is
 * what the folder grows by, which may be twice the limit of a file. */
MUST_CHECK int download_run (const char *const *argv, const char *folder, const struct download_limits *limits,
                             char reason[DOWNLOAD_REASON_SIZE]);
#define DOWNLOAD_SAID "said"

/* Removes all in a folder, and the folder too if that is wanted, as far as that can be done. */
void download_clear (const char *folder, bool folder_too);

#endif

/* pages - the time that reading pages takes, beside libxml2's bare parse of the same bytes, in one process.
 * usage: pages FILE...
 * SPDX-License-Identifier: MPL-2.0 */
#include "page/page.h"

#include <libxml/HTMLparser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 3

static double
cpu_ms (void)
{
    struct timespec now;
    clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double) now.tv_sec * 1e3 + (double) now.tv_nsec / 1e6;
}

static struct buf
read_file (const char *path)
{
    struct buf buf = { 0 };
    char part[65536];
    FILE *file = fopen (path, "rb");
    for (size_t n; file && (n = fread (part, 1, sizeof part, file)) > 0;)
        buf_add (&buf, part, n);
    if (!file || ferror (file)) {
        perror (path);
        exit (EXIT_USAGE);
    }
    fclose (file);
    return buf;
}

static double
time_parse (const struct buf *html)
{
    double start = cpu_ms ();
    xmlFreeDoc (htmlReadMemory (html->data, (int) html->len, NULL, "UTF-8",
                                HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | XML_PARSE_HUGE));
    return cpu_ms () - start;
}

static double
time_page (const struct buf *html, const char *path)
{
    char reason[PAGE_REASON_SIZE];
    struct page *page = NULL;
    double start = cpu_ms ();
    if (page_read (html->data, html->len, NULL, &page, reason) < 0)
        fprintf (stderr, "pages: %s: %s\n", path, reason);
    page_destroy (&page);
    return cpu_ms () - start;
}

int
main (int argc, char **argv)
{
    double parse = 0, page = 0, worst = 0;
    for (int i = 1; i < argc; i++) {
        struct buf html = read_file (argv[i]);
        for (int round = 0; html.len && round < ROUNDS; round++) {
            parse += time_parse (&html);
            double ms = time_page (&html, argv[i]);
            page += ms;
            worst = MAX_OF (worst, ms);
        }
        buf_fini (&html);
    }
    if (argc < 2 || parse <= 0) {
        fputs ("usage: pages FILE...\n", stderr);
        return EXIT_USAGE;
    }
    double runs = (double) (argc - 1) * ROUNDS;
    printf ("%d pages: %.2f ms a page, worst %.1f ms; bare parse %.2f ms; ratio %.2f\n", argc - 1, page / runs, worst,
            parse / runs, page / parse);
    return 0;
}

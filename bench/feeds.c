/* feeds - what reading feeds costs above its floor, which is libxml2 building a tree of the same bytes: over all XML
 * documents of a folder, and over one large feed made here. Both take turns, round by round, in one process. Then, each in
 * a process of its own, the memory that the large feed takes at its peak. Prints MB/s, ratios and MB.
 * usage: feeds FOLDER [ROUNDS]
 * SPDX-License-Identifier: MPL-2.0 */
#include "feed/feed.h"

#include <dirent.h>
#include <libxml/parser.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 20
#define LARGE_BYTES (5u << 20)
#define MB 1e6
#define XML_OPTIONS (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_RECOVER)

typedef void (*reader_fn) (const struct buf *document);

static void
read_feed (const struct buf *document)
{
    char reason[FEED_REASON_SIZE];
    struct feed *feed = NULL;
    if (feed_parse (document->data, document->len, NULL, &feed, reason) == 0)
        feed_destroy (&feed);
}

static void
read_xml (const struct buf *document)
{
    xmlFreeDoc (xmlReadMemory (document->data, (int) document->len, NULL, NULL, XML_OPTIONS));
}

static int
is_document (const struct dirent *item)
{
    size_t n = strlen (item->d_name);
    return n > 4 && strcmp (item->d_name + n - 4, ".xml") == 0;
}

static void
read_file (const char *path, struct buf *out)
{
    char part[65536];
    FILE *file = fopen (path, "rb");
    if (!file) {
        perror (path);
        exit (EXIT_TEMP);
    }
    for (size_t n; (n = fread (part, 1, sizeof part, file)) > 0;)
        buf_add (out, part, n);
    fclose (file);
}

static struct buf *
read_folder (const char *folder, size_t *ret_count)
{
    struct dirent **items;
    int count = scandir (folder, &items, is_document, alphasort);
    if (count <= 0) {
        fprintf (stderr, "feeds: no XML documents in %s\n", folder);
        exit (EXIT_USAGE);
    }
    struct buf *documents = mem_alloc ((size_t) count * sizeof *documents);
    for (int i = 0; i < count; i++) {
        char *path = mem_printf ("%s/%s", folder, items[i]->d_name);
        read_file (path, &documents[i]);
        free (path);
        free (items[i]);
    }
    free (items);
    *ret_count = (size_t) count;
    return documents;
}

static void
make_large (struct buf *out)
{
    buf_add_str (out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/"
                      "1.1/\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel><title>Large</title>\n");
    for (int i = 0; out->len < LARGE_BYTES; i++) {
        buf_printf (out, "<item>\n<title>Council votes on the harbour plan for the %dth time &#8211; again</title>\n<link>https:"
                    "//news.example.com/2024/05/%d/harbour-plan?ref=rss&amp;n=%d</link>\n<guid isPermaLink=\"false\">%d</guid>\n"
                    "<pubDate>Wed, 01 May 2024 %02d:%02d:00 +0200</pubDate>\n<dc:creator>Ada Byron</dc:creator>\n"
                    "<category>Town</category><category>Harbour</category>\n<description>", i, i, i, i, i / 60 % 24, i % 60);
        for (int j = 0; j < 3; j++)
            buf_add_str (out, "&lt;p&gt;The council met on Tuesday &amp;amp; heard the harbour master’s report.&lt;/p&gt; ");
        buf_add_str (out, "</description>\n<content:encoded><![CDATA[");
        for (int j = 0; j < 8; j++)
            buf_printf (out, "<p>The council met on Tuesday &amp; heard <a href=\"/people/%d\">the harbour master</a>, who said that "
                        "dredging would – at the earliest – begin in autumn.</p>\n", j);
        buf_add_str (out, "]]></content:encoded>\n</item>\n");
    }
    buf_add_str (out, "</channel></rss>");
}

static int64_t
time_us (reader_fn read, const struct buf *documents, size_t count)
{
    int64_t start_us = clock_mono_us ();
    for (size_t i = 0; i < count; i++)
        read (&documents[i]);
    return clock_mono_us () - start_us;
}

/* The sum over all rounds: neither has a better moment than the other. */
static void
compare (const char *name, const struct buf *documents, size_t count, int64_t rounds)
{
    int64_t feed_us = 0, xml_us = 0;
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += documents[i].len;
    for (int64_t round = 0; round < rounds; round++) {
        feed_us += time_us (read_feed, documents, count);
        xml_us += time_us (read_xml, documents, count);
    }
    double total = (double) bytes * (double) rounds; /* bytes a microsecond are MB a second */
    printf ("%-6s %5zu documents %6.2f MB: feed_parse %6.1f MB/s, libxml2 %6.1f MB/s, ratio %.2f\n", name, count,
            (double) bytes / MB, total / (double) feed_us, total / (double) xml_us, (double) xml_us / (double) feed_us);
}

static long
peak_kb (void)
{
    struct rusage usage;
    getrusage (RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static void
measure_memory (const char *name, reader_fn read, const struct buf *document)
{
    fflush (stdout);
    pid_t child = fork ();
    if (child == 0) {
        malloc_trim (0);
        long before_kb = peak_kb ();
        read (document);
        printf ("memory %s: peak %.1f MB above the %.1f MB document\n", name, (double) (peak_kb () - before_kb) * 1024 / MB,
                (double) document->len / MB);
        fflush (stdout);
        _exit (0);
    }
    int status;
    if (child < 0 || waitpid (child, &status, 0) < 0 || status != 0) {
        fprintf (stderr, "feeds: cannot measure memory\n");
        exit (EXIT_TEMP);
    }
}

int
main (int argc, char **argv)
{
    int64_t rounds = ROUNDS;
    if (argc < 2 || argc > 3 || (argc == 3 && num_parse (argv[2], 1, 100000, &rounds) < 0)) {
        fprintf (stderr, "usage: feeds FOLDER [ROUNDS]\n");
        return EXIT_USAGE;
    }
    struct buf large = { 0 };
    size_t count;
    make_large (&large);
    measure_memory ("feed_parse", read_feed, &large);
    measure_memory ("libxml2", read_xml, &large);
    struct buf *documents = read_folder (argv[1], &count);
    compare ("pack", documents, count, rounds);
    compare ("large", &large, 1, rounds);
    for (size_t i = 0; i < count; i++)
        buf_fini (&documents[i]);
    free (documents);
    buf_fini (&large);
    return 0;
}

/* bad - feeds that no reader should have to see, and every reader does.
 * SPDX-License-Identifier: MPL-2.0 */
#include "fakeworld.h"

#include <stdlib.h>
#include <string.h>

#define BOMB_BLANKS ((size_t) 200 << 20)
#define HUGE_BLOCK_BYTES ((size_t) 64 << 10)
#define SLOW_MS 1000 /* a byte */

#define HTML "text/html; charset=utf-8"
#define XML "application/rss+xml; charset=utf-8"
#define PROLOG "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define OPEN "<rss version=\"2.0\"><channel><title>Bad feed</title><link>http://bad.example/</link>"
#define CLOSE "</channel></rss>\n"
#define ITEM(id, inside)                                                                           \
    "<item><guid isPermaLink=\"false\">bad-" id "</guid><link>http://bad.example/" id "</link>"    \
    "<title>Bad item " id "</title>" inside "</item>\n"
#define TEXT(text) "<description>" text "</description>"

/* ---- feeds that are a text ---- */

#define BODY(text) text, sizeof text - 1

static const char laughs[] =
    "<?xml version=\"1.0\"?>\n<!DOCTYPE rss [\n<!ENTITY a \"ha ha ha ha ha ha ha ha ha ha \">\n"
    "<!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">\n"
    "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">\n"
    "<!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\">\n"
    "<!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;\">\n"
    "<!ENTITY f \"&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;\">\n"
    "<!ENTITY g \"&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;\">\n"
    "<!ENTITY h \"&g;&g;&g;&g;&g;&g;&g;&g;&g;&g;\">\n"
    "<!ENTITY i \"&h;&h;&h;&h;&h;&h;&h;&h;&h;&h;\">\n]>\n" OPEN ITEM ("entities-1",
                                                                      TEXT ("Laughing: &i;")) CLOSE;

static const char external[] =
    "<?xml version=\"1.0\"?>\n<!DOCTYPE rss [\n<!ENTITY file SYSTEM "
    "\"file:///etc/passwd\">\n]>\n" OPEN ITEM ("xxe-1", TEXT ("The accounts: &file;")) CLOSE;

static const struct plain {
    const char *name;
    unsigned int status;
    const char *content_type;
    const char *header, *value;
    const char *body;
    size_t bytes;
} plains[] = {
    { "html", 200, HTML, NULL, NULL,
      BODY ("<!DOCTYPE html>\n<html><head><title>Sorry</title></head>"
            "<body><p>This is no feed.<br>It never was.</body></html>\n") },
    { "empty", 200, XML, NULL, NULL, BODY ("") },
    { "cut", 200, XML, NULL, NULL,
      BODY (PROLOG OPEN ITEM ("cut-1",
                              TEXT ("Whole.")) "<item><guid>bad-cut-2</guid><title>Bad it") },
    { "entities", 200, XML, NULL, NULL, laughs, sizeof laughs - 1 },
    { "xxe", 200, XML, NULL, NULL, external, sizeof external - 1 },
    { "loop", 302, NULL, "Location", "/bad/loop2", BODY ("") },
    { "loop2", 302, NULL, "Location", "/bad/loop", BODY ("") },
    { "redirect-private", 302, NULL, "Location", "http://169.254.169.254/latest/", BODY ("") },
    { "redirect-file", 302, NULL, "Location", "file:///etc/passwd", BODY ("") },
    { "404", 404, HTML, NULL, NULL, BODY ("<p>Not found</p>\n") },
    { "410", 410, HTML, NULL, NULL, BODY ("<p>Gone</p>\n") },
    { "429", 429, HTML, "Retry-After", "120", BODY ("<p>Too many requests</p>\n") },
    { "500", 500, HTML, NULL, NULL, BODY ("<p>Internal error</p>\n") },
    { "notext", 200, XML, NULL, NULL,
      BODY (PROLOG OPEN ITEM ("notext-1", "") ITEM ("notext-2", TEXT (""))
                ITEM ("notext-3", TEXT (" &lt;p&gt; &lt;/p&gt; ")) CLOSE) },
    { "nul", 200, XML, NULL, NULL,
      BODY (PROLOG OPEN ITEM ("nul-1", TEXT ("Before\0after the NUL.")) CLOSE) },
    { "utf8", 200, XML, NULL, NULL,
      BODY (PROLOG OPEN ITEM ("utf8-1", TEXT ("A caf\xe9, a cut \xe2\x82 and a \xff byte."))
                CLOSE) },
};

static bool
answer_plain (struct serve_request *request, const char *name)
{
    for (size_t i = 0; i < COUNT_OF (plains); i++) {
        const struct plain *plain = &plains[i];
        if (strcmp (plain->name, name) != 0)
            continue;
        struct buf body = { 0 };
        buf_add (&body, plain->body, plain->bytes);
        serve_answer_text (request, plain->status, plain->content_type, &body);
        if (plain->header && request->response)
            serve_header (request->response, plain->header, plain->value);
        return true;
    }
    return false;
}

/* ---- feeds that never end ---- */

static const char endless_head[] = PROLOG OPEN;
static const char endless_item[] = "<item><title>One more</title><description>And one more, and one"
                                   " more, and one more, and one more.</description></item>\n";

static char
endless_byte (uint64_t at)
{
    size_t head_bytes = sizeof endless_head - 1;
    return at < head_bytes ? endless_head[at]
                           : endless_item[(at - head_bytes) % (sizeof endless_item - 1)];
}

static ssize_t
read_endless (void *context UNUSED, uint64_t at, char *out, size_t most)
{
    for (size_t i = 0; i < most; i++)
        out[i] = endless_byte (at + i);
    return (ssize_t) most;
}

struct drip {
    struct serve *serve;
    struct MHD_Connection *connection;
    bool slept; /* since the last byte */
};

static ssize_t
read_drip (void *context, uint64_t at, char *out, size_t most UNUSED)
{
    struct drip *drip = context;
    if (!drip->slept && at > 0) {
        drip->slept = true;
        return serve_sleep (drip->serve, drip->connection, SLOW_MS)
                   ? 0
                   : MHD_CONTENT_READER_END_WITH_ERROR;
    }
    drip->slept = false;
    *out = endless_byte (at);
    return 1;
}

static void
answer_stream (struct serve_request *request, MHD_ContentReaderCallback reader, void *context,
               MHD_ContentReaderFreeCallback release)
{
    struct MHD_Response *response = MHD_create_response_from_callback (
        MHD_SIZE_UNKNOWN, HUGE_BLOCK_BYTES, reader, context, release);
    if (response)
        serve_header (response, MHD_HTTP_HEADER_CONTENT_TYPE, XML);
    serve_answer (request, MHD_HTTP_OK, &response);
}

static void
answer_slow (struct serve_request *request)
{
    struct drip *drip = MEM_NEW (struct drip);
    *drip = (struct drip){ .serve = request->serve, .connection = request->connection };
    answer_stream (request, read_drip, drip, free);
}

static void
answer_bomb (struct world *world, struct serve_request *request)
{
    if (!world->bomb.len)
        bomb_build (&world->bomb, BOMB_BLANKS);
    struct buf body = { 0 };
    buf_add (&body, world->bomb.data, world->bomb.len);
    serve_answer_text (request, MHD_HTTP_OK, XML, &body);
    if (request->response)
        serve_header (request->response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
}

void
bad_on_feed (struct world *world, struct serve_request *request, const char *rest)
{
    world->stats.feed_other++;
    if (strcmp (rest, "huge") == 0)
        answer_stream (request, read_endless, NULL, NULL);
    else if (strcmp (rest, "slow") == 0)
        answer_slow (request);
    else if (strcmp (rest, "bomb") == 0)
        answer_bomb (world, request);
    else if (!answer_plain (request, rest))
        serve_answer_text (request, MHD_HTTP_NOT_FOUND, NULL, &(struct buf){ 0 });
}

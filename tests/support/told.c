/* told - publishers that answer as a test told them, and remember what they were asked.
 *   POST /admin/tell?name=NAME&status=S&ms=M   the body: header lines, an empty line, the answer's body; with M, a byte of
 *                                              it every M milliseconds
 *   GET  /admin/asked?name=NAME                the headers of each request since, as JSON, oldest first
 * SPDX-License-Identifier: MPL-2.0 */
#include "fakeworld.h"

#include <stdlib.h>
#include <string.h>

#define ASKED_MAX 1000

struct told {
    struct told *next;
    char *name, *message; /* header lines, an empty line, the body */
    size_t body_at, bytes;
    unsigned int status;
    int64_t drip_ms;
    struct buf asked[ASKED_MAX];
    size_t asked_count;
};

void
told_destroy (struct told **told)
{
    while (*told) {
        struct told *gone = *told;
        *told = gone->next;
        for (size_t i = 0; i < gone->asked_count; i++)
            buf_fini (&gone->asked[i]);
        free (gone->name);
        free (gone->message);
        free (gone);
    }
}

static struct told *
told_find (struct world *world, const char *name)
{
    struct told *told = world->told;
    while (told && strcmp (told->name, name) != 0)
        told = told->next;
    return told;
}

void
told_on_tell (struct world *world, struct serve_request *request, const char *rest UNUSED)
{
    int64_t status, drip_ms;
    const char *name = serve_argument (request, "name");
    const char *data = request->body.len ? request->body.data : "\n";
    const char *gap = *data == '\n' ? data : strstr (data, "\n\n");
    if (!name || !gap || serve_argument_number (request, "status", 100, 599, 200, &status) < 0
        || serve_argument_number (request, "ms", 0, WORLD_DELAY_MAX_MS, 0, &drip_ms) < 0) {
        world_answer_error (request, MHD_HTTP_BAD_REQUEST, "a wrong or missing argument");
        return;
    }
    struct told *told = told_find (world, name);
    if (!told) {
        told = MEM_NEW (struct told);
        told->name = mem_dup (name);
        told->next = world->told;
        world->told = told;
    }
    free (told->message);
    told->bytes = MAX_OF (request->body.len, 1u);
    told->message = mem_copy (data, told->bytes);
    told->body_at = (size_t) (gap - data) + (*data == '\n' ? 1 : 2);
    told->status = (unsigned int) status;
    told->drip_ms = drip_ms;
    world_answer_json (request, MHD_HTTP_OK, &(struct buf){ 0 });
}

static enum MHD_Result
add_asked (void *context, enum MHD_ValueKind kind UNUSED, const char *name, const char *value)
{
    struct buf *out = context;
    buf_add_str (out, out->len > 1 ? "," : "");
    markup_add_json (out, name);
    buf_add_char (out, ':');
    markup_add_json (out, value ? value : "");
    return MHD_YES;
}

void
told_on_asked (struct world *world, struct serve_request *request, const char *rest UNUSED)
{
    const char *name = serve_argument (request, "name");
    const struct told *told = name ? told_find (world, name) : NULL;
    struct buf body = { 0 };
    buf_add_char (&body, '[');
    for (size_t i = 0; told && i < told->asked_count; i++)
        buf_printf (&body, "%s%s", i ? "," : "", told->asked[i].data);
    buf_add_str (&body, "]\n");
    world_answer_json (request, MHD_HTTP_OK, &body);
}

/* ---- answers ---- */

static struct MHD_Response *
body_response (const struct told *told, struct serve_request *request)
{
    struct buf body = { 0 };
    buf_add (&body, told->message + told->body_at, told->bytes - told->body_at);
    return drip_response (request, &body, told->drip_ms, false);
}

static void
add_headers (struct MHD_Response *response, const struct told *told)
{
    char *lines = mem_copy (told->message, told->body_at), *save = NULL;
    for (char *line = strtok_r (lines, "\n", &save); line; line = strtok_r (NULL, "\n", &save)) {
        char *colon = strstr (line, ": ");
        if (!colon)
            continue;
        *colon = '\0';
        serve_header (response, line, colon + 2);
    }
    free (lines);
}

void
told_on_feed (struct world *world, struct serve_request *request, const char *rest)
{
    struct told *told = told_find (world, rest);
    if (!told) {
        serve_answer_text (request, MHD_HTTP_NOT_FOUND, NULL, &(struct buf){ 0 });
        return;
    }
    if (told->asked_count < ASKED_MAX) {
        struct buf *asked = &told->asked[told->asked_count++];
        buf_add_char (asked, '{');
        MHD_get_connection_values (request->connection, MHD_HEADER_KIND, add_asked, asked);
        buf_add_char (asked, '}');
    }
    struct MHD_Response *response = body_response (told, request);
    if (response)
        add_headers (response, told);
    serve_answer (request, told->status, &response);
}

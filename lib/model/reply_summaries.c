/* reply_summaries - reads a chat completion that should hold one summary for each article.
 * Models wrap their JSON in fences and put reasoning before it; so every JSON value in the text is
 * tried, and the last that holds exactly the ids asked for is taken: what comes earlier may be an
 * example the model made for itself.
 * SPDX-License-Identifier: MPL-2.0 */
#include "model/reply_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES_MAX                                                                                  \
    32 /* JSON values looked at in one text: bounds the work a hostile answer can cause */

static const char *
trimmed (const char *text, size_t *ret_bytes)
{
    static const char blank[] = " \t\r\n";
    text += strspn (text, blank);
    size_t bytes = strlen (text);
    while (bytes && strchr (blank, text[bytes - 1]))
        bytes--;
    *ret_bytes = bytes;
    return text;
}

static int64_t
id_of (const json_t *item)
{
    const json_t *id = json_object_get (item, "id");
    int64_t value = -1;
    if (json_is_integer (id))
        return json_integer_value (id);
    if (json_is_string (id) && num_parse (json_string_value (id), 0, INT32_MAX, &value))
        return -1;
    return value;
}

static char **
fail_list (char **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free (list[i]);
    free (list);
    return NULL;
}

/* NULL and a reason, or one summary for each id from 1 to count. */
static char **
take_summaries (const json_t *items, size_t count, char reason[128])
{
    if (json_array_size (items) != count) {
        snprintf (reason, 128, "%zu summaries for %zu articles", json_array_size (items), count);
        return NULL;
    }
    char **list = mem_alloc (count * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get (items, i);
        const char *text = json_string_value (json_object_get (item, "summary"));
        int64_t id = id_of (item);
        size_t bytes = 0;
        text = text ? trimmed (text, &bytes) : NULL;
        if (id < 1 || (uint64_t) id > count || list[id - 1])
            snprintf (reason, 128, "a summary with an id that was not asked for or came before");
        else if (!bytes)
            snprintf (reason, 128, "an empty summary for article %d of %zu", (int) id, count);
        else if (bytes > REPLY_SUMMARY_MAX_BYTES)
            snprintf (reason, 128, "a summary of %zu bytes", bytes);
        else {
            list[id - 1] = mem_copy (text, bytes);
            continue;
        }
        return fail_list (list, count);
    }
    return list;
}

static const json_t *
items_of (const json_t *value)
{
    if (json_is_array (value) && json_object_get (json_array_get (value, 0), "summary"))
        return value;
    const json_t *items = json_object_get (value, "summaries");
    return json_is_array (items) ? items : NULL;
}

static char **
find_summaries (const char *text, size_t count, char reason[128])
{
    char **found = NULL;
    snprintf (reason, 128, "no JSON with summaries in the text");
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        text += strcspn (text, "{[");
        if (!*text)
            break;
        json_error_t error;
        json_t *value = json_loads (text, JSON_DISABLE_EOF_CHECK, &error);
        const json_t *items = items_of (value);
        char **list = items ? take_summaries (items, count, reason) : NULL;
        if (list) {
            if (found)
                fail_list (found, count);
            found = list;
        }
        text += value && error.position > 0 ? error.position : 1;
        json_decref (value);
    }
    return found;
}

/* The text of a message: content is a text, or a list of parts of which some are. given (free), or
 * NULL */
static char *
content_of (const json_t *message)
{
    const json_t *content = json_object_get (message, "content");
    if (json_is_string (content))
        return mem_dup (json_string_value (content));
    if (!json_is_array (content))
        return NULL;
    struct buf text = { 0 };
    for (size_t i = 0; i < json_array_size (content); i++) {
        const char *part =
            json_string_value (json_object_get (json_array_get (content, i), "text"));
        if (part)
            buf_add_str (&text, part);
    }
    return buf_take (&text);
}

static const char *
after_reasoning (const char *text)
{
    static const char mark[] = "</think>";
    for (const char *hit; (hit = strstr (text, mark));)
        text = hit + sizeof mark - 1;
    return text;
}

/* True when the model itself says that it did not finish. */
static bool
is_unfinished (const struct reply_ask *ask, const json_t *choice, struct reply *reply)
{
    const char *why = json_string_value (json_object_get (choice, "finish_reason"));
    const json_t *error = json_object_get (choice, "error");
    const char *refusal =
        json_string_value (json_object_get (json_object_get (choice, "message"), "refusal"));
    if (error && !json_is_null (error))
        reply_read_error (ask, error, reply);
    else if (why && strcmp (why, "length") == 0)
        reply_fail (ask, reply, MODEL_BAD,
                    "the model ran out of tokens before its answer was complete");
    else if (why && strcmp (why, "content_filter") == 0)
        reply_fail (ask, reply, MODEL_BAD, "the model's content filter cut its answer");
    else if (why && strcmp (why, "error") == 0)
        reply_fail (ask, reply, MODEL_RETRY, "the model broke off its answer with an error");
    else if (refusal && *refusal)
        reply_fail (ask, reply, MODEL_BAD, "the model refused: %s", refusal);
    else
        return false;
    return true;
}

static void
read_choice (const struct reply_ask *ask, const json_t *choice, struct reply *reply)
{
    if (is_unfinished (ask, choice, reply))
        return;
    char *text = content_of (json_object_get (choice, "message"));
    char reason[128];
    if (!text || !*text) {
        reply_fail (ask, reply, MODEL_BAD, "the model gave an answer without text");
        free (text);
        return;
    }
    reply->summaries = find_summaries (after_reasoning (text), ask->count, reason);
    if (reply->summaries)
        reply->count = ask->count;
    else
        reply_fail (ask, reply, MODEL_BAD, "the model's answer does not fit: %s", reason);
    free (text);
}

void
reply_read_summaries (const struct reply_ask *ask, struct reply *reply)
{
    *reply = (struct reply){ 0 };
    json_t *root = json_loadb (ask->body, ask->bytes, 0, NULL);
    if (!reply_is_error (ask, root, "choices", reply)) {
        reply_read_usage (root, reply);
        const json_t *choice = json_array_get (json_object_get (root, "choices"), 0);
        if (choice)
            read_choice (ask, choice, reply);
        else
            reply_fail (ask, reply, MODEL_BAD, "model server: the answer holds no choice");
    }
    json_decref (root);
}

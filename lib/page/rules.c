/* rules - what a site's operator knows of it: selectors of what is the article and of what is not.
 * A selector's parts are found from the page's root down, each element taking the first part still missing; with
 * descendants as the only relation that finds a match if there is one, in one pass.
 * SPDX-License-Identifier: MPL-2.0 */
#include "page/impl.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TESTS_MAX 16 /* of one selector */

enum test_kind { TEST_TAG, TEST_CLASS, TEST_ID, TEST_HAS, TEST_EQUALS, TEST_ANY };

struct test {
    enum test_kind kind;
    char *name, *value; /* given (free); value of TEST_EQUALS alone */
    bool starts_part;
};

struct selector {
    struct test tests[TESTS_MAX];
    size_t count;
    bool keep; /* else drop */
};

struct rules {
    struct selector *list;
    size_t count;
};

struct reader {
    const char *text, *at;
    struct rules *rules;
    char *reason;
    bool keep;
};

static int fail (const struct reader *reader, const char *format, ...) PRINTF_LIKE (2, 3);

/* Says what is wrong and where. */
static int
fail (const struct reader *reader, const char *format, ...)
{
    char text[PAGE_REASON_SIZE];
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    snprintf (reader->reason, PAGE_REASON_SIZE, "%.100s, at byte %zu of the rules", text,
              (size_t) (reader->at - reader->text) + 1);
    return -EINVAL;
}

static void
skip_blanks (struct reader *reader)
{
    while (isspace ((unsigned char) *reader->at))
        reader->at++;
}

static bool
is_name_sign (char c)
{
    return isalnum ((unsigned char) c) || c == '-' || c == '_' || (c & 0x80);
}

/* A name of CSS; a backslash makes the sign after it part of it. given (free), or NULL if there is none */
static char *
read_name (struct reader *reader)
{
    struct buf name = { 0 };
    while (is_name_sign (*reader->at) || (*reader->at == '\\' && reader->at[1])) {
        reader->at += *reader->at == '\\';
        buf_add_char (&name, *reader->at++);
    }
    return name.len ? buf_take (&name) : NULL;
}

static int
read_value (struct reader *reader, char **ret_value)
{
    char quote = *reader->at;
    if (quote != '"' && quote != '\'') {
        *ret_value = read_name (reader);
        return *ret_value ? 0 : fail (reader, "a value is missing behind \"=\"");
    }
    const char *start = ++reader->at, *end = strchr (start, quote);
    if (!end)
        return fail (reader, "a quotation mark is not closed");
    *ret_value = mem_copy (start, (size_t) (end - start));
    reader->at = end + 1;
    return 0;
}

static int
read_attribute (struct reader *reader, struct test *test)
{
    skip_blanks (reader);
    test->name = read_name (reader);
    if (!test->name)
        return fail (reader, "the name of an attribute is missing behind \"[\"");
    test->kind = TEST_HAS;
    skip_blanks (reader);
    if (*reader->at == '=') {
        reader->at++;
        skip_blanks (reader);
        test->kind = TEST_EQUALS;
        int r = read_value (reader, &test->value);
        if (r < 0)
            return r;
        skip_blanks (reader);
    }
    if (*reader->at != ']')
        return fail (reader, "\"]\" is missing");
    reader->at++;
    return 0;
}

static int
read_test (struct reader *reader, struct test *test)
{
    char first = *reader->at;
    if (first == '[') {
        reader->at++;
        return read_attribute (reader, test);
    }
    if (first == '*') {
        reader->at++;
        test->kind = TEST_ANY;
        return 0;
    }
    test->kind = first == '.' ? TEST_CLASS : first == '#' ? TEST_ID : TEST_TAG;
    reader->at += test->kind != TEST_TAG;
    test->name = read_name (reader);
    if (test->name)
        return 0;
    if (first == '>' || first == '+' || first == '~' || first == ':')
        return fail (reader, "\"%c\" is not understood: tags, .classes, #ids, [attributes] and descendants are", first);
    return fail (reader, "a name is missing");
}

static int
read_selector (struct reader *reader, struct selector *selector)
{
    bool starts_part = true;
    skip_blanks (reader);
    do {
        if (selector->count == TESTS_MAX)
            return fail (reader, "a selector has more than %d tests", TESTS_MAX);
        struct test *test = &selector->tests[selector->count++];
        test->starts_part = starts_part;
        int r = read_test (reader, test);
        if (r < 0)
            return r;
        starts_part = isspace ((unsigned char) *reader->at);
        skip_blanks (reader);
    } while (*reader->at && *reader->at != ',' && *reader->at != ';');
    return 0;
}

static int
read_part (struct reader *reader)
{
    static const char *const names[] = { "drop", "keep" };
    char *name = read_name (reader);
    bool known = name && (strcmp (name, names[0]) == 0 || strcmp (name, names[1]) == 0);
    reader->keep = known && strcmp (name, names[1]) == 0;
    free (name);
    skip_blanks (reader);
    if (!known || *reader->at != ':')
        return fail (reader, "\"keep:\" or \"drop:\" is expected");
    do {
        reader->at++;
        struct rules *rules = reader->rules;
        if (rules->count == PAGE_RULES_MAX)
            return fail (reader, "more than %d selectors", PAGE_RULES_MAX);
        rules->list = mem_grow (rules->list, rules->count + 1, sizeof *rules->list);
        struct selector *selector = &rules->list[rules->count++];
        *selector = (struct selector){ .keep = reader->keep };
        int r = read_selector (reader, selector);
        if (r < 0)
            return r;
    } while (*reader->at == ',');
    return 0;
}

int
rules_read (const char *text, struct rules **ret_rules, char ret_reason[PAGE_REASON_SIZE])
{
    struct reader reader = { text, text, NULL, ret_reason, false };
    *ret_rules = NULL;
    if (!text || !text[strspn (text, " \t\r\n;")])
        return 0;
    reader.rules = MEM_NEW (struct rules);
    int r = 0;
    while (r == 0 && (reader.at += strspn (reader.at, " \t\r\n;"), *reader.at))
        r = read_part (&reader);
    if (r < 0)
        rules_destroy (&reader.rules);
    *ret_rules = reader.rules;
    return r;
}

void
rules_destroy (struct rules **rules)
{
    if (!*rules)
        return;
    for (size_t i = 0; i < (*rules)->count; i++)
        for (size_t j = 0; j < (*rules)->list[i].count; j++) {
            free ((*rules)->list[i].tests[j].name);
            free ((*rules)->list[i].tests[j].value);
        }
    free ((*rules)->list);
    free (*rules);
    *rules = NULL;
}

/* ---- matching ---- */

static bool
test_holds (const struct test *test, const struct tree *tree, size_t node)
{
    const char *value;
    switch (test->kind) {
    case TEST_TAG:
        return strcasecmp (tree_name (tree, node), test->name) == 0;
    case TEST_CLASS:
        return (value = tree_attribute (tree, node, "class")) != NULL && has_word (value, test->name);
    case TEST_ID:
        return (value = tree_attribute (tree, node, "id")) != NULL && strcmp (value, test->name) == 0;
    case TEST_HAS:
        return tree_attribute (tree, node, test->name) != NULL;
    case TEST_EQUALS:
        return (value = tree_attribute (tree, node, test->name)) != NULL && strcmp (value, test->value) == 0;
    default:
        return true;
    }
}

/* The tests of one element, from `first` on; where the next begin. 0 if one does not hold. */
static size_t
part_holds (const struct selector *selector, size_t first, const struct tree *tree, size_t node)
{
    size_t i = first;
    do
        if (!test_holds (&selector->tests[i], tree, node))
            return 0;
    while (++i < selector->count && !selector->tests[i].starts_part);
    return i;
}

static bool
select_nodes (const struct selector *selector, const struct tree *tree, bool *selected)
{
    uint8_t *done = mem_alloc (tree->count); /* tests that hold of the elements above each and of itself */
    bool any = false;
    for (size_t i = 1; i < tree->count; i++) {
        if (tree->nodes[i].tag == TAG_TEXT)
            continue;
        done[i] = done[tree->nodes[i].parent];
        size_t next = part_holds (selector, done[i], tree, i);
        if (next == selector->count)
            any = selected[i] = true;
        else if (next)
            done[i] = (uint8_t) next;
    }
    free (done);
    return any;
}

bool
rules_apply (const struct rules *rules, const struct tree *tree, bool *kept, bool *dropped)
{
    bool any = false;
    for (size_t i = 0; rules && i < rules->count; i++) {
        const struct selector *selector = &rules->list[i];
        bool found = select_nodes (selector, tree, selector->keep ? kept : dropped);
        any = any || (found && selector->keep);
    }
    for (size_t i = 1; rules && i < tree->count; i++) {
        kept[i] = kept[i] || kept[tree->nodes[i].parent];
        dropped[i] = dropped[i] || dropped[tree->nodes[i].parent];
    }
    return any;
}

int
page_rules_check (const char *rules, char ret_reason[PAGE_REASON_SIZE])
{
    struct rules *read = NULL;
    int r = rules_read (rules, &read, ret_reason);
    rules_destroy (&read);
    return r;
}

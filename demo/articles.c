/* articles - one file an article: lines `Outlet:`, `Title:`, `Author:`, `Categories:`, a blank
 * line, then its paragraphs, one a line.
 * SPDX-License-Identifier: MPL-2.0 */
#include "demo/articles.h"
#include "demo/markup.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *
articles_slug (const char *text)
{
    struct buf slug = { 0 };
    for (; *text; text++) {
        if (isalnum ((unsigned char) *text))
            buf_add_char (&slug, (char) tolower ((unsigned char) *text));
        else if (slug.len > 0 && slug.data[slug.len - 1] != '-')
            buf_add_char (&slug, '-');
    }
    while (slug.len > 0 && slug.data[slug.len - 1] == '-')
        slug.data[--slug.len] = '\0';
    return buf_take (&slug);
}

/* ---- one file ---- */

static int
read_text (const char *path, char **ret_text)
{
    FILE *file = fopen (path, "re");
    if (!file)
        return -errno;
    char *raw = mem_alloc (ARTICLE_BYTES_MAX + 1);
    size_t bytes = fread (raw, 1, ARTICLE_BYTES_MAX + 1, file);
    int r = ferror (file) ? -EIO : bytes > ARTICLE_BYTES_MAX ? -EFBIG : 0;
    if (r == 0)
        *ret_text = utf8_clean (raw, bytes, 0);
    free (raw);
    fclose (file);
    return r;
}

static char *
trim (char *text)
{
    while (isspace ((unsigned char) *text))
        text++;
    size_t length = strlen (text);
    while (length > 0 && isspace ((unsigned char) text[length - 1]))
        text[--length] = '\0';
    return text;
}

static void
set_header (struct article *article, char *line)
{
    char **const fields[] = { &article->outlet, &article->title, &article->author,
                              &article->category_line };
    static const char *const names[] = { "Outlet", "Title", "Author", "Categories" };
    char *value = strchr (line, ':');
    if (!value)
        return;
    *value++ = '\0';
    for (size_t i = 0; i < COUNT_OF (names); i++)
        if (strcmp (line, names[i]) == 0 && !*fields[i])
            *fields[i] = mem_dup (trim (value));
}

static void
add_paragraph (struct article *article, struct buf *html, const char *text)
{
    if (!article->summary)
        article->summary = mem_dup (text);
    buf_add_str (html, "<p>");
    buf_add_escaped (html, text);
    buf_add_str (html, "</p>\n");
}

static void
split_categories (struct article *article)
{
    size_t count = 0;
    char *rest = article->category_line, *name;
    while (count < ARTICLE_CATEGORIES_MAX && (name = strsep (&rest, ",")))
        if (*(name = trim (name)))
            article->categories[count++] = name;
}

/* text is taken apart. */
static void
parse (struct article *article, char *text)
{
    struct buf html = { 0 };
    bool in_header = true;
    char *line;
    while ((line = strsep (&text, "\n"))) {
        line = trim (line);
        if (in_header && *line)
            set_header (article, line);
        else if (*line)
            add_paragraph (article, &html, line);
        else
            in_header = false;
    }
    article->html = buf_take (&html);
    split_categories (article);
}

static void
article_fini (struct article *article)
{
    free (article->slug);
    free (article->id);
    free (article->url);
    free (article->outlet);
    free (article->title);
    free (article->author);
    free (article->category_line);
    free (article->summary);
    free (article->html);
    *article = (struct article){ 0 };
}

/* The file's name without the number that orders it and without its ending. */
static char *
slug_of_file (const char *name)
{
    while (isdigit ((unsigned char) *name))
        name++;
    char *stem = mem_copy (name, strlen (name) - strlen (".txt"));
    char *slug = articles_slug (stem);
    free (stem);
    return slug;
}

static int
article_load (const char *folder, const char *name, struct article *article)
{
    char *path = mem_printf ("%s/%s", folder, name);
    char *text = NULL;
    int r = read_text (path, &text);
    free (path);
    if (r < 0)
        return r;
    parse (article, text);
    free (text);
    article->slug = slug_of_file (name);
    article->id = mem_printf ("tag:newsmill.example,2025:%s", article->slug);
    bool complete = article->outlet && article->title && article->author &&
                    article->category_line && article->summary && *article->slug;
    return complete ? 0 : -EBADMSG;
}

/* ---- the folder ---- */

static int
is_article (const struct dirent *entry)
{
    size_t length = strlen (entry->d_name);
    return entry->d_name[0] != '.' && length > strlen (".txt") &&
           strcmp (entry->d_name + length - strlen (".txt"), ".txt") == 0;
}

int
articles_load (const char *folder, struct article_list *ret_list)
{
    struct dirent **files;
    int found = scandir (folder, &files, is_article, alphasort);
    if (found < 0)
        return -errno;
    struct article_list list = { .items = mem_alloc (((size_t) found + 1) * sizeof *list.items) };
    for (int i = 0; i < found; i++) {
        struct article *article = &list.items[list.count];
        int r = article_load (folder, files[i]->d_name, article);
        if (r < 0) {
            char quoted[LOG_QUOTE_SIZE];
            log_warn ("leaving out %s: %s", log_quote (files[i]->d_name, quoted),
                      r == -EBADMSG ? "a header line or the text is missing" : strerror (-r));
            article_fini (article);
        } else
            list.count++;
        free (files[i]);
    }
    free (files);
    *ret_list = list;
    return 0;
}

void
articles_fini (struct article_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        article_fini (&list->items[i]);
    free (list->items);
    *list = (struct article_list){ 0 };
}

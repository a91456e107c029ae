/* articles - the sample articles, read from a folder of text files.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef DEMO_ARTICLES_H
#define DEMO_ARTICLES_H

#include "base/base.h"

#define ARTICLE_CATEGORIES_MAX 8
#define ARTICLE_BYTES_MAX ((size_t) 1 << 20) /* of one file */

struct article {
    char *slug; /* of the file's name */
    char *id;   /* the same at each start, whatever the port */
    char *url;  /* set by the site */
    char *outlet, *title, *author;
    const char *categories[ARTICLE_CATEGORIES_MAX + 1]; /* ends in NULL; inside category_line */
    char *category_line;
    char *summary;       /* the first paragraph, plain */
    char *html;          /* the paragraphs; well-formed as XML too */
    int64_t published_s; /* since 1970; 0: not yet */
};

struct article_list {
    struct article *items; /* in the order of their files' names */
    size_t count;
};

/* Reads all files *.txt of the folder. A file that is no article is logged and left out.
 * 0, -errno if the folder can't be read. */
MUST_CHECK int articles_load (const char *folder, struct article_list *ret_list);
void articles_fini (struct article_list *list);
/* Lower-case letters, digits and single dashes. given (free) */
char *articles_slug (const char *text);

#endif

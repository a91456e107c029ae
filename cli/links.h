/* links - where a web page says its feeds are: its link elements, and, behind them, what its anchors look like. Bytes in,
 * values out: no I/O. What it reads is hostile.
 * HTML, "The link element", alternate; blog.whatwg.org/feed-autodiscovery.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CLI_LINKS_H
#define CLI_LINKS_H

#include "base/base.h"

struct link {
    char *url;   /* absolute, http or https */
    char *title; /* NULL if it has none */
};

struct links {
    struct link *items; /* in the page's order, each address once */
    size_t count;
};

#define LINKS_MAX 64
/* html: borrowed, UTF-8. url: the page's own. *ret_named: by link elements; *ret_guessed: by anchors that look like feeds.
 * Both given (links_fini). Never fails: what is no page has no links. */
void links_read (const char *html, size_t bytes, const char *url, struct links *ret_named, struct links *ret_guessed);
void links_fini (struct links *links);
/* Finds or adds; past LINKS_MAX nothing. title: may be NULL. */
void links_add (struct links *links, const char *url, const char *title);
/* Where feeds usually are: below the address, and at the root of its site. */
void links_add_usual (struct links *links, const char *url);

#endif

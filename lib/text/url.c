/* url - resolves a link against its base (RFC 3986, section 5.2), as leniently as readers do: what
 * is no URL at all passes through unchanged.
 * SPDX-License-Identifier: MPL-2.0 */
#include "text/url.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define URL_BYTES_MAX (2u << 20)

/* Pieces of a URL; each borrows from it. A missing piece has text NULL. */
struct piece {
    const char *text;
    size_t bytes;
};

struct url {
    struct piece scheme, authority, path, query, fragment;
};

static size_t
scheme_bytes (const char *url)
{
    if (!isalpha ((unsigned char) url[0]))
        return 0;
    size_t n = 1;
    while (isalnum ((unsigned char) url[n]) || url[n] == '+' || url[n] == '-' || url[n] == '.')
        n++;
    return url[n] == ':' ? n : 0;
}

bool
url_is_absolute (const char *url)
{
    return scheme_bytes (url) > 0;
}

static struct url
split (const char *url)
{
    struct url u = { 0 };
    size_t n = scheme_bytes (url);
    if (n) {
        u.scheme = (struct piece){ url, n };
        url += n + 1;
    }
    if (url[0] == '/' && url[1] == '/') {
        n = strcspn (url + 2, "/?#");
        u.authority = (struct piece){ url + 2, n };
        url += n + 2;
    }
    n = strcspn (url, "?#");
    u.path = (struct piece){ url, n };
    url += n;
    if (*url == '?') {
        n = strcspn (url + 1, "#");
        u.query = (struct piece){ url + 1, n };
        url += n + 1;
    }
    if (*url == '#')
        u.fragment = (struct piece){ url + 1, strlen (url + 1) };
    return u;
}

/* Appends path without its "." and ".." segments. */
static void
add_path (struct buf *out, const char *path, size_t bytes)
{
    size_t start = out->len;
    const char *end = path + bytes;
    while (path < end) {
        const char *slash = memchr (path + 1, '/', (size_t) (end - path - 1));
        const char *next = slash ? slash : end;
        size_t n = (size_t) (next - path);
        bool rooted = path[0] == '/';
        const char *name = path + rooted;
        size_t name_bytes = n - rooted;
        bool dot = name_bytes == 1 && name[0] == '.';
        bool dots = name_bytes == 2 && name[0] == '.' && name[1] == '.';
        if (dots) {
            while (out->len > start && out->data[--out->len] != '/')
                ;
        } else if (!dot) {
            buf_add (out, path, n);
        }
        if ((dot || dots) && next == end)
            buf_add_char (out, '/');
        path = next;
    }
}

static void
add_piece (struct buf *out, const char *before, struct piece piece, const char *after)
{
    if (!piece.text)
        return;
    buf_add_str (out, before);
    buf_add (out, piece.text, piece.bytes);
    buf_add_str (out, after);
}

static void
add_merged_path (struct buf *out, const struct url *base, const struct url *ref)
{
    struct buf path = { 0 };
    if (ref->path.text[0] != '/') {
        size_t keep = base->path.bytes;
        while (keep && base->path.text[keep - 1] != '/')
            keep--;
        buf_add (&path, base->path.text, keep);
        if (!keep && base->authority.text)
            buf_add_char (&path, '/');
    }
    buf_add (&path, ref->path.text, ref->path.bytes);
    add_path (out, path.data, path.len);
    buf_fini (&path);
}

static char *
join (const char *base_text, const char *reference)
{
    struct url base = split (base_text), ref = split (reference);
    struct buf out = { 0 };
    add_piece (&out, "", base.scheme, ":");
    if (ref.authority.text) {
        add_piece (&out, "//", ref.authority, "");
        add_path (&out, ref.path.text, ref.path.bytes);
    } else {
        add_piece (&out, "//", base.authority, "");
        if (ref.path.bytes) {
            add_merged_path (&out, &base, &ref);
        } else {
            add_piece (&out, "", base.path, "");
            if (!ref.query.text)
                ref.query = base.query;
        }
    }
    add_piece (&out, "?", ref.query, "");
    add_piece (&out, "#", ref.fragment, "");
    return buf_take (&out);
}

char *
url_resolve (const char *base, const char *reference)
{
    char *link = utf8_trim (reference, URL_BYTES_MAX);
    if (!link || url_is_absolute (link) || !base || !base[0])
        return link;
    char *joined = join (base, link), *clean = utf8_trim (joined, URL_BYTES_MAX); /* the base is of any bytes */
    free (joined);
    free (link);
    return clean;
}

/* page - the text of articles of which the feed has a teaser only. Such a row waits with "pageAt" set, claimed by moving that
 * ahead past the time a request may take, so that another fetcher takes over when this one dies. Whatever becomes of the page,
 * the article goes on: with the page's text, or else with the feed's.
 * SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"
#include "db/array.h"
#include "page/page.h"
#include "text/mojibake.h"
#include "text/words.h"

#define TRIES_MOST 2
#define TRY_AGAIN_S "30"
#define PAGE_LAPSE DB_NOW " + interval '40 seconds'" /* renewed every 10 */
#define LOOK_AT "1000"        /* waiting pages, to find some of each publisher among */

struct visit {
    struct fetcher *fetcher;
    void *place;              /* among those under way */
    char id[24], source_id[24];
    char *domain;             /* the publisher's; NULL: unknown */
    char *url, *title, *content, *rules;
    int64_t tries;
    bool always;              /* the page is the article, however much the feed has of it */
};

static void
visit_free (struct visit *visit)
{
    free (visit->domain);
    free (visit->url);
    free (visit->title);
    free (visit->content);
    free (visit->rules);
    free (visit);
}

/* ---- what came of it ---- */

static const char settle_sql[] =
    "WITH work AS ("
    " UPDATE \"ArticleWork\" SET \"pageAt\" = NULL, content = $2, author = coalesce (author, $3), \"publishedAt\" ="
    "  coalesce (\"publishedAt\", timestamp 'epoch' + $4::bigint * interval '1 microsecond'), reason = $5,"
    "  \"twinOf\" = CASE WHEN EXISTS (SELECT 1 FROM \"StoryPrint\" WHERE \"textHash\" = $6::bigint) THEN twin_of ($6, $2) END"
    "  WHERE id = $1 AND state = 'pending' AND \"pageAt\" IS NOT NULL RETURNING id"
    ") INSERT INTO \"StoryPrint\" (\"workId\", \"storyId\", \"textHash\") SELECT id, id, $6 FROM work"
    " ON CONFLICT DO NOTHING";

/* The article goes on with this text. page: NULL when there is none, and reason says why. */
static void
settle (struct visit *visit, const struct page *page, const char *text, const char *reason)
{
    struct db *db = visit->fetcher->db;
    char hash[24], published[24];
    int64_t published_us = page ? entry_date (page->published_us) : 0;
    snprintf (hash, sizeof hash, "%" PRId64, print_hash (visit->title, text));
    snprintf (published, sizeof published, "%" PRId64, published_us);
    if (db_run (db, NULL, settle_sql, DB_VALUES (visit->id, text, page ? page->author : NULL,
                published_us ? published : NULL, reason, hash)) < 0)
        log_warn ("article=%s its page could not be noted: %s", visit->id, db_error (db)); /* its claim lapses */
    visit->fetcher->unlinked = true;
}

static void
try_again (struct visit *visit, const char *reason)
{
    if (db_run (visit->fetcher->db, NULL, "UPDATE \"ArticleWork\" SET \"pageTries\" = \"pageTries\" + 1, reason = $2,"
                " \"pageAt\" = " DB_NOW " + " TRY_AGAIN_S " * interval '1 second',"
                " \"dueAt\" = " DB_NOW " + " TRY_AGAIN_S " * interval '1 second' WHERE id = $1 AND \"pageAt\" IS NOT NULL",
                DB_VALUES (visit->id, reason)) < 0)
        log_warn ("article=%s its page could not be put off: %s", visit->id, db_error (visit->fetcher->db));
}

/* The page is that of an article we have under another address: this one was no new article. */
static int
fold (struct visit *visit)
{
    return db_run (visit->fetcher->db, NULL,
        "WITH gone AS (DELETE FROM \"ArticleWork\" WHERE id = $1 AND state = 'pending' AND \"pageAt\" IS NOT NULL RETURNING 1),"
        " total AS (UPDATE \"Ledger\" SET intake = intake - 1, duplicate = duplicate + 1 WHERE EXISTS (SELECT 1 FROM gone))"
        " UPDATE \"RunSource\" SET intake = intake - 1, duplicate = duplicate + 1"
        " WHERE \"runId\" = $2 AND \"sourceId\" = $3 AND intake > 0 AND EXISTS (SELECT 1 FROM gone)",
        DB_VALUES (visit->id, visit->fetcher->run, visit->source_id));
}

/* Whether the address is that of an earlier article of this title; if it is nobody's, or the older version's, it is this one's
 * from now on. The title and the time, because sites send the reader of a page that is gone to one that many share. */
static bool
is_anothers (struct visit *visit, const char *url)
{
    char *site = identity_of_site (visit->url), *other = url ? identity_of_site (url) : NULL;
    char *key = site && other && streq (site, other) ? identity_of_url (url) : NULL; /* other sites' claims are not ours */
    bool anothers = false;
    char window[24];
    snprintf (window, sizeof window, "%" PRId64, stage_settings (visit->fetcher->stage)->fetcher_story_window);
    if (key && strlen (key) <= IDENTITY_MAX && !streq (strchr (key, '/'), "/")) {
        PGresult *owner = db_query (visit->fetcher->db, "INSERT INTO \"ArticleKey\" (key, \"workId\") VALUES ($1, $2)"
                                    " ON CONFLICT (key) DO UPDATE SET \"workId\" = CASE WHEN \"ArticleKey\".\"workId\" ="
                                    "  (SELECT replaces FROM \"ArticleWork\" WHERE id = $2) THEN $2 ELSE \"ArticleKey\".\"workId\" END"
                                    " RETURNING \"workId\" < $2 AND EXISTS (SELECT 1 FROM \"ArticleWork\" w WHERE w.id = \"workId\""
                                    "  AND lower (title) = lower ($3) AND state <> 'dead'"
                                    "  AND w.\"createdAt\" > " DB_NOW " - $4::int * interval '1 hour')",
                                    DB_VALUES (key, visit->id, visit->title, window));
        anothers = owner && streq (PQgetvalue (owner, 0, 0), "t");
        PQclear (owner);
    }
    free (site);
    free (other);
    free (key);
    return anothers;
}

/* A page that says less than the feed is a wall, not the article. */
static bool
is_better (const struct visit *visit, const struct page *page)
{
    size_t feed = word_count_text (visit->content, strlen (visit->content));
    size_t found = word_count_text (page->text, strlen (page->text));
    return visit->always ? found >= feed / 2 : found > feed;
}

static void
take_page (struct visit *visit, const struct http_response *response)
{
    struct page *page = NULL;
    char reason[PAGE_REASON_SIZE];
    const struct page_hints hints = { response->url, response->content_type, visit->rules };
    if (page_read (response->body, response->body_bytes, &hints, &page, reason) < 0) {
        settle (visit, NULL, visit->content, reason);
        return;
    }
    mojibake_repair (page->text);
    if (page->author)
        mojibake_repair (page->author);
    bool better = is_better (visit, page);
    if (better && (is_anothers (visit, response->url) || is_anothers (visit, page->canonical_url)) && fold (visit) == 0) {
        page_destroy (&page);
        return;
    }
    if (better) {
        char *text = utf8_clean (page->text, strlen (page->text), ARTICLE_CONTENT_MAX);
        settle (visit, page, text, NULL);
        free (text);
    } else
        settle (visit, NULL, visit->content, "its page has no more text than the feed");
    page_destroy (&page);
}

static bool
is_passing (const struct http_response *response)
{
    return response->error == HTTP_OK ? response->status >= 500 || response->status == 429
           : response->error == HTTP_TIMEOUT || response->error == HTTP_CONNECT || response->error == HTTP_BROKEN
             || response->error == HTTP_HELD;
}

static void
on_response (void *context, const struct http_response *response)
{
    struct visit *visit = context;
    struct fetcher *self = visit->fetcher;
    char words[32];
    const char *reason = response->error != HTTP_OK ? response->reason : words;
    snprintf (words, sizeof words, "its page: HTTP %ld", response->status);
    zlistx_delete (self->visits, visit->place);
    self->pages++;
    if (response->error == HTTP_OK)
        hold_if_asked (self, response, reason);
    if (!db_ready (self->db))
        log_debug ("article=%s its page is lost with the database", visit->id);
    else if (response->error == HTTP_OK && response->status == 200)
        take_page (visit, response);
    else if (is_passing (response) && visit->tries + 1 < TRIES_MOST)
        try_again (visit, reason);
    else
        settle (visit, NULL, visit->content, reason);
    visit_free (visit);
    self->pages_due = true; /* in the next turn, so that places are given away in groups */
}

/* ---- fetching ---- */

static void
start (struct fetcher *self, const PGresult *rows, int row)
{
    static const char *const headers[] = { "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.1", NULL };
    const struct settings *s = stage_settings (self->stage);
    struct visit *visit = MEM_NEW (struct visit);
    visit->fetcher = self;
    snprintf (visit->id, sizeof visit->id, "%s", db_text (rows, row, 0));
    snprintf (visit->source_id, sizeof visit->source_id, "%s", db_text (rows, row, 1));
    visit->url = mem_dup (db_text (rows, row, 2));
    visit->title = mem_dup (db_text (rows, row, 3));
    visit->content = mem_dup (db_text (rows, row, 4));
    visit->tries = db_int (rows, row, 5);
    visit->rules = mem_dup (db_text (rows, row, 6));
    visit->domain = mem_dup (db_text (rows, row, 9));
    visit->always = streq (db_text (rows, row, 7) ? db_text (rows, row, 7) : s->fetcher_full_text, "always");
    struct http_request request = fetch_request (self, visit->url, headers, db_text (rows, row, 8));
    visit->place = zlistx_add_end (self->visits, visit);
    http_start (self->http, &request, on_response, visit);
}

/* $1: so many at most, $2: of one publisher, $3: not of these. */
static const char claim_sql[] =
    "WITH waiting AS (SELECT id, \"sourceId\", \"pageAt\" FROM \"ArticleWork\" WHERE \"pageAt\" <= " DB_NOW
    "  AND state = 'pending' AND coalesce (\"sourceId\", 0) NOT IN (SELECT id FROM \"Source\" WHERE domain = ANY ($3::text[]))"
    "  ORDER BY \"pageAt\", id LIMIT " LOOK_AT
    "), chosen AS (SELECT w.id, row_number () OVER (PARTITION BY coalesce (domain, \"sourceId\"::text)"
    "  ORDER BY \"pageAt\", w.id) AS place FROM waiting w LEFT JOIN \"Source\" s ON s.id = \"sourceId\""
    "), free AS (SELECT o.id FROM \"ArticleWork\" o JOIN chosen USING (id) WHERE place <= $2::int AND o.\"pageAt\" <= " DB_NOW
    "  AND state = 'pending' ORDER BY place, o.id LIMIT $1 FOR UPDATE OF o SKIP LOCKED"
    "), mine AS (UPDATE \"ArticleWork\" w SET \"pageAt\" = " PAGE_LAPSE " FROM free WHERE w.id = free.id"
    "  RETURNING w.id, \"sourceId\", w.url, w.title, content, \"pageTries\")"
    " SELECT mine.*, \"pageRules\", \"fullText\", \"userAgent\", domain FROM mine LEFT JOIN \"Source\" s ON s.id = \"sourceId\"";

/* Publishers that are asked for as much as they are to be at once: more of theirs would take places from others. */
static void
put_full (const struct fetcher *self, size_t each, struct buf *array)
{
    zlistx_t *domains = zlistx_new ();
    zhashx_t *asked = zhashx_new ();
    for (struct visit *visit = zlistx_first (self->visits); visit; visit = zlistx_next (self->visits)) {
        if (!visit->domain)
            continue;
        size_t before = (size_t) zhashx_lookup (asked, visit->domain);
        zhashx_update (asked, visit->domain, (void *) (before + 1));
        if (before + 1 == each)
            zlistx_add_end (domains, visit->domain);
    }
    db_array_begin (array, DB_OID_TEXT, zlistx_size (domains));
    for (const char *domain = zlistx_first (domains); domain; domain = zlistx_next (domains))
        db_array_add_text (array, domain);
    zhashx_destroy (&asked);
    zlistx_destroy (&domains);
}

void
page_turn (struct fetcher *self)
{
    const struct settings *s = stage_settings (self->stage);
    char room[24], each[24];
    struct buf full = { 0 };
    int64_t free_places = s->fetcher_parallel - (int64_t) (zlistx_size (self->fetches) + zlistx_size (self->visits));
    if (!self->pages_due || free_places <= 0 || stage_is_stopping (self->stage) || !db_ready (self->db))
        return;
    snprintf (room, sizeof room, "%" PRId64, free_places);
    snprintf (each, sizeof each, "%" PRId64, s->fetcher_per_domain);
    put_full (self, (size_t) s->fetcher_per_domain, &full);
    const struct db_value values[] = { { room, DB_IS_TEXT }, { each, DB_IS_TEXT }, { full.data, full.len } };
    PGresult *rows = db_query_values (self->db, claim_sql, COUNT_OF (values), values);
    buf_fini (&full);
    if (!rows) {
        log_warn ("no pages could be claimed: %s", db_error (self->db));
        return;
    }
    self->pages_due = PQntuples (rows) > 0;
    for (int i = 0; i < PQntuples (rows); i++)
        start (self, rows, i);
    PQclear (rows);
}

/* until: an SQL expression; from then on those under way are anybody's. */
static void
set_claims (struct fetcher *self, const char *until)
{
    struct buf ids = { 0 };
    if (!zlistx_size (self->visits) || !db_ready (self->db))
        return;
    db_array_begin (&ids, DB_OID_TEXT, zlistx_size (self->visits));
    for (const struct visit *visit = zlistx_first (self->visits); visit; visit = zlistx_next (self->visits))
        db_array_add_text (&ids, visit->id);
    char *sql = mem_printf ("UPDATE \"ArticleWork\" SET \"pageAt\" = %s WHERE id = ANY ($1::text[]::bigint[])"
                            " AND \"pageAt\" IS NOT NULL", until);
    PGresult *set = db_query_values (self->db, sql, 1, &(struct db_value){ ids.data, ids.len });
    if (!set)
        log_warn ("claims on pages could not be changed: %s", db_error (self->db));
    PQclear (set);
    free (sql);
    buf_fini (&ids);
}

void
page_keep (struct fetcher *self)
{
    set_claims (self, PAGE_LAPSE);
}

void
page_hand_back (struct fetcher *self)
{
    set_claims (self, DB_NOW);
}

void
page_forget (struct fetcher *self)
{
    struct visit *visit;
    while ((visit = zlistx_detach (self->visits, NULL)) != NULL)
        visit_free (visit);
    zlistx_destroy (&self->visits);
}

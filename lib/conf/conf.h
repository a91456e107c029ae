/* conf - every setting of newsmill, read once at start: defaults, then newsmill.conf (ZPL, RFC 4 of ZeroMQ), then the
 * environment (NEWSMILL_SECTION_KEY; NEWSMILL_SECTION_KEY_FILE names a file that holds the value, for secrets).
 * Every wrong line is reported before anything starts.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/base.h"

struct settings {
    const char *data_dir;
    const char *database_url;       /* empty: a private server in data_dir */
    const char *broker_endpoint;    /* resolved: "ipc:///path" or "tcp://host:port" */
    const char *collector_endpoint;
    const char *feeds_opml;
    int64_t fetcher_parallel, fetcher_per_host, fetcher_per_domain, fetcher_connect_timeout, fetcher_timeout;
    int64_t fetcher_idle_timeout, fetcher_min_rate;
    int64_t fetcher_max_body, fetcher_max_redirects, fetcher_window, fetcher_backoff_max;
    int64_t fetcher_min_interval, fetcher_max_interval, fetcher_first_intake;
    int64_t fetcher_full_text_below, fetcher_story_window;
    const char *fetcher_user_agent; /* resolved: with the contact */
    const char *fetcher_contact;
    const char *fetcher_full_text;
    bool fetcher_allow_private, fetcher_respect_hints, fetcher_adaptive, fetcher_update;
    int64_t summarizer_batch, summarizer_calls, summarizer_linger;
    int64_t chunker_size, chunker_overlap, chunker_max_word;
    bool chunker_cjk;
    int64_t embedder_batch, embedder_calls, embedder_linger, embedder_memory;
    const char *embedder_prefix;
    int64_t writer_connections, writer_in_flight;
    const char *model_base_url;     /* resolved: a URL, or "local" */
    const char *model_api_key, *model_summary, *model_embedding, *model_language;
    const char *model_weights;      /* of the local embedding model: see model_weights_find */
    int64_t model_dimensions;       /* resolved: never 0 */
    int64_t model_timeout, model_max_input;
    const char *model_daily_budget; /* "5 USD", "2000000 tokens"; empty: none. Resolved: local models have none */
    const char *ticker_cron, *ticker_overlap;
    const char *websub_callback;    /* without a slash at its end; empty: off */
    int64_t websub_lease;
    int64_t run_time_limit;
    int64_t delivery_lease, delivery_heartbeat, delivery_max_attempts;
    const char *http_address, *http_token;
    int64_t http_port;
    const char *security_curve, *security_key;
    const char *security_keys;      /* resolved: a folder */
    const char *health_file;
    bool log_debug;
};

enum conf_kind { CONF_TEXT, CONF_SECRET, CONF_INT, CONF_BYTES, CONF_BOOL, CONF_CHOICE, CONF_BUDGET };

struct conf_row {
    const char *key;       /* "section.name" */
    enum conf_kind kind;
    size_t offset;         /* in struct settings */
    const char *value;     /* the default, as one would write it */
    int64_t least, most;   /* INT, BYTES */
    const char *unit;      /* "s", "ms", ""; CHOICE: the words, separated by | */
    const char *alias;     /* another environment name users already have, or NULL */
    const char *help;
};
const struct conf_row *conf_rows (size_t *ret_count);

/* file: NULL means NEWSMILL_CONF, else ./newsmill.conf, else /etc/newsmill/newsmill.conf, whichever exists, else none.
 * Every fault goes to faults, a line each, with file and line number. 0 or -EINVAL.
 * Strings live as long as the process. Reads files; does not block for long. */
MUST_CHECK int conf_load (const char *file, struct settings *ret_settings, struct buf *faults);
/* An option of the command line, "section.name=value", into the environment, where it beats everything else: one way for
 * a setting to come in, and one check of it. 0, or -EINVAL when there is no such setting. */
MUST_CHECK int conf_set_option (const char *option);
struct conf_budget {
    double limit;        /* 0: none */
    const char *unit;    /* CONF_USD or CONF_TOKENS */
};
#define CONF_USD "USD"
#define CONF_TOKENS "tokens"
/* text: "5 USD", "2000000 tokens", "". 0 or -EINVAL */
MUST_CHECK int conf_parse_budget (const char *text, struct conf_budget *ret_budget);
/* One "key = value  # origin" line a setting; secrets are masked. */
void conf_show (const struct settings *settings, struct buf *out);
/* The environment name of a key: "model.base_url" is NEWSMILL_MODEL_BASE_URL. given (free) */
char *conf_env_name (const char *key);

#endif

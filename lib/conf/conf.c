/* SPDX-License-Identifier: MPL-2.0 */
#include "conf/conf.h"
#include "cron/cron.h"

#include <ctype.h>
#include <czmq.h>
#include <math.h>
#include <strings.h>

#define FILE_BYTES_MAX 65536
#define LOCAL_DIMENSIONS_DEFAULT 384
#define REMOTE_DIMENSIONS_DEFAULT 1536

struct loader {
    struct settings *settings;
    struct buf *faults;
    const char *file;   /* NULL: none */
    char *text;         /* the file's bytes, for line numbers */
};

/* Strings of settings live as long as the process: kept where a leak checker sees them. */
static const char *
keep (char *text)
{
    static struct kept {
        char *text;
        struct kept *next;
    } *all;
    struct kept *kept = MEM_NEW (struct kept);
    *kept = (struct kept){ text, all };
    all = kept;
    return text;
}

static const struct conf_row *
row_of (const char *key)
{
    size_t count;
    const struct conf_row *rows = conf_rows (&count);
    for (size_t i = 0; i < count; i++)
        if (streq (rows[i].key, key))
            return &rows[i];
    return NULL;
}

char *
conf_env_name (const char *key)
{
    char *name = mem_printf ("NEWSMILL_%s", key);
    for (char *p = name; *p; p++)
        *p = *p == '.' ? '_' : (char) toupper ((unsigned char) *p);
    return name;
}

/* zconfig keeps no line numbers: find "name" indented below "section". 0 if it isn't there. */
static int
line_of (const char *text, const char *key)
{
    const char *dot = strchr (key, '.');
    size_t section_size = dot ? (size_t) (dot - key) : strlen (key);
    bool inside = false;
    int line = 0;
    for (const char *at = text; at && *at; at = strchr (at, '\n') ? strchr (at, '\n') + 1 : NULL) {
        line++;
        size_t indent = strspn (at, " \t"), name = strcspn (at + indent, " \t=\r\n");
        if (!name || at[indent] == '#')
            continue;
        if (!indent)
            inside = name == section_size && !strncmp (at, key, name);
        if (inside && !indent && !dot)
            return line;
        if (inside && indent && dot && name == strlen (dot + 1) && !strncmp (at + indent, dot + 1, name))
            return line;
    }
    return 0;
}

static void
fault (struct loader *self, const char *origin, const char *key, const char *format, const char *detail)
{
    if (origin)
        buf_printf (self->faults, "%s: ", origin);
    else
        buf_printf (self->faults, "%s:%d: ", self->file, line_of (self->text, key));
    buf_printf (self->faults, "%s: ", key);
    buf_printf (self->faults, "%s", format);
    buf_printf (self->faults, "%s\n", detail ? detail : "");
}

static int
parse_bytes (const char *value, int64_t *ret_bytes)
{
    static const struct { const char *unit; int64_t factor; } units[] = {
        { "", 1 }, { "B", 1 }, { "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 } };
    size_t digits = strspn (value, "0123456789");
    char *number = mem_copy (value, digits);
    int64_t count = 0;
    int r = num_parse (number, 0, INT64_C (1) << 30, &count);
    free (number);
    if (r < 0)
        return r;
    for (size_t i = 0; i < COUNT_OF (units); i++)
        if (streq (value + digits, units[i].unit)) {
            *ret_bytes = count * units[i].factor;
            return 0;
        }
    return -EINVAL;
}

int
conf_parse_budget (const char *text, struct conf_budget *ret_budget)
{
    static const char *const units[] = { CONF_USD, CONF_TOKENS };
    char *end;
    *ret_budget = (struct conf_budget){ 0, CONF_TOKENS };
    if (!*text)
        return 0;
    double limit = isdigit ((unsigned char) *text) ? strtod (text, &end) : 0;
    if (!isfinite (limit) || limit <= 0)
        return -EINVAL;
    end += strspn (end, " ");
    for (size_t i = 0; i < COUNT_OF (units); i++)
        if (streq (end, units[i])) {
            *ret_budget = (struct conf_budget){ limit, units[i] };
            return 0;
        }
    return -EINVAL;
}

static int
parse_bool (const char *value, bool *ret_value)
{
    static const char *const words[] = { "false", "true", "no", "yes", "off", "on", "0", "1" };
    for (size_t i = 0; i < COUNT_OF (words); i++)
        if (!strcasecmp (value, words[i])) {
            *ret_value = i & 1;
            return 0;
        }
    return -EINVAL;
}

static bool
choice_has (const char *choices, const char *value)
{
    size_t size = strlen (value);
    for (const char *at = choices; at; at = strchr (at, '|') ? strchr (at, '|') + 1 : NULL)
        if (size == strcspn (at, "|") && !strncmp (at, value, size))
            return true;
    return false;
}

static void
set_number (struct loader *self, const struct conf_row *row, const char *value, const char *origin)
{
    int64_t number = 0;
    int r = row->kind == CONF_BYTES ? parse_bytes (value, &number)
                                    : num_parse (value, INT64_MIN, INT64_MAX, &number);
    char *wish = mem_printf ("%" PRId64 " to %" PRId64 "%s%s, not \"%s\"", row->least, row->most,
                             row->kind == CONF_BYTES ? " bytes (units KiB, MiB)" : *row->unit ? " " : "",
                             row->kind == CONF_BYTES ? "" : row->unit, value);
    if (r < 0 || number < row->least || number > row->most)
        fault (self, origin, row->key, "must be a number from ", wish);
    else
        memcpy ((char *) self->settings + row->offset, &number, sizeof number);
    free (wish);
}

static void
set_value (struct loader *self, const struct conf_row *row, const char *value, const char *origin)
{
    bool flag;
    struct conf_budget budget;
    const char *copy;
    switch (row->kind) {
    case CONF_INT:
    case CONF_BYTES:
        set_number (self, row, value, origin);
        return;
    case CONF_BOOL:
        if (parse_bool (value, &flag) < 0)
            fault (self, origin, row->key, "must be true or false, not ", value);
        else
            memcpy ((char *) self->settings + row->offset, &flag, sizeof flag);
        return;
    case CONF_CHOICE:
        if (!choice_has (row->unit, value)) {
            fault (self, origin, row->key, "must be one of ", row->unit);
            return;
        }
        break;
    case CONF_BUDGET:
        if (conf_parse_budget (value, &budget) < 0) {
            fault (self, origin, row->key, "must be as 5 USD or 2000000 tokens, not ", value);
            return;
        }
        break;
    case CONF_TEXT:
    case CONF_SECRET:
        break;
    }
    copy = keep (mem_dup (value));
    memcpy ((char *) self->settings + row->offset, &copy, sizeof copy);
}

/* ---- the file ---- */

static void
check_section (struct loader *self, zconfig_t *section)
{
    zconfig_t *item = zconfig_child (section);
    if (!item)
        fault (self, NULL, zconfig_name (section), "a section with nothing in it; settings are written as section, then "
               "indented name = value", NULL);
    for (; item; item = zconfig_next (item)) {
        char *key = mem_printf ("%s.%s", zconfig_name (section), zconfig_name (item));
        const struct conf_row *row = row_of (key);
        if (!row)
            fault (self, NULL, key, "no such setting; `newsmill config show` lists them all", NULL);
        else
            set_value (self, row, zconfig_value (item) ? zconfig_value (item) : "", NULL);
        free (key);
    }
}

static int
read_file (struct loader *self)
{
    FILE *f = fopen (self->file, "re");
    if (!f) {
        buf_printf (self->faults, "%s: %s\n", self->file, strerror (errno));
        return -EINVAL;
    }
    self->text = mem_alloc (FILE_BYTES_MAX + 2);
    size_t size = fread (self->text, 1, FILE_BYTES_MAX + 1, f);
    bool failed = ferror (f);
    fclose (f);
    if (failed || size > FILE_BYTES_MAX) {
        buf_printf (self->faults, failed ? "%s: cannot be read\n" : "%s: longer than any settings file (64 KiB)\n", self->file);
        return -EINVAL;
    }
    zchunk_t *chunk = zchunk_new (self->text, size);
    zconfig_t *root = zconfig_chunk_load (chunk);
    zchunk_destroy (&chunk);
    if (!root) {
        buf_printf (self->faults, "%s: not ZPL: sections start at the margin, their settings are indented by four "
                    "blanks, as name = value\n", self->file);
        return -EINVAL;
    }
    for (zconfig_t *section = zconfig_child (root); section; section = zconfig_next (section))
        check_section (self, section);
    zconfig_destroy (&root);
    return 0;
}

/* ---- the environment ---- */

static char *
read_secret_file (struct loader *self, const char *origin, const char *path, const char *key)
{
    char value[4096];
    FILE *f = fopen (path, "re");
    size_t size = f ? fread (value, 1, sizeof value - 1, f) : 0;
    if (!f) {
        fault (self, origin, key, "cannot read ", path);
        return NULL;
    }
    fclose (f);
    value[size] = '\0';
    value[strcspn (value, "\r\n")] = '\0';
    return mem_dup (value);
}

static void
read_environment (struct loader *self)
{
    size_t count;
    const struct conf_row *rows = conf_rows (&count);
    for (size_t i = 0; i < count; i++) {
        char *name = conf_env_name (rows[i].key), *file_name = mem_printf ("%s_FILE", name);
        const char *value = getenv (name), *path = getenv (file_name);
        if (path && *path) {
            char *text = read_secret_file (self, file_name, path, rows[i].key);
            if (text)
                set_value (self, &rows[i], text, file_name);
            free (text);
        } else if (value)
            set_value (self, &rows[i], value, name);
        else if (rows[i].alias && getenv (rows[i].alias) && *getenv (rows[i].alias))
            set_value (self, &rows[i], getenv (rows[i].alias), rows[i].alias);
        free (name);
        free (file_name);
    }
}

/* ---- what depends on other settings ---- */

static const char *
default_data_dir (void)
{
    const char *xdg = getenv ("XDG_DATA_HOME"), *home = getenv ("HOME");
    if (geteuid () == 0)
        return "/var/lib/newsmill";
    if (xdg && *xdg == '/')
        return keep (mem_printf ("%s/newsmill", xdg));
    return keep (mem_printf ("%s/.local/share/newsmill", home && *home ? home : "/tmp"));
}

/* A fault that shows only beside other settings: the value may have come from anywhere. */
static void
fault_between (struct loader *self, const char *key, const char *format, const char *detail)
{
    const char *alias = row_of (key)->alias;
    char *name = conf_env_name (key), *file_name = mem_printf ("%s_FILE", name);
    const char *origin = getenv (file_name) ? file_name : getenv (name) ? name : alias && getenv (alias) ? alias : NULL;
    if (!origin && (!self->text || !line_of (self->text, key)))
        origin = "default";
    fault (self, origin, key, format, detail);
    free (name);
    free (file_name);
}

static bool
is_endpoint (const char *text)
{
    return (!strncmp (text, "tcp://", 6) || !strncmp (text, "ipc://", 6)) && text[6];
}

static void
check_together (struct loader *self)
{
    const struct settings *s = self->settings;
    struct cron cron;
    bool local = streq (s->model_base_url, "local");
    char limit[24];
    if (!is_endpoint (s->broker_endpoint))
        fault_between (self, "broker.endpoint", "must be tcp://HOST:PORT or ipc://FOLDER, not ", s->broker_endpoint);
    if (!is_endpoint (s->collector_endpoint))
        fault_between (self, "collector.endpoint", "must be tcp://HOST:PORT or ipc://FILE, not ", s->collector_endpoint);
    snprintf (limit, sizeof limit, "%d", LOCAL_DIMENSIONS_DEFAULT);
    if (local && s->model_dimensions != LOCAL_DIMENSIONS_DEFAULT)
        fault_between (self, "model.dimensions", "leave it out: the dimensions of the local model's vectors are ", limit);
    if (!local && strncmp (s->model_base_url, "http://", 7) && strncmp (s->model_base_url, "https://", 8))
        fault_between (self, "model.base_url", "must be local, or begin with http:// or https://, not ", s->model_base_url);
    if (*s->websub_callback && strncmp (s->websub_callback, "http://", 7) && strncmp (s->websub_callback, "https://", 8))
        fault_between (self, "websub.callback", "must begin with http:// or https://, not ", s->websub_callback);
    if (cron_parse (s->ticker_cron, &cron) < 0)
        fault_between (self, "ticker.cron", "must be five fields (minute hour day month weekday), not ", s->ticker_cron);
    snprintf (limit, sizeof limit, "%" PRId64, s->chunker_size);
    if (s->chunker_overlap >= s->chunker_size)
        fault_between (self, "chunker.overlap", "must be less than chunker.size, which is ", limit);
}

static void
resolve (struct loader *self)
{
    struct settings *s = self->settings;
    if (!*s->data_dir)
        s->data_dir = default_data_dir ();
    else if (*s->data_dir != '/') {
        char cwd[4096];
        s->data_dir = keep (mem_printf ("%s/%s", getcwd (cwd, sizeof cwd) ? cwd : "", s->data_dir));
    }
    if (!*s->broker_endpoint)
        s->broker_endpoint = keep (mem_printf ("ipc://%s/run", s->data_dir));
    if (!*s->collector_endpoint)
        s->collector_endpoint = keep (mem_printf ("ipc://%s/run/status", s->data_dir));
    if (!*s->security_keys)
        s->security_keys = keep (mem_printf ("%s/keys", s->data_dir));
    if (*s->fetcher_contact && !strstr (s->fetcher_user_agent, s->fetcher_contact))
        s->fetcher_user_agent = keep (mem_printf ("%s (+%s)", s->fetcher_user_agent, s->fetcher_contact));
    if (!*s->model_base_url)
        s->model_base_url = *s->model_api_key ? "https://openrouter.ai/api/v1" : "local";
    if (streq (s->model_base_url, "local"))
        s->model_daily_budget = ""; /* they cost nothing */
    size_t callback = strlen (s->websub_callback);
    if (callback && s->websub_callback[callback - 1] == '/')
        s->websub_callback = keep (mem_copy (s->websub_callback, callback - 1));
    if (!s->model_dimensions)
        s->model_dimensions = streq (s->model_base_url, "local") ? LOCAL_DIMENSIONS_DEFAULT : REMOTE_DIMENSIONS_DEFAULT;
}

static const char *
find_file (void)
{
    static const char *const places[] = { "newsmill.conf", "/etc/newsmill/newsmill.conf" };
    const char *named = getenv ("NEWSMILL_CONF");
    if (named && *named)
        return named;
    for (size_t i = 0; i < COUNT_OF (places); i++)
        if (access (places[i], F_OK) == 0)
            return places[i];
    return NULL;
}

int
conf_load (const char *file, struct settings *ret_settings, struct buf *faults)
{
    struct settings settings;
    memset (&settings, 0, sizeof settings);
    struct loader self = { &settings, faults, file ? file : find_file (), NULL };
    size_t count;
    const struct conf_row *rows = conf_rows (&count);
    for (size_t i = 0; i < count; i++)
        set_value (&self, &rows[i], rows[i].value, "default");
    if (!self.file || read_file (&self) == 0)
        read_environment (&self);
    resolve (&self);
    check_together (&self);
    free (self.text);
    if (faults->len)
        return -EINVAL;
    *ret_settings = settings;
    return 0;
}

int
conf_set_option (const char *option)
{
    const char *equals = strchr (option, '=');
    if (!equals)
        return -EINVAL;
    char *key = mem_copy (option, (size_t) (equals - option));
    char *name = conf_env_name (key), *file_name = mem_printf ("%s_FILE", name);
    int r = row_of (key) && setenv (name, equals + 1, 1) == 0 ? unsetenv (file_name) : -EINVAL;
    free (file_name);
    free (name);
    free (key);
    return r;
}

void
conf_show (const struct settings *settings, struct buf *out)
{
    size_t count;
    const struct conf_row *rows = conf_rows (&count);
    for (size_t i = 0; i < count; i++) {
        const char *at = (const char *) settings + rows[i].offset;
        int64_t number;
        const char *text;
        memcpy (&text, at, sizeof text);
        memcpy (&number, at, sizeof number);
        buf_printf (out, "%s = ", rows[i].key);
        if (rows[i].kind == CONF_INT || rows[i].kind == CONF_BYTES)
            buf_printf (out, "%" PRId64, number);
        else if (rows[i].kind == CONF_BOOL)
            buf_printf (out, "%s", *(const bool *) at ? "true" : "false");
        else if (rows[i].kind == CONF_SECRET)
            buf_printf (out, "\"%s\"", *text ? "********" : "");
        else
            buf_printf (out, "\"%s\"", text);

        buf_printf (out, "  # %s%s%s%s\n", rows[i].help, *rows[i].unit ? " (" : "", rows[i].unit,
                    *rows[i].unit ? ")" : "");
    }
}

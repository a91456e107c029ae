/* newsmill keys - certificates of who may come in to the broker and the collector: make, list, revoke. They are files; both servers
 * see a change within seconds, without a restart. See lib/curve/curve.h.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/cli.h"
#include "cli/place.h"
#include "cli/table.h"
#include "curve/curve.h"

#include <czmq.h>
#include <dirent.h>
#include <sys/stat.h>

/* "worker" is all that a host needs that runs no more than workers. */
#define WORKER "worker"
#define WORKER_ROLES "summarizer,chunker,embedder"

struct keys {
    const struct settings *settings;
    bool json;
    const char *name;      /* --name */
    zcert_t *servers[2];   /* by enum curve_server; public parts are used */
};

static const char *const server_names[] = { "broker", "collector" };

static int
failed (const char *what, const char *path, int error)
{
    cli_say ("cannot %s %s: %s", what, path, strerror (error));
    return EXIT_TEMP;
}

static bool
exists (const char *path)
{
    struct stat st;
    return stat (path, &st) == 0;
}

static bool
is_name (const char *name)
{
    size_t length = strspn (name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    return length && length <= CURVE_NAME_MAX && !name[length] && *name != '.' && *name != '-'
           && strcmp (name, "clients") != 0 && strcmp (name, "revoked") != 0
           && !(length > 7 && strcmp (name + length - 7, "_secret") == 0); /* zcert_load would take it for another's other half */
}

/* ---- making ---- */

/* A folder of the tree; one that is there keeps its mode. */
static int
make_folder (const char *path)
{
    int r = place_make (path, 0700);
    return r < 0 ? failed ("make the folder", path, -r) : 0;
}

static int
make_tree (const struct keys *self)
{
    char *clients = curve_clients_path (self->settings, NULL), *revoked = curve_revoked_path (self->settings, NULL);
    int r = make_folder (self->settings->security_keys);
    r = r ? r : make_folder (clients);
    r = r ? r : make_folder (revoked);
    free (clients);
    free (revoked);
    return r;
}

static void
describe (zcert_t *cert, const char *name, const char *roles)
{
    char now[CLOCK_TEXT_SIZE];
    zcert_set_meta (cert, "name", "%s", name);
    zcert_set_meta (cert, "role", "%s", roles);
    zcert_set_meta (cert, "created", "%s", clock_format (clock_wall_us (), now));
}

/* The secret part is renamed into place, so that no process reads half of it; the public one comes last: it lets in. */
static int
save (const struct keys *self, zcert_t *cert, const char *name)
{
    char *path = curve_key_path (self->settings, name), *public_path = curve_clients_path (self->settings, name);
    char *folder = mem_copy (path, (size_t) (strrchr (path, '/') - path)), *part = mem_printf ("%s.part", path);
    zcert_set_meta (cert, "broker-key", "%s", zcert_public_txt (self->servers[CURVE_BROKER]));
    zcert_set_meta (cert, "collector-key", "%s", zcert_public_txt (self->servers[CURVE_COLLECTOR]));
    int r = make_folder (folder);
    if (r == 0 && (zcert_save_secret (cert, part) < 0 || chmod (part, 0600) < 0 || rename (part, path) < 0))
        r = failed ("write", path, errno);
    if (r == 0 && (zcert_save_public (cert, public_path) < 0 || chmod (public_path, 0644) < 0))
        r = failed ("write", public_path, errno);
    free (path);
    free (public_path);
    free (folder);
    free (part);
    return r;
}

/* The servers' certificates, those that are there. */
static int
load_servers (struct keys *self)
{
    for (int i = 0; i < 2; i++) {
        char *path = curve_clients_path (self->settings, server_names[i]);
        self->servers[i] = exists (path) ? zcert_load (path) : NULL;
        bool broken = exists (path) && !self->servers[i];
        if (broken)
            cli_say ("%s is no certificate", path);
        free (path);
        if (broken)
            return EXIT_TEMP;
    }
    return 0;
}

static int
keys_init (struct keys *self, int count UNUSED, char **arguments UNUSED)
{
    bool is_new[2];
    int made = 0, r = make_tree (self);
    r = r ? r : load_servers (self);
    for (int i = 0; r == 0 && i < 2; i++) {
        is_new[i] = !self->servers[i];
        if (is_new[i])
            self->servers[i] = zcert_new ();
    }
    /* Each carries both public keys, hence first both pairs, then the files. */
    for (int i = 0; r == 0 && i < 2; i++)
        if (is_new[i]) {
            describe (self->servers[i], server_names[i], server_names[i]);
            r = save (self, self->servers[i], server_names[i]);
            made++;
        }
    char *roles = mem_dup (curve_roles ()), *rest = roles;
    for (char *role; r == 0 && (role = strtok_r (rest, ", ", &rest)) != NULL;) {
        char *public_path = curve_clients_path (self->settings, role), *revoked = curve_revoked_path (self->settings, role);
        if (!exists (public_path) && !exists (revoked)) {
            zcert_t *cert = zcert_new ();
            describe (cert, role, role);
            r = save (self, cert, role);
            zcert_destroy (&cert);
            made++;
        }
        free (public_path);
        free (revoked);
    }
    free (roles);
    if (r == 0 && self->json)
        printf ("{\"made\": %d}\n", made);
    else if (r == 0)
        printf ("%d made in %s\n", made, self->settings->security_keys);
    return r;
}

/* The first of NAME, NAME-2, NAME-3 ... that is free. given (free) */
static char *
free_name (const struct keys *self, const char *base)
{
    for (int i = 1;; i++) {
        char *name = i == 1 ? mem_dup (base) : mem_printf ("%s-%d", base, i);
        char *path = curve_clients_path (self->settings, name);
        bool taken = exists (path);
        free (path);
        if (!taken)
            return name;
        free (name);
    }
}

static int
check_roles (const char *roles)
{
    char *copy = mem_dup (roles), *rest = copy;
    bool any = false;
    int r = 0;
    for (char *role; r == 0 && (role = strtok_r (rest, ",", &rest)) != NULL; any = true)
        if (!curve_is_role (role))
            r = cli_usage ("keys", "there is no role \"%s\"; the roles are %s, and " WORKER " for " WORKER_ROLES, role, curve_roles ());
    if (r == 0 && !any)
        r = cli_usage ("keys", "for which role?");
    free (copy);
    return r;
}

static int
keys_issue (struct keys *self, int count UNUSED, char **arguments)
{
    const char *roles = strcmp (arguments[0], WORKER) == 0 ? WORKER_ROLES : arguments[0];
    char *base = mem_dup (self->name ? self->name : arguments[0]);
    base[strcspn (base, ",")] = '\0';
    int r = check_roles (roles);
    r = r ? r : load_servers (self);
    if (r == 0 && (!self->servers[0] || !self->servers[1])) {
        cli_say ("there are no keys in %s yet: `newsmill keys init` makes the first", self->settings->security_keys);
        r = EXIT_USAGE;
    }
    for (int i = 0; r == 0 && i < 2; i++)
        if (curve_has_role (roles, server_names[i])) /* all clients know it */
            r = cli_usage ("keys", "the %s has one key, which `newsmill keys init` makes", server_names[i]);
    char *name = r == 0 ? free_name (self, base) : NULL;
    if (r == 0 && self->name && strcmp (name, base) != 0) {
        cli_say ("the name %s is in use; `newsmill keys list` shows them all", base);
        r = EXIT_USAGE;
    }
    if (r == 0) {
        zcert_t *cert = zcert_new ();
        describe (cert, name, roles);
        r = make_tree (self);
        r = r ? r : save (self, cert, name);
        zcert_destroy (&cert);
    }
    if (r == 0) {
        char *path = curve_key_path (self->settings, name);
        if (self->json)
            printf ("{\"name\": \"%s\", \"role\": \"%s\", \"file\": \"%s\"}\n", name, roles, path);
        else
            printf ("%s\n  name %s, role %s\n  All that its host needs: copy it there (mode 0600) and name it in security.key.\n", path,
                    name, roles);
        free (path);
    }
    free (name);
    free (base);
    return r;
}

/* ---- looking ---- */

static int
by_name (const void *a, const void *b)
{
    return strcmp (*(char *const *) a, *(char *const *) b);
}

static void
list_folder (const char *folder, const char *state, json_t *out)
{
    char **names = NULL;
    size_t count = 0;
    DIR *dir = opendir (folder);
    for (struct dirent *entry; dir && (entry = readdir (dir)) != NULL;)
        if (*entry->d_name != '.') {
            names = mem_grow (names, count + 1, sizeof *names);
            names[count++] = mem_dup (entry->d_name);
        }
    if (dir)
        closedir (dir);
    if (count)
        qsort (names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        char *path = mem_printf ("%s/%s", folder, names[i]);
        zcert_t *cert = zcert_load (path);
        const char *role = cert ? zcert_meta (cert, "role") : NULL, *created = cert ? zcert_meta (cert, "created") : NULL;
        json_array_append_new (out, json_pack ("{s:s, s:s, s:s, s:s?, s:s}", "name", names[i], "role", role ? role : "", "state",
                                               cert ? state : "damaged", "created", created, "key",
                                               cert ? zcert_public_txt (cert) : ""));
        zcert_destroy (&cert);
        free (path);
        free (names[i]);
    }
    free (names);
}

static int
keys_list (struct keys *self, int count UNUSED, char **arguments UNUSED)
{
    static const struct table_column columns[] = {
        { "NAME", TABLE_LEFT, 0 }, { "ROLE", TABLE_LEFT, 12 }, { "STATE", TABLE_LEFT, 0 },
        { "CREATED (UTC)", TABLE_LEFT, 0 }, { "PUBLIC KEY", TABLE_LEFT, 0 },
    };
    char *clients = curve_clients_path (self->settings, NULL), *revoked = curve_revoked_path (self->settings, NULL);
    json_t *list = json_array (), *item;
    size_t i;
    int r = 0;
    if (access (clients, R_OK | X_OK) < 0) {
        cli_say ("cannot read %s: %s; `newsmill keys init` makes the first keys", clients, strerror (errno));
        r = EXIT_TEMP;
    }
    list_folder (clients, "valid", list);
    list_folder (revoked, "revoked", list);
    struct table *table = table_new (columns, COUNT_OF (columns));
    json_array_foreach (list, i, item) {
        char when[CLOCK_TEXT_SIZE];
        table_add (table, cli_text (item, "name"));
        table_add (table, cli_text (item, "role"));
        table_add (table, cli_text (item, "state"));
        table_add (table, cli_when (json_object_get (item, "created"), when));
        table_add (table, cli_text (item, "key"));
    }
    if (r == 0 && self->json)
        cli_print_json (list);
    else if (r == 0)
        table_print (table);
    table_destroy (&table);
    json_decref (list);
    free (clients);
    free (revoked);
    return r;
}

/* ---- revoking ---- */

static int
keys_revoke (struct keys *self, int count UNUSED, char **arguments)
{
    const char *name = arguments[0];
    char *from = curve_clients_path (self->settings, name), *to = curve_revoked_path (self->settings, name);
    char *secret = curve_key_path (self->settings, name);
    zcert_t *cert = is_name (name) && exists (from) ? zcert_load (from) : NULL;
    int r = 0;
    if (strcmp (name, server_names[0]) == 0 || strcmp (name, server_names[1]) == 0) {
        cli_say ("every client trusts the %s's key: to replace it, remove %s and begin anew with `newsmill keys init`", name,
                 self->settings->security_keys);
        r = EXIT_USAGE;
    } else if (!cert) {
        cli_say (is_name (name) && exists (to) ? "%s is revoked already" : "there is no certificate %s; `newsmill keys list` shows them",
                 name);
        r = 1;
    }
    /* The folders may be volumes of their own: a copy, then the end of the first. */
    r = r ? r : make_tree (self);
    if (r == 0 && zcert_save_public (cert, to) < 0)
        r = failed ("write", to, errno);
    if (r == 0 && unlink (from) < 0)
        r = failed ("remove", from, errno);
    if (r == 0 && unlink (secret) < 0 && errno != ENOENT)
        cli_say ("cannot remove %s: %s", secret, strerror (errno));
    if (r == 0 && self->json)
        printf ("{\"revoked\": \"%s\"}\n", name);
    else if (r == 0)
        printf ("%s is revoked; who uses it is cut off within seconds\n", name);
    zcert_destroy (&cert);
    free (from);
    free (to);
    free (secret);
    return r;
}

/* ---- */

int
cmd_keys (struct cli *cli, int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run) (struct keys *keys, int count, char **arguments);
        int operands;
        bool names;
    } actions[] = {
        { "init", keys_init, 0, false },
        { "issue", keys_issue, 1, true },
        { "list", keys_list, 0, false },
        { "revoke", keys_revoke, 1, false },
    };
    struct keys self = { .settings = &cli->settings };
    const struct cli_option options[] = { { .name = "name", .text = &self.name } };
    size_t i = 0;
    if (argc < 2)
        return cli_usage (argv[0], "what about the keys?");
    while (i < COUNT_OF (actions) && strcmp (actions[i].name, argv[1]) != 0)
        i++;
    if (i == COUNT_OF (actions))
        return cli_usage (argv[0], "`newsmill keys` has no action \"%s\"", argv[1]);
    argv[1] = argv[0];
    argv++;
    argc--;
    int r = cli_parse (&argc, argv, options, actions[i].names ? COUNT_OF (options) : 0, actions[i].operands, actions[i].operands);
    if (r == 0 && self.name && !is_name (self.name))
        r = cli_usage (argv[0], "a name has at most %d letters, digits, dots, dashes and underscores, not \"%s\"", CURVE_NAME_MAX,
                       self.name);
    r = r ? r : cli_load (cli);
    if (r)
        return r;
    self.json = cli->json;
    zsys_handler_set (NULL); /* Ctrl-C stays ours */
    mode_t mask = umask (077);
    r = actions[i].run (&self, argc - 1, argv + 1);
    umask (mask);
    zcert_destroy (&self.servers[0]);
    zcert_destroy (&self.servers[1]);
    return r;
}

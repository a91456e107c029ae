/* rank - ranks a collection's documents for each of its queries by vectors, best first, and prints lines as trec_eval reads them:
 * query, "Q0", document, rank, cosine, EMBEDDER. bench/retrieval scores them.
 * usage: rank [-f] [-c WORDS] [-w WEIGHTS] EMBEDDER FOLDER
 *
 * EMBEDDER: "hash" (lib/model/local.h), "exact" (lib/minilm in single precision) or a kernel of lib/minilm ("avx2", "portable", ...).
 * FOLDER: docs.tsv (id, title, text) and queries.tsv (id, text). A document's text is title, blank, text.
 *   -w WEIGHTS  a folder with the weights as published; all but "hash" need them
 *   -f          a text's first window is read alone, instead of the average of all
 *   -c WORDS    documents are cut into chunks of WORDS words, a sixth of them shared with the next; the best one counts
 * SPDX-License-Identifier: MPL-2.0 */
#include "base/base.h"
#include "minilm/minilm.h"
#include "model/local.h"
#include "stages/chunker/chunk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIMENSIONS 384
#define LISTED 100 /* documents a query */
#define BATCH 16   /* texts a call: progress is told after each */

_Static_assert (DIMENSIONS == MINILM_DIMENSIONS && DIMENSIONS == LOCAL_DIMENSIONS, "vectors of one size");

struct options {
    const char *embedder, *folder, *weights;
    bool first_window;
    int64_t chunk_words; /* 0: whole documents */
};

struct passage {
    struct minilm_text text;
    size_t owner; /* whose text it is */
    float vector[DIMENSIONS];
};

/* Documents, or queries. */
struct table {
    char **ids, **texts;
    size_t count;
    struct passage *passages;
    size_t passage_count;
};

static void
stop (const char *what, const char *why)
{
    fprintf (stderr, "rank: %s: %s\n", what, why);
    exit (EXIT_USAGE);
}

static void
read_table (const char *folder, const char *name, struct table *table)
{
    char *path = mem_printf ("%s/%s", folder, name), *line = NULL;
    size_t room = 0;
    FILE *file = fopen (path, "r");
    if (!file)
        stop (path, "cannot be read");
    while (getline (&line, &room, file) > 0) {
        char *tab = strchr (line, '\t');
        line[strcspn (line, "\n")] = '\0';
        if (!tab)
            stop (path, "a line without a tab");
        *tab = '\0';
        table->ids = mem_grow (table->ids, table->count + 1, sizeof *table->ids);
        table->texts = mem_grow (table->texts, table->count + 1, sizeof *table->texts);
        table->ids[table->count] = mem_dup (line);
        table->texts[table->count] = mem_dup (tab + 1);
        for (char *c = table->texts[table->count++]; *c; c++)
            if (*c == '\t')
                *c = ' ';
    }
    free (line);
    fclose (file);
    free (path);
}

static void
add_passage (struct table *table, size_t owner, const char *data, size_t bytes)
{
    table->passages = mem_grow (table->passages, table->passage_count + 1, sizeof *table->passages);
    table->passages[table->passage_count++] = (struct passage){ .text = { data, bytes }, .owner = owner };
}

static void
cut (struct table *table, int64_t chunk_words)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct chunk_rule rule = { .size = (size_t) chunk_words, .overlap = (size_t) chunk_words / 6, .cjk = true };
        const char *text = table->texts[i];
        struct chunk *chunks = NULL;
        size_t count = 0;
        if (chunk_words == 0)
            add_passage (table, i, text, strlen (text));
        else if (chunk_split (text, strlen (text), &rule, &chunks, &count) < 0)
            stop (table->ids[i], "cannot be cut");
        for (size_t k = 0; k < count; k++)
            add_passage (table, i, text + chunks[k].byte_start, chunks[k].byte_end - chunks[k].byte_start);
        free (chunks);
    }
}

/* ---- embedding ---- */

/* Shortens the text, at a blank, to what one window takes. */
static void
keep_first_window (const struct minilm *model, struct minilm_text *text)
{
    uint16_t ids[1];
    size_t least = 0, most = text->bytes; /* bytes that fit, bytes that may */
    while (least < most) {
        size_t middle = least + (most - least + 1) / 2;
        if (minilm_tokenise (model, text->data, middle, ids, 0) <= MINILM_WINDOW - 2)
            least = middle;
        else
            most = middle - 1;
    }
    if (least < text->bytes)
        while (least > 0 && text->data[least] != ' ')
            least--;
    text->bytes = least;
}

static void
embed (struct minilm *model, const struct options *options, const char *what, struct table *table)
{
    bool told = isatty (STDERR_FILENO);
    for (size_t i = 0; i < table->passage_count; i += BATCH) {
        struct passage *from = &table->passages[i];
        size_t count = MIN_OF (BATCH, table->passage_count - i);
        struct minilm_text texts[BATCH];
        float vectors[BATCH][DIMENSIONS];
        for (size_t k = 0; k < count; k++) {
            texts[k] = from[k].text;
            if (!model)
                local_embed (texts[k].data, texts[k].bytes, vectors[k]);
            else if (options->first_window)
                keep_first_window (model, &texts[k]);
        }
        if (model)
            minilm_embed (model, texts, count, vectors[0]);
        for (size_t k = 0; k < count; k++)
            memcpy (from[k].vector, vectors[k], sizeof vectors[k]);
        if (told)
            fprintf (stderr, "\r%s by %s: %zu of %zu %s ", options->folder, options->embedder, i + count, table->passage_count, what);
    }
    if (told)
        fprintf (stderr, "\r\033[K");
}

static struct minilm *
open_model (const struct options *options)
{
    char reason[MINILM_REASON], prepared[] = "/tmp/rank.XXXXXX";
    struct minilm *model = NULL;
    if (strcmp (options->embedder, "hash") == 0)
        return NULL;
    if (!options->weights)
        stop (options->embedder, "needs -w");
    char *safetensors = mem_printf ("%s/model.fp16.safetensors", options->weights);
    char *tokenizer = mem_printf ("%s/tokenizer.json", options->weights);
    int r, file = -1;
    if (strcmp (options->embedder, "exact") == 0)
        r = minilm_open_exact (safetensors, tokenizer, &model, reason);
    else {
        file = mkstemp (prepared);
        setenv ("NEWSMILL_KERNEL", options->embedder, 1);
        r = minilm_prepare (safetensors, tokenizer, "", prepared, reason);
        if (r == 0)
            r = minilm_open (prepared, &model, reason);
        unlink (prepared);
        close (file);
    }
    if (r < 0)
        stop (options->weights, reason);
    if (file >= 0 && strcmp (minilm_kernel (model), options->embedder) != 0)
        stop (options->embedder, "no kernel that this processor has");
    free (safetensors);
    free (tokenizer);
    return model;
}

/* ---- ranking ---- */

struct found {
    size_t doc;
    float score;
};

static int
by_score (const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return x->score != y->score ? (x->score < y->score) - (x->score > y->score) : (x->doc > y->doc) - (x->doc < y->doc);
}

static void
rank (const struct options *options, const struct table *docs, const struct table *queries)
{
    struct found *found = mem_grow (NULL, docs->count, sizeof *found);
    for (size_t q = 0; q < queries->passage_count; q++) {
        const float *query = queries->passages[q].vector;
        for (size_t i = 0; i < docs->count; i++)
            found[i] = (struct found){ i, -2 };
        for (size_t i = 0; i < docs->passage_count; i++) {
            const struct passage *passage = &docs->passages[i];
            float score = 0;
            for (size_t k = 0; k < DIMENSIONS; k++)
                score += query[k] * passage->vector[k];
            found[passage->owner].score = MAX_OF (found[passage->owner].score, score);
        }
        qsort (found, docs->count, sizeof *found, by_score);
        for (size_t i = 0; i < MIN_OF (LISTED, docs->count); i++)
            printf ("%s Q0 %s %zu %.6f %s\n", queries->ids[q], docs->ids[found[i].doc], i + 1, (double) found[i].score,
                    options->embedder);
    }
    free (found);
}

static void
table_fini (struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free (table->ids[i]);
        free (table->texts[i]);
    }
    free (table->ids);
    free (table->texts);
    free (table->passages);
}

int
main (int argc, char **argv)
{
    struct options options = { 0 };
    struct table docs = { 0 }, queries = { 0 };
    int option;
    while ((option = getopt (argc, argv, "fc:w:")) != -1) {
        if (option == 'f')
            options.first_window = true;
        else if (option == 'w')
            options.weights = optarg;
        else if (option != 'c' || num_parse (optarg, 1, 100000, &options.chunk_words) < 0)
            argc = 0;
    }
    if (argc - optind != 2) {
        fprintf (stderr, "usage: rank [-f] [-c WORDS] [-w WEIGHTS] EMBEDDER FOLDER\n");
        return EXIT_USAGE;
    }
    options.embedder = argv[optind];
    options.folder = argv[optind + 1];
    read_table (options.folder, "docs.tsv", &docs);
    read_table (options.folder, "queries.tsv", &queries);
    struct minilm *model = open_model (&options);
    cut (&docs, options.chunk_words);
    cut (&queries, 0);
    embed (model, &options, "passages", &docs);
    embed (model, &options, "queries", &queries);
    rank (&options, &docs, &queries);
    table_fini (&docs);
    table_fini (&queries);
    minilm_close (&model);
    return 0;
}

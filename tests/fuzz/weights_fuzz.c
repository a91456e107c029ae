/* The prepared file of lib/minilm with any bytes changed and its checksum right again: it is refused, or every text has tokens of
 * the vocabulary and a vector of length 1. The input is a list of changes, REGION OFFSET OFFSET OFFSET VALUE, and then the text.
 * SPDX-License-Identifier: MPL-2.0 */
#include "minilm/impl.h"
#include "minilm/prepare.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHANGES_MAX 64
#define CHANGE_BYTES 5
#define TEXT_MAX 64 /* the network is what takes the time */
#define IDS_MAX 256

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t bytes);

static struct {
    struct weights *weights; /* of the file, shared */
    char path[32];
    int fd;
} file;

/* What decides over bounds is a hundredth of the file. */
static const struct {
    size_t start, bytes;
} regions[] = {
    { 0, offsetof (struct weights, starts) },
    { offsetof (struct weights, starts), sizeof file.weights->starts },
    { offsetof (struct weights, slots), sizeof file.weights->slots },
    { offsetof (struct weights, vocabulary), sizeof file.weights->vocabulary },
    { offsetof (struct weights, norm), sizeof file.weights->norm },
    { 0, sizeof (struct weights) },
};

static int
new_file (size_t bytes, char path[32])
{
    int fd = memfd_create ("fuzz", MFD_CLOEXEC);
    assert (fd >= 0 && ftruncate (fd, (off_t) bytes) == 0);
    snprintf (path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

/* Numbers, each also as what continues a word. */
static void
fill_vocabulary (struct weights *weights)
{
    struct buf json = { 0 };
    char path[32], reason[MINILM_REASON];
    buf_add_str (&json, "{\"model\":{\"vocab\":{");
    for (int i = 0; i < VOCABULARY; i++)
        buf_printf (&json, "%s\"%s%d\":%d", i ? "," : "", i % 2 ? "##" : "", i / 2, i);
    buf_add_str (&json, "}}}");
    int fd = new_file (json.len, path);
    assert (pwrite (fd, json.data, json.len, 0) == (ssize_t) json.len);
    assert (vocabulary_read (path, weights, reason) == 0);
    close (fd);
    buf_fini (&json);
}

static void
fill_norm (struct norm *norm)
{
    for (size_t i = 0; i < DIMENSIONS; i++)
        norm->weight[i] = 1;
}

static void
make_file (void)
{
    file.fd = new_file (sizeof *file.weights, file.path);
    struct weights *w = mmap (NULL, sizeof *w, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd, 0);
    assert (w != MAP_FAILED);
    memcpy (w->magic, WEIGHTS_MAGIC, sizeof w->magic);
    w->version = WEIGHTS_VERSION;
    fill_vocabulary (w);
    for (size_t i = 0; i < sizeof w->words; i++)
        w->words[i] = (int8_t) (i % 251 - 125);
    for (size_t i = 0; i < VOCABULARY; i++)
        w->word_scales[i] = 0.01f;
    fill_norm (&w->norm);
    for (size_t i = 0; i < LAYERS; i++) {
        fill_norm (&w->layers[i].out_norm);
        fill_norm (&w->layers[i].down_norm);
    }
    file.weights = w;
}

static void
read_text (struct minilm *model, const char *text, size_t bytes)
{
    struct minilm_text one = { text, bytes };
    uint16_t ids[IDS_MAX];
    float vector[DIMENSIONS];
    double sum = 0;
    size_t count = minilm_tokenise (model, text, bytes, ids, IDS_MAX);
    for (size_t i = 0; i < MIN_OF (count, (size_t) IDS_MAX); i++)
        assert (ids[i] < VOCABULARY);
    minilm_embed (model, &one, 1, vector);
    for (size_t i = 0; i < DIMENSIONS; i++)
        sum += (double) vector[i] * (double) vector[i];
    assert (fabs (sum - 1) < 1e-4);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t bytes)
{
    struct minilm *model = NULL;
    struct {
        size_t at;
        uint8_t was;
    } changes[CHANGES_MAX];
    size_t count = 0, wanted = bytes ? data[0] % CHANGES_MAX : 0, used = bytes > 0;
    char reason[MINILM_REASON];
    if (!file.weights)
        make_file ();
    for (; count < wanted && bytes - used >= CHANGE_BYTES; used += CHANGE_BYTES) {
        const uint8_t *change = data + used;
        size_t region = change[0] % COUNT_OF (regions), offset = change[1] | (size_t) change[2] << 8 | (size_t) change[3] << 16;
        changes[count].at = regions[region].start + offset % regions[region].bytes;
        uint8_t *byte = (uint8_t *) file.weights + changes[count].at;
        changes[count++].was = *byte;
        *byte = change[4];
    }
    weights_sum (file.weights, file.weights->checksum);
    if (minilm_open (file.path, &model, reason) == 0)
        read_text (model, (const char *) data + used, MIN_OF (bytes - used, (size_t) TEXT_MAX));
    else
        assert (memchr (reason, '\0', sizeof reason));
    minilm_close (&model);
    while (count-- > 0)
        ((uint8_t *) file.weights)[changes[count].at] = changes[count].was;
    return 0;
}

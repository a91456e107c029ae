/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/embedder/memory.h"

#include <czmq.h>

struct memory_entry {
    char *key; /* heading, NUL, text */
    size_t key_bytes, hash;
    float *vector; /* NULL while it is waited for */
    char *model;
    void **waiters;
    size_t waiter_count;
    struct memory_entry *older, *newer; /* of those known, by when they were asked for last */
};

struct memory {
    size_t dimensions, max_bytes, bytes;
    zhashx_t *entries;
    struct memory_entry *oldest, *newest;
};

static size_t
entry_hash (const void *key)
{
    return ((const struct memory_entry *) key)->hash;
}

static int
entry_compare (const void *one, const void *other)
{
    const struct memory_entry *a = one, *b = other;
    return a->key_bytes != b->key_bytes || memcmp (a->key, b->key, a->key_bytes) != 0;
}

static void
entry_free (void **ref)
{
    struct memory_entry *entry = *ref;
    free (entry->key);
    free (entry->vector);
    free (entry->model);
    free (entry->waiters);
    free (entry);
    *ref = NULL;
}

struct memory *
memory_new (size_t dimensions, size_t max_bytes)
{
    struct memory *self = MEM_NEW (struct memory);
    *self = (struct memory){ .dimensions = dimensions, .max_bytes = max_bytes, .entries = zhashx_new () };
    zhashx_set_key_hasher (self->entries, entry_hash);
    zhashx_set_key_comparator (self->entries, entry_compare);
    zhashx_set_key_duplicator (self->entries, NULL); /* an entry is its own key */
    zhashx_set_key_destructor (self->entries, NULL);
    zhashx_set_destructor (self->entries, entry_free);
    return self;
}

void
memory_destroy (struct memory **ref)
{
    struct memory *self = *ref;
    *ref = NULL;
    if (!self)
        return;
    zhashx_destroy (&self->entries);
    free (self);
}

/* ---- by age ---- */

static size_t
entry_bytes (const struct memory *self, const struct memory_entry *entry)
{
    return sizeof *entry + entry->key_bytes + self->dimensions * sizeof (float);
}

static void
unlink_entry (struct memory *self, struct memory_entry *entry)
{
    *(entry->older ? &entry->older->newer : &self->oldest) = entry->newer;
    *(entry->newer ? &entry->newer->older : &self->newest) = entry->older;
    entry->older = entry->newer = NULL;
}

static void
link_newest (struct memory *self, struct memory_entry *entry)
{
    entry->older = self->newest;
    *(self->newest ? &self->newest->newer : &self->oldest) = entry;
    self->newest = entry;
}

static void
drop_oldest (struct memory *self)
{
    struct memory_entry *entry = self->oldest;
    self->bytes -= entry_bytes (self, entry);
    unlink_entry (self, entry);
    zhashx_delete (self->entries, entry);
}

/* ---- asking ---- */

struct memory_entry *
memory_ask (struct memory *self, const char *heading, const char *text, size_t bytes, void *waiter, bool *ret_first)
{
    struct buf key = { 0 };
    buf_reserve (&key, (heading ? strlen (heading) : 0) + 1 + bytes);
    buf_add_str (&key, heading ? heading : "");
    buf_add (&key, "", 1);
    buf_add (&key, text, bytes);
    struct memory_entry wanted = { .key = key.data, .key_bytes = key.len, .hash = (size_t) num_hash (key.data, key.len) };
    struct memory_entry *entry = zhashx_lookup (self->entries, &wanted);
    *ret_first = !entry;
    if (entry)
        buf_fini (&key);
    else {
        entry = MEM_NEW (struct memory_entry);
        *entry = wanted;
        zhashx_insert (self->entries, entry, entry);
    }
    if (entry->vector) {
        unlink_entry (self, entry);
        link_newest (self, entry);
    } else {
        entry->waiters = mem_grow (entry->waiters, entry->waiter_count + 1, sizeof *entry->waiters);
        entry->waiters[entry->waiter_count++] = waiter;
    }
    return entry;
}

const float *
memory_vector (const struct memory_entry *entry)
{
    return entry->vector;
}

const char *
memory_model (const struct memory_entry *entry)
{
    return entry->model;
}

size_t
memory_bytes (const struct memory *self)
{
    return self->bytes;
}

/* ---- answering ---- */

/* The waiters are taken from the entry first: whoever is told may ask again, and so drop it. */
static void
tell (void **waiters, size_t count, memory_fn *fn, void *context)
{
    for (size_t i = 0; i < count; i++)
        fn (context, waiters[i]);
    free (waiters);
}

void
memory_learn (struct memory *self, struct memory_entry *entry, const float *vector, const char *model, memory_fn *fn,
              void *context)
{
    void **waiters = entry->waiters;
    size_t count = entry->waiter_count;
    entry->waiters = NULL;
    entry->waiter_count = 0;
    entry->vector = mem_grow (NULL, self->dimensions, sizeof *vector);
    memcpy (entry->vector, vector, self->dimensions * sizeof *vector);
    entry->model = mem_dup (model);
    self->bytes += entry_bytes (self, entry);
    link_newest (self, entry);
    while (self->bytes > self->max_bytes)
        drop_oldest (self);
    tell (waiters, count, fn, context);
}

void
memory_forget (struct memory *self, struct memory_entry *entry, memory_fn *fn, void *context)
{
    void **waiters = entry->waiters;
    size_t count = entry->waiter_count;
    entry->waiters = NULL;
    zhashx_delete (self->entries, entry);
    tell (waiters, count, fn, context);
}

/* chunker - cuts an article's text into overlapping chunks. See newsmill-chunker.8.
 * SPDX-License-Identifier: MPL-2.0 */
#include "stage/stage.h"
#include "stages/chunker/chunk.h"

static void
on_article (struct stage *stage, void *state UNUSED, struct stage_article *article)
{
    const struct settings *s = stage_settings (stage);
    const struct chunk_rule rule = { (size_t) s->chunker_size, (size_t) s->chunker_overlap,
                                     (size_t) s->chunker_max_word, s->chunker_cjk };
    struct wire_article *wire = &article->wire;
    struct chunk *chunks = NULL;
    size_t count = 0;
    struct buf packed = { 0 };

    int r = chunk_split (wire->content.data, wire->content.size, &rule, &chunks, &count);
    if (r < 0 || !count || count > WIRE_CHUNKS_MAX) {
        stage_fail (stage, &article, WIRE_BLAMED, r < 0 ? "the chunk rule is impossible"
                    : count ? "more chunks than a message carries" : "no words to cut");
        free (chunks);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct wire_chunk chunk = { (uint32_t) chunks[i].word_start, (uint32_t) chunks[i].word_count,
                                    (uint32_t) chunks[i].byte_start, (uint32_t) chunks[i].byte_end };
        wire_chunk_put (&packed, &chunk);
    }
    wire->chunks = (struct wire_bytes){ packed.data, packed.len };
    stage_pass (stage, &article);
    buf_fini (&packed);
    free (chunks);
}

int
main (int argc, char **argv)
{
    static const struct stage_def def = {
        .name = "chunker",
        .in = WIRE_SUMMARIES,
        .out = WIRE_CHUNKS,
        .on_article = on_article,
    };
    return stage_main (&def, argc, argv);
}

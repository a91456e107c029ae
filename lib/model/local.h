/* local - a summariser and an embedder that need neither key nor network.
 *
 * Summaries: the whole sentences of the cleaned text (bylines, time stamps, datelines and the like dropped), ranked by
 * the cosine to the TF-IDF centroid of them all plus 0.6 / sqrt (position); the best three of which no two have a
 * cosine of 0.5 or more, in document order (Radev et al., "Centroid-based summarization of multiple documents", 2004).
 * Vectors: hashed TF-IDF of stems, several signed hashes a stem, L2-normalised
 * (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", 2009).
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef MODEL_LOCAL_H
#define MODEL_LOCAL_H

#include "base/base.h"

#define LOCAL_EMBED_NAME "local/hash-384"
#define LOCAL_SUMMARY_NAME "local/centroid"
#define LOCAL_DIMENSIONS 384

/* title: may be NULL; text: UTF-8; both borrowed. Returns at most LOCAL_SUMMARY_SENTENCES whole sentences; where the
 * text has none, its fullest line, or the title if that line breaks off or is a byline; "" only if neither has words.
 * given (free). No I/O; never blocks. Safe for any input. */
#define LOCAL_SUMMARY_SENTENCES 3
char *local_summarise (const char *title, const char *text, size_t bytes);

/* What of a text is embedded: its title, if it has one, and it. Appended to out. */
void local_text_put (const char *title, const char *text, size_t bytes, struct buf *out);

/* Fills out with a vector of length 1; a text without words gives a fixed unit vector (a zero vector has no cosine). */
void local_embed (const char *text, size_t bytes, float out[LOCAL_DIMENSIONS]);

#endif

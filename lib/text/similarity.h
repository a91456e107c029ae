/* similarity - prints of a text that similar texts share: MinHash (Broder, "On the resemblance and containment of
 * documents", 1997) over runs of three words, by one permutation (Li, Owen, Zhang, 2012) with empty bins filled by rotation
 * (Shrivastava, Li, 2014), cut into bands (Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets",
 * section 3.4). A band is equal in both texts with the probability J^4, where J is the share of the runs that they have in
 * common: of 16 bands, texts with J 0.9 share ten, with J 0.7 four, with J 0.4 one or none.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef TEXT_SIMILARITY_H
#define TEXT_SIMILARITY_H

#include "base/base.h"

#define SIMILARITY_BANDS 16
#define SIMILARITY_ALIKE 3        /* shared bands from which on two texts count as alike */
#define SIMILARITY_WORDS_LEAST 30 /* of a text that can be told to be like another */

/* text: borrowed, UTF-8. false, and no bands, if it has too few words. Linear; no I/O. */
bool similarity_bands (const char *text, size_t bytes, int64_t ret_bands[SIMILARITY_BANDS]);

#endif

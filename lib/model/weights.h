/* weights - where the file of the embedding model's weights lies.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef MODEL_WEIGHTS_H
#define MODEL_WEIGHTS_H

#include "base/base.h"

#define MODEL_WEIGHTS_NONE "none" /* the setting that wants no file */

/* wish: the setting model.weights. A path is it, whether or not there is such a file. "" is the first that is there of MINILM_FILE
 * in data_dir and in ../share/newsmill beside this program's folder, bin or libexec/newsmill. NULL: there is none, or none is wanted.
 * Asks the file system and nothing else: the same answer in each process of one installation. given (free) */
char *model_weights_find (const char *wish, const char *data_dir);
/* Where a file for this wish belongs: its path, else MINILM_FILE in data_dir. given (free); NULL: none is wanted */
char *model_weights_place (const char *wish, const char *data_dir);

#endif

/* url - links against their base (RFC 3986), as lenient as readers of feeds and pages must be.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef TEXT_URL_H
#define TEXT_URL_H

#include "base/base.h"

/* RFC 3986, section 5.2. base: may be NULL. given (free), or NULL if reference is empty */
char *url_resolve (const char *base, const char *reference);
bool url_is_absolute (const char *url);

#endif

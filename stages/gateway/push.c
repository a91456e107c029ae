/* SPDX-License-Identifier: MPL-2.0 */
#include "push.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The digest that the text before '=' names, or NULL. */
static const EVP_MD *
method_of (const char *signature)
{
    static const struct {
        const char *name;
        const EVP_MD *(*digest) (void);
    } methods[] = { { "sha1", EVP_sha1 }, { "sha256", EVP_sha256 }, { "sha384", EVP_sha384 }, { "sha512", EVP_sha512 } };
    size_t bytes = strcspn (signature, "=");
    for (size_t i = 0; i < COUNT_OF (methods); i++)
        if (signature[bytes] && strlen (methods[i].name) == bytes && strncasecmp (signature, methods[i].name, bytes) == 0)
            return methods[i].digest ();
    return NULL;
}

bool
push_is_signed (const char *signature, const char *secret, const void *body, size_t bytes)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    char wanted[2 * EVP_MAX_MD_SIZE + 1], given[2 * EVP_MAX_MD_SIZE + 1];
    unsigned size = 0;
    const EVP_MD *method = signature ? method_of (signature) : NULL;
    if (!method || !HMAC (method, secret, (int) strlen (secret), bytes ? body : "", bytes, mac, &size))
        return false;
    const char *digits = strchr (signature, '=') + 1;
    if (strlen (digits) != 2 * (size_t) size)
        return false;
    for (unsigned i = 0; i < size; i++)
        snprintf (wanted + 2 * i, 3, "%02x", mac[i]);
    for (unsigned i = 0; i < 2 * size; i++) /* hubs write either case */
        given[i] = (char) (digits[i] >= 'A' && digits[i] <= 'F' ? digits[i] | 0x20 : digits[i]);
    return CRYPTO_memcmp (wanted, given, 2 * (size_t) size) == 0;
}

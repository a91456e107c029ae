/* SPDX-License-Identifier: MPL-2.0 */
#include "model/weights.h"
#include "minilm/minilm.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 4096

/* The folder that this program is installed in, as /usr. given (free); NULL if that can't be told */
static char *
prefix (void)
{
    static const char *const folders[] = { "/libexec/newsmill", "/bin" };
    char path[PATH_BYTES];
    ssize_t n = readlink ("/proc/self/exe", path, sizeof path - 1);
    path[MAX_OF (n, (ssize_t) 0)] = '\0';
    char *slash = strrchr (path, '/');
    if (!slash)
        return NULL;
    *slash = '\0';
    size_t length = strlen (path);
    for (size_t i = 0; i < COUNT_OF (folders); i++) {
        size_t tail = strlen (folders[i]);
        if (length >= tail && strcmp (path + length - tail, folders[i]) == 0)
            return mem_copy (path, length - tail);
    }
    return NULL;
}

char *
model_weights_place (const char *wish, const char *data_dir)
{
    if (strcmp (wish, MODEL_WEIGHTS_NONE) == 0)
        return NULL;
    return *wish ? mem_dup (wish) : mem_printf ("%s/" MINILM_FILE, data_dir);
}

char *
model_weights_find (const char *wish, const char *data_dir)
{
    char *path = model_weights_place (wish, data_dir);
    if (!path || *wish || access (path, F_OK) == 0)
        return path;
    free (path);
    char *folder = prefix ();
    path = folder ? mem_printf ("%s/share/newsmill/" MINILM_FILE, folder) : NULL;
    free (folder);
    if (path && access (path, F_OK) == 0)
        return path;
    free (path);
    return NULL;
}

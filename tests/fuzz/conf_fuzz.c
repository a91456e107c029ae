/* SPDX-License-Identifier: MPL-2.0 */
#include "conf/conf.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <stdio.h>
#include <unistd.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    static struct settings settings;
    char path[64];
    struct buf faults = { 0 };
    int fd = memfd_create ("conf", MFD_CLOEXEC);
    if (fd < 0 || write (fd, data, size) != (ssize_t) size)
        abort ();
    snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
    if (conf_load (path, &settings, &faults) < 0 && !faults.len)
        abort (); /* a refusal says why */
    buf_fini (&faults);
    close (fd);
    return 0;
}

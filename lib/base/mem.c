/* SPDX-License-Identifier: MPL-2.0 */
#include "base/base.h"

#include <link.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void *
checked (void *block)
{
    if (!block) {
        log_error ("out of memory");
        abort ();
    }
    return block;
}

void *
mem_alloc (size_t bytes)
{
    return checked (calloc (1, bytes ? bytes : 1));
}

void *
mem_grow (void *block, size_t count, size_t each)
{
    return checked (reallocarray (block, count ? count : 1, each));
}

char *
mem_copy (const void *data, size_t bytes)
{
    char *copy = checked (malloc (bytes + 1));
    if (bytes)
        memcpy (copy, data, bytes);
    copy[bytes] = '\0';
    return copy;
}

char *
mem_dup (const char *text)
{
    return text ? mem_copy (text, strlen (text)) : NULL;
}

char *
mem_printf (const char *format, ...)
{
    va_list args;
    va_start (args, format);
    char *text = NULL;
    int n = vasprintf (&text, format, args);
    va_end (args);
    return checked (n < 0 ? NULL : text);
}

/* Segments that may not be written hold what their file holds, unless relocations were written into them (DT_TEXTREL). */
static int
trim_object (struct dl_phdr_info *object, size_t size UNUSED, void *arg)
{
    uintptr_t page = *(const uintptr_t *) arg;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW (Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_DYNAMIC)
            continue;
        for (const ElfW (Dyn) *entry = (const void *) (object->dlpi_addr + segment->p_vaddr); entry->d_tag != DT_NULL; entry++)
            if (entry->d_tag == DT_TEXTREL || (entry->d_tag == DT_FLAGS && entry->d_un.d_val & DF_TEXTREL))
                return 0;
    }
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW (Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || segment->p_flags & PF_W)
            continue;
        uintptr_t start = (object->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        uintptr_t end = (object->dlpi_addr + segment->p_vaddr + segment->p_filesz + page - 1) & ~(page - 1);
        (void) madvise ((void *) start, end - start, MADV_DONTNEED); /* refused for the vDSO, which has no file */
    }
    return 0;
}

void
mem_trim (void)
{
    malloc_trim (0);
    uintptr_t page = (uintptr_t) sysconf (_SC_PAGESIZE);
    dl_iterate_phdr (trim_object, &page);
}

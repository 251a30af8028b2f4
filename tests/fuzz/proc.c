/*
 * proc.c - any text as /proc/PID/maps: what os/proc.c makes of it. The kernel's answers
 * are the input, in pieces as a read may give them.
 */
#include "tools/tool.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const uint8_t *rest;
static size_t rest_size;

/* The first byte of what is left says how much of it comes. */
static long answer_read(char *to, size_t room)
{
    size_t n = rest_size == 0 ? 0 : (size_t)rest[0] * 17 + 1;
    if (rest_size > 0)
        rest++, rest_size--;
    n = n < room ? n : room;
    n = n < rest_size ? n : rest_size;
    memcpy(to, rest, n);
    rest += n;
    rest_size -= n;
    return (long)n;
}

static long answer(long number, ...)
{
    if (number != SYS_read)
        return number == SYS_openat ? 3 : 0;
    va_list list;
    va_start(list, number);
    (void)va_arg(list, long);
    char *to = va_arg(list, char *);
    size_t room = va_arg(list, size_t);
    va_end(list);
    return answer_read(to, room);
}

#define syscall answer
#include "os/proc.c"
#undef syscall

_Noreturn void tool_usage(void)
{
    abort();
} /* of tools/tool.c, whose host_write we need */

/* Every byte that it names is looked at. */
static void look(const os_mapping_t *m, void *arg)
{
    uint64_t *sum = arg;
    *sum += m->low ^ m->high ^ m->inode ^ m->offset;
    *sum += (uint64_t)m->readable + m->writable + m->executable + m->shared;
    for (const char *name = m->name; *name != '\0'; name++)
        *sum += (unsigned char)*name;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t sum = 0;
    rest = data;
    rest_size = size;
    if (!os_mappings(0, look, &sum))
        abort();
    return sum == UINT64_MAX ? -1 : 0; /* or the sum would not be needed */
}

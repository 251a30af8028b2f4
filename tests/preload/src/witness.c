/*
 * witness.c - preloaded beside the library under test; says in a log who serves malloc
 * in each process.
 *
 * One line per process image, `<executable>\t<object that malloc comes from>`, appended
 * to the file that PRELOAD_LOG names with a single write. The driver fails a program
 * that left no such line for the library, so no test can pass without it. The address
 * is the one that the dynamic linker bound for this object, as for any other: dlsym
 * could name the library where a versioned reference does not reach it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* A non-PIE executable that takes malloc's address lends it to everybody: the address
 * bound is then its PLT entry, and only a look-up past this object finds what stands
 * behind it. */
static const char *malloc_object(void)
{
    Dl_info found;
    Dl_info program;
    void *address = (void *)(uintptr_t)&malloc;

    if (!dladdr(address, &found))
        return "nobody";
    if (dladdr((void *)getauxval(AT_ENTRY), &program) &&
        found.dli_fbase == program.dli_fbase) {
        address = dlsym(RTLD_NEXT, "malloc");
        if (!address || !dladdr(address, &found))
            return "nobody";
    }
    return found.dli_fname;
}

__attribute__((constructor)) static void say_who_serves_malloc(void)
{
    const char *log = getenv("PRELOAD_LOG");
    char line[2 * 4096];
    ssize_t length;
    int fd;

    if (!log)
        return;
    length = readlink("/proc/self/exe", line, sizeof line / 2 - 2);
    if (length < 0)
        length = 0;
    line[length++] = '\t';
    strncpy(line + length, malloc_object(), sizeof line / 2 - 2);
    line[sizeof line - 2] = '\0';
    length = (ssize_t)strlen(line);
    line[length++] = '\n';
    fd = open(log, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write(fd, line, (size_t)length) != length)
        _exit(126); /* a full disk must not look like a program without the library */
    close(fd);
}

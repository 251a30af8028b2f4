/* os/proc.c - files below /proc, a line at a time. See proc.h. */
#include "os/proc.h"

#include "base/report.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

typedef struct lines {
    long fd;
    size_t at, used;
    char text[4200]; /* a path and what stands before it */
} lines_t;

/* Open /proc/PID/name; PID 0 is ourselves. */
static long proc_open(int pid, const char *name, int flags)
{
    cm_text path = {.used = 0, .fd = -1};
    cm_text_string(&path, "/proc/");
    if (pid == 0)
        cm_text_string(&path, "self");
    else
        cm_text_number(&path, (uint64_t)pid);
    cm_text_string(&path, "/");
    cm_text_string(&path, name);
    path.bytes[path.used < sizeof path.bytes ? path.used : sizeof path.bytes - 1] = '\0';
    return syscall(SYS_openat, AT_FDCWD, path.bytes, O_RDONLY | O_CLOEXEC | flags);
}

static void lines_begin(lines_t *l, long fd)
{
    l->fd = fd;
    l->at = l->used = 0;
}

static void lines_fill(lines_t *l)
{
    memmove(l->text, l->text + l->at, l->used - l->at);
    l->used -= l->at;
    l->at = 0;
    long n;
    do
        n = syscall(SYS_read, l->fd, l->text + l->used, sizeof l->text - 1 - l->used);
    while (n < 0 && errno == EINTR);
    l->used += n > 0 ? (size_t)n : 0;
}

/* The next line; NULL: there is none. One that is too long comes in pieces. */
static char *lines_next(lines_t *l)
{
    for (int filled = 0; filled < 2; filled++) {
        for (size_t i = l->at; i < l->used; i++)
            if (l->text[i] == '\n') {
                char *line = l->text + l->at;
                l->text[i] = '\0';
                l->at = i + 1;
                return line;
            }
        if (filled == 0)
            lines_fill(l);
    }
    if (l->at == l->used)
        return NULL;
    char *line = l->text + l->at;
    l->text[l->used] = '\0';
    l->at = l->used;
    return line;
}

static uint64_t hex(const char **s)
{
    uint64_t n = 0;
    for (;; (*s)++) {
        char c = **s;
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                                                : 16;
        if (digit == 16)
            return n;
        n = n * 16 + digit;
    }
}

static const char *skip(const char *s, char c)
{
    while (*s == c)
        s++;
    return s;
}

static const char *skip_word(const char *s)
{
    while (*s != '\0' && *s != ' ')
        s++;
    return skip(s, ' ');
}

/* 7f..-7f.. rw-p offset device inode   name */
static bool parse_mapping(const char *line, os_mapping_t *m)
{
    m->low = (uintptr_t)hex(&line);
    if (*line++ != '-')
        return false;
    m->high = (uintptr_t)hex(&line);
    if (cm_length(line) < 6)
        return false;
    m->readable = line[1] == 'r';
    m->writable = line[2] == 'w';
    m->executable = line[3] == 'x';
    m->shared = line[4] == 's';
    line += 6;
    m->offset = hex(&line);
    line = skip_word(skip(line, ' ')); /* the device */
    m->inode = 0;
    while (*line >= '0' && *line <= '9')
        m->inode = m->inode * 10 + (uint64_t)(*line++ - '0');
    m->name = skip(line, ' ');
    return true;
}

bool os_mappings(int pid, void (*visit)(const os_mapping_t *m, void *arg), void *arg)
{
    int saved = errno;
    lines_t l;
    lines_begin(&l, proc_open(pid, "maps", 0));
    if (l.fd < 0) {
        errno = saved;
        return false;
    }
    for (const char *line; (line = lines_next(&l)) != NULL;) {
        os_mapping_t m;
        if (parse_mapping(line, &m))
            visit(&m, arg);
    }
    syscall(SYS_close, l.fd);
    errno = saved;
    return true;
}

size_t os_read_memory(int pid, uintptr_t address, void *to, size_t n)
{
    int saved = errno;
    long self = syscall(SYS_getpid);
    struct iovec here = {to, n};
    struct iovec there = {(void *)address, n}; /* NOLINT(performance-no-int-to-ptr) */
    long got = syscall(SYS_process_vm_readv, pid == 0 ? self : pid, &here, 1UL, &there,
                       1UL, 0UL);
    if (got < 0 && pid == 0 && (errno == EPERM || errno == ENOSYS)) {
        /* A sandbox. It is our own memory; a hole in it ends the copy that scans. */
        memcpy(to, there.iov_base, n);
        got = (long)n;
    }
    errno = saved;
    return got > 0 ? (size_t)got : 0;
}

/* --- pages --- */

#define PAGE_THERE ((uint64_t)3 << 62) /* in memory, or in swap */

/* The kernel's, whatever ours is taken to be (options: page_size). */
static size_t kernel_page(void) { return (size_t)getauxval(AT_PAGESZ); }

static bool fill_pagemap(os_pagemap_t *p, uintptr_t at)
{
    long offset = (long)(at / kernel_page() * sizeof *p->entries), n = 0;
    if (syscall(SYS_lseek, p->fd, offset, SEEK_SET) == offset)
        n = syscall(SYS_read, p->fd, p->entries, sizeof p->entries);
    p->from = at & ~(uintptr_t)(kernel_page() - 1);
    p->count = n > 0 ? (size_t)n / sizeof *p->entries : 0;
    return p->count > 0;
}

uintptr_t os_pagemap_next(os_pagemap_t *p, uintptr_t at, uintptr_t high)
{
    int saved = errno;
    while (p->fd >= 0 && at < high) {
        size_t page = (at - p->from) / kernel_page();
        if ((at < p->from || page >= p->count) && !fill_pagemap(p, at))
            break;
        page = (at - p->from) / kernel_page();
        if ((p->entries[page] & PAGE_THERE) != 0)
            break;
        at = p->from + (page + 1) * kernel_page();
    }
    errno = saved;
    return at < high ? at : high;
}

/* An emulator may show us its own pages under our addresses: then this one is missing. In
 * 32 bits, where there is little to skip, it may also be there by chance. */
void os_pagemap_open(os_pagemap_t *p)
{
    uintptr_t here = (uintptr_t)&here;
    p->fd = CM_64BIT ? proc_open(0, "pagemap", 0) : -1;
    p->from = p->count = 0;
    if (p->fd >= 0 && os_pagemap_next(p, here, here + 1) != here) {
        syscall(SYS_close, p->fd);
        p->fd = -1;
    }
}

/* --- directories --- */

struct entry { /* linux_dirent64 */
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

static int number_of(const char *s)
{
    int n = 0;
    for (; *s >= '0' && *s <= '9'; s++)
        n = n * 10 + (*s - '0');
    return *s == '\0' ? n : -1;
}

bool os_each_number(int pid, const char *directory, void (*visit)(int number, void *arg),
                    void *arg)
{
    CM_ALIGNED(8) char entries[2048];
    long fd = proc_open(pid, directory, O_DIRECTORY);
    if (fd < 0)
        return false;
    for (long n; (n = syscall(SYS_getdents64, fd, entries, sizeof entries)) > 0;)
        for (long at = 0; at < n;) {
            const struct entry *e = (const struct entry *)(const void *)(entries + at);
            int number = number_of(e->name);
            if (number >= 0)
                visit(number, arg);
            at += e->length;
        }
    syscall(SYS_close, fd);
    return true;
}

bool os_thread_blocks(int thread, int signal)
{
    cm_text name = {.used = 0, .fd = -1};
    bool blocks = false;
    cm_text_string(&name, "task/");
    cm_text_number(&name, (uint64_t)thread);
    cm_text_string(&name, "/status");
    name.bytes[name.used] = '\0';
    lines_t l;
    lines_begin(&l, proc_open(0, name.bytes, 0));
    if (l.fd < 0)
        return false;
    for (const char *line; (line = lines_next(&l)) != NULL;)
        if (cm_starts_with(line, "SigBlk:\t")) {
            line += cm_length("SigBlk:\t");
            blocks = (hex(&line) >> (signal - 1) & 1) != 0;
        }
    syscall(SYS_close, l.fd);
    return blocks;
}

/* --- words in the kernel --- */

typedef struct words {
    int pid;
    void (*visit)(uintptr_t word, void *arg);
    void *arg;
} words_t;

/* Hex digits behind the text before, should the line have it. */
static bool word_behind(const char *line, const char *before, uintptr_t *word)
{
    for (; *line != '\0'; line++)
        if (cm_starts_with(line, before)) {
            line = skip(line + cm_length(before), ' ');
            *word = (uintptr_t)hex(&line);
            return true;
        }
    return false;
}

static void words_of_file(long fd, const char *line_start, const char *before,
                          const words_t *w)
{
    lines_t l;
    lines_begin(&l, fd);
    for (const char *line; (line = lines_next(&l)) != NULL;) {
        uintptr_t word;
        if (cm_starts_with(line, line_start) && word_behind(line, before, &word))
            w->visit(word, w->arg);
    }
    syscall(SYS_close, fd);
}

static void words_of_descriptor(int number, void *arg)
{
    const words_t *w = arg;
    cm_text name = {.used = 0, .fd = -1};
    cm_text_string(&name, "fdinfo/");
    cm_text_number(&name, (uint64_t)number);
    name.bytes[name.used] = '\0';
    long fd = proc_open(w->pid, name.bytes, 0);
    if (fd >= 0)
        words_of_file(fd, "tfd:", "data:", w);
}

void os_kernel_words(int pid, int timers_of, void (*visit)(uintptr_t word, void *arg),
                     void *arg)
{
    int saved = errno;
    words_t w = {pid, visit, arg};
    os_each_number(pid, "fdinfo", words_of_descriptor, &w);
    long timers = proc_open(timers_of, "timers", 0);
    if (timers >= 0)
        words_of_file(timers, "signal:", "/", &w);
    errno = saved;
}

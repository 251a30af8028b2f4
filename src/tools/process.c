/* tools/process.c - the reader of another process. See target.h. */
#include "tools/target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGES_AT_ONCE 512

/* Linux 6.7: pages that are there and are not the zero page. */
typedef struct scan_range {
    uint64_t start, end, categories;
} scan_range;

typedef struct scan_request {
    uint64_t size, flags, start, end, walk_end, ranges, range_count, most_pages;
    uint64_t inverted, wanted, any_of, returned;
} scan_request;

#define SCAN_PRESENT ((uint64_t)1 << 3)
#define SCAN_ZERO ((uint64_t)1 << 5)
#define SCAN_PAGES _IOWR('f', 16, scan_request)

#define PAGEMAP_PRESENT ((uint64_t)1 << 63)

/* --- bytes --- */

/* A part_read. */
static size_t read_target(target_t *t, uintptr_t address, char *bytes, size_t size)
{
    struct iovec to = {bytes, size};
    struct iovec from = {(void *)address, size}; /* NOLINT(performance-no-int-to-ptr) */
    ssize_t n = process_vm_readv(t->pid, &to, 1, &from, 1, 0);
    if (n < 0 && (errno == EPERM || errno == ENOSYS) && t->memory >= 0)
        n = pread(t->memory, bytes, size, (off_t)address);
    if (n < 0 && errno == ESRCH)
        t->vanished = true;
    return n < 0 ? 0 : (size_t)n;
}

bool process_move(reader_t *r, uintptr_t address, size_t size)
{
    return parts_copy((target_t *)r, 0, address, size, read_target);
}

/* --- residence --- */

static bool scan_resident(target_t *t, uintptr_t from, uintptr_t to, size_t *bytes)
{
    scan_range ranges[PAGES_AT_ONCE];
    scan_request q = {.size = sizeof q,
                      .start = from,
                      .end = to,
                      .ranges = (uint64_t)(uintptr_t)ranges,
                      .range_count = PAGES_AT_ONCE,
                      .inverted = SCAN_ZERO,
                      .wanted = SCAN_PRESENT | SCAN_ZERO,
                      .returned = SCAN_PRESENT};
    for (; q.start < to; q.start = q.walk_end) {
        /* Not ioctl: libcs differ in the type of its request. */
        long n = syscall(SYS_ioctl, t->pagemap, SCAN_PAGES, &q);
        if (n < 0)
            return false;
        for (long i = 0; i < n; i++)
            *bytes += (size_t)(ranges[i].end - ranges[i].start);
        if (q.walk_end <= q.start)
            break;
    }
    return true;
}

static bool read_resident(target_t *t, uintptr_t from, uintptr_t to, size_t *bytes)
{
    uint64_t entries[PAGES_AT_ONCE];
    size_t page = t->reader.page;
    while (from < to) {
        size_t count = (to - from) / page;
        count = count > PAGES_AT_ONCE ? PAGES_AT_ONCE : count;
        off_t at = (off_t)(from / page * sizeof *entries);
        if (pread(t->pagemap, entries, count * sizeof *entries, at) !=
            (ssize_t)(count * sizeof *entries))
            return false;
        for (size_t i = 0; i < count; i++)
            *bytes += (entries[i] & PAGEMAP_PRESENT) != 0 ? page : 0;
        from += count * page;
    }
    return true;
}

/* Whole pages only are asked about: a page at either end holds a neighbour's bytes too,
 * and so is there. */
static size_t process_resident(reader_t *r, uintptr_t from, size_t size)
{
    target_t *t = (target_t *)r;
    uintptr_t first = (from + r->page - 1) & ~(uintptr_t)(r->page - 1);
    uintptr_t last = (from + size) & ~(uintptr_t)(r->page - 1);
    if (t->pagemap < 0 || first >= last)
        return size;
    size_t bytes = size - (last - first), ends = bytes;
    if (scan_resident(t, first, last, &bytes))
        return bytes;
    bytes = ends;
    return read_resident(t, first, last, &bytes) ? bytes : size;
}

/* --- opening --- */

static bool parse_map(char *line, reader_map *m)
{
    unsigned long long from, to;
    char access[5];
    int name = 0;
    if (sscanf(line, "%llx-%llx %4s %*s %*s %*s %n", &from, &to, access, &name) < 3)
        return false;
    line[strcspn(line, "\n")] = '\0';
    *m = (reader_map){.from = (uintptr_t)from,
                      .to = (uintptr_t)to,
                      .readable = access[0] == 'r',
                      .writable = access[1] == 'w',
                      .executable = access[2] == 'x',
                      .shared = access[3] == 's',
                      .name = name > 0 ? line + name : ""};
    return true;
}

static void read_maps(target_t *t, FILE *file)
{
    char line[PATH_MAX + 128];
    reader_map m;
    while (fgets(line, sizeof line, file) != NULL)
        if (parse_map(line, &m)) {
            m.name = m.name[0] == '\0' ? "" : strdup(m.name);
            target_add_map(t, &m);
        }
}

static int open_proc(pid_t pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* There is a process, but may it be read? */
static tool_status why_not(pid_t pid)
{
    if (kill(pid, 0) != 0 && errno == ESRCH)
        return TOOL_NONE;
    return TOOL_REFUSED;
}

tool_status process_open(target_t *t, pid_t pid)
{
    int fd = open_proc(pid, "maps");
    t->pid = pid;
    t->reader.move = process_move;
    t->reader.resident = process_resident;
    t->reader.page = (size_t)sysconf(_SC_PAGESIZE);
    if (fd < 0)
        return pid > 0 ? why_not(pid) : TOOL_NONE;
    FILE *file = fdopen(fd, "r");
    if (file == NULL)
        return TOOL_SYSTEM;
    read_maps(t, file);
    bool refused = ferror(file) != 0;
    fclose(file);
    if (refused)
        return TOOL_REFUSED;
    t->memory = open_proc(pid, "mem");
    t->pagemap = open_proc(pid, "pagemap");
    parts_make_buffer(t);
    /* The first mapping can be read, or none can. */
    for (size_t i = 0; i < t->reader.map_count; i++)
        if (t->maps[i].readable && read_target(t, t->maps[i].from, t->buffer, 1) == 1)
            return TOOL_OK;
    return t->reader.map_count == 0 ? TOOL_NOT_OURS : why_not(pid);
}

void process_close(target_t *t)
{
    for (size_t i = 0; i < t->reader.map_count; i++)
        if (t->maps[i].name[0] != '\0')
            free((char *)(uintptr_t)t->maps[i].name);
    if (t->memory >= 0)
        close(t->memory);
    if (t->pagemap >= 0)
        close(t->pagemap);
}

/*
 * os/cgroup.c - what this process may use of the machine: processors, by its affinity and
 * its cgroup's quota; memory, by the limits of its cgroup and of all those above it.
 *
 * Asked once, from the constructor: a sandbox may forbid files below /proc and /sys
 * later. /proc/self/cgroup has a line "0::/path" for version 2 and "n:controllers:/path"
 * for each hierarchy of version 1. In a container the path may be one of the host's,
 * which is not there; the hierarchy's root is then the container's own, and it is looked
 * at last.
 */
#include "os/os.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AFFINITY_WORDS (1024 / (sizeof(long) * 8))

/* Version 1 says "no limit" with the largest number of pages. */
#define UNLIMITED (SIZE_MAX / 4)

static size_t memory_limit = SIZE_MAX;
static unsigned long quota;

typedef struct path {
    char text[512];
    size_t used;
} path_t;

/* Append text up to a line's end or its own. False: no room. */
static bool append(path_t *p, const char *text)
{
    while (*text != '\0' && *text != '\n') {
        if (p->used + 1 >= sizeof p->text)
            return false;
        p->text[p->used++] = *text++;
    }
    p->text[p->used] = '\0';
    return true;
}

/* Read a small file into text, with a zero behind it. False: it cannot be read. */
static bool read_file(const char *path, char *text, size_t size)
{
    long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    long n = syscall(SYS_read, fd, text, size - 1);
    syscall(SYS_close, fd);
    if (n <= 0)
        return false;
    text[n] = '\0';
    return true;
}

static unsigned long number(const char **s)
{
    unsigned long n = 0;
    while (**s >= '0' && **s <= '9')
        n = n * 10 + (unsigned long)(*(*s)++ - '0');
    return n;
}

static const char *line_after(const char *line)
{
    while (*line != '\0' && *line++ != '\n') {
    }
    return line;
}

/* The path of our cgroup in version 2; NULL: none. */
static const char *path_v2(const char *lines)
{
    while (*lines != '\0' && !cm_starts_with(lines, "0::/"))
        lines = line_after(lines);
    return *lines != '\0' ? lines + 3 : NULL;
}

static size_t name_length(const char *s)
{
    size_t n = 0;
    while (s[n] != ':' && s[n] != ',' && s[n] != '\n' && s[n] != '\0')
        n++;
    return n;
}

/* The path in a line "n:controllers:/path" that names the controller; else NULL. */
static const char *path_of(const char *line, const char *controller)
{
    bool found = false;
    line += name_length(line);
    if (*line != ':')
        return NULL;
    do {
        size_t n = name_length(++line);
        found = found || cm_equals(controller, line, n);
        line += n;
    } while (*line == ',');
    return found && *line == ':' ? line + 1 : NULL;
}

/* The path of our cgroup of version 1 that has a controller; NULL: none. */
static const char *path_v1(const char *lines, const char *controller)
{
    for (; *lines != '\0'; lines = line_after(lines)) {
        const char *path = path_of(lines, controller);
        if (path != NULL)
            return path;
    }
    return NULL;
}

/* --- memory --- */

/* "max" or a number of bytes. */
static size_t limit_in(const char *file)
{
    char text[64];
    const char *at = text;
    if (!read_file(file, text, sizeof text) || *text < '0' || *text > '9')
        return SIZE_MAX;
    size_t n = number(&at);
    return n >= UNLIMITED ? SIZE_MAX : n;
}

/* The least of the limits in file from the cgroup at path up to the root of the hierarchy
 * that is mounted at mount. */
static size_t least_limit(const char *root, const char *mount, const char *path,
                          const char *file)
{
    path_t p = {.used = 0};
    size_t least = SIZE_MAX;
    if (path == NULL || !append(&p, root) || !append(&p, mount))
        return SIZE_MAX;
    size_t top = p.used;
    if (!append(&p, path))
        p.used = top;
    while (p.used > top && p.text[p.used - 1] == '/')
        p.used--;
    for (;;) {
        size_t here = p.used;
        if (append(&p, file)) {
            size_t limit = limit_in(p.text);
            least = limit < least ? limit : least;
        }
        if (here <= top)
            return least;
        for (p.used = here; p.text[--p.used] != '/';) {
        }
    }
}

static size_t find_memory_limit(const char *root, const char *lines)
{
    const char *v1 = path_v1(lines, "memory");
    if (v1 != NULL)
        return least_limit(root, "/sys/fs/cgroup/memory", v1, "/memory.limit_in_bytes");
    return least_limit(root, "/sys/fs/cgroup", path_v2(lines), "/memory.max");
}

/* --- processors --- */

/* "quota period" or "max period", as version 2's cpu.max has it. 0: no limit. */
static unsigned long quota_of(const char *text)
{
    if (*text < '0' || *text > '9')
        return 0;
    unsigned long granted = number(&text);
    while (*text == ' ' || *text == '\n')
        text++;
    unsigned long period = number(&text);
    return period == 0 ? 0 : (granted + period - 1) / period;
}

static unsigned long find_quota_v2(const char *root, const char *path)
{
    path_t p = {.used = 0};
    char text[64];
    return path != NULL && append(&p, root) && append(&p, "/sys/fs/cgroup") &&
                   append(&p, path) && append(&p, "/cpu.max") &&
                   read_file(p.text, text, sizeof text)
               ? quota_of(text)
               : 0;
}

static unsigned long find_quota_v1(const char *root)
{
    path_t p = {.used = 0};
    char text[64], period[64];
    if (!append(&p, root) || !append(&p, "/sys/fs/cgroup/cpu/cpu.cfs_"))
        return 0;
    size_t start = p.used;
    if (!append(&p, "quota_us") || !read_file(p.text, text, sizeof text) || *text == '-')
        return 0;
    p.used = start;
    if (!append(&p, "period_us") || !read_file(p.text, period, sizeof period))
        return 0;
    path_t both = {.used = 0};
    return append(&both, text) && append(&both, " ") && append(&both, period)
               ? quota_of(both.text)
               : 0;
}

/* --- what others ask --- */

static unsigned affine_processors(void)
{
    unsigned long set[AFFINITY_WORDS] = {0};
    unsigned count = 0;
    syscall(SYS_sched_getaffinity, 0, sizeof set, set);
    for (unsigned i = 0; i < AFFINITY_WORDS; i++)
        for (unsigned long left = set[i]; left != 0; left &= left - 1)
            count++;
    return count > 0 ? count : 1;
}

void os_cgroup_read(const char *root, unsigned enough)
{
    int saved = errno;
    path_t p = {.used = 0};
    char lines[2048] = "";
    if (append(&p, root) && append(&p, "/proc/self/cgroup") &&
        read_file(p.text, lines, sizeof lines))
        memory_limit = find_memory_limit(root, lines);
    if (affine_processors() > enough) {
        quota = find_quota_v2(root, path_v2(lines));
        if (quota == 0)
            quota = find_quota_v1(root);
    }
    errno = saved;
}

CM_NEAR size_t os_memory_limit(void) { return memory_limit; }

unsigned os_processors(void)
{
    int saved = errno;
    unsigned count = affine_processors();
    errno = saved;
    return quota != 0 && quota < count ? (unsigned)quota : count;
}

/*
 * core.c - a core file in which anything may have been overwritten or cut off: the
 * command's reader finds its way or gives up, whatever stands there, within the file.
 *
 * An input is a list of changes to FUZZ_CORE, a core of a small program on the library:
 *   where (1 byte: in the headers, around the root, anywhere, or: the file ends there),
 *   offset (3 bytes), count (1 byte), that many bytes
 */
#include "inspect/check.h"
#include "tools/target.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FUZZ_CORE "build/replay/base.core"

enum { HEADERS = 4096, NEAR_ROOT = 16384, CHANGES_MOST = 64, PAGE = 4096 };

static char *base; /* the core as it was */
static size_t base_size, root_offset;
static int file; /* the one that is changed */
static char file_name[64];

static struct {
    size_t offset, count;
} changed[CHANGES_MOST];
static size_t changed_count, cut_at; /* cut_at: base_size, or less */

_Noreturn void tool_usage(void) { abort(); }

static void require(bool holds, const char *what)
{
    if (!holds) {
        perror(what);
        abort();
    }
}

/* ---- the target -------------------------------------------------------------------- */

static void count_fault(check_t *c, const char *what, uintptr_t where)
{
    (void)c, (void)what, (void)where;
}

static void count_damage(const char *what, uintptr_t where, void *arg)
{
    (void)what, (void)where;
    ++*(size_t *)arg;
}

static int add_up(const cmalloc_item *item, void *arg)
{
    *(size_t *)arg += item->size;
    return 0;
}

static void add_note(unsigned type, const void *bytes, size_t size, void *arg)
{
    const unsigned char *at = bytes;
    size_t *sum = arg;
    *sum += type;
    for (size_t i = 0; i < size; i++)
        *sum += at[i];
}

/* Returns the number of faults that the check has found. */
static size_t check_all_of(target_t *t)
{
    link_secret_t secret;
    seal_key_t seal;
    check_t c;
    if (!reader_copy(&t->reader, (uintptr_t)t->root.secret, &secret, sizeof secret))
        return 1;
    check_init(&c, &t->reader, &secret, count_fault, NULL);
    c.walk.seal = walk_seal_of(&t->reader, &t->root, &seal);
    return check_target(&c, &t->root) ? c.faults : c.faults + 1;
}

/* All that the commands do with a core. True: it was one of ours. */
static bool look_at_core(size_t *faults)
{
    size_t sum = 0;
    target_t t = {.name = file_name, .memory = -1, .pagemap = -1, .file = -1};
    bool ours =
        core_open(&t, file_name) == TOOL_OK && target_find_root(&t, true) == TOOL_OK;
    if (ours) {
        target_walk(&t, add_up, count_damage, &sum);
        *faults = check_all_of(&t);
        core_each_note(&t, add_note, &sum);
    }
    core_close(&t);
    free(t.buffer);
    free(t.maps);
    free(t.parts);
    return ours;
}

/* ---- the changes ------------------------------------------------------------------- */

static size_t number(const uint8_t **at, const uint8_t *end, unsigned bytes)
{
    size_t n = 0;
    for (; bytes > 0; bytes--)
        n = n << 8 | (*at < end ? *(*at)++ : 0u);
    return n;
}

static size_t place(unsigned where, size_t offset)
{
    if (where % 4 == 0 || base_size == 0)
        return offset % HEADERS;
    return where % 4 == 1 ? (root_offset + offset % NEAR_ROOT) % base_size
                          : offset % base_size;
}

/* Undone by put_back. */
static void change(const uint8_t *at, const uint8_t *end)
{
    cut_at = base_size;
    for (changed_count = 0; at < end && changed_count < CHANGES_MOST; changed_count++) {
        unsigned where = (unsigned)number(&at, end, 1);
        size_t offset = place(where, number(&at, end, 3)), count = number(&at, end, 1);
        if (where % 4 == 3) {
            cut_at = offset;
            require(ftruncate(file, (off_t)cut_at) == 0, "ftruncate");
            return;
        }
        count = count < (size_t)(end - at) ? count : (size_t)(end - at);
        count = count < base_size - offset ? count : base_size - offset;
        require(pwrite(file, at, count, (off_t)offset) == (ssize_t)count, "pwrite");
        changed[changed_count].offset = offset;
        changed[changed_count].count = count;
        at += count;
    }
}

static void copy_base(size_t offset, size_t count)
{
    require(pwrite(file, base + offset, count, (off_t)offset) == (ssize_t)count,
            "pwrite");
}

static bool is_zero(const char *bytes, size_t count)
{
    return count == 0 || (*bytes == 0 && memcmp(bytes, bytes + 1, count - 1) == 0);
}

/* What lies behind the cut reads as zero once the file is as long as it was. */
static void put_back(void)
{
    if (cut_at < base_size)
        require(ftruncate(file, (off_t)base_size) == 0, "ftruncate");
    for (size_t at = cut_at, count; at < base_size; at += count) {
        count = PAGE - at % PAGE < base_size - at ? PAGE - at % PAGE : base_size - at;
        if (!is_zero(base + at, count))
            copy_base(at, count);
    }
    for (size_t i = 0; i < changed_count; i++)
        copy_base(changed[i].offset, changed[i].count);
}

/* ---- the base ---------------------------------------------------------------------- */

static void read_base(void)
{
    struct stat about;
    int from = open(FUZZ_CORE, O_RDONLY | O_CLOEXEC);
    require(from >= 0 && fstat(from, &about) == 0, FUZZ_CORE);
    base_size = (size_t)about.st_size;
    base = malloc(base_size);
    require(base && read(from, base, base_size) == (ssize_t)base_size, FUZZ_CORE);
    close(from);
}

/* Where in the file the root is: behind all constants. */
static void find_root(void)
{
    static const char magic[] = ROOT_MAGIC;
    const char *at = base, *end = base + base_size;
    while ((at = memmem(at, (size_t)(end - at), magic, ROOT_MAGIC_SIZE)) != NULL)
        root_offset = (size_t)(at++ - base);
    require(root_offset != 0, "the library's root");
}

static void begin(void)
{
    size_t faults = 1;
    read_base();
    find_root();
    file = memfd_create("core", MFD_CLOEXEC);
    require(file >= 0, "memfd_create");
    snprintf(file_name, sizeof file_name, "/proc/self/fd/%d", file);
    cut_at = 0;
    put_back();
    require(look_at_core(&faults) && faults == 0, "the core as it is");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t faults;
    if (base == NULL)
        begin();
    change(data, data + size);
    look_at_core(&faults);
    put_back();
    return 0;
}

/*
 * tools/image.c - see image.h. Also what inspect/ needs of os/: memory, without the
 * library's limits and counts.
 */
#include "tools/image.h"

#include "os/proc.h"
#include "os/registers.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define REGISTERS_MOST 16384 /* bytes of one set: vector registers as well */
#define BLOCK \
    ((size_t)2 * 1024 * 1024) /* copied at a time: a huge page, where it is one */
#define PAGES_MOST (BLOCK / 4096)
#define PAGEMAP_THERE ((uint64_t)3 << 62) /* in memory, or in swap */

/* --- of os/ --- */

size_t os_page = 4096;

void *os_map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

void *os_map_shared(size_t size) { return os_map(size); }

bool os_unmap(void *p, size_t size) { return munmap(p, size) == 0; }

bool os_release(void *p, size_t reserved, size_t committed)
{
    (void)committed;
    return os_unmap(p, reserved);
}

void *os_remap(void *p, size_t old_size, size_t new_size, bool may_move)
{
    void *moved = mremap(p, old_size, new_size, may_move ? MREMAP_MAYMOVE : 0);
    return moved == MAP_FAILED ? NULL : moved;
}

/* --- reading the copy --- */

static const image_run *run_of(const image_t *image, uintptr_t address)
{
    size_t low = 0, high = image->run_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (address - image->runs[middle].from <
            image->runs[middle].to - image->runs[middle].from)
            return &image->runs[middle];
        if (address < image->runs[middle].from)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static bool image_move(reader_t *r, uintptr_t address, size_t size)
{
    const image_t *image = (const image_t *)(const void *)r;
    const image_run *run = run_of(image, address);
    if (run == NULL || size > run->to - address)
        return false;
    r->start = run->from;
    r->size = run->to - run->from;
    r->shift = (uintptr_t)run->bytes - run->from;
    return true;
}

static size_t image_resident(reader_t *r, uintptr_t from, size_t size)
{
    (void)r, (void)from;
    return size;
}

/* --- copying --- */

static void add_run(uintptr_t low, uintptr_t high, void *arg)
{
    image_t *image = arg;
    if (image->run_count > 0 && image->runs[image->run_count - 1].to == low) {
        image->runs[image->run_count - 1].to = high;
        return;
    }
    if (image->run_count == image->run_room) {
        image->run_room = image->run_room == 0 ? 256 : 2 * image->run_room;
        image->runs = tool_grow(image->runs, image->run_room * sizeof *image->runs);
    }
    image->runs[image->run_count++] = (image_run){.from = low, .to = high};
}

/* What cannot be read stays zero. */
static void copy_range(image_t *image, const image_run *run, uintptr_t from, uintptr_t to)
{
    target_t *t = image->target;
    while (from < to) {
        char *here = run->bytes + (from - run->from);
        size_t n = t->pid > 0 ? os_read_memory(t->pid, from, here, to - from) : 0;
        if (n == 0)
            n = reader_read(&t->reader, from, here, to - from);
        image->copied += n;
        from += n;
        if (from < to)
            from = (from + os_page) & ~(uintptr_t)(os_page - 1);
    }
}

/* The pages that are there, as far as the kernel tells. */
static void copy_present(image_t *image, const image_run *run, uintptr_t from,
                         uintptr_t to)
{
    uint64_t entries[PAGES_MOST];
    size_t count = (to - from) / os_page;
    off_t at = (off_t)(from / os_page * sizeof *entries);
    ssize_t bytes = (ssize_t)(count * sizeof *entries);
    int pagemap = image->target->pagemap;
    if (pagemap < 0 || pread(pagemap, entries, (size_t)bytes, at) != bytes) {
        copy_range(image, run, from, to);
        return;
    }
    size_t there = 0;
    for (size_t i = 0; i < count; i++)
        there += (entries[i] & PAGEMAP_THERE) != 0;
    if (there == count && to - from == BLOCK) /* one fault here instead of hundreds */
        madvise(run->bytes + (from - run->from), BLOCK, MADV_HUGEPAGE);
    for (size_t i = 0, end; i < count; i = end + 1) {
        for (end = i; end < count && (entries[end] & PAGEMAP_THERE) != 0; end++) {
        }
        if (end > i)
            copy_range(image, run, from + i * os_page, from + end * os_page);
    }
}

/* Blocks begin at the same multiples here as there. */
static void copy_run(image_t *image, image_run *run)
{
    run->mapped = os_pages(run->to - run->from) + BLOCK;
    run->base = os_map(run->mapped);
    if (run->base == NULL)
        tool_die(TOOL_SYSTEM, "no memory for a copy of %s",
                 tool_size(run->to - run->from));
    run->bytes = run->base + ((run->from - (uintptr_t)run->base) & (BLOCK - 1));
    for (uintptr_t at = run->from; at < run->to;) {
        uintptr_t next = (at & ~(uintptr_t)(BLOCK - 1)) + BLOCK;
        uintptr_t end = next < run->to ? next : run->to;
        copy_present(image, run, at, end);
        at = end;
    }
}

/* Of a core, whose list has no inodes: a name's sum tells one file from another. */
static void list_maps(image_t *image)
{
    const reader_t *r = &image->target->reader;
    for (size_t i = 0; i < r->map_count; i++) {
        const reader_map *m = &r->maps[i];
        uint64_t inode = 0;
        for (const char *s = m->name; *s != '\0'; s++)
            inode = inode * 31 + (unsigned char)*s;
        os_mapping_t mapping = {.low = m->from,
                                .high = m->to,
                                .readable = m->readable,
                                .writable = m->writable,
                                .executable = m->executable,
                                .shared = m->shared,
                                .inode = inode,
                                .name = m->name};
        if (image->target->main_stack - m->from < m->to - m->from)
            mapping.name = "[stack]";
        roots_mapping(&mapping, &image->stacks);
    }
}

/* --- registers --- */

static void add_registers(image_t *image, pid_t thread, const void *bytes, size_t size)
{
    for (size_t i = 0; i + sizeof(uintptr_t) <= size; i += sizeof(uint32_t)) {
        image_register one = {.thread = thread};
        memcpy(&one.word, (const char *)bytes + i, sizeof one.word);
        if (one.word < os_page)
            continue;
        if (image->register_count == image->register_room) {
            image->register_room =
                image->register_room == 0 ? 4096 : 2 * image->register_room;
            image->registers =
                tool_grow(image->registers, image->register_room * sizeof one);
        }
        image->registers[image->register_count++] = one;
    }
}

static size_t get_registers(pid_t thread, long set, void *to, size_t size)
{
    struct iovec io = {to, size};
    return ptrace(PTRACE_GETREGSET, thread, set, &io) == 0 ? io.iov_len : 0;
}

static uintptr_t local_of(pid_t thread)
{
#if defined(NT_ARM_TLS) && defined(__aarch64__)
    uintptr_t local = 0;
    get_registers(thread, NT_ARM_TLS, &local, sizeof local);
    return local;
#else
    (void)thread;
    return 0;
#endif
}

static void take_registers(pid_t thread, void *arg)
{
    static const long others[] = {NT_PRFPREG, NT_X86_XSTATE};
    CM_ALIGNED(16) char bytes[REGISTERS_MOST];
    image_t *image = arg;
    uintptr_t sp, local;
    size_t size = get_registers(thread, NT_PRSTATUS, bytes, sizeof bytes);
    add_registers(image, thread, bytes, size);
    if (os_registers_stack(bytes, size, &sp, &local))
        roots_stack(&image->stacks, sp, local != 0 ? local : local_of(thread));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        add_registers(image, thread, bytes,
                      get_registers(thread, others[i], bytes, sizeof bytes));
}

static void take_note(unsigned type, const void *bytes, size_t size, void *arg)
{
    image_t *image = arg;
    pid_t thread = 0;
    uintptr_t sp, local;
    if (type != NT_PRSTATUS && type != NT_PRFPREG && type != NT_X86_XSTATE)
        return;
    if (type == NT_PRSTATUS && size >= sizeof(struct elf_prstatus)) {
        struct elf_prstatus status; /* a note may lie at any multiple of four */
        memcpy(&status, bytes, sizeof status);
        thread = status.pr_pid;
        if (os_registers_stack(&status.pr_reg, sizeof status.pr_reg, &sp, &local))
            roots_stack(&image->stacks, sp, local);
    }
    add_registers(image, thread, bytes, size);
}

/* --- all of it --- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void copy_all(image_t *image)
{
    for (size_t i = 0; i < image->run_count; i++)
        copy_run(image, &image->runs[i]);
}

void image_take(image_t *image, target_t *t, bool stop)
{
    *image = (image_t){.target = t};
    os_page = t->reader.page;
    double begin = now();
    if (stop && !stop_begin(t))
        tool_die(TOOL_REFUSED, "%s: may not be stopped", t->name);
    if (t->pid == 0)
        list_maps(image);
    else if (!os_mappings(t->pid, roots_mapping, &image->stacks))
        t->vanished = true;
    roots_each(&image->stacks, add_run, image);
    if (t->pid == 0)
        core_each_note(t, take_note, image);
    else if (stop)
        stop_each(take_registers, image);
    copy_all(image);
    if (stop)
        stop_end(t);
    image->pause = stop ? now() - begin : 0;
    image->reader = (reader_t){
        .page = t->reader.page, .move = image_move, .resident = image_resident};
}

void image_free(image_t *image)
{
    for (size_t i = 0; i < image->run_count; i++)
        os_unmap(image->runs[i].base, image->runs[i].mapped);
    free(image->runs);
    free(image->registers);
    roots_free(&image->stacks);
}

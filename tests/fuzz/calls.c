/*
 * calls.c - any sequence of calls by a program without a fault: every entry point, sizes
 * round every border, alignments, threads that hand each other chunks and end, calls of
 * the kernel that fail.
 *
 * Contents must hold, pointers be aligned, usable sizes suffice; every few calls, and at
 * the end, the whole heap is checked. Nothing may panic.
 */
#include "fuzz.h"

#include "inspect/walk.h"

enum { SLOTS = 64 };

typedef struct slot {
    unsigned char *mem;
    size_t size, align;
    unsigned char tag;
} slot_t;

static slot_t slots[SLOTS];
static unsigned calls;

/* ---- contents: both ends are enough to notice an overlap --------------------------- */

static size_t edge(const slot_t *s) { return s->size < 64 ? s->size : 64; }

static void fill(slot_t *s)
{
    s->tag = (unsigned char)(++calls * 37 + 1);
    memset(s->mem, s->tag, edge(s));
    memset(s->mem + s->size - edge(s), s->tag, edge(s));
}

static bool holds(const slot_t *s, size_t n)
{
    size_t from_end = s->size - edge(s);
    for (size_t i = 0; i < edge(s) && i < n; i++)
        if (s->mem[i] != s->tag)
            return false;
    for (size_t i = from_end; i < s->size && i < n; i++)
        if (s->mem[i] != s->tag)
            return false;
    return true;
}

/* ---- calls ------------------------------------------------------------------------- */

static void got(slot_t *s, void *mem, size_t n, size_t align)
{
    if (mem == NULL)
        return;
    *s = (slot_t){.mem = mem, .size = n, .align = align};
    FUZZ_CHECK((uintptr_t)mem % align == 0);
    FUZZ_CHECK(fuzz_malloc_usable_size(mem) >= n);
    fill(s);
}

static void drop(slot_t *s, unsigned how)
{
    FUZZ_CHECK(s->mem == NULL || holds(s, s->size));
    if (how % 3 == 0)
        fuzz_free_sized(s->mem, s->size);
    else if (how % 3 == 1 && s->align > 16)
        fuzz_free_aligned_sized(s->mem, s->align, s->size);
    else
        fuzz_free(s->mem);
    s->mem = NULL;
}

static void take_zeroed(slot_t *s, size_t n, unsigned how)
{
    size_t count = 1 + how % 8;
    unsigned char *mem = fuzz_calloc(count, n / count);
    n = n / count * count;
    for (size_t i = 0; mem != NULL && i < n; i += i < 4096 ? 1 : 509)
        FUZZ_CHECK(mem[i] == 0);
    got(s, mem, n, 16);
}

static void take_aligned(slot_t *s, size_t n, unsigned how)
{
    size_t align = (size_t)8 << how % 15;
    void *mem = NULL;
    switch (how / 15 % 6) {
    case 0:
        mem = fuzz_memalign(align, n);
        break;
    case 1:
        mem = fuzz_aligned_alloc(align, n);
        break;
    case 2:
        mem = fuzz_valloc(n);
        align = 4096;
        break;
    case 3:
        mem = fuzz_pvalloc(n);
        align = 4096;
        break;
    default:
        if (fuzz_posix_memalign(&mem, align, n) != 0)
            mem = NULL;
    }
    got(s, mem, n, align < 16 ? 16 : align);
}

static void resize(slot_t *s, size_t n, bool array)
{
    if (s->mem == NULL || n == 0)
        return;
    FUZZ_CHECK(holds(s, s->size));
    unsigned char *mem =
        array ? fuzz_reallocarray(s->mem, n, 1) : fuzz_realloc(s->mem, n);
    if (mem == NULL) {
        FUZZ_CHECK(holds(s, s->size));
        return;
    }
    s->mem = mem;
    FUZZ_CHECK(holds(s, n));
    got(s, mem, n, 16);
}

static void visit_the_rest(unsigned how)
{
    switch (how % 8) {
    case 0:
        cmalloc_thread_flush();
        break;
    case 1:
        fuzz_malloc_trim((how >> 3) * (size_t)4096);
        break;
    case 2:
        fuzz_thread_ends();
        break;
    case 3:
        fuzz_let_fail(how >> 3);
        break;
    case 4:
        check_all();
        break;
    default:
        fuzz_be_thread(how >> 3);
    }
}

static void call(input_t *in)
{
    unsigned what = input_byte(in), how = input_byte(in);
    slot_t *s = &slots[how % SLOTS];
    switch (what % 8) {
    case 0:
    case 1:
        drop(s, what >> 3);
        got(s, fuzz_malloc(what < 8 ? 0 : calls % 4 ? what * 3u : how), 0, 16);
        break;
    case 2: {
        size_t n = input_size(in);
        drop(s, what >> 3);
        got(s, fuzz_malloc(n), n, 16);
        break;
    }
    case 3: {
        size_t n = input_size(in);
        drop(s, what >> 3);
        take_zeroed(s, n, what >> 3);
        break;
    }
    case 4: {
        size_t n = input_size(in);
        drop(s, what >> 3);
        take_aligned(s, n, input_byte(in));
        break;
    }
    case 5:
        resize(s, input_size(in), (what & 8) != 0);
        break;
    case 6:
        drop(s, what >> 3);
        break;
    default:
        visit_the_rest(how);
    }
}

static void all_calls(input_t *in)
{
    for (unsigned i = 1; !input_ends(in); i++) {
        call(in);
        if (i % 64 == 0)
            check_all();
    }
    fuzz_let_fail(0);
    for (unsigned i = 0; i < SLOTS; i++) {
        fuzz_be_thread(i);
        drop(&slots[i], i);
    }
    fuzz_malloc_trim(0);
    check_all();
}

void fuzz_one(input_t *in)
{
    memset(slots, 0, sizeof slots);
    calls = 0;
    FUZZ_CHECK(!fuzz_panics(all_calls, in));
}

/* front/memcheck.c - see memcheck.h. */
#include "front/memcheck.h"

#include "front/cache.h"

bool memcheck_is_on;

/* From valgrind's manual and its public headers: what they are called there. */
enum {
    RUNNING_ON_VALGRIND = 0x1001,
    MALLOCLIKE_BLOCK = 0x1301, /* address, bytes, bytes of red zones, is it zero? */
    FREELIKE_BLOCK = 0x1302,   /* address, bytes of red zones */
    MAKE_MEM_NOACCESS = 'M' << 24 | 'C' << 16, /* address, bytes */
    MAKE_MEM_DEFINED = MAKE_MEM_NOACCESS + 2
};

/* Returns 0 on a processor, and below tools that do not know the request. */
static size_t ask_valgrind(size_t what, size_t a, size_t b, size_t c)
{
    size_t result = 0;
#if defined(__x86_64__)
    volatile size_t args[] = {what, a, b, c, 0, 0};
    __asm__ volatile(
        "rolq $3, %%rdi; rolq $13, %%rdi; rolq $61, %%rdi; rolq $51, %%rdi\n\t"
        "xchgq %%rbx, %%rbx"
        : "+d"(result)
        : "a"(args)
        : "cc", "memory");
#elif defined(__aarch64__)
    volatile size_t args[] = {what, a, b, c, 0, 0};
    register size_t x3 __asm__("x3") = result;
    register volatile size_t *x4 __asm__("x4") = args;
    __asm__ volatile("ror x12, x12, #3; ror x12, x12, #13; ror x12, x12, #51\n\t"
                     "ror x12, x12, #61; orr x10, x10, x10"
                     : "+r"(x3)
                     : "r"(x4)
                     : "cc", "memory");
    result = x3;
#else
    (void)what, (void)a, (void)b, (void)c;
#endif
    return result;
}

void memcheck_tell_taken(const void *mem, size_t n)
{
    const size_t usable = chunk_usable(chunk_of(mem));
    ask_valgrind(MALLOCLIKE_BLOCK, (size_t)mem, n, 0);
    ask_valgrind(MAKE_MEM_NOACCESS, (size_t)mem + n, usable - n, 0);
    ask_valgrind(MAKE_MEM_NOACCESS, (size_t)mem - CHUNK_HEADER, CHUNK_HEADER, 0);
}

void memcheck_tell_zeroed(const void *mem, size_t n)
{
    ask_valgrind(MAKE_MEM_DEFINED, (size_t)mem, n, 0);
}

void memcheck_tell_freed(const void *mem)
{
    ask_valgrind(FREELIKE_BLOCK, (size_t)mem, 0, 0);
}

CM_START void memcheck_init(void)
{
    if (atomic_load_explicit(&cm_options.valgrind, memory_order_relaxed) == 0 ||
        ask_valgrind(RUNNING_ON_VALGRIND, 0, 0, 0) == 0 || !thread_enter())
        return;
    if (thread_self->arena != NULL) {
        cache_flush(thread_self);
        thread_self->window = thread_self->span = 0; /* realloc has no hits, either */
    }
    memcheck_is_on = true;
    thread_leave_quietly();
}

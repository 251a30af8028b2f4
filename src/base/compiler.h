/*
 * base/compiler.h - the only place that knows which compiler reads this.
 *
 * gcc and clang share every attribute used here; a third compiler would be taught in this
 * file alone.
 */
#ifndef CM_BASE_COMPILER_H
#define CM_BASE_COMPILER_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1 /* mremap, madvise, sched_getaffinity; before libc's first header */
#endif

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define cm_likely(x) __builtin_expect(!!(x), 1)
#define cm_unlikely(x) __builtin_expect(!!(x), 0)

#define CM_INLINE static inline __attribute__((always_inline))
#define CM_NOINLINE __attribute__((noinline))
#define CM_COLD __attribute__((cold, noinline))
/* Where the linker shall put a function that stands in another part of cmalloc.c: with
 * those that small programs run, with those of the start, or with the rest. */
#define CM_NEAR __attribute__((section(".text.near")))
#define CM_START __attribute__((noinline, section(".text.start")))
#define CM_FAR __attribute__((noinline, section(".text.far")))
#define CM_EXPORT __attribute__((visibility("default")))
/* A variable that the linker may define, and no other object: its address may be NULL. */
#define CM_OPTIONAL __attribute__((weak, visibility("hidden")))
/* The call in this return has to be a jump. gcc before 15 does not know the word, and is
 * told by a flag (Makefile), which clang heeds from -O2 on. */
#if defined(__has_attribute) && __has_attribute(musttail)
#define CM_JUMP __attribute__((musttail))
#else
#define CM_JUMP
#endif
#define CM_ALIGNED(n) __attribute__((aligned(n)))
#define CM_UNUSED __attribute__((unused))

/* One pointer of static TLS: the general model may call malloc from within
 * __tls_get_addr. */
#define CM_TLS _Thread_local __attribute__((tls_model("initial-exec")))

/* A store the compiler must not move across or drop, as seen by a signal handler of this
 * thread. */
#define cm_signal_fence() atomic_signal_fence(memory_order_seq_cst)

/* Index of the highest set bit. Pre: x != 0. */
CM_INLINE unsigned cm_log2(size_t x)
{
    return (unsigned)(sizeof(unsigned long) * 8 - 1) ^ (unsigned)__builtin_clzl(x);
}

/* Index of the lowest set bit. Pre: x != 0. */
CM_INLINE unsigned cm_lowest(size_t x) { return (unsigned)__builtin_ctzl(x); }

/* *most becomes value, if that is more. */
CM_INLINE void cm_raise(_Atomic size_t *most, size_t value)
{
    size_t seen = atomic_load_explicit(most, memory_order_relaxed);
    while (value > seen && !atomic_compare_exchange_weak_explicit(most, &seen, value,
                                                                  memory_order_relaxed,
                                                                  memory_order_relaxed)) {
    }
}

/* Both halves of a product, one upon the other: each bit of the result hangs on every bit
 * of the factors. */
#if SIZE_MAX > UINT32_MAX
__extension__ typedef unsigned __int128 cm_wide;
#else
typedef uint64_t cm_wide;
#endif
CM_INLINE size_t cm_fold_product(size_t a, size_t b)
{
    cm_wide product = (cm_wide)a * b;
    /* cppcheck-suppress shiftTooManyBits ; it does not know __int128 */
    return (size_t)product ^ (size_t)(product >> (sizeof(size_t) * 8));
}

/* The memory at p will be wanted soon, to write to. */
CM_INLINE void cm_prefetch(const void *p) { __builtin_prefetch(p, 1); }

/* Tell a processor that this thread is waiting for another. */
CM_INLINE void cm_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#else
    atomic_signal_fence(memory_order_seq_cst);
#endif
}

#endif

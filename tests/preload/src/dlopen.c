/*
 * dlopen.c LIBRARY - loads the library into a running program and uses both allocators
 * side by side.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4, HELD = 2000 };

typedef struct family {
    void *(*malloc)(size_t);
    void *(*realloc)(void *, size_t);
    void (*free)(void *);
} family_t;

static family_t theirs;                               /* the library's */
static const family_t ours = {malloc, realloc, free}; /* the program's */
static pthread_barrier_t loaded;

static void fail(const char *what)
{
    const char *why = dlerror();

    printf("%s: %s\n", what, why ? why : "");
    exit(1);
}

static void find_family(void *library)
{
    *(void **)&theirs.malloc = dlsym(library, "malloc");
    *(void **)&theirs.realloc = dlsym(library, "realloc");
    *(void **)&theirs.free = dlsym(library, "free");
    if (!theirs.malloc || !theirs.realloc || !theirs.free)
        fail("dlsym");
}

static void check(const unsigned char *p, size_t size, size_t i)
{
    if (p[0] != (unsigned char)i || p[size - 1] != (unsigned char)i)
        fail("contents changed");
}

/* Every other chunk from the other allocator; so the break moves under both of them. What
 * moves it by itself must be alone: libc's sbrk reads the break, then sets it, without a
 * lock, and would take away what another thread's malloc has got in between. */
static void use_both(size_t salt, int alone)
{
    static _Thread_local unsigned char *held[HELD];
    static _Thread_local size_t size[HELD];

    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < HELD; i++) {
            const family_t *family = i % 2 ? &ours : &theirs;

            if (held[i])
                check(held[i], size[i], i);
            size[i] = (i * 53 + salt * 7 + round * 1001) % 9000 + 1;
            held[i] = family->realloc(held[i], size[i]);
            if (!held[i])
                fail("no memory");
            held[i][0] = held[i][size[i] - 1] = (unsigned char)i;
        }
        if (alone && sbrk(5000) == (void *)-1)
            fail("sbrk");
    }
    for (size_t i = 0; i < HELD; i++) {
        (i % 2 ? &ours : &theirs)->free(held[i]);
        held[i] = NULL;
    }
}

static void *work(void *argument)
{
    free(malloc(100)); /* lived before the library did */
    pthread_barrier_wait(&loaded);
    use_both((uintptr_t)argument, 0);
    return NULL;
}

int main(int count, char **arguments)
{
    pthread_t thread[THREADS];
    void *library;
    void *again;

    if (count < 2)
        return 2;
    pthread_barrier_init(&loaded, NULL, THREADS + 1);
    for (size_t i = 0; i < THREADS; i++) {
        if (pthread_create(&thread[i], NULL, work, (void *)(uintptr_t)(i + 1)))
            return 1;
    }
    library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (!library)
        fail("dlopen");
    find_family(library);
    pthread_barrier_wait(&loaded);
    use_both(0, 0);
    again = dlmopen(LM_ID_NEWLM, arguments[1], RTLD_NOW);
    if (!again)
        fail("dlmopen");
    dlclose(library); /* it stays: threads have yet to come to their exit handlers */
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    find_family(again);
    use_both(0, 1);
    puts("both at work");
    return 0;
}

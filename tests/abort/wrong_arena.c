/* wrong_arena.c - something has run over the start of a heap, where the name of its arena
 * stands. A chunk of it is freed by its own thread, or by a thread of another arena. */
#include "abort.h"

#include "cmalloc.h"

#pragma weak cmalloc_walk

static int find_heap(const cmalloc_item *item, void *mem)
{
    if (item->mem != *(void **)mem)
        return 0;
    *(const void **)mem = item->heap;
    return 1;
}

static void overwrite_heap_of(void *mem)
{
    void *heap = mem;
    if (cmalloc_walk(find_heap, &heap) != 1)
        _exit(EXIT_FAILURE);
    memset(heap, 0x55, 4 * WORD);
}

static void *take_in_thread(void *unused)
{
    (void)unused;
    return take_walled();
}

static void *forged(void *by_its_own)
{
    void *mem = NULL;
    pthread_t thread;
    if (by_its_own != NULL)
        mem = take_walled();
    else if (pthread_create(&thread, NULL, take_in_thread, NULL) == 0)
        pthread_join(thread, &mem);
    overwrite_heap_of(mem);
    expect("heap: wrong arena", mem);
    give(mem);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    begin();
    take(SMALL); /* the main arena is this thread's */
    if (!in_thread(argc, argv))
        forged(NULL);
    else if (pthread_create(&thread, NULL, forged, argv) == 0)
        pthread_join(thread, NULL);
    return 0;
}

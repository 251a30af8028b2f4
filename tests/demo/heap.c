/*
 * heap.c - a guided tour of the heap that this very program runs on.
 *
 * Each stop does something with malloc and free, asks the library's visitor what the heap
 * looks like now (look.h), shows it, and checks what it says about it: a statement that
 * does not hold ends the tour with status 1. The stops on freeing use sizes beyond what
 * thread caches keep, so that a chunk is free at once; should they come to keep more,
 * settle() still makes it free. The tour uses the library's public header and one
 * constant; draw.h, which draws its steps, uses the command's files.
 */
#define _GNU_SOURCE 1 /* as the Makefile has it for the files of the command */

#include "arguments.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Checked on every address that the tour masks. */
#define HEAP_MASK (~(uintptr_t)(HEAP_MAX_SIZE - 1))

enum { CROWD_MOST = 2048, CROWD_SIZE = 120000 };

/* Out of the compiler's sight, which knows malloc and free and would leave calls out. */
static void *(*volatile plain_malloc)(size_t) = malloc;
static void *(*volatile plain_realloc)(void *, size_t) = realloc;
static void (*volatile plain_free)(void *) = free;

static struct tour {
    char *p, *a, *b, *c, *d, *e,
        *x;                  /* the chunks' payloads, by their names in the text */
    char *q;                 /* the thread's */
    char *crowd[CROWD_MOST]; /* many chunks, to fill a heap */
    size_t crowd_count;
    pthread_t thread;
    pthread_barrier_t meeting;
} tour;

static char *get(const char *name, size_t n)
{
    char *mem = plain_malloc(n);
    if (mem == NULL)
        give_up("malloc(%zu): no memory", n);
    name_chunk(name, mem);
    return mem;
}

/* See to it that a chunk that was freed is free in the heap, and look. */
static void settle(const void *mem)
{
    look_take();
    const cmalloc_item *c = look_for(mem);
    if (c == NULL || c->kind != CMALLOC_CACHED)
        return;
    cmalloc_thread_flush();
    look_take();
}

static void give(void *mem)
{
    plain_free(mem);
    settle(mem);
}

/* Nothing happens between a look and this: the walk and the words must agree. */
static bool agrees(const cmalloc_item *c)
{
    return word_of(c, 1) == (c->size | c->flags);
}

static bool neighbours(const cmalloc_item *before, const cmalloc_item *after)
{
    return end_of(before) == (const char *)after->address;
}

/* --- 1: a chunk in use --- */

static void show_text(const char *label, const char *at, const char *meaning)
{
    char text[64];
    snprintf(text, sizeof text, "\"%.*s\"%s", (int)sizeof(size_t), at, meaning);
    show_word(label, (const size_t *)(const void *)at, INK_INUSE, text);
}

static void a_chunk(void)
{
    does("char *p = malloc(24);  strcpy(p, \"a heap explains itself!\");");
    tour.p = get("p", 24);
    memcpy(tour.p, "a heap explains itself!", 24);
    look_take();
    const cmalloc_item *c = look_at(tour.p);

    say("malloc handed out p, and p lies in a chunk. Two words stand before p: the");
    say("chunk's header. Here they are, and what follows, as they are in memory:");
    gap();
    show_word("chunk ->", c->address, INK_DIM, "prev_size, not valid: P set");
    show_size_word("", c);
    show_text("p ->", tour.p, "");
    show_text("", tour.p + 8, "");
    show_text("next ->", tour.p + 16, " is next's prev_size");
    gap();
    say("The size word ends in three flags. P: the previous chunk is in use. M: the");
    say("chunk is an mmap of its own. A: it lies in an allocated (mmapped) heap.");
    say("While p is in use nobody needs the next chunk's prev_size, so p may write");
    say("there. A chunk in use thus costs one word: 24 + 8 = 32 bytes.");
    gap();
    claim(c->kind == CMALLOC_INUSE && agrees(c),
          "p is in use, and its size word says so");
    claim(c->size == 32 && malloc_usable_size(tour.p) == 24,
          "the chunk has 32 bytes, and p may use 24 of them");
    claim(tour.p == (const char *)c->address + 2 * sizeof(size_t),
          "p is two words behind its chunk");
}

/* --- 2: neighbours --- */

static void neighbours_in_a_row(void)
{
    does("a, b, c, d, e = malloc(50000), (80000), (120000), (80000), (50000)");
    tour.a = get("a", 50000);
    tour.b = get("b", 80000);
    tour.c = get("c", 120000);
    tour.d = get("d", 80000);
    tour.e = get("e", 50000);
    look_take();
    const cmalloc_item *a = look_at(tour.a), *e = look_at(tour.e);
    const cmalloc_item *top = look_kind(CMALLOC_TOP, 0);

    say("Chunks lie side by side, without gaps: a chunk's address plus its size is the");
    say("address of the next. At the end is top, from which new chunks are carved.");
    gap();
    show_strip(a, top);
    show_table(a, top);
    claim(e == a + 4 && top == e + 1, "a, b, c, d, e and top follow one another");
    for (const cmalloc_item *c = a; c < top; c++)
        if (!neighbours(c, c + 1) || !agrees(c) || !has(c + 1, CMALLOC_FLAG_P))
            give_up("the heap contradicts the tour: %s is not as described", name_of(c));
    claim(true,
          "each ends where the next begins, and says that the one before is in use");
    claim(end_of(top) == end_of(look_heap(top)), "top ends where the heap ends");
}

/* --- 3: free --- */

static void freeing(void)
{
    does("free(c);");
    give(tour.c);
    const cmalloc_item *c = look_at(tour.c), *d = look_at(tour.d);

    say("A free chunk keeps its header. Its payload now belongs to the heap: two links");
    say("to other free chunks of its bin, hidden by a secret so that nobody can forge "
        "them,");
    say("and in its last word its size once more, the footer. That word is d's "
        "prev_size,");
    say("and d's P flag is clear: it may be read.");
    gap();
    show_word("c ->", c->address, INK_DIM, "prev_size, not valid: P set");
    show_size_word("", c);
    show_word("", (const size_t *)c->address + 2, INK_FREE, "fd, the next free chunk");
    show_word("", (const size_t *)c->address + 3, INK_FREE, "bk, the one before");
    say("           ... unused ...");
    show_word("d ->", footer_of(c), INK_FREE, "c's footer, d's prev_size");
    show_size_word("", d);
    gap();
    show_strip(look_at(tour.a), look_kind(CMALLOC_TOP, 0));
    claim(c->kind == CMALLOC_FREE && agrees(c), "c is free");
    claim(*footer_of(c) == c->size && footer_of(c) == d->address,
          "its footer holds its size, without flags, and is d's prev_size");
    claim(!has(d, CMALLOC_FLAG_P) && agrees(d), "d's P flag is clear");
    claim(d->prev_size == c->size, "from d back to c: d's address - d's prev_size");
}

/* --- 4: split --- */

static void splitting(void)
{
    size_t before = look_at(tour.c)->size;
    does("x = malloc(70000);");
    tour.x = get("x", 70000);
    look_take();
    const cmalloc_item *x = look_at(tour.x), *rest = x + 1;

    say("The bins know a free chunk that is large enough. It is split: x is its first");
    say("part, and the rest stays free, with a header and a footer of its own.");
    gap();
    show_strip(look_at(tour.a), look_kind(CMALLOC_TOP, 0));
    show_table(x, look_at(tour.d));
    claim(tour.x == tour.c, "x lies where c was");
    claim(rest->kind == CMALLOC_FREE && x->size + rest->size == before,
          "x and the rest make up the old chunk: %s + %s = %s", commas(x->size).text,
          commas(rest->size).text, commas(before).text);
    claim(look_at(tour.d)->prev_size == rest->size && *footer_of(rest) == rest->size,
          "d's prev_size is now the size of the rest");
}

/* --- 5: merge --- */

static void merging(void)
{
    const size_t b = look_at(tour.b)->size, x = look_at(tour.x)->size;
    const size_t rest = look_at(tour.x)[1].size;
    does("free(b);");
    give(tour.b);
    show_strip(look_at(tour.a), look_kind(CMALLOC_TOP, 0));
    show_table(look_at(tour.b), look_at(tour.d));
    claim(look_at(tour.b)->kind == CMALLOC_FREE && look_at(tour.x)->prev_size == b,
          "b is free, alone between a and x, and x's prev_size leads to it");

    gap();
    does("free(x);");
    give(tour.x);
    const cmalloc_item *merged = look_at(tour.b);
    show_strip(look_at(tour.a), look_kind(CMALLOC_TOP, 0));
    show_table(merged, look_at(tour.d));
    say("Both neighbours of x were free. Its own P flag told of the one before, and d's");
    say("P flag of the one after. Nothing was searched, and three chunks became one.");
    gap();
    claim(merged->kind == CMALLOC_FREE && merged->size == b + x + rest,
          "one free chunk: %s + %s + %s = %s", commas(b).text, commas(x).text,
          commas(rest).text, commas(merged->size).text);
    claim(look_for(tour.x) == NULL, "there is no chunk at x any more");
    claim(look_at(tour.d)->prev_size == merged->size,
          "d's prev_size is the size of all three");
}

/* --- 6: top --- */

static void into_top(void)
{
    does("free(d);  free(e);");
    give(tour.d);
    give(tour.e);
    const cmalloc_item *a = look_at(tour.a), *top = look_kind(CMALLOC_TOP, 0);
    show_table(a, top);
    say("d merged with the free chunk before it; e merged with that, and with top. Top");
    say("is free memory too: it never has a free chunk before it.");
    gap();
    claim(top == a + 1 && top->mem == tour.b, "top follows a, and begins where b was");
    gap();
}

/* Take chunks until the main arena's heap has grown for them. */
static void take_crowd(void)
{
    const size_t before = look_heap(look_kind(CMALLOC_TOP, 0))->size;
    do {
        tour.crowd[tour.crowd_count++] = get("crowd", CROWD_SIZE);
        look_take();
    } while (look_heap(look_kind(CMALLOC_TOP, 0))->size == before &&
             tour.crowd_count < CROWD_MOST);
}

static void drop_crowd(void)
{
    while (tour.crowd_count > 0)
        plain_free(tour.crowd[--tour.crowd_count]);
}

static void show_end(const char *when, const cmalloc_item *top)
{
    const cmalloc_item *heap = look_heap(top);
    printf(MARGIN "%-8sheap %9s bytes, %stop%s %9s bytes, both end at %s\n", when,
           commas(heap->size).text, ink(INK_TOP), ink(INK_PLAIN), commas(top->size).text,
           hex(end_of(top)).text);
}

static void top_grows(void)
{
    into_top();
    does("malloc(120000), until top is too small for one more");
    const cmalloc_item *top = look_kind(CMALLOC_TOP, 0);
    const char *end = end_of(look_heap(top));
    const bool at_break = (const char *)sbrk(0) == end;
    show_end("before", top);
    take_crowd();
    top = look_kind(CMALLOC_TOP, 0);
    show_end("after", top);
    gap();
    say("When top is too small, the heap grows at its end, and top with it.");
    if (at_break) {
        say("The main arena's heap is the application's own: it ends at the break,");
        say("which the system call brk moves.");
    } else {
        say("The main arena could not have the application's own heap, at the break; so");
        say("it went on in an allocated one.");
    }
    gap();
    claim(end_of(top) != end && end_of(top) == end_of(look_heap(top)),
          "the heap grew, and top still ends it");
    claim((const char *)sbrk(0) == end_of(top) || !at_break, "%s",
          at_break ? "sbrk(0), the break, is the heap's end" : "it did so without brk");
    drop_crowd();
    settle(tour.crowd[0]);
}

/* --- 7: the thread's cache --- */

static void a_cache(void)
{
    does("free(p);");
    plain_free(tour.p);
    look_take();
    const cmalloc_item *p = look_at(tour.p);

    say("A small chunk does not merge when it is freed. It goes into the cache of");
    say("the thread that freed it, ready for its next malloc. For the heap it is in");
    say("use: the next chunk's P flag stays set, and so nobody merges with it.");
    gap();
    show_table(p, p);
    claim(p->kind == CMALLOC_CACHED, "p's chunk is in a cache");
    claim(has(p + 1, CMALLOC_FLAG_P) && agrees(p + 1), "the next chunk's P flag is set");
    gap();
    does("p = malloc(24);");
    char *again = get("p", 24);
    claim(again == tour.p, "it is the same chunk again: no lock taken, no bin searched");
    gap();
    does("free(p);  cmalloc_thread_flush();");
    plain_free(again);
    cmalloc_thread_flush();
    look_take();
    const cmalloc_item *now = look_for(tour.p);
    claim(now == NULL || (now->kind != CMALLOC_CACHED && now->kind != CMALLOC_INUSE),
          "the cache gave it back to the arena: it is free, or part of a free chunk");
    tour.p = get("p", 24);
}

/* --- 8, 9: a thread, its arena, and its heaps --- */

static uintptr_t masked(const void *p) { return (uintptr_t)p & HEAP_MASK; }

/* Meetings: q is there; go on; two heaps are full; go on. */
static void *thread_runs(void *arg)
{
    (void)arg;
    tour.q = plain_malloc(24);
    pthread_barrier_wait(&tour.meeting);
    pthread_barrier_wait(&tour.meeting);
    while (tour.crowd_count < CROWD_MOST) {
        char *mem = plain_malloc(CROWD_SIZE);
        if (mem == NULL)
            break;
        tour.crowd[tour.crowd_count++] = mem;
        if (masked(mem) != masked(tour.q))
            break;
    }
    pthread_barrier_wait(&tour.meeting);
    pthread_barrier_wait(&tour.meeting);
    drop_crowd();
    return NULL;
}

static void show_mask(const cmalloc_item *c)
{
    const int digits = (int)(2 * sizeof(void *));
    printf(MARGIN "   chunk                0x%0*zx\n", digits, (size_t)c->address);
    printf(MARGIN "   & ~(%2zu MiB - 1)    & 0x%0*zx\n", HEAP_MAX_SIZE >> 20, digits,
           (size_t)HEAP_MASK);
    printf(MARGIN "                        %.*s\n", digits + 2, "------------------");
    printf(MARGIN "   heap_of(chunk)     = %s0x%0*zx%s\n\n", ink(INK_META), digits,
           (size_t)masked(c->address), ink(INK_PLAIN));
}

static void show_offset(const cmalloc_item *heap, const void *at, ink_t which,
                        const char *what)
{
    printf(MARGIN "   heap + 0x%07zx  %s%s%s\n",
           (size_t)((const char *)at - (const char *)heap->address), ink(which), what,
           ink(INK_PLAIN));
}

static void show_heap(const cmalloc_item *heap, const cmalloc_item *arena,
                      const cmalloc_item *q)
{
    const char *base = heap->address;
    show_offset(heap, base, INK_META,
                "heap_info: names the arena, the heap's size, its kin");
    show_offset(heap, arena->address, INK_META,
                "the arena's own struct: lock, top, bins");
    show_offset(heap, q->address, INK_INUSE, "q's chunk");
    show_offset(heap, look_kind(CMALLOC_TOP, q->arena)->address, INK_TOP, "top");
    show_offset(heap, end_of(heap), INK_DIM, "here ends what is usable so far");
    show_offset(heap, base + heap->reserved, INK_DIM, "here ends what is reserved");
    gap();
}

static void start_thread(void)
{
    pthread_barrier_init(&tour.meeting, NULL, 2);
    if (pthread_create(&tour.thread, NULL, thread_runs, NULL) != 0)
        give_up("no thread can be started");
    pthread_barrier_wait(&tour.meeting);
    if (tour.q == NULL)
        give_up("malloc(24): no memory");
}

/* Returns the chunk that the thread took last. */
static const char *fill_heap(void)
{
    pthread_barrier_wait(&tour.meeting);
    pthread_barrier_wait(&tour.meeting);
    if (tour.crowd_count == 0 ||
        masked(tour.crowd[tour.crowd_count - 1]) == masked(tour.q))
        give_up("the thread's arena could not get a second heap: no memory");
    return tour.crowd[tour.crowd_count - 1];
}

static void end_thread(void)
{
    pthread_barrier_wait(&tour.meeting);
    pthread_join(tour.thread, NULL);
    pthread_barrier_destroy(&tour.meeting);
}

static void a_threads_arena(void)
{
    does("in a new thread:  q = malloc(24);");
    start_thread();
    name_chunk("q", tour.q);
    look_take();
    const cmalloc_item *p = look_at(tour.p), *q = look_at(tour.q);
    const cmalloc_item *heap = look_heap(q), *arena = look_kind(CMALLOC_ARENA, q->arena);

    say("Threads that share an arena wait for each other, so a new thread gets another");
    say("one if it can. That has allocated (mmapped) heaps: its chunks have A set.");
    gap();
    show_head();
    show_row(p);
    show_row(q);
    gap();
    printf(
        MARGIN
        "Whose chunk is it? Such a heap begins at a multiple of %zu MiB, so one mask\n",
        HEAP_MAX_SIZE >> 20);
    say("leads from a chunk with A set to its heap_info, and that names the arena:");
    gap();
    show_mask(q);
    show_heap(heap, arena, q);
    claim(p->arena == 0 && q->arena != 0, "p is of the main arena, q is of arena %u",
          q->arena);
    claim(has(q, CMALLOC_FLAG_A) && agrees(q), "q's A flag is set");
    claim(masked(q->address) == (uintptr_t)q->heap, "the mask leads to q's heap");
    claim(masked(arena->address) == (uintptr_t)q->heap,
          "the arena's own struct lies in this heap, its first");
}

static void a_further_heap(void)
{
    const unsigned mine = look_at(tour.q)->arena;
    does("in the thread:  malloc(120000), until its heap is full");
    name_chunk("last", fill_heap());
    look_take();
    const cmalloc_item *q = look_at(tour.q), *top = look_kind(CMALLOC_TOP, mine);
    const cmalloc_item *last = look_at(tour.crowd[tour.crowd_count - 1]);
    const cmalloc_item *post = look_kind(CMALLOC_FENCEPOST, mine);

    say("A heap that is full ends in a fencepost, a chunk that is nothing but a header,");
    say("and the arena goes on in a further heap. The same mask finds that one, too:");
    gap();
    show_head();
    show_row(q);
    show_row(post);
    show_row(last);
    show_row(top);
    gap();
    show_mask(last);
    claim(post->heap == q->heap && end_of(post) == end_of(look_heap(q)),
          "the fencepost ends q's heap, the arena's first");
    claim(post->size == 2 * sizeof(size_t), "it has %zu bytes: prev_size and size",
          post->size);
    claim(masked(last->address) == (uintptr_t)last->heap && last->heap != q->heap &&
              last->arena == mine && top->heap == last->heap,
          "the last chunk and top lie in another heap, of the same arena");
    end_thread();

    gap();
    does("the thread ends; main:  free(q);");
    give(tour.q);
    const cmalloc_item *now = look_for(tour.q);
    claim(now == NULL || now->kind != CMALLOC_INUSE,
          "q, which another thread took, is not in use any more");
    claim(now == NULL || now->arena == mine, "it is back in the arena that it came from");
}

/* --- 10: a mapping of its own --- */

static void a_mapping(void)
{
    const size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
    does("m = malloc(1000000);");
    char *m = get("m", 1000000);
    m[0] = 'm';
    look_take();
    const cmalloc_item *c = look_at(m);
    const char *mapping = (const char *)c->address - word_of(c, 0);

    say("A request this large is not carved from a heap: the chunk is one mmap of its");
    say("own. M is set, and prev_size is its distance from the start of the mapping.");
    gap();
    printf(MARGIN "mapping  %s\n", hex(mapping).text);
    show_word("chunk ->", c->address, INK_META, "prev_size: the distance");
    show_size_word("mmapped", c);
    gap();
    claim(c->kind == CMALLOC_MMAPPED && has(c, CMALLOC_FLAG_M) && agrees(c),
          "m's M flag is set");
    claim(c->heap == NULL, "it lies in no heap");
    claim((uintptr_t)mapping % page_size == 0 && (uintptr_t)end_of(c) % page_size == 0,
          "the mapping begins and ends with a page");
    gap();
    does("m = realloc(m, 4000000);  free(m);");
    const size_t before = c->size;
    m = plain_realloc(m, 4000000);
    if (m == NULL)
        give_up("realloc(4000000): no memory");
    look_take();
    claim(look_at(m)->kind == CMALLOC_MMAPPED && look_at(m)->size > before && m[0] == 'm',
          "after realloc the mapping is larger; mremap copies nothing");
    plain_free(m);
    look_take();
    const cmalloc_item *now = look_for(m);
    claim(now == NULL || now->kind != CMALLOC_MMAPPED,
          "after free it is not in use any more");
}

/* --- 11: a mistake --- */

static _Noreturn void free_twice(int out)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    dup2(out, STDERR_FILENO);
    plain_free(tour.p);
    plain_free(tour.p);
    _exit(EXIT_SUCCESS);
}

static void a_mistake(void)
{
    char text[256] = "", expected[64];
    int pipes[2], status = 0;
    does("in a child process:  free(p);  free(p);");
    fflush(stdout);
    if (pipe(pipes) != 0)
        give_up("no pipe can be had");
    pid_t child = fork();
    if (child < 0)
        give_up("no process can be started");
    if (child == 0)
        free_twice(pipes[1]);
    close(pipes[1]);
    size_t used = 0;
    for (ssize_t n; (n = read(pipes[0], text + used, sizeof text - 1 - used)) > 0;)
        used += (size_t)n;
    close(pipes[0]);
    waitpid(child, &status, 0);
    text[strcspn(text, "\n")] = '\0';

    say("free looks before it believes a pointer. A chunk that is not in use, a pointer");
    say("that is no chunk's, a header that was overwritten: one line is written, and");
    say("the process ends, before a damaged heap does further damage.");
    printf("\n" MARGIN "%s|%s %s\n\n", ink(INK_DIM), ink(INK_PLAIN), text);
    snprintf(expected, sizeof expected, "cmalloc: fatal: double free: 0x%llx",
             (unsigned long long)(uintptr_t)tour.p);
    claim(strcmp(text, expected) == 0, "the line names the mistake and p");
    claim(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "the child was aborted");
}

/* --- the tour --- */

static const struct stop {
    const char *title;
    void (*visit)(void);
} stops[] = {
    {"A chunk in use", a_chunk},
    {"Neighbours", neighbours_in_a_row},
    {"Free: a footer, and the neighbour's P flag", freeing},
    {"Split", splitting},
    {"Merge with both neighbours", merging},
    {"Top, and how it grows", top_grows},
    {"A thread's cache", a_cache},
    {"A thread's arena", a_threads_arena},
    {"When a heap is full", a_further_heap},
    {"A chunk with a mapping of its own", a_mapping},
    {"A mistake is found", a_mistake},
};

/* The tour shows the heap as it is by default, whatever the environment asks for. */
static void set_defaults(void)
{
    mallopt(M_ARENA_MAX, 8);
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    mallopt(M_MMAP_MAX, 65536);
    mallopt(M_TRIM_THRESHOLD, 128 * 1024);
    mallopt(M_TOP_PAD, 128 * 1024);
    mallopt(M_PERTURB, 0);
}

static void introduce(void)
{
    printf("%scmalloc %s: a guided tour of the heap%s\n\n", ink(INK_TITLE),
           cmalloc_version(), ink(INK_PLAIN));
    say("What follows is the heap of this very program, read from memory as it runs by");
    say("cmalloc_walk, the library's visitor of chunks. A line that starts with ok was");
    say("checked just now; if one did not hold, the tour would end with status 1.");
    if (page.colour)
        printf("\n" MARGIN
               "Colours: %sin use%s, %scached%s, %sfree%s, %stop%s, %sheaders%s.\n",
               ink(INK_INUSE), ink(INK_PLAIN), ink(INK_CACHED), ink(INK_PLAIN),
               ink(INK_FREE), ink(INK_PLAIN), ink(INK_TOP), ink(INK_PLAIN), ink(INK_META),
               ink(INK_PLAIN));
}

static void conclude(void)
{
    int arenas = cmalloc_check();
    printf("\n%sThe end%s\n\n", ink(INK_TITLE), ink(INK_PLAIN));
    claim(arenas == 2, "cmalloc_check went through %d arenas: every invariant holds",
          arenas);
    gap();
    printf(MARGIN "%u statements about the heap were checked, and all of them hold.\n",
           page.checked);
    say("The drawings are in README.md. Any program runs on this heap, if started with");
    say("LD_PRELOAD=$PWD/libcmalloc.so before its name.");
}

int main(int count, char **arguments)
{
    bool step = read_arguments(count, arguments);
    page_open(step, sizeof stops / sizeof *stops);
    draw_open();
    set_defaults();
    introduce();
    for (unsigned i = 0; i < page.stops; i++) {
        stop_begins(stops[i].title);
        stops[i].visit();
    }
    conclude();
    page_close();
    draw_close();
    return EXIT_SUCCESS;
}

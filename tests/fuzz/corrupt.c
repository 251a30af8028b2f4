/*
 * corrupt.c - a program that also overwrites headers: size words, footers, links, the
 * heap_info, the large_info; bits, bytes, words, or one header copied over another.
 *
 * Then it goes on. It may survive or end in a panic; no other end is right, and whatever
 * happens, memory that was never the heap's is not written to. A fault is right only
 * where the link of a cached chunk was hit, which may lead to any address then, or a
 * heap_info, whose length is believed, or where a forged size takes in another chunk.
 */
#include "fuzz.h"

#include "core/arena.h"
#include "core/large.h"
#include "inspect/walk.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SLOTS = 32, MOST_BYTES = 300000, FORGED = 16, GIVEN = 64 };

static struct {
    char *mem;
    size_t size;
    bool live;
} slots[SLOTS];

static unsigned char prey[65536];
static bool faults_are_right;
static sigjmp_buf after_fault;

/* ---- the faults -------------------------------------------------------------------- */

/* The word, of those near mem, that is hit: the header, the payload's first words, the
 * header behind, the last word; or the start of the heap or mapping. */
static char *aim(char *mem, size_t n, unsigned where)
{
    mchunkptr c = chunk_of(mem);
    size_t size = chunk_size_for(n);
    switch (where % 8) {
    case 0:
    case 1:
        return mem - SIZE_SZ;
    case 2:
        return mem - 2 * SIZE_SZ;
    case 3:
        return mem + size - SIZE_SZ;
    case 4:
        return mem + size - 2 * SIZE_SZ;
    case 5:
        return mem + (where >> 3) % 4 * SIZE_SZ;
    case 6:
        if ((chunk_word(c) & CHUNK_M) != 0 && c->prev_size < 4096)
            return (char *)c - c->prev_size + (where >> 3) % 8 * SIZE_SZ;
        return registry_has_heap(c) ? (char *)heap_of(c) + (where >> 3) % 8 * SIZE_SZ
                                    : mem - SIZE_SZ;
    default:
        return mem + size + (where >> 3) % 4 * SIZE_SZ;
    }
}

/* Whether a program could have written there: its fault must not be taken for the
 * library's. */
static bool is_there(char *at, size_t *word) /* NOLINT(readability-non-const-parameter) */
{
    struct iovec local = {word, sizeof *word}, remote = {at, sizeof *word};
    return fuzz_owns(at, sizeof *word) &&
           process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == sizeof *word;
}

/* What chunks with forged headers say that they are. Another that lies in there goes with
 * them when they are freed, and only a seal could tell. */
static struct {
    const char *from, *to;
} forged[FORGED];
static size_t forged_count;

/* What was freed of late: it may wait somewhere still. */
static const char *given[GIVEN];
static size_t given_count;

static bool lies_within(const char *mem)
{
    for (size_t k = 0; k < forged_count && k < FORGED; k++)
        if (mem > forged[k].from && mem < forged[k].to)
            return true;
    return false;
}

static bool one_is_taken_in(void)
{
    bool taken_in = false;
    for (size_t i = 0; i < SLOTS; i++)
        taken_in |= lies_within(slots[i].mem);
    for (size_t i = 0; i < given_count && i < GIVEN; i++)
        taken_in |= lies_within(given[i]);
    return taken_in;
}

static void note_forged(const char *at, size_t word)
{
    size_t size = word & ~CHUNK_FLAGS, k = forged_count++ % FORGED;
    forged[k].from = at + SIZE_SZ;
    forged[k].to =
        at - SIZE_SZ + (size < HEAP_MAX_SIZE ? size : 0); /* more is found out */
}

static void hit(input_t *in, size_t i)
{
    unsigned where = input_byte(in), how = input_byte(in);
    size_t word;
    if ((!registry_has(slots[i].mem) && !slots[i].live) ||
        !is_there(slots[i].mem - SIZE_SZ, &word))
        return; /* a mapping that may be gone, or another's */
    char *at = aim(slots[i].mem, slots[i].size, where);
    if (!is_there(at, &word))
        return;
    if (how < 64)
        word ^= (size_t)1 << how;
    else if (how < 128)
        word = input_number(in, 1) << 8 * (how % 8);
    else if (how < 192)
        word += (input_number(in, 2) - 32768) * 8;
    else
        word = how < 224 ? 0 : (uintptr_t)prey + how % 32 * 512;
    memcpy(at, &word, sizeof word);
    /* It may have been a link that waits in a cache (the word before a chunk is the third
     * of one of the least size), or the end of a heap. */
    if (where % 8 == 2 || where % 8 >= 5 || !slots[i].live)
        faults_are_right = true;
    if (where % 8 <= 1 || where % 8 == 3) /* a header */
        note_forged(at, word);
}

/* ---- the program ------------------------------------------------------------------- */

static void release(size_t i)
{
    if (slots[i].mem == NULL || !slots[i].live)
        return;
    slots[i].live = false;
    given[given_count++ % GIVEN] = slots[i].mem;
    fuzz_free(slots[i].mem);
}

static void take(input_t *in, size_t i)
{
    static const size_t sizes[] = {24, 104, 1000, 2040, 40000, 60000, 100000, 140000};
    release(i);
    size_t n = sizes[input_byte(in) % 8];
    slots[i].mem = fuzz_malloc(n);
    slots[i].size = n;
    slots[i].live = slots[i].mem != NULL;
}

static void step(input_t *in)
{
    unsigned what = input_byte(in);
    size_t i = what / 8 % SLOTS;
    switch (what % 8) {
    case 0:
    case 1:
        take(in, i);
        break;
    case 2:
    case 3:
        release(i);
        break;
    case 4:
    case 5:
        if (slots[i].mem != NULL)
            hit(in, i);
        break;
    case 6:
        if (slots[i].live) {
            size_t n = input_size(in) % MOST_BYTES;
            void *mem = fuzz_realloc(slots[i].mem, n + 1);
            if (mem != NULL) {
                slots[i].mem = mem;
                slots[i].size = n + 1;
            }
        }
        break;
    default:
        if (i % 4 == 0)
            check_all();
        else if (i % 4 == 1)
            fuzz_malloc_trim(0);
        else
            fuzz_be_thread((unsigned)i / 4);
    }
}

static void all_steps(input_t *in)
{
    while (!input_ends(in)) {
        step(in);
        faults_are_right = faults_are_right || one_is_taken_in();
    }
    for (size_t i = 0; i < SLOTS; i++)
        release(i);
    fuzz_malloc_trim(0);
    check_all();
}

static struct sigaction before[2]; /* the fuzzer's */

static void give_back_signals(void)
{
    sigaction(SIGSEGV, &before[0], NULL);
    sigaction(SIGBUS, &before[1], NULL);
}

static void on_fault(int signal_number)
{
    (void)signal_number;
    if (faults_are_right || one_is_taken_in())
        siglongjmp(after_fault, 1);
    give_back_signals(); /* it comes again, as the fuzzer's */
}

void fuzz_one(input_t *in)
{
    memset(slots, 0, sizeof slots);
    memset(prey, 0, sizeof prey);
    faults_are_right = false;
    forged_count = given_count = 0;
    struct sigaction catch = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
    sigaction(SIGSEGV, &catch, &before[0]);
    sigaction(SIGBUS, &catch, &before[1]);
    if (sigsetjmp(after_fault, 1) == 0)
        (void)fuzz_panics(all_steps, in);
    give_back_signals();
    for (size_t i = 0; i < sizeof prey; i++)
        FUZZ_CHECK(prey[i] == 0);
}

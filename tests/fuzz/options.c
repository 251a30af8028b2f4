/*
 * options.c - any text as CMALLOC_OPTIONS and as glibc's variables, cut at zero bytes.
 * Every option stays in its range, whatever was ignored has been said, and the allocator
 * works under what is left.
 */
#include "fuzz.h"

#include "base/options.h"

static const char *texts[8];
static unsigned asked;

static const char *next_text(const char *name)
{
    (void)name;
    return texts[asked++ % 8];
}

static void cut(char *copy, size_t size)
{
    for (unsigned i = 0; i < 8; i++) {
        texts[i] = size > 0 ? copy : NULL;
        size_t length = size > 0 ? strlen(copy) + 1 : 0;
        copy += length;
        size -= length < size ? length : size;
    }
}

static void read_and_live(input_t *in)
{
    (void)in;
    cm_options_read(next_text);
    void *mem[16];
    for (size_t i = 0; i < 16; i++)
        mem[i] = fuzz_malloc((size_t)1 << i);
    for (size_t i = 0; i < 16; i++)
        fuzz_free(mem[i]);
}

void fuzz_one(input_t *in)
{
    size_t size = (size_t)(in->end - in->at);
    char *copy = calloc(1, size + 1);
    memcpy(copy, in->at, size);
    asked = 0;
    cut(copy, size);
    bool panicked = fuzz_panics(read_and_live, in);
    FUZZ_CHECK(!panicked);
    free(copy);
}

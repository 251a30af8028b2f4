/* walked_size.c - an overflow has cleared the size of a chunk, and the heap is walked. */
#include "abort.h"

#include "cmalloc.h"

#pragma weak cmalloc_check

static void walked(void)
{
    char *mem = take_walled();
    poke(mem, -WORD, peek(mem, -WORD) & (A | P));
    expect("invalid size", mem);
    cmalloc_check();
}

MISTAKE(walked)

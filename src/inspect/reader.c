/* inspect/reader.c - reading by pieces, and the reader of this process. See reader.h. */
#include "inspect/reader.h"

#include "os/os.h"

#include <string.h>

size_t reader_read(reader_t *r, uintptr_t address, void *to, size_t size)
{
    size_t done = 0;
    while (done < size) {
        /* up to the next multiple of READER_MOST: what cannot be read is whole pages */
        size_t piece = READER_MOST - (address + done) % READER_MOST;
        if (piece > size - done)
            piece = size - done;
        const void *bytes = reader_see(r, address + done, piece);
        if (bytes == NULL)
            break;
        memcpy((char *)to + done, bytes, piece);
        done += piece;
    }
    return done;
}

/* Only what wraps around lies outside of the window. */
static bool move_none(reader_t *r, uintptr_t address, size_t size)
{
    (void)r, (void)address, (void)size;
    return false;
}

static size_t resident_here(reader_t *r, uintptr_t from, size_t size)
{
    (void)r;
    return os_resident((void *)from, size); /* NOLINT(performance-no-int-to-ptr) */
}

void reader_self(reader_t *r)
{
    *r = (reader_t){.size = SIZE_MAX, .move = move_none, .resident = resident_here};
}

/* inspect/reader.c - reading by pieces. See reader.h. */
#include "inspect/reader.h"

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

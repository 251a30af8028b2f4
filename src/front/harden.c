/* front/harden.c - see harden.h. */
#include "front/harden.h"

#include "base/options.h"
#include "front/owner.h"
#include "os/os.h"

/* --- canaries --- */

CM_FAR mchunkptr harden_owner(const void *mem)
{
    if (cm_likely(harden_size(mem) >= CHUNK_MIN))
        return chunk_of(mem);
    mchunkptr c = owner_chunk(mem);
    harden_check(c);
    return c;
}

void harden_check(const chunk_t *c)
{
    if (!CM_SECURE || !canary_is_borne(c))
        return;
    size_t found = *canary_place(c, chunk_size(c)), right = canary_of(c);
    /* A chunk that the heap has taken back has its footer there. */
    if (cm_unlikely(found == ~right || (found != right && chunk_is_free(c))))
        cm_panic(PANIC_DOUBLE_FREE, chunk_mem(c));
    if (cm_unlikely(found != right))
        cm_panic(PANIC_CANARY, chunk_mem(c));
}

/* Nobody shall read the old one in what has become payload. */
void harden_resized(mchunkptr c, size_t before)
{
    if (!CM_SECURE || !canary_is_borne(c))
        return;
    size_t now = chunk_size(c);
    if (now > before)
        chunk_at(c, before)->prev_size = 0;
    harden_out(chunk_mem(c));
}

void harden_in(mchunkptr c)
{
    if (!CM_SECURE)
        return;
    harden_check(c);
    size_t word = chunk_word(c);
    if ((word & CHUNK_M) == 0) /* else it is unmapped */
        harden_wipe(c, word & ~CHUNK_FLAGS);
}

/* --- what the caller knows --- */

/* No chunk that a request of n bytes got, or was cut down to by realloc, is larger. */
static size_t largest_for(size_t n)
{
    size_t size = chunk_size_for(n);
    return size + size / 2 + CHUNK_MIN + os_page;
}

void harden_sized(const void *mem, size_t n, size_t align)
{
    if (!cm_secure(sized) || mem == NULL)
        return;
    const chunk_t *c = harden_owner(mem);
    if (((uintptr_t)mem & (align - 1)) != 0 || n > chunk_usable(c) ||
        chunk_size(c) > largest_for(n))
        cm_panic(PANIC_SIZED, mem);
}

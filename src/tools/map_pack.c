/*
 * tools/map_pack.c - a strip's records and pages as base64, for the script of the page.
 *
 * A record is a byte: state (MAP_MIXED: a run) | P << 3 | M << 4 | A << 5 | goes on with
 * the chunk before << 6 | a gap before it << 7. Then numbers, seven bits a byte, the
 * lowest first: the gap, if there is one; the size; of a chunk whose prev_size is valid,
 * that; of a run its chunks, a byte with the states that it has, and for each but the
 * last its share in 255ths. Addresses and sizes are in units of eight bytes.
 */
#include "tools/map.h"

#define UNIT 8
#define PAGE_RUNS_MOST ((size_t)100000)

typedef struct packer {
    FILE *to;
    unsigned char bytes[3];
    unsigned count;
} packer_t;

/* --- base64 --- */

static void flush(packer_t *p)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned n = (unsigned)p->bytes[0] << 16 | (unsigned)p->bytes[1] << 8 | p->bytes[2];
    if (p->count == 0)
        return;
    fputc(digits[n >> 18], p->to);
    fputc(digits[n >> 12 & 63], p->to);
    fputc(p->count > 1 ? digits[n >> 6 & 63] : '=', p->to);
    fputc(p->count > 2 ? digits[n & 63] : '=', p->to);
    *p = (packer_t){.to = p->to};
}

static void put(packer_t *p, unsigned byte)
{
    p->bytes[p->count++] = (unsigned char)byte;
    if (p->count == 3)
        flush(p);
}

static void put_number(packer_t *p, size_t n)
{
    for (; n >= 128; n >>= 7)
        put(p, (unsigned)(n & 127) | 128);
    put(p, (unsigned)n);
}

/* --- records --- */

static void put_shares(packer_t *p, const map_record *r)
{
    unsigned has = 0, last = 0;
    for (unsigned i = 0; i < MAP_STATES; i++)
        if (r->parts[i] > 0) {
            has |= 1u << i;
            last = i;
        }
    put_number(p, r->count);
    put(p, has);
    for (unsigned i = 0; i < last; i++)
        if (r->parts[i] > 0) {
            double share = 255.0 * (double)r->parts[i] / (double)r->size;
            put(p, (unsigned)(share + 0.5));
        }
}

static unsigned head_of(const map_record *r, bool gap)
{
    unsigned flags = ((r->flags & CMALLOC_FLAG_P) != 0 ? 8u : 0) |
                     ((r->flags & CMALLOC_FLAG_M) != 0 ? 16u : 0) |
                     ((r->flags & CMALLOC_FLAG_A) != 0 ? 32u : 0);
    bool goes_on = r->state != MAP_MIXED && r->state < MAP_META && r->count == 0;
    return r->state | flags | (goes_on ? 64u : 0) | (gap ? 128u : 0);
}

void map_pack_records(const map_t *m, const map_strip *s, FILE *to)
{
    packer_t p = {.to = to};
    uintptr_t end = s->address;
    for (size_t i = s->first; i < s->first + s->count; i++) {
        const map_record *r = &m->records[i];
        bool mixed = r->state == MAP_MIXED;
        put(&p, head_of(r, r->address != end));
        if (r->address != end)
            put_number(&p, (r->address - end) / UNIT);
        put_number(&p, r->size / UNIT);
        if (mixed)
            put_shares(&p, r);
        else if ((r->flags & CMALLOC_FLAG_P) == 0)
            put_number(&p, r->prev_size / UNIT);
        end = r->address + r->size;
    }
    flush(&p);
}

/* --- pages --- */

static size_t runs_at(const map_strip *s, size_t least)
{
    size_t runs = 0;
    for (size_t i = 0; i < s->page_count; i++)
        runs += s->pages[i] >= least;
    return runs;
}

/* Runs of pages in memory, and not, by turns. Of more than anybody could see, the short
 * ones are taken for what is around them. */
void map_pack_pages(const map_strip *s, FILE *to)
{
    packer_t p = {.to = to};
    size_t least = 1, run = 0;
    bool there = true;
    while (runs_at(s, least) > PAGE_RUNS_MOST)
        least *= 2;
    for (size_t i = 0; i < s->page_count; i++) {
        bool is_there = i % 2 == 0;
        if (is_there != there && (s->pages[i] >= least || i == 1)) {
            put_number(&p, run);
            run = 0;
            there = is_there;
        }
        run += s->pages[i];
    }
    put_number(&p, run);
    flush(&p);
}

/*
 * kept.pml - core/kept.c: freed mappings wait in places of one pointer each; pick empties
 * a place by exchange, put fills an empty one by compare-and-swap.
 *
 * A thread asks for a mapping (large_reuse: pick each, keep the best, put the others
 * back), else maps a new one, and frees it (large_keep). Identity is all that matters
 * here: the "best" is the one with the higher number.
 *
 * Claims: what is picked was put and not picked since (no two owners); in the end each
 * mapping is unmapped or in one place (none lost), and kept_bytes is their sum.
 *
 * What must be found: PICK_BY_STORE, PUT_BY_STORE  a load and a store in two steps
 */
#define PLACES 2
#define MAPPINGS 6 /* one for each round of each thread */
#define THREADS 3
#define ROUNDS 2

mtype = { GONE, LIVE, KEPT }

byte kept[PLACES];
mtype is[MAPPINGS + 1];
short kept_bytes;
byte running;

inline map_new(m)
{
    atomic {
        m = 1;
        do
        :: is[m] == GONE -> is[m] = LIVE; break
        :: else -> m++
        od
    }
}

inline unmap(m)
{
    d_step {
        assert(is[m] == LIVE);
        is[m] = GONE
    }
}

inline pick(i, m)
{
#ifdef PICK_BY_STORE
    m = kept[i];
    if
    :: m != 0 -> kept[i] = 0
    :: else
    fi;
    if
    :: m != 0 -> d_step { assert(is[m] == KEPT); is[m] = LIVE }
    :: else
    fi;
#else
    atomic {
        m = kept[i];
        kept[i] = 0;
        if
        :: m != 0 -> assert(is[m] == KEPT); is[m] = LIVE
        :: else
        fi
    }
#endif
    if
    :: m != 0 -> kept_bytes--
    :: else
    fi
}

/* Or unmap, if no place is empty. */
inline put(m)
{
    at = 0;
    do
    :: at == PLACES -> unmap(m); break
    :: else ->
        if
        :: kept[at] == 0 ->
            atomic {
                if
#ifndef PUT_BY_STORE
                :: kept[at] != 0 -> done = false
#endif
                :: else ->
                    assert(is[m] == LIVE);
                    kept[at] = m;
                    is[m] = KEPT;
                    done = true
                fi
            };
            if
            :: done -> kept_bytes++; break
            :: else -> at++
            fi
        :: else -> at++
        fi
    od;
    at = 0;
    done = false
}

inline reuse(best)
{
    i = 0;
    do
    :: i == PLACES -> break
    :: else ->
        pick(i, got);
        if
        :: got > best ->
            other = best;
            best = got
        :: else -> other = got
        fi;
        got = 0;
        if
        :: other != 0 -> put(other)
        :: else
        fi;
        other = 0;
        i++
    od;
    i = 0
}

proctype thread()
{
    byte mine, got, other, i, at, round;
    bool done;
    do
    :: round == ROUNDS -> break
    :: else ->
        round++;
        reuse(mine);
        if
        :: mine == 0 -> map_new(mine)
        :: else
        fi;
        put(mine);
        mine = 0
    od;
    running--
}

init
{
    byte i, n;
    atomic {
        for (i : 1 .. MAPPINGS) { is[i] = GONE }
        running = THREADS;
        for (i : 1 .. THREADS) { run thread() }
    }
    running == 0;
    atomic {
        n = 0;
        for (i : 0 .. PLACES - 1) {
            if
            :: kept[i] != 0 -> n++; assert(is[kept[i]] == KEPT)
            :: else
            fi
        }
        assert(PLACES < 2 || kept[0] != kept[1] || kept[0] == 0);
        assert(kept_bytes == n);
        for (i : 1 .. MAPPINGS) {
            assert(is[i] != LIVE);
            n = n - (is[i] == KEPT -> 1 : 0)
        }
        assert(n == 0) /* none kept that is in no place */
    }
}

/*
 * inbox.pml - core/remote.h: threads post chunks, holders of the arena's lock take all.
 *
 * A chunk stands for a magazine, of which a post touches the first one's link only.
 * Chunks go round: what was taken is posted again, by whoever gets it first, so that a
 * head may be the same chunk as before with another one behind it (ABA). Each load,
 * store and compare-and-swap is a step of its own.
 *
 * Claims: a chunk that is taken was posted and not taken since (none twice); when all is
 * quiet and the inbox has been taken once more, all chunks are there (none lost).
 *
 * What must be found: POST_BY_STORE  posting without a compare
 *                     TAKE_BY_STORE  taking by a load and a store
 *                     POP_ONE        taking one chunk by compare-and-swap, without a lock
 */
#define CHUNKS 3
#define POSTERS 2
#define TAKERS 2
#define POSTS 2 /* of each poster */
#define TAKES 2 /* of each taker */

mtype = { USED, HELD, POSTED }

byte first;                /* 0: NULL */
byte next[CHUNKS + 1];     /* word 2 of the payload */
mtype where[CHUNKS + 1];   /* what is true of a chunk; no step of the program reads it */
bit locked;
byte running;

inline lock() { atomic { !locked -> locked = 1 } }
inline unlock() { locked = 0 }

/* The program frees a chunk that it uses. */
inline obtain(c)
{
    atomic {
        if
        :: where[1] == USED -> c = 1
        :: where[2] == USED -> c = 2
        :: where[3] == USED -> c = 3
        :: else -> c = 0
        fi;
        if
        :: c != 0 -> where[c] = HELD
        :: else
        fi
    }
}

inline taken(c)
{
    d_step {
        assert(where[c] == POSTED); /* not handed out twice */
        where[c] = USED
    }
}

inline post(from, to)
{
    head = first;
    posted = false;
    do
    :: posted -> break
    :: else ->
        next[to] = head;
        atomic {
            if
#ifndef POST_BY_STORE
            :: first != head -> head = first
#endif
            :: else ->
                first = from;
                where[from] = POSTED;
                where[to] = POSTED;
                posted = true
            fi
        }
    od;
    head = 0;
    posted = false
}

proctype poster()
{
    byte a, b, head, round;
    bool posted;
    do
    :: round == POSTS -> break
    :: else ->
        round++;
        obtain(a);
        if
        :: a != 0 ->
            obtain(b);
            if
            :: b != 0 -> next[a] = b; post(a, b) /* two chunks, linked */
            :: else -> post(a, a)
            fi
        :: else
        fi;
        a = 0;
        b = 0
    od;
    running--
}

#ifdef POP_ONE
inline take()
{
    mem = first;
    if
    :: mem != 0 ->
        behind = next[mem];
        atomic {
            if
            :: first == mem -> first = behind; taken(mem)
            :: else
            fi
        }
    :: else
    fi;
    mem = 0;
    behind = 0
}
#else
inline take()
{
    lock();
    mem = first;
    if
    :: mem != 0 ->
#ifdef TAKE_BY_STORE
        first = 0;
#else
        atomic { mem = first; first = 0 }
#endif
    :: else
    fi;
    do
    :: mem == 0 -> break
    :: else ->
        behind = next[mem];
        taken(mem);
        mem = behind
    od;
    behind = 0;
    unlock()
}
#endif

proctype taker()
{
    byte mem, behind, round;
    do
    :: round == TAKES -> break
    :: else -> round++; take()
    od;
    running--
}

init
{
    byte mem, behind;
    atomic {
        where[1] = USED;
        where[2] = USED;
        where[3] = USED;
        running = POSTERS + TAKERS;
        run poster();
        run poster();
        run taker();
        run taker()
    }
    running == 0;
    do
    :: first == 0 -> break
    :: else -> take()
    od;
    assert(where[1] == USED && where[2] == USED && where[3] == USED) /* none lost */
}

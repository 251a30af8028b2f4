/*
 * arena.pml - core/arenas.c and `post` in front/cache.c: threads join arenas, free each
 * other's chunks and leave; chunks go home.
 *
 * Two arenas; the second one is made when the first is in use. A thread takes a chunk
 * from its arena (draining the inbox on the way), puts it into the place that all share,
 * and frees what it finds there: into its arena's depot, or by a post to the chunk's
 * home. One more thread trims. The inbox is pushed and taken in one step here: inbox.pml
 * looks inside. The depot is a list under the arena's lock, step by step.
 *
 * Claims: a chunk is handed out by its home only, and not twice; in the end each is in
 * its home's depot or inbox, or in the shared place (none lost); whoever starts on an
 * arena then finds in the depot what waited in the inbox. No deadlock.
 *
 * NOBODY_WAITS  claims more: no inbox of an arena without threads has anything in it when
 *               all is quiet. This does not hold: a chunk may be posted while the last
 *               thread leaves, or while somebody else has the lock. It waits for the next
 *               post, start or trim.
 * REPAIRED      what it would take: who leaves last drains, and who posts to an arena
 *               that nobody uses waits for its lock.
 *
 * What must be found: NO_LOCK     the depot is used without the lock
 *                     WRONG_HOME  another arena's chunk is freed as one's own
 *                     NO_RETRY    (with NOBODY_WAITS, REPAIRED) who posts only tries
 *                     NO_LAST     (with NOBODY_WAITS, REPAIRED) who leaves does not drain
 */
#define CHUNKS 3
#define ARENAS 2
#ifndef THREADS
#define THREADS 3
#define ROUNDS 1
#endif

mtype = { READY, HELD, POSTED }

byte inbox[ARENAS], depot[ARENAS], threads[ARENAS];
bit locked[ARENAS], table_locked;
byte count = 1; /* arenas made */
byte next[CHUNKS + 1];
byte shared;
byte running;
mtype where[CHUNKS + 1];
#define home(c) ((c) == CHUNKS -> 1 : 0)

#ifdef NO_LOCK
#define lock(a) skip
#define unlock(a) skip
#else
#define lock(a) atomic { !locked[a] -> locked[a] = 1 }
#define unlock(a) locked[a] = 0
#endif

inline park(a, c)
{
    assert(home(c) == a);
    next[c] = depot[a];
    d_step { depot[a] = c; where[c] = READY }
}

inline drain(a)
{
    atomic { mem = inbox[a]; inbox[a] = 0 };
    do
    :: mem == 0 -> break
    :: else ->
        behind = next[mem];
        d_step { assert(where[mem] == POSTED); where[mem] = HELD };
        park(a, mem);
        mem = behind
    od;
    behind = 0
}

inline try_to_drain(a)
{
    atomic {
        if
#ifndef NO_LOCK
        :: locked[a] -> got = false
        :: else -> locked[a] = 1; got = true
#else
        :: true -> got = true
#endif
        fi
    };
    if
    :: got -> drain(a); unlock(a)
    :: else
    fi;
    got = false
}

inline wait_and_drain(a)
{
    lock(a);
    drain(a);
    unlock(a)
}

inline post(c)
{
    atomic {
        assert(where[c] == HELD);
        next[c] = inbox[home(c)];
        inbox[home(c)] = c;
        where[c] = POSTED
    };
    if
    :: threads[home(c)] == 0 ->
#if defined(REPAIRED) && !defined(NO_RETRY)
        wait_and_drain(home(c))
#else
        try_to_drain(home(c))
#endif
    :: else
    fi
}

inline join()
{
    atomic { !table_locked -> table_locked = 1 };
    least = threads[0];
    mine = 0;
    if
    :: least == 0
    :: least != 0 && count < ARENAS -> mine = count; count++
    :: least != 0 && count == ARENAS ->
        if
        :: threads[1] < least -> mine = 1
        :: else
        fi
    fi;
    least = 0;
    threads[mine]++;
    table_locked = 0
}

inline leave()
{
    threads[mine]--;
#if defined(REPAIRED) && !defined(NO_LAST)
    if
    :: threads[mine] == 0 -> wait_and_drain(mine)
    :: else
    fi
#endif
}

inline take()
{
    lock(mine);
    drain(mine);
    mem = depot[mine];
    if
    :: mem != 0 ->
        behind = next[mem];
        d_step {
            assert(where[mem] == READY && home(mem) == mine);
            where[mem] = HELD;
            depot[mine] = behind
        }
    :: else
    fi;
    behind = 0;
    unlock(mine)
}

inline give(c)
{
    if
#ifdef WRONG_HOME
    :: true ->
#else
    :: home(c) == mine ->
#endif
        lock(mine);
        d_step { assert(where[c] == HELD) };
        park(mine, c);
        unlock(mine)
#ifndef WRONG_HOME
    :: else -> post(c)
#endif
    fi
}

proctype thread()
{
    byte mine, least, mem, behind, found, round;
    bool got;
    join();
    do
    :: round == ROUNDS -> break
    :: else ->
        round++;
        take();
        atomic { found = shared; shared = mem; mem = 0 };
        if
        :: found != 0 -> give(found); found = 0
        :: else
        fi
    od;
    leave();
    mine = 0;
    running--
}

proctype trimmer()
{
    byte mem, behind, a;
    do
    :: a >= count -> break
    :: else -> wait_and_drain(a); a++
    od;
    running--
}

/* What the program still has goes home by the hand of a thread of no arena. */
inline end()
{
#ifdef NOBODY_WAITS
    assert(inbox[0] == 0 && inbox[1] == 0);
#endif
    wait_and_drain(0);
    wait_and_drain(1);
    atomic {
        n = 0;
        for (a : 0 .. ARENAS - 1) {
            assert(inbox[a] == 0 && threads[a] == 0);
            mem = depot[a];
            do
            :: mem == 0 -> break
            :: else -> n++; assert(n <= CHUNKS && where[mem] == READY); mem = next[mem]
            od
        };
        assert(n + (shared != 0 -> 1 : 0) == CHUNKS) /* none lost */
    }
}

init
{
    byte mem, behind, a, n;
    atomic {
        for (n : 1 .. CHUNKS) { where[n] = READY }
        next[1] = 2;
        depot[0] = 1;
        depot[1] = CHUNKS;
        running = THREADS + 1;
        for (n : 1 .. THREADS) { run thread() }
        run trimmer()
    }
    running == 0;
    end()
}

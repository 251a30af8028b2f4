/*
 * lock.pml - base/lock.c: the mutex whose waiters sleep in a futex.
 *
 * The spinning before the sleep is left out: it is a cm_lock_try like the first one.
 * Claims: one holder at a time; no thread sleeps for ever (no deadlock).
 *
 * ORPHAN: the word starts as held by a generation that has no thread here, and threads
 * inherit it (cm_lock_take_or_inherit).
 *
 * What must be found: FORGETFUL  who has slept takes the lock as if nobody waited
 *                     INHERIT_BY_STORE  an orphaned lock is taken without a compare
 */
#define THREADS 3
#define ROUNDS 2

#define FREE 0
#define MINE 2      /* generation << 1 */
#define CONTENDED 3 /* generation << 1 | 1 */
#define ORPHANED 4  /* another generation's */

byte word, inside, running;
bool asleep[THREADS];

#ifdef FORGETFUL
#define AFTER_SLEEP MINE
#else
#define AFTER_SLEEP CONTENDED
#endif

/* futex(2): the kernel compares and sleeps in one step. */
inline futex_wait(value)
{
    atomic {
        if
        :: word == value -> asleep[me] = true
        :: else
        fi
    };
    !asleep[me]
}

inline futex_wake()
{
    atomic {
        if
        :: asleep[0] -> asleep[0] = false
        :: asleep[1] -> asleep[1] = false
        :: asleep[2] -> asleep[2] = false
        :: else
        fi
    }
}

inline compare_and_swap(old, new)
{
    atomic {
        seen = word;
        if
        :: seen == old -> word = new; swapped = true
        :: else -> swapped = false
        fi
    }
}

/* taken = false: orphaned. */
inline wait()
{
    do
    :: compare_and_swap(FREE, AFTER_SLEEP);
        if
        :: swapped -> taken = true; break
        :: else
        fi;
        if
        :: seen != MINE && seen != CONTENDED -> taken = false; break
        :: else
        fi;
        if
        :: seen == MINE ->
            compare_and_swap(MINE, CONTENDED);
            if
            :: swapped -> futex_wait(CONTENDED)
            :: else
            fi
        :: else -> futex_wait(CONTENDED)
        fi
    od
}

inline take()
{
    compare_and_swap(FREE, MINE);
    if
    :: swapped -> taken = true
    :: else -> wait()
    fi
}

inline take_or_inherit()
{
    do
    :: take();
        if
        :: taken -> break
        :: else
        fi;
        held = word;
        if
        :: held != FREE && held != MINE && held != CONTENDED ->
#ifdef INHERIT_BY_STORE
            word = MINE;
            swapped = true;
#else
            compare_and_swap(held, MINE);
#endif
            if
            :: swapped -> break
            :: else
            fi
        :: else
        fi
    od
}

inline drop()
{
    atomic { seen = word; word = FREE };
    if
    :: seen == CONTENDED -> futex_wake()
    :: else
    fi
}

proctype thread(byte me)
{
    byte seen, held, round;
    bool swapped, taken;
    do
    :: round == ROUNDS -> break
    :: else ->
        round++;
        take_or_inherit();
        inside++;
        assert(inside == 1);
        inside--;
        drop()
    od;
    running--
}

init
{
    atomic {
#ifdef ORPHAN
        word = ORPHANED;
#endif
        running = THREADS;
        run thread(0);
        run thread(1);
        run thread(2)
    }
    running == 0;
    assert(word == FREE)
}

/*
 * tools/check.c - `cmalloc check`: looking for damage from outside.
 *
 * The process is stopped for as long as it takes to copy its heaps, at a moment when no
 * arena is in the middle of a change. A thread may still be caught in the middle of its
 * own cache, which has no lock: what is found once is looked for again, at other moments,
 * and told if it is still there. Nothing is changed, and nobody is ended.
 */
#include "inspect/check.h"

#include "tools/target.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define ATTEMPTS 3
#define TOLD_MOST 20 /* faults that are told in full */

static void count_only(check_t *c, const char *what, uintptr_t where)
{
    (void)c, (void)what, (void)where;
}

static void tell(check_t *c, const char *what, uintptr_t where)
{
    cm_text t = {.fd = STDOUT_FILENO};
    if (c->faults > TOLD_MOST)
        return;
    cm_text_string(&t, what);
    cm_text_string(&t, ": ");
    cm_text_hex(&t, where);
    cm_text_string(&t, "\n");
    check_explain(c, &t, where);
    cm_text_flush(&t);
}

static size_t check_with(target_t *t, void (*fault)(check_t *, const char *, uintptr_t))
{
    link_secret_t secret;
    check_t c;
    if (!reader_copy(&t->reader, (uintptr_t)t->root.secret, &secret, sizeof secret))
        return 1;
    seal_key_t seal;
    check_init(&c, &t->reader, &secret, fault, NULL);
    c.walk.seal = walk_seal_of(&t->reader, &t->root, &seal);
    return check_target(&c, &t->root) ? c.faults : c.faults + 1;
}

/* Look at it as of now from here on. */
static void freeze_now(target_t *t)
{
    if (!freeze(t))
        tool_die(
            t->vanished ? TOOL_NONE : TOOL_REFUSED,
            "%s: cannot be stopped: traced already, or an arena's lock is never free",
            t->name);
}

static size_t check_process(target_t *t)
{
    struct timespec pause = {.tv_nsec = 20000000};
    for (int i = 1; i < ATTEMPTS; i++) {
        freeze_now(t);
        size_t faults = check_with(t, count_only);
        if (faults == 0)
            return 0;
        nanosleep(&pause, NULL);
    }
    freeze_now(t);
    return check_with(t, tell);
}

int tool_check(int argc, char **argv)
{
    unsigned arena;
    if (argc != 2)
        tool_usage();
    target_t *t = target_open(argv[1]);
    if (t->pid == 0 && target_is_locked(t, &arena))
        printf("arena %u was in use when the core was made: a change may be half done\n",
               arena);
    fflush(stdout);
    size_t faults = t->pid != 0 ? check_process(t) : check_with(t, tell);
    int status = target_end(t, faults > 0 ? TOOL_FOUND : TOOL_OK);
    if (faults > TOLD_MOST)
        printf("and %zu more\n", faults - TOLD_MOST);
    printf("%s: %zu faults\n", t->name, faults);
    target_close(t);
    return status;
}

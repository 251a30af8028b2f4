/* os/stack.c - see stack.h. */
#include "os/stack.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/auxv.h>
#include <unistd.h>

#define STEP_MOST ((uintptr_t)1 << 20) /* bytes from one frame to the next */
#define STACK_MOST ((uintptr_t)1 << 30)
#define END_OF_STACK 5 /* _URC_END_OF_STACK: any but 0 ends the trace */

/* --- the unwinder: of the Itanium C++ ABI, its names looked up, never linked --- */

typedef int (*visit_t)(void *context, void *arg);
typedef int (*backtrace_t)(visit_t visit, void *arg);
typedef uintptr_t (*address_t)(void *context);

int linked_backtrace(visit_t visit, void *arg) __asm__("_Unwind_Backtrace")
    __attribute__((weak));
uintptr_t linked_address(void *context) __asm__("_Unwind_GetIP") __attribute__((weak));
/* Weak: a static program does not get the loader for it. */
void *dlsym(void *library, const char *name) __attribute__((weak));
/* glibc's since 2.35. */
int lock_free_lookup(void *address, void *result) __asm__("_dl_find_object")
    __attribute__((weak));

static struct {
    backtrace_t backtrace;
    address_t address;
} unwinder;

static bool is_found(void)
{
    return unwinder.backtrace != NULL && unwinder.address != NULL;
}

bool os_stack_is_safe(void)
{
    return linked_backtrace != NULL && linked_address != NULL && lock_free_lookup != NULL;
}

/* Nothing is loaded: in the first constructor dlopen would run libc's, with an empty
 * environment, and later it might come from inside the loader. Without _dl_find_object
 * the unwinder goes through dl_iterate_phdr, which waits in some libcs for whoever is
 * loading a library, and that may be the caller. */
void os_stack_init(void)
{
    if (linked_backtrace != NULL && linked_address != NULL) {
        unwinder.backtrace = linked_backtrace;
        unwinder.address = linked_address;
        return;
    }
    if (dlsym == NULL || dlsym(RTLD_DEFAULT, "_dl_find_object") == NULL)
        return;
    unwinder.backtrace = (backtrace_t)(uintptr_t)dlsym(RTLD_DEFAULT, "_Unwind_Backtrace");
    unwinder.address = (address_t)(uintptr_t)dlsym(RTLD_DEFAULT, "_Unwind_GetIP");
}

/* --- which frames are ours --- */

/* The linker's: where this object begins, and where its code ends. */
extern const char own_start[] __asm__("__ehdr_start")
    __attribute__((weak, visibility("hidden")));
extern const char own_end[] __asm__("etext") __attribute__((weak, visibility("hidden")));

static bool is_within(uintptr_t address)
{
    return address - (uintptr_t)own_start < (uintptr_t)own_end - (uintptr_t)own_start;
}

/* Where libc has not begun yet, the library has come with the program. (dlopen after
 * clearenv looks the same: then the break is shared with libc's malloc, which both bear.)
 * Later, an object's next one is never itself; a program's entry of its own for malloc,
 * as one that is not position-independent has, leads to whoever serves it. */
CM_START bool os_serves_program(void)
{
    if (environ == NULL)
        return true;
    void *served = dlsym == NULL ? NULL : dlsym(RTLD_DEFAULT, "malloc");
    return served == NULL || served != dlsym(RTLD_NEXT, "malloc");
}

/* In a static program all code is one object. */
static bool is_own(uintptr_t address)
{
    return own_start != NULL && own_end != NULL && is_within(address) &&
           !is_within((uintptr_t)getauxval(AT_ENTRY));
}

typedef struct trace {
    uintptr_t *addresses;
    size_t count, most;
} trace_t;

/* False: there is no room for more. */
static bool add_frame(trace_t *t, uintptr_t address)
{
    if (address != 0 && (t->count > 0 || !is_own(address)))
        t->addresses[t->count++] = address;
    return t->count < t->most;
}

static int visit_frame(void *context, void *arg)
{
    uintptr_t address = unwinder.address(context);
    return address != 0 && add_frame(arg, address) ? 0 : END_OF_STACK;
}

/* --- frame pointers --- */

static CM_TLS char
    in_local_memory; /* libcs put it above the stack of a thread that they make */

/* The end of the stack that frame lies on; 0: it is none that we know. */
static uintptr_t end_of(uintptr_t frame)
{
    uintptr_t ends[] = {(uintptr_t)&in_local_memory, (uintptr_t)getauxval(AT_RANDOM)};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends[i] > frame && ends[i] - frame < STACK_MOST)
            return ends[i];
    return 0;
}

#if defined(__x86_64__) || defined(__aarch64__)
/* A frame is the caller's frame and the return address. */
static CM_NOINLINE void follow_frames(trace_t *t)
{
    const uintptr_t *frame = __builtin_frame_address(0);
    uintptr_t end = end_of((uintptr_t)frame);
    while (add_frame(t, frame[1])) {
        uintptr_t next = frame[0];
        if (next % sizeof next != 0 || next - (uintptr_t)frame - 1 >= STEP_MOST ||
            next + 2 * sizeof next > end)
            return;
        frame = (const uintptr_t *)next; /* NOLINT(performance-no-int-to-ptr) */
    }
}
#else
static void follow_frames(trace_t *t) { (void)t, (void)end_of; }
#endif

size_t os_stack(uintptr_t *addresses, size_t most)
{
    trace_t t = {.most = most};
    t.addresses = addresses;
    if (!is_found() && os_stack_is_safe())
        os_stack_init();
    if (is_found())
        unwinder.backtrace(visit_frame, &t);
    else
        follow_frames(&t);
    return t.count;
}

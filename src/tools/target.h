/*
 * tools/target.h - a process or a core file that is looked at, opened and recognised.
 *
 * Owns the readers that inspect/reader.h leaves open. Of a process the bytes come through
 * process_vm_readv, or /proc/PID/mem where that is refused; the target is not stopped and
 * does not notice. Of a core they are the file's, mapped.
 */
#ifndef CM_TOOLS_TARGET_H
#define CM_TOOLS_TARGET_H

#include "inspect/root.h"
#include "inspect/walk.h"
#include "tools/tool.h"

#include <sys/types.h>

#define TARGET_THREADS_MOST ((size_t)1 << 20) /* structs of a list that is believed */

/* Bytes of the target that stand in our memory: of a core, or copied out of a process. */
typedef struct target_part {
    uintptr_t from;
    size_t size;
    const char *bytes;
} target_part;

typedef struct target {
    reader_t reader;  /* first: readers find their target by it */
    const char *name; /* as the user wrote it */
    pid_t pid;        /* 0: a core */
    root_t root;      /* a copy; its pointers are addresses of the target */
    uintptr_t root_at;
    bool truncated; /* a core that ends early */
    bool vanished;  /* the process has gone */

    reader_map *maps;
    size_t map_room;

    char *buffer;        /* the window's bytes, where they are copied */
    size_t step;         /* bytes to copy ahead */
    int memory, pagemap; /* process: /proc/PID/..., or -1 */
    int file;            /* core */
    const char *image;   /* core: the file, mapped */
    size_t image_size;
    target_part *parts; /* ascending */
    size_t part_count, part_room;
    char *frozen; /* process: what freeze has copied */
    size_t frozen_size;
    uintptr_t main_stack; /* core: an address in the stack that the process began with */
} target_t;

/* Open `name`, a PID in decimal or the path of a core, and find the library's root in it.
 * What cannot be done ends the command with its status. */
target_t *target_open(const char *name);

/* Open, without looking for a root and without ending: for lists of processes. NULL: it
 * cannot be read. */
target_t *target_try(pid_t pid);

void target_close(target_t *t);

/* Walk it; faults go to damaged. What visit returned. */
int target_walk(target_t *t, walk_visit visit,
                void (*damaged)(const char *, uintptr_t, void *), void *arg);

/* Say at the end what could not be had: TOOL_NONE if the process went away meanwhile,
 * TOOL_CORE if the core was truncated, else status. */
int target_end(target_t *t, int status);

/* --- between the files --- */

/* Find the root; thorough: also where no file is mapped. TOOL_OK, TOOL_NOT_OURS or
 * TOOL_VERSION. */
tool_status target_find_root(target_t *t, bool thorough);

tool_status process_open(target_t *t, pid_t pid);
void process_close(target_t *t);

/* Bring bytes of the process into the window. */
bool process_move(reader_t *r, uintptr_t address, size_t size);

/* Add a mapping to the target's list. */
void target_add_map(target_t *t, const reader_map *m);

/* Add a part; once all are there, put them in order. Then the window moves among them. */
void parts_add(target_t *t, uintptr_t from, size_t size, const char *bytes);
void parts_sort(target_t *t);
const target_part *parts_find(const target_t *t, uintptr_t address);
bool parts_move(reader_t *r, uintptr_t address, size_t size);

/* The buffer that parts_copy needs; to be freed with free. */
void parts_make_buffer(target_t *t);

/* Copies up to size bytes of the target; returns how many there are in a row. */
typedef size_t (*part_read)(target_t *t, uintptr_t address, char *to, size_t size);

/* The window becomes a copy: of [address, address + size) and of what may be asked for
 * next, but of nothing below lowest. False: not all of it can be read. */
bool parts_copy(target_t *t, uintptr_t lowest, uintptr_t address, size_t size,
                part_read read);

tool_status core_open(target_t *t, const char *path);
void core_close(target_t *t);

/* Visit the notes of a core: registers of threads, for instance (NT_* in <elf.h>). */
void core_each_note(target_t *t,
                    void (*visit)(unsigned type, const void *bytes, size_t size,
                                  void *arg),
                    void *arg);

/* --- stopping, for what needs a consistent walk --- */

/*
 * Stop all threads of the process with ptrace, at a moment when no arena is in the middle
 * of a change. It costs the target that time: some microseconds a thread, and the walk.
 * If this tool is killed the kernel lets the threads go on. False: not allowed, or no
 * such moment was found; all go on then. A core stands still anyway: true.
 */
bool stop_begin(target_t *t);
void stop_end(target_t *t);

/* Visit the threads that are stopped, to look at their registers. */
void stop_each(void (*visit)(pid_t thread, void *arg), void *arg);

/*
 * Copy the heaps and what describes them, while the process is stopped; look at the copy
 * from then on. The stop is as long as the copy takes, about a second for some gigabytes.
 * False: it could not be stopped. A core: true.
 */
bool freeze(target_t *t);

/* An arena's lock is held. */
bool target_is_locked(target_t *t, unsigned *arena);

#endif

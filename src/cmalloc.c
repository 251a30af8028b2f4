/*
 * cmalloc.c - the library as one translation unit, or as four for the linker to place:
 * what even small programs run (CM_PART=1), what runs at the start and then no more (2),
 * what programs with more memory run (3), and the rest (4). So a program has little of
 * the code resident (src/library.ld).
 * In each part the bottom layer comes first.
 */
#ifndef CM_PART
#define CM_PART 0 /* all */
#endif

#if CM_PART == 0 || CM_PART == 1
#include "base/lock.c"

#include "os/break.c"
#include "os/image.c"
#include "os/limit.c"
#include "os/mem.c"
#include "os/sys.c"

#include "core/ahead.c"
#include "core/arena.c"
#include "core/arenas.c"
#include "core/bin.c"
#include "core/depot.c"
#include "core/dirty.c"
#include "core/heap.c"
#include "core/link.c"
#include "core/merge.c"
#include "core/registry.c"
#include "core/top.c"

#include "front/align.c"
#include "front/alloc.c"
#include "front/cache.c"
#include "front/drain.c"
#include "front/foreign.c"
#include "front/harden.c"
#include "front/place.c"
#include "front/quarantine.c"
#include "front/resize.c"
#include "front/thread.c"

#ifndef CM_NO_API /* a test that has another malloc */
#include "api/malloc.c"
#endif
#endif

#if CM_PART == 0 || CM_PART == 2
#include "base/options.c"
#include "os/cgroup.c"
#include "front/init.c"
#endif

#if CM_PART == 0 || CM_PART == 3
#include "os/gather.c"
#include "os/thread.c"

#include "core/kept.c"
#include "core/large.c"
#include "core/purge.c"

#include "front/purger.c"
#include "front/trim.c"
#endif

#if CM_PART == 0 || CM_PART == 4
#include "base/report.c"

#include "os/constant.c"
#include "os/fault.c"
#include "os/proc.c"
#include "os/stack.c"
#include "os/stop.c"

#include "core/guard.c"

#include "front/memcheck.c"
#include "front/sample.c"

#include "inspect/check.c"
#include "inspect/check_self.c"
#include "inspect/collect.c"
#include "inspect/file.c"
#include "inspect/find.c"
#include "inspect/findings.c"
#include "inspect/last_words.c"
#include "inspect/leak.c"
#include "inspect/profile.c"
#include "inspect/profile_out.c"
#include "inspect/reach.c"
#include "inspect/reader.c"
#include "inspect/root.c"
#include "inspect/roots.c"
#include "inspect/scene.c"
#include "inspect/self.c"
#include "inspect/snapshot.c"
#include "inspect/stats.c"
#include "inspect/stats_out.c"
#include "inspect/stats_self.c"
#include "inspect/stats_text.c"
#include "inspect/trace.c"
#include "inspect/walk.c"
#include "inspect/walk_target.c"

#ifndef CM_NO_API
#include "api/cmalloc.c"
#include "api/control.c"
#include "api/cxx.c"
#include "api/dlopen.c"
#include "api/glibc.c"
#endif
#endif

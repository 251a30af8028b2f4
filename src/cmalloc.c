/* cmalloc.c - the whole library as one translation unit, bottom layer first. */
#include "base/lock.c"
#include "base/options.c"
#include "base/report.c"

#include "os/mem.c"
#include "os/sys.c"

#include "core/arena.c"
#include "core/arenas.c"
#include "core/bin.c"
#include "core/heap.c"
#include "core/large.c"
#include "core/purge.c"
#include "core/registry.c"

#include "front/align.c"
#include "front/alloc.c"
#include "front/init.c"
#include "front/place.c"
#include "front/resize.c"
#include "front/thread.c"
#include "front/trim.c"

#include "inspect/check.c"
#include "inspect/stats.c"
#include "inspect/walk.c"

#include "api/cmalloc.c"
#include "api/cxx.c"
#include "api/glibc.c"
#include "api/malloc.c"

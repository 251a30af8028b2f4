/* inspect/root.c - the library's root. See root.h. */
#include "inspect/root.h"

#include "cmalloc.h"
#include "front/place.h"
#include "front/sample.h"
#include "front/trim.h"
#include "inspect/scene.h"
#include "os/os.h"

#define TEXT(x) #x
#define VERSION(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

CM_EXPORT root_t cmalloc_root CM_ALIGNED(CHUNK_ALIGN) = {
    .magic = ROOT_MAGIC,
    .self = &cmalloc_root,
    ROOT_SIZES,
    .version = VERSION(CMALLOC_VERSION_MAJOR, CMALLOC_VERSION_MINOR,
                       CMALLOC_VERSION_PATCH),
    .main_arena = &main_arena,
    .arenas = &arena_table,
    .secret = &link_secret,
    .seal = &seal_key,
    .registry = &registry,
    .threads = &thread_all,
    .kept = large_kept,
    .counts = &os_counts,
    .mmapped_most = &large_live_most,
    .taken = &place_taken,
    .options = &cm_options,
    .samples = &sample_table,
    .extra = &extra_roots,
    .serve = root_serve,
};

void root_serve(uint32_t token)
{
    size_t bytes = ROOT_BUSY;
    if (thread_enter()) { /* without attaching the thread, or starting another one */
        bytes = trim_all(NULL, 0); /* a hit may be what it was stopped in */
        thread_leave_quietly();
    }
    atomic_store_explicit(&cmalloc_root.answer, bytes, memory_order_relaxed);
    atomic_store_explicit(&cmalloc_root.served, token, memory_order_release);
    for (;;)
        host_wait(&cmalloc_root.served, token);
}

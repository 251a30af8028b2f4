/* inspect/root.c - the library's root. See root.h. */
#include "inspect/root.h"

#include "cmalloc.h"
#include "inspect/scene.h"
#include "os/os.h"

#define TEXT(x) #x
#define VERSION(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

CM_EXPORT root_t cmalloc_root = {
    .magic = ROOT_MAGIC,
    .self = &cmalloc_root,
    ROOT_SIZES,
    .version =
        VERSION(CMALLOC_VERSION_MAJOR, CMALLOC_VERSION_MINOR, CMALLOC_VERSION_PATCH),
    .main_arena = &main_arena,
    .arenas = &arena_table,
    .secret = &link_secret,
    .registry = &registry,
    .threads = &thread_all,
    .kept = large_kept,
    .metadata = &os_metadata,
    .mmapped_most = &large_live_most,
    .options = &cm_options,
    .extra = &extra_roots,
};

/*
 * inspect/profile_out.c - the profile of this process, when it ends and on a signal
 * (profile_file, profile_signal). Nothing is locked: see front/sample.h.
 */
#include "front/sample.h"
#include "inspect/file.h"
#include "inspect/profile.h"

bool profile_self(int fd)
{
    reader_t reader;
    cm_text t = {.used = 0, .fd = fd};
    if (sample_table.rate == 0)
        return false;
    reader_self(&reader);
    profile_write(&t, &reader, (uintptr_t)&sample_table);
    os_mappings(0, profile_mapping, &t);
    cm_text_flush(&t);
    return true;
}

static bool write_to(int fd, const file_path_t *path)
{
    (void)path;
    return profile_self(fd);
}

CM_NEAR static void write_profile(void)
{
    const char *file = cm_option_text(&cm_options.profile_file);
    if (file != NULL && sample_table.rate != 0 && !file_write(file, write_to))
        cm_warn("the profile cannot be written to", file);
}

static void on_profile_signal(int number)
{
    (void)number;
    write_profile();
}

/* After front/init.c's: the options have been read. */
CM_NEAR __attribute__((constructor(102))) static void profile_init(void)
{
    size_t number =
        atomic_load_explicit(&cm_options.profile_signal, memory_order_relaxed);
    if (number != 0 && !os_handle((int)number, on_profile_signal))
        cm_warn("profile_signal", "there is no such signal");
}

CM_NEAR __attribute__((destructor(102))) static void profile_fini(void)
{
    write_profile();
}

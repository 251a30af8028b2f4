/* inspect/file.c - see file.h. */
#include "inspect/file.h"

#include "base/report.h"
#include "base/text.h"
#include "os/stop.h"

static void path_add(file_path_t *p, const char *s, size_t count)
{
    for (size_t i = 0; i < count && p->length + 1 < sizeof p->text; i++)
        p->text[p->length++] = s[i];
    p->text[p->length] = '\0';
}

static void path_make(file_path_t *p, const char *option)
{
    p->length = 0;
    while (*option != '\0') {
        if (!cm_starts_with(option, "%p")) {
            path_add(p, option++, 1);
            continue;
        }
        cm_text t = {.used = 0, .fd = -1};
        cm_text_number(&t, (uint64_t)os_process());
        path_add(p, t.bytes, t.used);
        option += 2;
    }
}

bool file_ends(const file_path_t *p, const char *end)
{
    size_t length = cm_length(end);
    return p->length >= length && cm_equals(p->text + p->length - length, end, length);
}

/* A device is written to, and not replaced: stats_file=/dev/null. */
static bool write_device(int fd, const file_path_t *path,
                         bool (*write)(int fd, const file_path_t *path))
{
    bool done = write(fd, path);
    os_close(fd);
    return done;
}

bool file_write(const char *option, bool (*write)(int fd, const file_path_t *path))
{
    file_path_t path, beside = {.length = 0};
    path_make(&path, option);
    int device = os_open_device(path.text);
    if (device != -1)
        return device >= 0 && write_device(device, &path, write);
    path_add(&beside, path.text, path.length);
    path_add(&beside, ".new", 4);
    int fd = os_create(beside.text);
    if (fd < 0)
        return false;
    bool done = write(fd, &path);
    os_close(fd);
    return done && os_rename(beside.text, path.text);
}

/* tools/scan.c - see scan.h. */
#include "tools/scan.h"

#include "os/proc.h"

#include <string.h>

scan_options scan_parse(int *argc, char **argv)
{
    scan_options o = {.precise = tool_flag(argc, argv, "--precise"),
                      .unaligned = tool_flag(argc, argv, "--unaligned"),
                      .mask = UINTPTR_MAX};
    const char *mask = tool_option(argc, argv, "--mask");
    if (mask != NULL)
        o.mask = tool_address(mask);
    return o;
}

static void count_fault(const char *what, uintptr_t where, void *arg)
{
    scene_t *scene = arg;
    (void)what, (void)where;
    scan_t *s = (scan_t *)(void *)((char *)scene - offsetof(scan_t, scene));
    s->faults++;
}

/* What is not in the copy, memory that others share, is read from the target itself. */
static size_t read_either(scene_t *scene, uintptr_t at, void *to, size_t n)
{
    scan_t *s = (scan_t *)(void *)((char *)scene - offsetof(scan_t, scene));
    size_t got = reader_read(&s->image.reader, at, to, n);
    return got > 0 ? got : reader_read(&s->image.target->reader, at, to, n);
}

/* Such a word has no address; where it came from is a small number, no address either. */
static void mark_registers(scan_t *s)
{
    for (size_t i = 0; i < s->image.register_count; i++)
        scene_word(&s->scene, s->image.registers[i].word, i + 1);
}

static void mark_kernel_word(uintptr_t word, void *arg) { scene_word(arg, word, 0); }

void scan_take(scan_t *s, target_t *t, const scan_options *options, bool paths)
{
    const scene_wish_t wish = {
        .unaligned = options->unaligned, .paths = paths, .mask = options->mask};
    *s = (scan_t){.faults = 0};
    image_take(&s->image, t, options->precise && t->pid > 0);
    scene_init(&s->scene, &s->image.reader, &wish);
    s->scene.read = read_either;
    s->scene.roots = s->image.stacks;
    s->image.stacks = (roots_t){.failed = false};
    walk_t w = {.reader = &s->image.reader,
                .visit = scene_item,
                .damaged = count_fault,
                .arg = &s->scene};
    walk_target(&w, &t->root);
    scene_own(&s->scene, &t->root);
    if (!scene_seal(&s->scene))
        tool_die(TOOL_SYSTEM, "no memory for the scan");
    mark_registers(s);
    if (t->pid > 0)
        os_kernel_words(t->pid, t->pid, mark_kernel_word, &s->scene);
    scene_mark(&s->scene);
}

void scan_free(scan_t *s)
{
    scene_free(&s->scene);
    image_free(&s->image);
}

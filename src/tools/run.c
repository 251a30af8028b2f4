/*
 * tools/run.c - `cmalloc run`: a program on the library, by LD_PRELOAD.
 *
 * The loader ignores a preload where it cannot or may not follow it, and says nothing. So
 * the program's file is read first: one that is static, that runs with other rights than
 * ours, of another machine, or that brings its own malloc, is refused in plain words.
 */
#include "tools/tool.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

typedef struct program {
    const char *name; /* as it was typed */
    char path[PATH_MAX];
    const char *image;
    size_t size;
} program_t;

/* --- finding things --- */

static bool is_program(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode) && access(path, X_OK) == 0;
}

/* As execvp looks for it. */
static bool find_program(program_t *p)
{
    const char *path = getenv("PATH");
    if (strchr(p->name, '/') != NULL) {
        snprintf(p->path, sizeof p->path, "%s", p->name);
        return is_program(p->path);
    }
    if (path == NULL)
        path = "/bin:/usr/bin";
    while (*path != '\0') {
        size_t length = strcspn(path, ":");
        snprintf(p->path, sizeof p->path, "%.*s/%s", (int)length, path, p->name);
        if (is_program(p->path))
            return true;
        path += length + (path[length] == ':');
    }
    return false;
}

/* Beside this command: where make puts the two, and where make install does. */
static const char *find_library(void)
{
    static const char *const places[] = {"../libcmalloc.so", "libcmalloc.so",
                                         "../lib/libcmalloc.so"};
    static char path[PATH_MAX + 32], whole[PATH_MAX];
    char own[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", own, sizeof own - 1);
    if (n < 0)
        return NULL;
    own[n] = '\0';
    *strrchr(own, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, sizeof path, "%s/%s", own, places[i]);
        if (realpath(path, whole) != NULL)
            return whole;
    }
    return NULL;
}

/* --- what the file says --- */

static const void *image_at(const program_t *p, uint64_t offset, uint64_t size)
{
    return offset <= p->size && size <= p->size - offset ? p->image + offset : NULL;
}

static const ElfW(Phdr) * segment_of(const program_t *p, uint32_t type)
{
    const ElfW(Ehdr) *head = image_at(p, 0, sizeof *head);
    for (unsigned i = 0; i < head->e_phnum; i++) {
        const ElfW(Phdr) *s = image_at(p, head->e_phoff + i * sizeof *s, sizeof *s);
        if (s != NULL && s->p_type == type)
            return s;
    }
    return NULL;
}

/* The section of this type, as sections are numbered by sh_link. */
static const ElfW(Shdr) * section_at(const program_t *p, unsigned index)
{
    const ElfW(Ehdr) *head = image_at(p, 0, sizeof *head);
    const ElfW(Shdr) *s = NULL;
    return index < head->e_shnum
               ? image_at(p, head->e_shoff + index * sizeof *s, sizeof *s)
               : NULL;
}

static const char *string_at(const program_t *p, const ElfW(Shdr) * strings, size_t at)
{
    const char *s =
        at < strings->sh_size ? image_at(p, strings->sh_offset + at, 1) : NULL;
    return s != NULL && memchr(s, '\0', (size_t)(p->image + p->size - s)) != NULL ? s
                                                                                  : "";
}

/* What the dynamic symbols tell: a malloc of its own wins over a preloaded one; a
 * sanitizer has one, linked in or in a library that insists on being first. */
static const char *symbol_fault(const char *name, bool defined)
{
    if (strcmp(name, "__asan_init") == 0 || strcmp(name, "__tsan_init") == 0 ||
        strcmp(name, "__msan_init") == 0 || strcmp(name, "__hwasan_init") == 0)
        return "it is built with a sanitizer, which brings its own allocator";
    if (defined && (strcmp(name, "malloc") == 0 || strcmp(name, "free") == 0))
        return "it has an allocator of its own inside";
    return NULL;
}

static const char *symbols_fault(const program_t *p)
{
    const ElfW(Shdr) * table;
    for (unsigned i = 0; (table = section_at(p, i)) != NULL; i++) {
        const ElfW(Shdr) *strings = section_at(p, table->sh_link);
        if (table->sh_type != SHT_DYNSYM || strings == NULL)
            continue;
        for (size_t at = 0; at + sizeof(ElfW(Sym)) <= table->sh_size;
             at += sizeof(ElfW(Sym))) {
            const ElfW(Sym) *s = image_at(p, table->sh_offset + at, sizeof *s);
            if (s == NULL)
                return NULL;
            const char *fault =
                symbol_fault(string_at(p, strings, s->st_name), s->st_shndx != SHN_UNDEF);
            if (fault != NULL)
                return fault;
        }
    }
    return NULL;
}

static const char *elf_fault(const program_t *p, const program_t *library)
{
    const ElfW(Ehdr) *head = image_at(p, 0, sizeof *head);
    const ElfW(Ehdr) *ours = image_at(library, 0, sizeof *ours);
    if (ours == NULL || head->e_ident[EI_CLASS] != ours->e_ident[EI_CLASS] ||
        head->e_machine != ours->e_machine)
        return "it is for another machine than the library";
    if (segment_of(p, PT_INTERP) == NULL)
        return "it is linked statically: there is no loader that could preload anything";
    return symbols_fault(p);
}

/* The loader ignores LD_PRELOAD where the program has more rights than who starts it. */
static const char *rights_fault(const char *path)
{
    struct stat about;
    if (getxattr(path, "security.capability", NULL, 0) > 0)
        return "it has file capabilities: the loader ignores LD_PRELOAD";
    if (stat(path, &about) != 0)
        return NULL;
    if ((about.st_mode & S_ISUID) != 0 && about.st_uid != geteuid())
        return "it is setuid: the loader ignores LD_PRELOAD";
    if ((about.st_mode & S_ISGID) != 0 && about.st_gid != getegid())
        return "it is setgid: the loader ignores LD_PRELOAD";
    return NULL;
}

static bool map_file(program_t *p)
{
    struct stat about;
    int fd = open(p->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool fits = fstat(fd, &about) == 0 && about.st_size > 0;
    p->size = fits ? (size_t)about.st_size : 0;
    void *image = fits ? mmap(NULL, p->size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    close(fd);
    p->image = image;
    return image != MAP_FAILED;
}

/* A script is run by its interpreter, and that is the program to look at. */
static bool follow_script(program_t *p)
{
    if (p->size < 2 || memcmp(p->image, "#!", 2) != 0)
        return false;
    size_t most = p->size < sizeof p->path ? p->size : sizeof p->path - 1, n = 2;
    while (n < most && (p->image[n] == ' ' || p->image[n] == '\t'))
        n++;
    size_t length = 0;
    while (n + length < most && strchr(" \t\n", p->image[n + length]) == NULL)
        length++;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.*s", (int)length, p->image + n);
    memcpy(p->path, path, sizeof path);
    return true;
}

static const char *fault_of(program_t *p, const program_t *library)
{
    for (int depth = 0; depth < 4; depth++) {
        const char *fault = rights_fault(p->path);
        if (fault != NULL || !map_file(p)) /* unreadable: the loader will know */
            return fault;
        if (!follow_script(p))
            break;
    }
    const ElfW(Ehdr) *head = image_at(p, 0, sizeof *head);
    if (head == NULL || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0)
        return NULL; /* the kernel, or the shell, will know what it is */
    return elf_fault(p, library);
}

/* --- running --- */

/* name=value, before or behind what is there. */
static void add_to(const char *name, const char *value, char between, bool before)
{
    const char *old = getenv(name);
    if (old == NULL || *old == '\0') {
        setenv(name, value, 1);
        return;
    }
    size_t size = strlen(value) + strlen(old) + 2;
    char *both = tool_alloc(size);
    snprintf(both, size, "%s%c%s", before ? value : old, between, before ? old : value);
    setenv(name, both, 1);
    free(both);
}

/* Call stacks are followed by libgcc_s's unwinder, if the program has it from the
 * start. */
static void set_preload(const char *library)
{
    const char *options = getenv("CMALLOC_OPTIONS");
    if (options != NULL &&
        (strstr(options, "profile=") || strstr(options, "guard_sample=")))
        add_to("LD_PRELOAD", "libgcc_s.so.1", ':', true);
    add_to("LD_PRELOAD", library, ':', true);
}

/* Options of ours stand before the program; what follows is the program's own. */
static char **read_options(char **argv, const char **library)
{
    char **rest = argv + 1;
    while (*rest != NULL && (*rest)[0] == '-') {
        if (rest[1] == NULL)
            tool_usage();
        if (strcmp(*rest, "-o") == 0)
            add_to("CMALLOC_OPTIONS", rest[1], ',', false);
        else if (strcmp(*rest, "-l") == 0)
            *library = rest[1];
        else
            tool_usage();
        rest += 2;
    }
    return rest;
}

int tool_run(int argc, char **argv)
{
    const char *library = NULL;
    (void)argc;
    argv = read_options(argv, &library);
    if (*argv == NULL)
        tool_usage();
    if (library == NULL && (library = find_library()) == NULL)
        tool_die(TOOL_SYSTEM, "libcmalloc.so is not where this command is; -l FILE");
    program_t program = {.name = *argv}, ours = {.name = library};
    if (!find_program(&program))
        tool_die(TOOL_NONE, "%s: no such program", program.name);
    if (realpath(library, ours.path) == NULL || !map_file(&ours))
        tool_die(TOOL_NONE, "%s: %s", library, strerror(errno));
    const char *fault = fault_of(&program, &ours);
    if (fault != NULL)
        tool_die(TOOL_NOT_SERVED, "%s: cannot run on cmalloc: %s", program.name, fault);
    set_preload(ours.path);
    execvp(*argv, argv);
    tool_die(TOOL_SYSTEM, "%s: %s", program.name, strerror(errno));
}

/*
 * tools/core.c - the reader of a core file.
 *
 * The file is mapped, and its window is the segment that an address lies in, as far as
 * the file has it: a core that was truncated ends early, a sparse one has holes where
 * pages were not in memory. A look across two segments is put together in the buffer.
 * Nothing that the file says is believed: every offset is held against its size.
 */
#include "tools/target.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef ElfW(Ehdr) elf_head;
typedef ElfW(Phdr) elf_segment;
typedef ElfW(Shdr) elf_section;
typedef ElfW(Nhdr) elf_note;
typedef ElfW(auxv_t) elf_aux;

#define MAPPING_MOST ((uint64_t)1 << 40) /* what claims to be larger is damaged */
#define NAMES_MOST 65536                 /* entries of NT_FILE */

/* The kernel leaves holes where there was no page. */
static size_t core_resident(reader_t *r, uintptr_t from, size_t size)
{
    target_t *t = (target_t *)r;
    const target_part *p = parts_find(t, from);
    if (p == NULL || size > p->size - (from - p->from))
        return size;
    off_t at = p->bytes - t->image + (off_t)(from - p->from), end = at + (off_t)size;
    size_t bytes = 0;
    while (at < end) {
        off_t data = lseek(t->file, at, SEEK_DATA);
        if (data < 0)
            return errno == ENXIO ? bytes : size;
        off_t hole = data < end ? lseek(t->file, data, SEEK_HOLE) : end;
        hole = hole < 0 || hole > end ? end : hole;
        bytes += data < hole ? (size_t)(hole - data) : 0;
        at = data > hole ? data : hole;
    }
    return bytes;
}

/* --- headers --- */

/* size bytes of the file at offset, a multiple of align; NULL: it does not have them. */
static const void *image_at(const target_t *t, uint64_t offset, uint64_t size,
                            size_t align)
{
    bool there = offset <= t->image_size && size <= t->image_size - offset;
    return there && offset % align == 0 ? t->image + offset : NULL;
}

/* count objects of a type. */
#define image_objects(t, offset, type, count) \
    ((const type *)image_at((t), (offset), (uint64_t)(count) * sizeof(type), \
                            _Alignof(type)))

static void add_part(target_t *t, const elf_segment *s)
{
    uint64_t size = s->p_filesz;
    if (s->p_offset >= t->image_size)
        size = 0;
    else if (size > t->image_size - s->p_offset)
        size = t->image_size - s->p_offset;
    t->truncated |= size < s->p_filesz;
    if (size > 0)
        parts_add(t, s->p_vaddr, (size_t)size, t->image + s->p_offset);
    uint64_t wide =
        size > 0 ? size : s->p_memsz; /* the part that can be read, if any can */
    wide = wide < MAPPING_MOST ? wide : MAPPING_MOST;
    reader_map m = {.from = s->p_vaddr,
                    .to = s->p_vaddr + (size_t)wide,
                    .readable = (s->p_flags & PF_R) != 0 && size > 0,
                    .writable = (s->p_flags & PF_W) != 0,
                    .executable = (s->p_flags & PF_X) != 0,
                    .name = ""};
    target_add_map(t, &m);
}

static void name_maps(target_t *t, uintptr_t from, uintptr_t to, const char *name)
{
    for (size_t i = 0; i < t->reader.map_count; i++)
        if (t->maps[i].from >= from && t->maps[i].from < to)
            t->maps[i].name = name;
}

/* NT_FILE: a count, the page size, (from, to, offset) for each, then their names. */
static void read_names(target_t *t, const char *bytes, size_t size)
{
    const unsigned long *words = (const unsigned long *)(const void *)bytes;
    size_t count = size < 2 * sizeof *words ? 0 : words[0];
    if (count > NAMES_MOST || (2 + 3 * count) * sizeof *words > size)
        return;
    const char *name = bytes + (2 + 3 * count) * sizeof *words, *end = bytes + size;
    for (size_t i = 0; i < count; i++) {
        size_t length = strnlen(name, (size_t)(end - name));
        if (name + length == end)
            return;
        name_maps(t, words[2 + 3 * i], words[3 + 3 * i], name);
        name += length + 1;
    }
}

static void read_aux(target_t *t, const char *bytes, size_t size)
{
    elf_aux aux;
    for (; size >= sizeof aux; bytes += sizeof aux, size -= sizeof aux) {
        memcpy(&aux, bytes, sizeof aux);
        if (aux.a_type == AT_NULL)
            return;
        if (aux.a_type == AT_RANDOM)
            t->main_stack = aux.a_un.a_val;
        else if (aux.a_type == AT_PAGESZ && aux.a_un.a_val >= 4096 &&
                 (aux.a_un.a_val & (aux.a_un.a_val - 1)) == 0)
            t->reader.page = aux.a_un.a_val;
    }
}

static size_t padded(size_t n) { return (n + 3) & ~(size_t)3; }

typedef void (*note_visit)(unsigned type, const void *bytes, size_t size, void *arg);

static void visit_notes(target_t *t, const elf_segment *s, note_visit visit, void *arg)
{
    uint64_t at = s->p_offset, end = at + s->p_filesz;
    while (at + sizeof(elf_note) <= end) {
        const elf_note *n = image_objects(t, at, elf_note, 1);
        if (n == NULL)
            break;
        uint64_t content = at + sizeof *n + padded(n->n_namesz);
        const char *bytes = image_at(t, content, n->n_descsz, 1);
        if (bytes == NULL)
            break;
        visit(n->n_type, bytes, n->n_descsz, arg);
        at = content + padded(n->n_descsz);
    }
}

static void read_note(unsigned type, const void *bytes, size_t size, void *arg)
{
    if (type == NT_FILE && (uintptr_t)bytes % sizeof(long) == 0)
        read_names(arg, bytes, size);
    else if (type == NT_AUXV)
        read_aux(arg, bytes, size);
}

/* Over 65,534 segments: the number is in the first section header. */
static size_t segment_count(const target_t *t, const elf_head *head)
{
    if (head->e_phnum != PN_XNUM)
        return head->e_phnum;
    const elf_section *section = image_objects(t, head->e_shoff, elf_section, 1);
    return section == NULL ? 0 : section->sh_info;
}

static bool read_segments(target_t *t)
{
    const elf_head *head = image_objects(t, 0, elf_head, 1);
    if (head == NULL || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 ||
        head->e_ident[EI_CLASS] != (CM_64BIT ? ELFCLASS64 : ELFCLASS32) ||
        head->e_type != ET_CORE || head->e_phentsize != sizeof(elf_segment))
        return false;
    size_t count = segment_count(t, head);
    const elf_segment *s = image_objects(t, head->e_phoff, elf_segment, count);
    if (count == 0 || s == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        if (s[i].p_type == PT_LOAD && s[i].p_vaddr + s[i].p_memsz > s[i].p_vaddr)
            add_part(t, &s[i]);
    for (size_t i = 0; i < count; i++)
        if (s[i].p_type == PT_NOTE)
            visit_notes(t, &s[i], read_note, t);
    parts_sort(t);
    return true;
}

void core_each_note(target_t *t, note_visit visit, void *arg)
{
    const elf_head *head = image_objects(t, 0, elf_head, 1);
    size_t count = head == NULL ? 0 : segment_count(t, head);
    const elf_segment *s =
        head == NULL ? NULL : image_objects(t, head->e_phoff, elf_segment, count);
    for (size_t i = 0; s != NULL && i < count; i++)
        if (s[i].p_type == PT_NOTE)
            visit_notes(t, &s[i], visit, arg);
}

/* --- opening --- */

tool_status core_open(target_t *t, const char *path)
{
    struct stat about;
    t->file = open(path, O_RDONLY | O_CLOEXEC);
    if (t->file < 0)
        return errno == EACCES || errno == EPERM ? TOOL_REFUSED : TOOL_NONE;
    if (fstat(t->file, &about) != 0 || !S_ISREG(about.st_mode) || about.st_size == 0)
        return TOOL_CORE;
    t->image_size = (size_t)about.st_size;
    void *image = mmap(NULL, t->image_size, PROT_READ, MAP_PRIVATE, t->file, 0);
    if (image == MAP_FAILED)
        return TOOL_SYSTEM;
    t->image = image;
    t->reader.move = parts_move;
    t->reader.resident = core_resident;
    t->reader.page = (size_t)sysconf(_SC_PAGESIZE);
    parts_make_buffer(t);
    return read_segments(t) ? TOOL_OK : TOOL_CORE;
}

void core_close(target_t *t)
{
    if (t->image != NULL)
        munmap((void *)(uintptr_t)t->image, t->image_size);
    if (t->file >= 0)
        close(t->file);
}

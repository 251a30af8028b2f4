/*
 * tools/symbols.c - what a file calls an address: the symbol that it lies in, from the
 * larger of the file's two tables. Of C++ only virtual tables are spelled out.
 */
#include "inspect/findings.h"
#include "tools/scan.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct elf_file {
    char name[256];
    const char *bytes;
    size_t size;
} elf_file;

typedef struct table {
    const ElfW(Sym) * symbols;
    size_t count;
    const char *names;
    size_t names_size;
} table_t;

/* The file mapped; the one asked for last stays. */
static const elf_file *open_file(const char *name)
{
    static elf_file file;
    struct stat about;
    if (strcmp(file.name, name) == 0)
        return file.bytes != NULL ? &file : NULL;
    if (file.bytes != NULL)
        munmap((void *)(uintptr_t)file.bytes, file.size);
    file = (elf_file){.bytes = NULL};
    snprintf(file.name, sizeof file.name, "%s", name);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0) {
        file.size = (size_t)about.st_size;
        void *bytes = mmap(NULL, file.size, PROT_READ, MAP_PRIVATE, fd, 0);
        file.bytes = bytes == MAP_FAILED ? NULL : bytes;
    }
    close(fd);
    return file.bytes != NULL ? &file : NULL;
}

static const void *part(const elf_file *f, uint64_t offset, uint64_t size)
{
    return offset <= f->size && size <= f->size - offset ? f->bytes + offset : NULL;
}

static const ElfW(Ehdr) * head_of(const elf_file *f)
{
    const ElfW(Ehdr) *head = part(f, 0, sizeof *head);
    return head != NULL && memcmp(head->e_ident, ELFMAG, SELFMAG) == 0 &&
                   head->e_ident[EI_CLASS] == (CM_64BIT ? ELFCLASS64 : ELFCLASS32)
               ? head
               : NULL;
}

/* The address in the file that its first byte is mapped at. */
static uintptr_t first_address(const elf_file *f, const ElfW(Ehdr) * head)
{
    const ElfW(Phdr) *s = part(f, head->e_phoff, head->e_phnum * sizeof *s);
    for (unsigned i = 0; s != NULL && i < head->e_phnum; i++)
        if (s[i].p_type == PT_LOAD)
            return s[i].p_vaddr - s[i].p_offset;
    return 0;
}

static bool find_table(const elf_file *f, const ElfW(Ehdr) * head, unsigned type,
                       table_t *t)
{
    const ElfW(Shdr) *s = part(f, head->e_shoff, head->e_shnum * sizeof *s);
    for (unsigned i = 0; s != NULL && i < head->e_shnum; i++) {
        if (s[i].sh_type != type || s[i].sh_link >= head->e_shnum)
            continue;
        const ElfW(Shdr) *names = &s[s[i].sh_link];
        *t = (table_t){.symbols = part(f, s[i].sh_offset, s[i].sh_size),
                       .count = s[i].sh_size / sizeof(ElfW(Sym)),
                       .names = part(f, names->sh_offset, names->sh_size),
                       .names_size = names->sh_size};
        return t->symbols != NULL && t->names != NULL;
    }
    return false;
}

static const ElfW(Sym) * symbol_at(const table_t *t, uintptr_t address)
{
    for (size_t i = 0; i < t->count; i++) {
        const ElfW(Sym) *s = &t->symbols[i];
        if (s->st_shndx != SHN_UNDEF && s->st_name < t->names_size &&
            address - s->st_value < s->st_size && s->st_size > 0)
            return s;
    }
    return NULL;
}

/* _ZTV6square: "vtable for square"; of nested names each part. False: another name. */
static bool put_vtable(const char *name, cm_text *t)
{
    if (strncmp(name, "_ZTV", 4) != 0)
        return false;
    name += 4;
    name += *name == 'N';
    cm_text_string(t, "vtable for ");
    for (bool more = false; *name >= '0' && *name <= '9'; more = true) {
        char *rest;
        unsigned long length = strtoul(name, &rest, 10);
        if (length > strlen(rest))
            break;
        cm_text_string(t, more ? "::" : "");
        cm_text_bytes(t, rest, length);
        name = rest + length;
    }
    return true;
}

static bool put_symbol(const table_t *table, uintptr_t address, cm_text *t)
{
    const ElfW(Sym) *s = symbol_at(table, address);
    if (s == NULL)
        return false;
    const char *name = table->names + s->st_name;
    if (put_vtable(name, t))
        return true;
    cm_text_bytes(t, name, strnlen(name, table->names_size - s->st_name));
    if (address != s->st_value) {
        cm_text_string(t, "+");
        cm_text_hex(t, address - s->st_value);
    }
    return true;
}

bool scan_symbol(const file_map_t *place, uintptr_t address, cm_text *t)
{
    const elf_file *f = open_file(place->name);
    const ElfW(Ehdr) *head = f == NULL ? NULL : head_of(f);
    table_t table;
    if (head == NULL)
        return false;
    address = address - place->base + first_address(f, head);
    return (find_table(f, head, SHT_SYMTAB, &table) && put_symbol(&table, address, t)) ||
           (find_table(f, head, SHT_DYNSYM, &table) && put_symbol(&table, address, t));
}

/*
 * linked.c LIBRARY - is every malloc in this process LIBRARY's?
 *
 * First the addresses that a shared object is bound to, one by one. Then, after work
 * that makes libc allocate for itself, libc's own allocator is asked what it has given
 * out: it must never have been used.
 */
#define _GNU_SOURCE
#include "linked.h"

#include <dlfcn.h>
#include <malloc.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static int bound_elsewhere(const char *library)
{
    int wrong = 0;

    for (const bound_t *b = bound_in_user; b->name; b++) {
        Dl_info found = {0};

        if (!dladdr((void *)(uintptr_t)b->address, &found) || !found.dli_fname)
            found.dli_fname = "nobody";
        if (strcmp(found.dli_fname, library) != 0) {
            printf("%s is bound to %s\n", b->name, found.dli_fname);
            wrong++;
        }
    }
    return wrong;
}

static void *nothing(void *argument) { return argument; }

/* The callers of malloc in libc: strings, stdio, locales, name services, threads. */
static void make_libc_allocate(void)
{
    char *text = NULL;
    wchar_t *wide;
    size_t room = 0;
    pthread_t thread;
    FILE *file = open_memstream(&text, &room);

    for (int i = 0; file && i < 5000; i++)
        fprintf(file, "%0100d", i);
    if (file)
        fclose(file);
    free(text);
    if (asprintf(&text, "%0*d", 70000, 1) > 0)
        free(text);
    free(strdup("duplicate"));
    wide = wcsdup(L"wide");
    free(wide);
    text = realpath("/proc/self", NULL);
    free(text);
    file = fopen("/proc/self/maps", "r");
    text = NULL;
    while (file && getline(&text, &room, file) > 0)
        continue;
    if (file)
        fclose(file);
    free(text);
    (void)getpwnam("root");
    (void)getservbyname("http", "tcp");
    (void)dlopen("libm.so.6", RTLD_NOW);
    (void)dlsym(RTLD_DEFAULT, "no_such_symbol");
    (void)dlerror();
    if (!pthread_create(&thread, NULL, nothing, NULL))
        pthread_join(thread, NULL);
}

/* A look-up by handle finds libc's own function whatever stands in front of it. */
static int libc_gave_out(void)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    struct mallinfo2 (*own)(void) = NULL;
    struct mallinfo2 in_libc;

    if (libc)
        *(void **)&own = dlsym(libc, "mallinfo2");
    if (!own) {
        printf("libc's own mallinfo2 is not to be had\n");
        return 1;
    }
    in_libc = own();
    if (in_libc.uordblks || in_libc.arena || in_libc.hblkhd) {
        printf("libc's own heap was used: arena %zu, in use %zu, mapped %zu\n",
               in_libc.arena, in_libc.uordblks, in_libc.hblkhd);
        return 1;
    }
    return 0;
}

int main(int count, char **arguments)
{
    int wrong = count < 2 ? 1 : bound_elsewhere(arguments[1]);

    make_libc_allocate();
    wrong += libc_gave_out();
    if (!wrong)
        printf("all of it is %s's\n", count < 2 ? "nobody" : arguments[1]);
    return wrong != 0;
}

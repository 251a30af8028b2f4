/*
 * deepbind.c - a plugin that is loaded with RTLD_DEEPBIND, by a library whose RUNPATH
 * alone knows where it lies, exchanges memory with the program, as often as that is told.
 * Three objects, one source: PLUGIN, LOADER, and the program.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *load(void);
char *exchange(char *given);

#if defined(PLUGIN)

/* Frees what it is given, and returns what it has allocated, in place of it. */
char *exchange(char *given)
{
    char *copy = strdup(given);
    free(given);
    return realloc(copy, strlen(copy) + 100);
}

#elif defined(LOADER)

/* No tail call: who calls dlopen has to be in this object. */
void *load(void)
{
    void *plugin = dlopen("plugin.so", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (plugin == NULL)
        fprintf(stderr, "%s\n", dlerror());
    return plugin;
}

#else

int main(int count, char **arguments)
{
    size_t times = count > 1 ? strtoul(arguments[1], NULL, 10) : 0;
    char *(*swap)(char *);
    void *plugin = load();
    if (plugin == NULL)
        return 1;
    *(void **)&swap = dlsym(plugin, "exchange");
    if (swap == NULL)
        return 1;
    for (size_t i = 0; i < times; i++) {
        char *text = malloc(i + 20);
        if (text == NULL)
            return 1;
        memset(text, 'x', i);
        text[i] = '\0';
        text = swap(text);
        if (text == NULL || strlen(text) != i)
            return 1;
        free(text);
    }
    if (dlopen("missing.so", RTLD_NOW | RTLD_DEEPBIND) != NULL || dlerror() == NULL)
        return 1;
    puts("exchanged");
    return 0;
}

#endif

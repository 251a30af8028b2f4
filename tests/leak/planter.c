/* leak/planter.c - preloaded into a program, leaks a hundred chunks of an odd size. */
#include <stdlib.h>
#include <string.h>

#define LEAKS 100
#define BYTES 4321

__attribute__((constructor)) static void plant(void)
{
    for (int i = 0; i < LEAKS; i++) {
        char *volatile lost = malloc(BYTES);
        memset(lost, 'x', BYTES);
        lost = NULL;
    }
}

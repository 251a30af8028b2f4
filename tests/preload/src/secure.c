/*
 * secure.c SECURE BYTE - is this a secure-execution process (SECURE 1 or 0), and does
 * perturb=BYTE have its effect, as it must if and only if it is none?
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>

int main(int count, char **arguments)
{
    int secure = getauxval(AT_SECURE) != 0;
    unsigned char byte;
    int filled = 1;

    if (count < 3)
        return 2;
    byte = (unsigned char)~strtoul(arguments[2], NULL, 10);
    for (size_t size = 100; size < 1000000; size *= 7) {
        unsigned char *p = malloc(size);

        if (!p)
            return 2;
        /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
        filled = filled && p[0] == byte && p[size - 1] == byte;
        free(p);
    }
    if (secure != (arguments[1][0] == '1')) {
        printf("AT_SECURE is %d here: is this file system mounted nosuid?\n", secure);
        return 2;
    }
    if (filled == secure) {
        printf("perturb %s\n", filled ? "obeyed in a secure process" : "not obeyed");
        return 1;
    }
    return 0;
}

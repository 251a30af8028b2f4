/*
 * replay.c - runs a target on files, without a fuzzer: the corpus and former faults.
 *   -r SEED COUNT   behind them, on inputs that are made by chance
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CHANCE_MOST = 24 }; /* bytes: a change or two */

static void run_file(const char *name)
{
    static uint8_t bytes[1 << 20];
    FILE *f = fopen(name, "rb");
    if (f == NULL) {
        perror(name);
        exit(1);
    }
    size_t size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    LLVMFuzzerTestOneInput(bytes, size);
}

static uint64_t draw(uint64_t *chance)
{
    *chance ^= *chance << 13;
    *chance ^= *chance >> 7;
    *chance ^= *chance << 17;
    return *chance >> 24;
}

static void run_by_chance(uint64_t seed, long count)
{
    uint8_t bytes[CHANCE_MOST];
    for (uint64_t chance = seed * 2 + 1; count > 0; count--) {
        size_t size = draw(&chance) % (sizeof bytes + 1);
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)draw(&chance);
        LLVMFuzzerTestOneInput(bytes, size);
    }
}

int main(int argc, char **argv)
{
    int files = argc;
    while (files > 1 && strcmp(argv[files - 1], "-r") != 0)
        files--;
    files = files > 1 ? files - 1 : argc;
    for (int i = 1; i < files; i++)
        run_file(argv[i]);
    if (files + 2 < argc)
        run_by_chance(strtoull(argv[files + 1], NULL, 10), atol(argv[files + 2]));
    printf("%d inputs\n", files - 1);
    return 0;
}

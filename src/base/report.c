/* base/report.c - text without malloc or stdio. */
#include "base/report.h"

#include "base/host.h"

void cm_text_flush(cm_text *t)
{
    if (t->fd >= 0) {
        host_write(t->fd, t->bytes, t->used);
        t->used = 0;
    }
}

static void put_char(cm_text *t, char c)
{
    if (t->used == sizeof t->bytes)
        cm_text_flush(t);
    if (t->used < sizeof t->bytes)
        t->bytes[t->used++] = c;
}

void cm_text_string(cm_text *t, const char *s)
{
    while (*s != '\0')
        put_char(t, *s++);
}

void cm_text_bytes(cm_text *t, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_char(t, bytes[i]);
}

static void digits(cm_text *t, uint64_t n, unsigned base)
{
    char reversed[20];
    unsigned count = 0;
    do {
        reversed[count++] = "0123456789abcdef"[n % base];
        n /= base;
    } while (n != 0);
    while (count > 0)
        put_char(t, reversed[--count]);
}

void cm_text_number(cm_text *t, uint64_t n) { digits(t, n, 10); }

void cm_text_hex(cm_text *t, uintptr_t n)
{
    cm_text_string(t, "0x");
    digits(t, n, 16);
}

void cm_text_digits(cm_text *t, uint64_t n) { digits(t, n, 16); }

void cm_panic(const char *what, const void *address)
{
    cm_text t = {.used = 0, .fd = 2};
    cm_text_string(&t, "cmalloc: fatal: ");
    cm_text_string(&t, what);
    cm_text_string(&t, ": ");
    cm_text_hex(&t, (uintptr_t)address);
    put_char(&t, '\n');
    size_t length = t.used;
    cm_text_flush(&t);
    /* Once: whoever panics in his last words, or meanwhile, has no more. */
    static _Atomic uint32_t said; /* a word: riscv64 exchanges a byte by libatomic */
    if (cm_last_words != NULL &&
        atomic_exchange_explicit(&said, 1, memory_order_relaxed) == 0)
        cm_last_words(t.bytes, length, address);
    host_abort();
}

void cm_warn(const char *what, const char *detail)
{
    cm_text t = {.used = 0, .fd = 2};
    cm_text_string(&t, "cmalloc: ");
    cm_text_string(&t, what);
    cm_text_string(&t, ": ");
    cm_text_string(&t, detail);
    put_char(&t, '\n');
    cm_text_flush(&t);
}

void cm_assert_failed(const char *expression, const char *file, unsigned line)
{
    cm_text t = {.used = 0, .fd = 2};
    cm_text_string(&t, "cmalloc: assertion failed: ");
    cm_text_string(&t, expression);
    cm_text_string(&t, " at ");
    cm_text_string(&t, file);
    put_char(&t, ':');
    cm_text_number(&t, line);
    put_char(&t, '\n');
    cm_text_flush(&t);
    host_abort();
}

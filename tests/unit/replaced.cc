/*
 * replaced.cc - a program that replaces two of the allocation functions, as
 * [replacement.functions] allows: all other forms must reach them, with the library
 * preloaded, linked as a shared object and from the archive.
 *
 * A library whose delete(void *, size_t) went to free of its own accord would be handed
 * this program's pointers, of which it knows nothing.
 */
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace
{
alignas(16) char pool[1 << 22];
std::size_t used;
long live, calls;

struct pair {
    long a, b;
};

/* A class without a default place for its vtable; deleted by a sized delete in C++14
 * and later. */
struct base {
    virtual ~base() {}
};
struct derived : base {
    char bytes[100];
};
} // namespace

void *operator new(std::size_t size)
{
    size = (size + 15) & ~std::size_t(15);
    if (used + size > sizeof pool)
        throw std::bad_alloc();
    void *mem = pool + used;
    used += size;
    live++, calls++;
    return mem;
}

void operator delete(void *mem) noexcept
{
    if (!mem)
        return;
    if (mem < pool || mem >= pool + sizeof pool) {
        std::puts("not ok - a pointer that this program never handed out");
        std::exit(1);
    }
    live--;
}

int main()
{
    for (int i = 0; i < 100; i++) {
        delete new pair;
        delete[] new pair[5];
        delete new (std::nothrow) pair;
        delete[] new (std::nothrow) pair[5];
        base *object = new derived;
        delete object;
        std::vector<std::string> strings(10, std::string(100, 'x'));
        std::shared_ptr<pair> shared = std::make_shared<pair>();
    }
    void *sized = operator new(std::size_t(24));
    operator delete(sized, std::size_t(24));
    if (live != 0 || calls < 1500) {
        std::printf("not ok - %ld live after %ld calls\n", live, calls);
        return 1;
    }
    std::puts("ok - every form reaches the program's own functions");
}

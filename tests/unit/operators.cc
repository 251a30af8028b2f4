/*
 * operators.cc - operator new and delete in every form, as [new.delete] of the C++
 * standard has them.
 *
 * Nothing of cmocka here: it is C. Each test prints "ok"; the first fault ends the
 * program.
 */
#include <cstdio>
#include <cstdlib>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <malloc.h>
#include <sys/resource.h>

namespace
{

void check(bool condition, int line, const char *what)
{
    if (condition)
        return;
    std::fprintf(stderr, "operators.cc:%d: failed: %s\n", line, what);
    std::abort();
}
#define CHECK(condition) check((condition), __LINE__, #condition)

/* Sizes through here are unknown to the compiler, and so is what becomes of the
 * memory. */
template <typename T> T hidden(T value)
{
    T volatile copy = value;
    return copy;
}

/* Takes what new returned, so that the call has to be made. */
void *volatile kept;

const std::size_t impossible = hidden(SIZE_MAX / 2 + 4096);

const char *file_of(void *function)
{
    Dl_info info;
    CHECK(dladdr(function, &info) != 0);
    return info.dli_fname;
}

/* Whoever serves malloc must serve new too, or a pointer of the one reaches the
 * other's free. */
void new_comes_from_where_malloc_comes_from()
{
    if (std::getenv("CM_PEER"))
        return;
    auto plain = static_cast<void *(*)(std::size_t)>(&::operator new);
    auto sized_delete =
        static_cast<void (*)(void *, std::size_t) noexcept>(&::operator delete);
    std::string expected = file_of(reinterpret_cast<void *>(&std::malloc));
    CHECK(file_of(reinterpret_cast<void *>(plain)) == expected);
    CHECK(file_of(reinterpret_cast<void *>(sized_delete)) == expected);
}

void fill(void *mem, std::size_t size, std::size_t alignment)
{
    CHECK(mem != nullptr);
    CHECK(reinterpret_cast<std::uintptr_t>(mem) % alignment == 0);
    CHECK(malloc_usable_size(mem) >= size);
    std::memset(mem, 0xa5, size);
}

void every_form_serves_every_size()
{
    for (std::size_t size = 0; size < 300000; size = size * 2 + 1) {
        void *a = ::operator new(size), *b = ::operator new[](size);
        void *c = ::operator new(size, std::nothrow),
             *d = ::operator new[](size, std::nothrow);
        void *e = ::operator new(size), *f = ::operator new[](size);
        for (void *mem : {a, b, c, d, e, f})
            fill(mem, size, 16);
        ::operator delete(a);
        ::operator delete[](b);
        ::operator delete(c, std::nothrow);
        ::operator delete[](d, std::nothrow);
        ::operator delete(e, size);
        ::operator delete[](f, size);
    }
}

void every_aligned_form_serves_every_alignment()
{
    for (std::size_t bytes = 1; bytes <= 65536; bytes *= 2)
        for (std::size_t size :
             {std::size_t(0), std::size_t(1), bytes, 3 * bytes, std::size_t(200000)}) {
            std::align_val_t alignment{bytes};
            void *a = ::operator new(size, alignment),
                 *b = ::operator new[](size, alignment);
            void *c = ::operator new(size, alignment, std::nothrow);
            void *d = ::operator new[](size, alignment, std::nothrow);
            void *e = ::operator new(size, alignment),
                 *f = ::operator new[](size, alignment);
            for (void *mem : {a, b, c, d, e, f})
                fill(mem, size, bytes);
            ::operator delete(a, alignment);
            ::operator delete[](b, alignment);
            ::operator delete(c, alignment, std::nothrow);
            ::operator delete[](d, alignment, std::nothrow);
            ::operator delete(e, size, alignment);
            ::operator delete[](f, size, alignment);
        }
}

void delete_of_null_does_nothing()
{
    void *volatile null = nullptr;
    std::align_val_t alignment{64};
    ::operator delete(null);
    ::operator delete[](null);
    ::operator delete(null, std::nothrow);
    ::operator delete[](null, std::nothrow);
    ::operator delete(null, std::size_t(8));
    ::operator delete[](null, std::size_t(8));
    ::operator delete(null, alignment);
    ::operator delete[](null, alignment);
    ::operator delete(null, alignment, std::nothrow);
    ::operator delete[](null, alignment, std::nothrow);
    ::operator delete(null, std::size_t(8), alignment);
    ::operator delete[](null, std::size_t(8), alignment);
}

template <typename Call> bool throws_bad_alloc(Call call)
{
    try {
        call();
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

void without_memory_new_throws_and_nothrow_returns_null()
{
    std::align_val_t alignment{64};
    CHECK(throws_bad_alloc([] { kept = ::operator new(impossible); }));
    CHECK(throws_bad_alloc([] { kept = ::operator new[](impossible); }));
    CHECK(throws_bad_alloc([=] { kept = ::operator new(impossible, alignment); }));
    CHECK(throws_bad_alloc([=] { kept = ::operator new[](impossible, alignment); }));
    CHECK(throws_bad_alloc([] { kept = ::operator new(SIZE_MAX - hidden(8)); }));
    CHECK(::operator new(impossible, std::nothrow) == nullptr);
    CHECK(::operator new[](impossible, std::nothrow) == nullptr);
    CHECK(::operator new(impossible, alignment, std::nothrow) == nullptr);
    CHECK(::operator new[](impossible, alignment, std::nothrow) == nullptr);
}

struct witness {
    bool *gone;
    ~witness() { *gone = true; }
};

void the_exception_unwinds_frames_and_leaves_the_heap_usable()
{
    bool gone = false;
    CHECK(throws_bad_alloc([&] {
        witness here{&gone};
        std::vector<char> half(1000);
        half.reserve(hidden(PTRDIFF_MAX - 1));
    }));
    CHECK(gone);
    std::vector<std::string> strings;
    for (int i = 0; i < 1000; i++)
        strings.push_back(std::string(static_cast<std::size_t>(i), 'x'));
    CHECK(strings[999].size() == 999);
}

int calls;

void handler_that_gives_up()
{
    if (++calls == 3)
        std::set_new_handler(nullptr);
}

void the_handler_is_called_until_it_gives_up()
{
    std::align_val_t alignment{128};
    auto called = [](auto call) {
        calls = 0;
        std::set_new_handler(handler_that_gives_up);
        call();
        return calls;
    };
    CHECK(called([] {
              CHECK(throws_bad_alloc([] { kept = ::operator new(impossible); }));
          }) == 3);
    CHECK(called([] {
              CHECK(throws_bad_alloc([] { kept = ::operator new[](impossible); }));
          }) == 3);
    CHECK(called([=] {
              CHECK(throws_bad_alloc(
                  [=] { kept = ::operator new(impossible, alignment); }));
          }) == 3);
    CHECK(called([] { CHECK(::operator new(impossible, std::nothrow) == nullptr); }) ==
          3);
    CHECK(called([] { CHECK(::operator new[](impossible, std::nothrow) == nullptr); }) ==
          3);
    CHECK(called([=] {
              CHECK(::operator new(impossible, alignment, std::nothrow) == nullptr);
          }) == 3);
}

struct own_bad_alloc : std::bad_alloc {
};

void handler_that_throws()
{
    ++calls;
    throw own_bad_alloc();
}

/* The nothrow forms too call the handler, and turn what it throws into a null pointer. */
void the_handler_may_throw()
{
    std::align_val_t alignment{64};
    calls = 0;
    std::set_new_handler(handler_that_throws);
    bool own = false;
    try {
        kept = ::operator new(impossible);
    } catch (const own_bad_alloc &) {
        own = true;
    }
    CHECK(own);
    CHECK(throws_bad_alloc([=] { kept = ::operator new[](impossible, alignment); }));
    CHECK(::operator new(impossible, std::nothrow) == nullptr);
    CHECK(::operator new[](impossible, std::nothrow) == nullptr);
    CHECK(::operator new(impossible, alignment, std::nothrow) == nullptr);
    CHECK(::operator new[](impossible, alignment, std::nothrow) == nullptr);
    CHECK(calls == 6);
    std::set_new_handler(nullptr);
}

void handler_that_lifts_the_limit()
{
    rlimit limit;
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_AS, &limit);
    ++calls;
}

void the_handler_may_find_memory()
{
    const std::size_t size = std::size_t(1) << 30;
    rlimit limit;
    CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
    limit.rlim_cur = size / 2;
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    calls = 0;
    std::set_new_handler(handler_that_lifts_the_limit);
    void *mem = ::operator new(hidden(size));
    std::set_new_handler(nullptr);
    CHECK(mem != nullptr);
    CHECK(calls == 1 || std::getenv("EMULATOR")); /* qemu-user knows no limits */
    ::operator delete(mem, size);
}

struct alignas(256) wide {
    char bytes[300];
};

void expressions_and_containers_work()
{
    for (int round = 0; round < 100; round++) {
        std::unique_ptr<wide[]> many(new wide[static_cast<std::size_t>(round + 1)]);
        CHECK(reinterpret_cast<std::uintptr_t>(many.get()) % 256 == 0);
        std::vector<std::shared_ptr<wide>> shared;
        for (int i = 0; i < 50; i++)
            shared.push_back(std::make_shared<wide>());
        CHECK(shared[49].use_count() == 1);
    }
}

} // namespace

#define RUN(test) (test(), std::printf("ok - %s\n", #test), std::fflush(stdout))

int main()
{
    RUN(new_comes_from_where_malloc_comes_from);
    RUN(every_form_serves_every_size);
    RUN(every_aligned_form_serves_every_alignment);
    RUN(delete_of_null_does_nothing);
    RUN(without_memory_new_throws_and_nothrow_returns_null);
    RUN(the_exception_unwinds_frames_and_leaves_the_heap_usable);
    RUN(the_handler_is_called_until_it_gives_up);
    RUN(the_handler_may_throw);
    RUN(the_handler_may_find_memory);
    RUN(expressions_and_containers_work);
}

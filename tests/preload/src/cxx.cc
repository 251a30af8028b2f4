// cxx.cc - what the C++ runtime asks of an allocator; prints the same lines with any
// correct one.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <iostream>
#include <list>
#include <locale>
#include <map>
#include <memory>
#include <new>
#include <numeric>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

static int failures;

static void expect(bool good, const char *what)
{
    if (!good) {
        std::printf("wrong: %s\n", what);
        failures++;
    }
}

struct Tracked {
    static thread_local std::vector<std::unique_ptr<std::string>> kept;
    explicit Tracked(int n) : name(new std::string(std::size_t(n % 300), 'x')) {}
    ~Tracked() { kept.emplace_back(std::move(name)); } // allocates while an exception unwinds
    std::unique_ptr<std::string> name;
};
thread_local std::vector<std::unique_ptr<std::string>> Tracked::kept;

static int deep(int n)
{
    Tracked here(n);
    if (n == 0)
        throw std::runtime_error("bottom of " + std::string(200, 'y'));
    return deep(n - 1) + 1;
}

static std::size_t exceptions(int times)
{
    std::size_t sum = 0;
    for (int i = 0; i < times; i++) {
        std::exception_ptr held;
        try {
            deep(i % 40);
        } catch (...) {
            held = std::current_exception();
        }
        try {
            std::rethrow_exception(held);
        } catch (const std::exception &problem) {
            sum += std::string(problem.what()).size();
        }
    }
    return sum + Tracked::kept.size();
}

static void threads()
{
    std::vector<std::future<std::size_t>> results;
    for (int i = 0; i < 8; i++)
        results.push_back(std::async(std::launch::async, exceptions, 200 + i));
    std::size_t sum = 0;
    for (auto &result : results)
        sum += result.get();
    std::promise<void> promise;
    std::thread([&] { promise.set_exception(std::make_exception_ptr(std::logic_error("from a thread"))); }).join();
    try {
        promise.get_future().get();
    } catch (const std::logic_error &problem) {
        std::printf("threads %zu, %s\n", sum, problem.what());
    }
}

struct alignas(128) Wide {
    char bytes[200];
};

struct Fails {
    Fails() { throw 7; }
    char bytes[500];
};

// One line a form; through a pointer, so that the compiler keeps the pairs.
static void operators()
{
    for (std::size_t size : {std::size_t(0), std::size_t(1), std::size_t(100), std::size_t(5000), std::size_t(1) << 20}) {
        void *p[8] = {
            ::operator new(size), ::operator new[](size),
            ::operator new(size, std::nothrow), ::operator new[](size, std::nothrow),
            ::operator new(size, std::align_val_t(256)), ::operator new[](size, std::align_val_t(4096)),
            ::operator new(size, std::align_val_t(64), std::nothrow), ::operator new[](size, std::align_val_t(32), std::nothrow)};
        std::uintptr_t align[8] = {16, 16, 16, 16, 256, 4096, 64, 32};
        for (int i = 0; i < 8; i++) {
            expect(p[i] != nullptr && reinterpret_cast<std::uintptr_t>(p[i]) % align[i] == 0, "operator new");
            std::fill_n(static_cast<char *>(p[i]), size, char(i));
        }
        ::operator delete(p[0], size);
        ::operator delete[](p[1], size);
        ::operator delete(p[2], std::nothrow);
        ::operator delete[](p[3]);
        ::operator delete(p[4], size, std::align_val_t(256));
        ::operator delete[](p[5], std::align_val_t(4096));
        ::operator delete(p[6], std::align_val_t(64), std::nothrow);
        ::operator delete[](p[7], size, std::align_val_t(32));
    }
    ::operator delete(nullptr);
    ::operator delete[](nullptr, std::size_t(8));
    std::vector<Wide> wide(33);
    auto one = std::make_unique<Wide[]>(5);
    for (const auto &w : wide)
        expect(reinterpret_cast<std::uintptr_t>(&w) % 128 == 0, "alignas in a vector");
    expect(reinterpret_cast<std::uintptr_t>(one.get()) % 128 == 0, "alignas in new[]");
    for (int i = 0; i < 100; i++) {
        try {
            delete new Fails;
        } catch (int number) {
            expect(number == 7, "a throwing constructor");
        }
    }
    std::printf("operators\n");
}

static int handler_calls;
static char *reserve;

static void give_back_reserve()
{
    if (++handler_calls == 3) {
        std::free(reserve);
        std::set_new_handler(nullptr);
    }
}

struct Gone {};
static void throw_gone() { throw Gone(); }

// The standard's loop: no memory, so call the handler; no handler, so throw bad_alloc.
static void out_of_memory()
{
    const std::size_t huge = PTRDIFF_MAX;
    volatile std::size_t too_much = huge; // the compiler must not know it
    try {
        ::operator delete(::operator new(too_much));
        expect(false, "new of too much");
    } catch (const std::bad_alloc &) {
        std::printf("bad_alloc\n");
    }
    try {
        ::operator delete(::operator new(too_much, std::align_val_t(64)));
        expect(false, "aligned new of too much");
    } catch (const std::bad_alloc &) {
        std::printf("bad_alloc, aligned\n");
    }
    expect(::operator new(too_much, std::nothrow) == nullptr, "nothrow new of too much");
    expect(::operator new[](too_much, std::align_val_t(64), std::nothrow) == nullptr, "aligned nothrow new of too much");
    try {
        volatile std::size_t count = huge / 2;
        delete[] new Wide[count];
        expect(false, "new[] of too many");
    } catch (const std::bad_alloc &) {
        std::printf("bad_array_new_length\n");
    }
    reserve = static_cast<char *>(std::malloc(1 << 20));
    handler_calls = 0;
    std::set_new_handler(give_back_reserve);
    expect(::operator new(too_much, std::nothrow) == nullptr && handler_calls == 3, "the handler's loop");
    std::set_new_handler(throw_gone);
    try {
        ::operator delete(::operator new(too_much));
        expect(false, "a handler that throws");
    } catch (const Gone &) {
        std::printf("the handler's own exception\n");
    }
    std::set_new_handler(nullptr);
}

// A throw when nothing is left: the runtime's emergency pool must do.
static void exhausted()
{
    struct rlimit old, small;
    std::vector<void *> held;
    getrlimit(RLIMIT_AS, &old);
    small = old;
    small.rlim_cur = 600u << 20;
    setrlimit(RLIMIT_AS, &small);
    int caught = 0;
    held.reserve(100000);
    try {
        for (std::size_t size = 64u << 20; size >= 16;) {
            void *p = std::malloc(size);
            if (p && held.size() < held.capacity())
                held.push_back(p);
            else
                size /= 2;
        }
        throw std::bad_alloc();
    } catch (const std::bad_alloc &) {
        caught++;
    }
    for (void *p : held)
        std::free(p);
    setrlimit(RLIMIT_AS, &old);
    std::string after(100000, 'z');
    std::printf("exhausted %d, after it %zu\n", caught, after.size());
}

static void library()
{
    std::mt19937 random(42);
    std::map<std::string, std::list<int>> index;
    std::deque<std::shared_ptr<std::string>> queue;
    for (int i = 0; i < 50000; i++) {
        index[std::to_string(random() % 3000)].push_back(i);
        queue.push_back(std::make_shared<std::string>(random() % 200, 'q'));
        if (queue.size() > 1000)
            queue.erase(queue.begin() + long(random() % 500));
    }
    std::ostringstream text;
    text.imbue(std::locale::classic());
    for (const auto &[key, numbers] : index)
        text << key << ':' << std::accumulate(numbers.begin(), numbers.end(), 0L) << ' ';
    std::istringstream again(text.str());
    std::vector<std::string> words;
    for (std::string word; again >> word;)
        words.push_back(word);
    std::stable_sort(words.begin(), words.end());
    std::printf("library %zu %zu %zu\n", std::hash<std::string>()(text.str()) % 1000003, words.size(), queue.size());
}

int main()
{
    std::printf("exceptions %zu\n", exceptions(2000));
    threads();
    operators();
    out_of_memory();
    exhausted();
    library();
    std::cout << "failures " << failures << std::endl;
    return failures != 0;
}

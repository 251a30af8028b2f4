// link.cc - a C++ program that links with cmalloc: new and delete, exceptions out of new,
// threads.
#include <cmalloc.h>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>
#include <vector>

static bool walk_finds(const void *mem)
{
    struct search {
        const void *mem;
        bool found;
    } s = {mem, false};
    cmalloc_walk(
        [](const cmalloc_item *item, void *arg) {
            auto s = static_cast<search *>(arg);
            s->found |= item->mem == s->mem;
            return 0;
        },
        &s);
    return s.found;
}

static bool throws_when_out_of_memory()
{
    volatile std::size_t too_much = static_cast<std::size_t>(-1) / 4;
    try {
        ::operator delete(::operator new(too_much));
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

int main()
{
    int *one = new int(1);
    std::string *text = new std::string(1000, 'x');
    if (!walk_finds(one) || !walk_finds(text))
        return 1;
    std::thread worker([&] { text->assign(100000, 'y'); });
    worker.join();
    bool grown = text->size() == 100000;
    delete one;
    delete text;
    return !grown || !throws_when_out_of_memory();
}

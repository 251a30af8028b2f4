// thread_local.cc - destructors of thread_local objects that allocate, in threads, in
// detached threads that the end of main overtakes, and in the main thread.
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

struct Keeper {
    std::map<int, std::string> names;
    std::vector<std::unique_ptr<std::string>> more;
    ~Keeper()
    {
        for (auto &entry : names)
            more.push_back(std::make_unique<std::string>(entry.second + entry.second));
        names.clear();
    }
};
thread_local Keeper keeper;
thread_local std::string late(500, 'l'); // destroyed before keeper, made after it

static void live(int seed)
{
    for (int i = 0; i < 50; i++)
        keeper.names[i] = std::string(std::size_t(seed * i % 700), char('a' + i % 26));
    late += keeper.names[seed % 50];
}

int main()
{
    for (int round = 0; round < 50; round++) {
        std::vector<std::thread> threads;
        for (int i = 0; i < 6; i++)
            threads.emplace_back(live, round * 6 + i);
        for (auto &thread : threads)
            thread.join();
    }
    for (int i = 0; i < 4; i++) {
        std::thread([i] {
            for (int n = 0;; n++) {
                live(n + i);
                keeper.names.clear();
            }
        }).detach();
    }
    live(3);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    std::printf("done\n");
    return 0;
}

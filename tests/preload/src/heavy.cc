// heavy.cc - a hard meal for a C++ compiler: many instances of templates over the
// standard library, so that cc1plus makes and drops a great many objects. DEPTH says how
// many. The program itself prints one number.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <regex>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#ifndef DEPTH
#define DEPTH 12
#endif

template <std::size_t N>
struct Leaf {
    std::size_t value = N;
    std::array<char, N + 1> room{};
    std::string name() const { return "leaf" + std::to_string(value * N); }
    bool operator<(const Leaf &other) const { return value < other.value; }
};

template <std::size_t N>
std::size_t tables()
{
    std::map<std::string, std::unordered_map<std::size_t, std::vector<Leaf<N>>>> table;
    std::set<std::tuple<std::size_t, std::string, Leaf<N>>> seen;
    for (std::size_t i = 0; i < 20 + N; i++) {
        table[Leaf<N>{i}.name()][i].push_back(Leaf<N>{i});
        seen.insert({i, Leaf<N>{i}.name(), Leaf<N>{i}});
    }
    std::vector<Leaf<N>> sorted;
    for (const auto &[name, inner] : table)
        for (const auto &[key, leaves] : inner)
            std::copy(leaves.begin(), leaves.end(), std::back_inserter(sorted));
    std::stable_sort(sorted.begin(), sorted.end());
    return std::accumulate(sorted.begin(), sorted.end(), seen.size(),
                           [](std::size_t sum, const Leaf<N> &leaf) { return sum + leaf.value; });
}

template <std::size_t... N>
std::size_t variants(std::index_sequence<N...>)
{
    using Any = std::variant<std::shared_ptr<Leaf<N>>...>;
    std::vector<Any> all{Any{std::make_shared<Leaf<N>>()}...};
    std::vector<std::function<std::string(const Any &)>> readers{
        [](const Any &any) { return std::visit([](const auto &leaf) { return leaf->name() + std::to_string(N); }, any); }...};
    std::size_t sum = 0;
    for (const auto &any : all)
        for (const auto &read : readers)
            sum += read(any).size();
    return sum + (tables<N>() + ...);
}

int main()
{
    std::size_t sum = 0;
#if DEPTH > 4
    std::regex pattern("([a-z]+)([0-9]+)");
    std::smatch match;
    std::string text = "leaf42";
    sum += std::regex_match(text, match, pattern) ? match.size() : 0;
#endif
    std::printf("%zu\n", sum + variants(std::make_index_sequence<DEPTH>{}));
    return 0;
}

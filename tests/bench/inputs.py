"""Inputs for the real programs, made by rule: the same scale always gives the same bytes."""

import os
import random


def cxx(scale):
    """A C++ file heavy in templates: containers of containers, variants, visitors, sort."""
    out = ["#include <algorithm>", "#include <deque>", "#include <functional>", "#include <iostream>",
           "#include <list>", "#include <map>", "#include <memory>", "#include <numeric>",
           "#include <set>", "#include <sstream>", "#include <string>", "#include <tuple>",
           "#include <unordered_map>", "#include <variant>", "#include <vector>", "",
           "template <int N> struct chain { using type = std::tuple<std::integral_constant<int, N>,"
           " typename chain<N - 1>::type>; };",
           "template <> struct chain<0> { using type = std::tuple<>; };",
           "template <int N, class T> struct wrap { T value; std::vector<wrap<N - 1, T>> inner;",
           "    long sum() const { long s = long(value.size()); for (const auto &i : inner) s += i.sum();"
           " return s; } };",
           "template <class T> struct wrap<0, T> { T value; long sum() const { return 1; } };", ""]
    for n in range(1):
        out.append(f"""
struct key{n} {{ int a; std::string b; bool operator<(const key{n} &o) const {{ return a != o.a ? a < o.a : b < o.b; }} }};
using value{n} = std::variant<int, std::string, std::vector<key{n}>, std::map<int, std::shared_ptr<key{n}>>>;
using chain{n} = chain<{int(40 * scale) + n}>::type;
long work{n}(int limit)
{{
    std::map<key{n}, value{n}> table;
    std::unordered_map<std::string, std::function<long(const value{n} &)>> calls;
    std::deque<std::set<key{n}>> sets(3);
    for (int i = 0; i < limit; i++) {{
        table[key{n}{{i, std::to_string(i)}}] = i % 2 ? value{n}(i) : value{n}(std::vector<key{n}>(2));
        sets[i % 3].insert(key{n}{{i, "x"}});
    }}
    calls["size"] = [&](const value{n} &v) {{
        return std::visit([](const auto &x) {{ return long(sizeof x) + {n}; }}, v);
    }};
    std::vector<std::pair<long, std::string>> flat;
    for (auto &[k, v] : table)
        flat.emplace_back(calls["size"](v), k.b);
    std::sort(flat.begin(), flat.end(), [](const auto &x, const auto &y) {{ return x.second < y.second; }});
    std::list<wrap<{2 + n % 4}, std::string>> wraps(limit);
    return std::accumulate(flat.begin(), flat.end(), 0L, [](long s, const auto &x) {{ return s + x.first; }})
        + long(sizeof(chain{n})) + wraps.front().sum();
}}""")
    out.append("int main() { std::cout << work0(10) << '\\n'; }")
    return "\n".join(out) + "\n"


def smt2_jobs(rnd, jobs):
    """Jobs on machines with precedences and a common limit: linear arithmetic under disjunctions."""
    out = [f"(declare-const s{j} Int)\n(assert (>= s{j} 0))" for j in range(jobs)]
    length = [rnd.randint(1, 9) for _ in range(jobs)]
    for a in range(jobs):
        for b in range(a + 1, jobs):
            if (a + b) % 3 == 0:
                out.append(f"(assert (or (<= (+ s{a} {length[a]}) s{b}) (<= (+ s{b} {length[b]}) s{a})))")
            elif rnd.random() < 0.08:
                out.append(f"(assert (<= (+ s{a} {length[a]}) s{b}))")
    limit = sum(length) // 3 + 8
    return out + [f"(assert (<= (+ s{j} {length[j]}) {limit}))" for j in range(jobs)]


def smt2_array(cells):
    out = ["(declare-const m (Array Int Int))"]
    for i in range(cells):
        out.append(f"(declare-const v{i} Int)\n(assert (= (select m v{i}) {i % 7}))")
        if i > 0:
            out.append(f"(assert (or (< v{i} v{i - 1}) (> (+ v{i} v{i - 1}) {i * 3 % 41})))")
    return out


def smt2_bits(rnd, steps):
    """Find x and y with a given low part of a product of sums."""
    term = "x"
    for _ in range(steps):
        term = (f"(bvadd (bvmul {term} #x{rnd.getrandbits(32) | 1:08x})"
                f" (bvxor (bvlshr {term} #x0000000{rnd.randint(3, 9)}) y))")
    return ["(declare-const x (_ BitVec 32))\n(declare-const y (_ BitVec 32))",
            f"(assert (= ((_ extract 11 0) {term}) #x5a5))\n(assert (bvult x y))"]


def smt2(scale):
    rnd = random.Random(1)
    tasks = [smt2_jobs(rnd, max(6, int(30 * scale ** 0.35))), smt2_array(int(200 * scale) + 10)]
    tasks += [smt2_bits(rnd, 6 if scale >= 1 else 4) for _ in range(max(1, int(2 * scale)))]
    head = "(set-option :smt.random_seed 7)\n"
    return "\n(check-sat)\n(reset)\n".join(head + "\n".join(t) for t in tasks) + "\n(check-sat)\n"


def postscript(scale):
    """Pages of curves, clipped shadings and text in many sizes."""
    rnd = random.Random(2)
    out = ["%!PS-Adobe-3.0"]
    fonts = ["Helvetica", "Times-Roman", "Courier", "Times-Italic", "Helvetica-Bold"]
    for page in range(max(2, int(44 * scale))):
        for _ in range(250):
            p = [rnd.randint(0, 600) for _ in range(8)]
            colour = " ".join("%.2f" % rnd.random() for _ in range(3))
            out.append("%s setrgbcolor newpath %d %d moveto %d %d %d %d %d %d curveto closepath %s"
                       % (colour, *p, rnd.choice(["fill", "stroke", "eofill"])))
        out.append("gsave newpath 300 400 200 0 360 arc clip << /ShadingType 2 /ColorSpace /DeviceRGB"
                   " /Coords [100 200 500 600] /Function << /FunctionType 2 /Domain [0 1]"
                   " /C0 [1 0 %.1f] /C1 [0 1 0] /N 1 >> >> shfill grestore" % (page % 10 / 10))
        for line in range(60):
            out.append("/%s findfont %.2f scalefont setfont 0 setgray %d %d moveto (Line %d of page %d: %s) show"
                       % (rnd.choice(fonts), rnd.uniform(6, 20), rnd.randint(10, 80), 12 * line + 20, line, page,
                          "".join(rnd.choice("abcdefghij klmnop") for _ in range(30))))
        out.append("showpage")
    return "\n".join(out) + "\n"


def sql(scale):
    """Tables filled by recursive queries, indexes, joins, groups, JSON, updates and deletes."""
    rows = int(170000 * scale)
    return f"""
PRAGMA journal_mode = OFF; PRAGMA temp_store = MEMORY;
CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, kind INTEGER, doc TEXT);
CREATE TABLE link(a INTEGER, b INTEGER, label TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
INSERT INTO item SELECT i, printf('item %x', i * 7919 % 1000003), i % 97,
  json_object('id', i, 'tags', json_array(i % 5, i % 7, printf('t%d', i % 11))) FROM n;
CREATE INDEX item_name ON item(name);
CREATE INDEX item_kind ON item(kind, name);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
INSERT INTO link SELECT i, i * 31 % {rows} + 1, printf('%d-%d', i, i % 13) FROM n;
CREATE INDEX link_a ON link(a);
SELECT kind, count(*), max(name), length(group_concat(name)) FROM item GROUP BY kind;
SELECT count(*), sum(length(x.name || y.name)) FROM link JOIN item x ON x.id = a JOIN item y ON y.id = b;
SELECT json_extract(doc, '$.tags[2]') t, count(*), total(json_extract(doc, '$.id')) FROM item GROUP BY t ORDER BY t;
UPDATE item SET name = upper(name) || kind, doc = json_set(doc, '$.kind', kind) WHERE id % 3 = 0;
DELETE FROM link WHERE a % 4 = 1;
SELECT count(DISTINCT substr(label, 1, 3)), min(label), max(label) FROM link;
SELECT name, row_number() OVER (PARTITION BY kind ORDER BY name DESC) r FROM item ORDER BY r DESC, name LIMIT 50;
SELECT count(*), sum(length(doc)) FROM item WHERE name LIKE '%7%' AND doc LIKE '%t3%';
"""


def resp(*words):
    return "".join([f"*{len(words)}\r\n"] + [f"${len(w)}\r\n{w}\r\n" for w in map(str, words)])


def redis(scale):
    """Commands on strings, lists, hashes, sorted sets and sets, with growth, expiry by hand, deletes."""
    rnd = random.Random(3)
    out = []
    for n in range(int(120000 * scale)):
        k = rnd.randint(0, 9999)
        out.append(rnd.choice([
            lambda: resp("SET", f"s{k}", "v" * rnd.randint(1, 400)),
            lambda: resp("APPEND", f"s{k}", "a" * rnd.randint(1, 60)),
            lambda: resp("RPUSH", f"l{k % 500}", f"element {n}", "x" * (n % 80)),
            lambda: resp("LPOP", f"l{k % 500}"),
            lambda: resp("HSET", f"h{k % 1000}", f"f{n % 50}", "y" * rnd.randint(1, 120)),
            lambda: resp("ZADD", f"z{k % 300}", n % 1000, f"m{n % 400}"),
            lambda: resp("SADD", f"t{k % 300}", f"m{n % 700}"),
            lambda: resp("DEL", f"s{k}", f"h{k % 1000}" if n % 40 == 0 else "none"),
        ])())
    return "".join(out)


FILES = {"heavy.cc": cxx, "solve.smt2": smt2, "pages.ps": postscript, "data.sql": sql, "commands.resp": redis}


def make(folder, scale):
    """Write every input into folder; returns folder."""
    os.makedirs(folder, exist_ok=True)
    for name, content in FILES.items():
        with open(os.path.join(folder, name), "w", newline="") as f:
            f.write(content(scale))
    return folder

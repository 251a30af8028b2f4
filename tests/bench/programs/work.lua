-- Tables, closures, strings and sorting; prints one checksum.
local scale = tonumber(arg[1])
local sum = 0

local function add(s)
    for i = 1, #s do
        sum = (sum * 31 + s:byte(i)) % 4294967296
    end
end

local function tree(depth)
    if depth == 0 then
        return { name = "leaf" }
    end
    return { left = tree(depth - 1), right = tree(depth - 1), depth = depth }
end

local function count(t)
    return t.left and 1 + count(t.left) + count(t.right) or 1
end

for n = 1, math.floor(16 * scale + 0.5) do
    add(tostring(count(tree(13 + n % 3))))
end

local words = {}
for n = 1, math.floor(200000 * scale) do
    words[n] = string.format("%x-%d", n * 7919 % 1000003, n % 17)
end
table.sort(words)
for n = 1, #words, 100 do
    add(words[n])
end

local index = {}
for n = 1, math.floor(300000 * scale) do
    local key = "key" .. n * 31 % 50000
    local row = index[key] or { hits = 0, list = {} }
    row.hits = row.hits + 1
    row.list[row.hits % 8 + 1] = function() return n end
    index[key] = row
    if n % 5 == 0 then
        index["key" .. n * 17 % 50000] = nil
    end
end
for n = 0, 49999, 50 do
    local row = index["key" .. n]
    if row then
        add(tostring(row.hits + (row.list[1] and row.list[1]() or 0)))
    end
end

local parts = {}
for n = 1, math.floor(20000 * scale) do
    parts[#parts + 1] = ("ab" .. n):rep(n % 40)
    if #parts == 500 then
        add(table.concat(parts, ","):sub(1, 2000))
        parts = {}
    end
end
print(string.format("%08x", sum))

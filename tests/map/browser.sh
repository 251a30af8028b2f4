#!/bin/sh
# browser.sh: the page and the SVG of `cmalloc map` as a browser shows them, light and
# dark, of a small heap and of a huge one. CHUNKS (10000000): of the huge one.
#
# The pictures are left in build/map/ for whoever wants to look. What is tested: the
# script has run and read every record, an address is found and its header shown; nothing
# is blank, dark is dark; the page is small whatever the heap is.
set -u
# shellcheck source=tests/map/lib.sh
. "$(dirname "$0")/lib.sh"
shots=build/map
mkdir -p $shots
tests/need.sh browser || exit 1
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)

# Of a fresh profile each time, and nobody is asked for anything. $1: seconds; then flags.
browse()
{
    seconds=$1
    shift
    rm -rf "$tmp/profile"
    mkdir "$tmp/profile"
    timeout "$seconds" "$browser" --headless --no-sandbox --disable-gpu --disable-quic \
        --no-first-run --disable-background-networking --disable-component-update \
        --disable-sync --hide-scrollbars --user-data-dir="$tmp/profile" \
        --virtual-time-budget=10000 --enable-logging=stderr "$@" 2>"$tmp/browser"
}

# $1: name; $2: light or dark; $3: address; $4: width,height.
shoot()
{
    dark=$([ "$2" = dark ] && echo 0 || echo 1)
    rm -f "$shots/$1.png"
    browse 120 --window-size="$4" --blink-settings=preferredColorScheme="$dark" \
        --screenshot="$shots/$1.png" "$3" >"$tmp/out"
}

# Number of colours and mean brightness of a picture: 8 bits, RGB or RGBA, not interlaced.
look()
{
    python3 - "$1" <<'P'
import struct, sys, zlib
data = open(sys.argv[1], 'rb').read()
at, idat = 8, b''
while at < len(data):
    size, kind = struct.unpack('>I4s', data[at:at + 8])
    body = data[at + 8:at + 8 + size]
    if kind == b'IHDR':
        width, height, depth, colour = struct.unpack('>IIBB', body[:10])
    if kind == b'IDAT':
        idat += body
    at += size + 12
n = {2: 3, 6: 4}[colour]
raw, line, out = zlib.decompress(idat), bytearray(width * n), []
for y in range(height):
    f = raw[y * (width * n + 1)]
    new = bytearray(raw[y * (width * n + 1) + 1:(y + 1) * (width * n + 1)])
    for x in range(width * n):
        a = new[x - n] if x >= n else 0
        b, c = line[x], line[x - n] if x >= n else 0
        if f == 1: p = a
        elif f == 2: p = b
        elif f == 3: p = (a + b) // 2
        elif f == 4:
            e = a + b - c
            p = min((abs(e - a), 0, a), (abs(e - b), 1, b), (abs(e - c), 2, c))[2]
        else: break
        new[x] = (new[x] + p) & 255
    line = new
    out.append(line)
pixels = [tuple(l[x * n:x * n + 3]) for l in out[::3] for x in range(0, width, 3)]
print(len(set(pixels)), sum(map(sum, pixels)) // (3 * len(pixels)))
P
}

# $1: name; $2: light or dark; $3: colours at least.
is_picture()
{
    # shellcheck disable=SC2046  # two numbers
    set -- "$1" "$2" "$3" $(look "$shots/$1.png")
    [ "${4:-0}" -ge "$3" ] || return 1
    case $2 in
    dark) [ "$5" -lt 110 ] ;;
    light) [ "$5" -gt 140 ] ;;
    esac
}

# $1: name of a page without .html; $2: an address that is in it.
look_at_page()
{
    page=file://$PWD/$shots/$1.html
    browse 120 --dump-dom "$page#$2" >"$tmp/dom"
    check "$1: the script has run" grep -q 'data-ready="yes"' "$tmp/dom"
    check "$1: and met no error" eval '! grep -q "CONSOLE.*rror" "$tmp/browser"'
    records=$((0x$(sed -n 's/^end //p' "$shots/$1.snap")))
    check "$1: every record was read" grep -q "data-records=\"$records\"" "$tmp/dom"
    for mode in light dark; do
        shoot "$1-$mode" $mode "$page" 1440,1200
        check "$1: $mode" is_picture "$1-$mode" $mode 12
        shoot "$1-close-$mode" $mode "$page#$2" 1440,1200
        check "$1: $mode, close" is_picture "$1-close-$mode" $mode 12
    done
    check "$1: less than 5 MB" [ "$(wc -c <"$shots/$1.html")" -lt 5000000 ]
}

draw()
{
    for kind in snap html svg; do
        $cmalloc map "$pid" -o "$shots/$1.$kind" || fault "$1.$kind is not written"
    done
}

# ---- a small heap ----

start_heap 2000 2
draw small
echo >&3
await 2 || fault 'the heap does not go on'
$cmalloc map --diff "$shots/small.snap" "$pid" -o $shots/diff.html
stop_heap
look_at_page small "$held_at"
size=$(printf '%d' "0x$held_size" | sed 's/...$/,&/')
for word in '<dt>chunk</dt>' "<dt>size</dt><dd>$size<" 'flag set">P' '<dt>prev_size</dt><dd>not valid'
do
    check "the chunk's header is shown: $word" grep -qF "$word" "$tmp/dom"
done
sed '/<script>/,/<\/script>/d' $shots/small.html >$shots/still.html
for mode in light dark; do
    shoot svg-$mode $mode "file://$PWD/$shots/small.svg" 1250,680
    check "the SVG: $mode" is_picture svg-$mode $mode 8
    shoot diff-$mode $mode "file://$PWD/$shots/diff.html" 1440,1200
    check "two compared: $mode" is_picture diff-$mode $mode 8
    shoot still-$mode $mode "file://$PWD/$shots/still.html" 1440,1200
    check "without a script: $mode" is_picture still-$mode $mode 12
done

# ---- a huge one ----

start_heap $((${CHUNKS:-10000000} / 2)) 2
draw huge
stop_heap
look_at_page huge "$held_at"
check 'huge: the chunk is found' grep -qF '<dt>chunk</dt>' "$tmp/dom"

end

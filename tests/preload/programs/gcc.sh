# shellcheck shell=bash
# gcc and g++ on this project's own source and on a heavy C++ file: every object file, archive, library and
# executable byte for byte as made without the library.
. "$PRELOAD_SRC/../lib.sh"
limit 120 240
need gcc gcc
need g++ g++
need ar binutils

levels=$(quick && echo -O2 || echo '-O0 -O2 -Os')

project() {
    local flags="-std=c11 -D_GNU_SOURCE -fno-builtin -fno-strict-aliasing -fPIC -I$PRELOAD_TOP/include -I$PRELOAD_TOP/src"
    # shellcheck disable=SC2086 # the flags are words
    for level in $levels; do
        gcc $flags $level -g -w -c "$PRELOAD_TOP/src/cmalloc.c" -o "project$level.o"
    done
    gcc -shared -g -o project.so project-O2.o
    ar rcsD project.a project-*.o
    nm -S --size-sort project.a
    strip -o stripped.so project.so
}

heavy() {
    if quick; then
        g++ -std=c++17 -O0 -g -DDEPTH=1 -c "$PRELOAD_SRC/heavy.cc" -o heavy.o
    else
        g++ -std=c++17 -O2 -g -DDEPTH=10 -c "$PRELOAD_SRC/heavy.cc" -o heavy.o
        g++ -std=c++17 -O1 -flto -frandom-seed=1 -DDEPTH=4 "$PRELOAD_SRC/heavy.cc" -o lto
        ./lto
    fi
    g++ heavy.o -o heavy
    ./heavy
}

refused() {
    if g++ -std=c++17 -fsyntax-only -DDEPTH=nothing "$PRELOAD_SRC/heavy.cc" 2>errors; then return 1; fi
    sed "s|$PRELOAD_SRC||" errors | sha1sum
}

same project project
same heavy heavy
quick || same refused refused
same_files '*.o' '*.so' '*.a' heavy
loaded '*/cc1'
loaded '*/cc1plus'
loaded '*/*ld.*'
loaded '*as' 2

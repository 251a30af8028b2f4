# shellcheck shell=bash
# clang on this project's own source and on a heavy C++ file, objects compared byte for byte.
. "$PRELOAD_SRC/../lib.sh"
limit - 240
need clang clang
need clang++ clang
need g++ g++

workload() {
    clang -std=c11 -D_GNU_SOURCE -w -O2 -g -fPIC -I"$PRELOAD_TOP/include" -I"$PRELOAD_TOP/src" \
        -c "$PRELOAD_TOP/src/cmalloc.c" -o project.o
    clang++ -std=c++17 -O1 -g -DDEPTH=6 -c "$PRELOAD_SRC/heavy.cc" -o heavy.o
    clang++ heavy.o -o heavy
    ./heavy
}

same clang workload
same_files '*.o' heavy
loaded '*/clang*' 3

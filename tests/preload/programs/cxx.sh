# shellcheck shell=bash
# C++: exceptions across threads, every operator new and delete, thread_local, locales, out of memory.
. "$PRELOAD_SRC/../lib.sh"
limit 120 60
need g++ g++

build cxx cxx.cc
same cxx ../cxx
probe ./cxx

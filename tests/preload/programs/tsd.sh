# shellcheck shell=bash
# Destructors of thread-specific data that allocate, on keys low and high, as often as POSIX lets them.
. "$PRELOAD_SRC/../lib.sh"
limit 60 120
need gcc gcc
need g++ g++

build tsd tsd.c
build thread_local thread_local.cc
probe ./tsd "$(quick && echo 1000 || echo 20000)"
probe ./thread_local

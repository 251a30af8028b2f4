# shellcheck shell=bash
# A library that is loaded with RTLD_DEEPBIND is found where its loader's RUNPATH says, and calls the library's
# malloc, as the program does; with deepbind=on it calls libc's, and one of the two dies of it.
. "$PRELOAD_SRC/../lib.sh"
limit 30 30
need gcc gcc

mkdir plugins
build plugins/plugin.so deepbind.c -DPLUGIN -fPIC -shared
# shellcheck disable=SC2016 # the dynamic linker's word
build libloader.so deepbind.c -DLOADER -fPIC -shared -Wl,--enable-new-dtags '-Wl,-rpath,$ORIGIN/plugins' -ldl
# shellcheck disable=SC2016
build deepbind deepbind.c ./libloader.so '-Wl,-rpath,$ORIGIN' -ldl
probe ./deepbind 1000
export CMALLOC_OPTIONS=deepbind=on
probe ./deepbind 0
if (ulimit -c 0 && preloaded ./deepbind 1000) >heeded.out 2>&1; then
    die "deepbind=on changed nothing"
fi

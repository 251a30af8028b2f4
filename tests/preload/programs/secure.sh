# shellcheck shell=bash
# In a secure-execution process (setuid) the environment steers nothing. LD_PRELOAD does not get there, so
# the program is linked with the library.
. "$PRELOAD_SRC/../lib.sh"
limit 30 30
need gcc gcc
need readelf binutils

soname=$(readelf -d "$PRELOAD_LIB" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
ln -s "$PRELOAD_LIB" "$soname"
build secure secure.c "$PRELOAD_LIB" -Wl,-rpath,"$PWD"
cp secure asked

# As root a program of nobody's; else, where sudo needs no password, a program of root's.
if [ "$(id -u)" = 0 ]; then
    chown nobody secure
    chmod u+s secure
else
    sudo -n chown root secure && sudo -n chmod u+s secure || die "needs root, or sudo without a password"
fi

export CMALLOC_OPTIONS=perturb=90,no_such_option=1
preloaded ./asked 0 90 2>asked.err || die "options have no effect at all: $(tail -n 1 asked.err)"
grep -q '^cmalloc: ' asked.err || die "a wrong option gets no line"
loaded '*/asked'
./secure 1 90 >secure.out 2>secure.err || die "status $?: $(cat secure.out secure.err | tail -n 1)"
[ ! -s secure.err ] || die "a setuid program printed: $(head -n 1 secure.err)"

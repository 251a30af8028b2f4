# shellcheck shell=bash
# Of the library's code, a program has resident what it runs, not what the start alone has run
# (src/library.ld): a small one less than 40 KiB, and most others less than the 64 KiB that Linux maps
# round the first page that is touched.
. "$PRELOAD_SRC/../lib.sh"
limit 30 60

few=40 more=64
case $PRELOAD_ORIGIN in */tiny/* | *secure*) few=1024 more=1024 ;; esac # they are not laid out for it
[ "$(getconf PAGESIZE)" = 4096 ] || few=1024 more=1024

# resident KIB COMMAND...: COMMAND, which prints its own smaps, has less than KIB of our code resident.
resident() {
    local most=$1 kib
    shift
    preloaded "$@" /proc/self/smaps >smaps
    kib=$(awk -v lib="$PRELOAD_LIB" '/^[0-9a-f]+-/ { code = $2 ~ /x/ && $6 == lib }
                                     code && /^Rss:/ { kib += $2 } END { print kib + 0 }' smaps)
    echo "resident of the code in $1: $kib KiB"
    [ "$kib" -gt 0 ] || die "no code of the library is resident"
    [ "$kib" -lt "$most" ] || die "$kib KiB of the library's code are resident"
}

for _ in 1 2 3 4 5; do # the library lies elsewhere each time
    resident $few head -n 5000
    resident $more sed ""
done

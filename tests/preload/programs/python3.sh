# shellcheck shell=bash
# python3 on our own program: as it comes, and with every object a malloc of its own. In the whole set
# also on a large part of its own test suite, which fails by itself if anything is wrong.
. "$PRELOAD_SRC/../lib.sh"
limit 120 600
need /usr/bin/python3 python3

export PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
rounds=$(quick && echo 1 || echo 2)
same pymalloc /usr/bin/python3 "$PRELOAD_SRC/work.py" 1
export PYTHONMALLOC=malloc
same malloc /usr/bin/python3 "$PRELOAD_SRC/work.py" "$rounds"
loaded '*/python3*' 4

if ! quick; then
need '/usr/lib/python3.*/test/test_dict.py' libpython3.11-testsuite
    suite=(test_array test_ast test_bigmem test_bisect test_builtin test_bytes test_collections test_complex
        test_context test_copy test_csv test_ctypes test_dataclasses test_decimal test_deque test_dict
        test_enum test_exceptions test_float test_fork1 test_format test_functools test_gc test_generators
        test_hashlib test_heapq test_io test_itertools test_json test_list test_long test_marshal
        test_memoryview test_mmap test_operator test_os test_pickle test_queue test_random test_re
        test_set test_sort test_sqlite3 test_statistics test_str test_struct test_subprocess test_thread
        test_threading test_time test_tuple test_types test_typing test_unicodedata test_weakref
        test_xml_etree test_zlib)
    /usr/bin/python3 -m test --list-tests "${suite[@]}" >there 2>there.err || cat there.err
    [ "$(wc -l <there)" -ge 40 ] || die "its test suite is not whole: $(wc -l <there) tests"
    xargs -a there /usr/bin/python3 -m test -j2 >plain.suite 2>&1 || true
    preloaded xargs -a there /usr/bin/python3 -m test -j2 >ours.suite 2>&1 || true
    verdicts() { sed -n '/^=\|^Total\|^Result\|tests\? failed:/,$p' "$1" | grep -E '^    test_|failed|OK$' | sort -u; }
    verdicts plain.suite >plain.verdict
    verdicts ours.suite >ours.verdict
    cat ours.verdict
    cmp -s plain.verdict ours.verdict || die "its test suite: $(diff plain.verdict ours.verdict | sed -n 2p)"
    ! grep -q '^cmalloc:' ours.suite || die "$(grep -m 1 '^cmalloc:' ours.suite)"
    loaded '*/python3*' 20
fi

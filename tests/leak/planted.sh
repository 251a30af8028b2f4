#!/bin/sh
# planted.sh: the long runs of the planted program. QUICK=1 for a tenth of them.
#
# Precision and recall in 100 precise scans; no false report under load; 200 threads;
# threads that come and go; no ptrace; below a debugger; copies that are killed; and what
# LeakSanitizer says about the same program.
set -u
# shellcheck source=tests/leak/lib.sh
. tests/leak/lib.sh

many=${QUICK:+10}
many=${many:-100}

# plant WHAT COMMAND...: one line about all its scans.
plant()
{
    what=$1
    shift
    env LD_PRELOAD="$lib" build/leak/plant "$work/truth" "$@" >"$work/out" 2>&1
    status=$?
    grep -E '^(not ok|# live|# not planted|cmalloc:)' "$work/out" | head -n 20 | sed 's/^not ok/# &/'
    awk '/^ok - found/ {
             found = $4; n++; sum += found
             if (n == 1 || found < least) least = found
         }
         END { if (n) printf "# %d scans: of 1000 leaks %d on average, %d at least\n",
                             n, sum / n, least }' "$work/out"
    expect "$what" [ $status -eq 0 ]
}

plant "$many precise scans" pin precise "$many"
plant "$((many / 5)) scans that stop nobody, under load" load no-stop $((many / 5))
plant "200 threads" crowd 200 precise 10 no-stop 2
plant "threads and libraries come and go" churn precise $((many / 2)) no-stop $((many / 20))
plant "no ptrace, no process_vm_readv" deny pin precise 5 no-pin no-stop 2
plant "copies are killed while they scan" kill precise "$many" no-stop 2
plant "collect frees all leaks and nothing else" pin load collect

if command -v gdb >/dev/null; then
    # shellcheck disable=SC2016  # gdb's own
    gdb -batch -ex 'set startup-with-shell off' -ex "set environment LD_PRELOAD=$lib" \
        -ex 'handle SIG62 nostop noprint pass' -ex run -ex 'print $_exitcode' \
        --args build/leak/plant "$work/truth" pin precise 2 no-pin no-stop 1 \
        >"$work/gdb" 2>&1
    grep -c '^ok - found' "$work/gdb" >"$work/count"
    expect "below gdb" [ "$(cat "$work/count")" -eq 3 ]
else
    echo "ok - below gdb # SKIP not installed"
fi

# The same program in the eyes of LeakSanitizer: an account, not a test of ours.
if command -v clang++ >/dev/null && clang++ -std=c++17 -O1 -Iinclude -fsanitize=leak \
    tests/leak/plant.cc -o "$work/lsan" -pthread -ldl -lrt 2>/dev/null; then
    cp build/leak/library.so "$work"
    PLANT_LSAN=1 LSAN_OPTIONS=report_objects=1:max_leaks=0 "$work/lsan" "$work/truth" \
        >"$work/report" 2>&1
    sed -n 's/^\(0x[0-9a-f]*\) (.*/"address":"\1"/p' "$work/report" >"$work/json"
    echo "# LeakSanitizer, at exit: $(judge "$work/truth" "$work/json")"
fi
finish

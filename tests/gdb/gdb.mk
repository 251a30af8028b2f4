# gdb.mk - the commands for gdb, on a live process and on its core.
LONG_RUN += 'tests/gdb/check.sh'

# demo.mk - the tour, compared with its golden text. The rule of ./heap is in the Makefile.
CHECK_RUN += 'tests/demo/check.sh'

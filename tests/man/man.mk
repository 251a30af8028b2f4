# man.mk - the manual, the completion and what make install leaves where.
CHECK_RUN += 'tests/man/check.sh'

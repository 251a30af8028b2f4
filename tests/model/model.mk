# model.mk - the lock-free steps, in spin: `make model`. run.sh says how.

model:
	@CC='$(CC)' tests/model/run.sh

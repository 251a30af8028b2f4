# fuzz.mk - fuzz targets: each is one input to one function, with the library in a box
# (fuzz.h), or without it: what the command reads of others (core, proc).
#
#   make check            runs the corpus and the reproducers, no fuzzer needed
#   make fuzz             builds build/fuzz/TARGET with clang's libFuzzer; then e.g.
#                         build/fuzz/calls -max_total_time=3600 -artifact_prefix=build/ \
#                             build/corpus tests/fuzz/corpus/calls
#   make fuzz-afl         builds build/afl/TARGET with AFL++; then e.g.
#                         afl-fuzz -i tests/fuzz/corpus/calls -o build/afl/out -- build/afl/calls
#
# The library is built as for the debug variant. corrupt runs without the assertions: they
# are about our own faults, and here somebody else's are looked at. objcopy gives its exported names
# a prefix, takes its calls of the kernel to the box, and its data into sections of their
# own.

.PHONY: fuzz fuzz-afl

FUZZ_TARGETS := calls corrupt options
FUZZ_CC      ?= clang
AFL_CC       ?= afl-clang-fast
FUZZ_SECTIONS := --rename-section .bss=cmbss \
                 $(foreach s,.data .data.rel .data.rel.local,--rename-section $s=cmdata)
FUZZ_BOXED   := syscall sbrk abort pthread_key_create pthread_setspecific

# Of what is not in the box; `make coverage` has others.
FUZZ_FLAGS   ?= -O1 -g

FUZZ_COMPILER = $(if $(filter build/fuzz/%,$@),$(FUZZ_CC),$(if $(filter build/afl/%,$@),$(AFL_CC),$(CC)))
FUZZ_MODE     = $(if $(filter build/fuzz/%,$@),-fsanitize=fuzzer-no-link,)
FUZZ_DRIVER   = $(if $(filter build/replay/%,$@),tests/fuzz/replay.c,-fsanitize=fuzzer)
FUZZ_DEFS     = -DCM_TINY=1 -DCM_DEBUG=$(if $(findstring corrupt,$@),0,1)

FUZZ_ALL := $(foreach kind,fuzz afl replay,$(FUZZ_TARGETS:%=build/$(kind)/%))

$(FUZZ_ALL:%=%.lib.o): src/cmalloc.c build/flags
	$(call say,CC)
	$(Q)$(FUZZ_COMPILER) $(CPPFLAGS) -O1 -g $(LIB) $(FUZZ_DEFS) $(FUZZ_MODE) $(DEPENDS) -c $< -o $@.raw
	$(Q)readelf -sW $@.raw | awk '$$5 ~ /GLOBAL|WEAK/ && $$6 == "DEFAULT" && $$7 != "UND" && \
	    $$8 !~ /^cmalloc_|^__san|^__start|^__stop|^__afl/ { print $$8, "fuzz_" $$8 }' >$@.names
	$(Q)for name in $(FUZZ_BOXED); do echo $$name fuzz_$$name; done >>$@.names
	$(Q)$(OBJCOPY) --redefine-syms=$@.names $(FUZZ_SECTIONS) $@.raw $@

$(FUZZ_ALL): %: %.lib.o tests/fuzz/box.c tests/fuzz/fuzz.h tests/fuzz/replay.c build/flags
	$(call say,CC)
	$(Q)$(FUZZ_COMPILER) $(CPPFLAGS) $(FUZZ_FLAGS) $(TEST) $(WARNINGS) $(FUZZ_DEFS) $(FUZZ_MODE) \
	    -Itests/fuzz tests/fuzz/$(@F).c tests/fuzz/box.c $< $(FUZZ_DRIVER) $(LDFLAGS) -o $@

$(foreach t,$(FUZZ_TARGETS),$(eval build/fuzz/$t build/afl/$t build/replay/$t: tests/fuzz/$t.c))

# ---- without the library ---------------------------------------------------------------

FUZZ_READERS   := core proc
# The traps need no library.
FUZZ_SANITIZER  = $(if $(filter build/replay/%,$@),-fsanitize=undefined -fsanitize-undefined-trap-on-error,\
                       -fsanitize=address,undefined -fno-sanitize-recover=all)
FUZZ_READER_ALL := $(foreach kind,fuzz afl replay,$(FUZZ_READERS:%=build/$(kind)/%))

$(FUZZ_READER_ALL): tests/fuzz/replay.c build/flags $(wildcard src/*/*.h)
	$(call say,CC)
	$(Q)$(FUZZ_COMPILER) $(CPPFLAGS) $(FUZZ_FLAGS) $(TEST) $(WARNINGS) $(FUZZ_MODE) $(FUZZ_SANITIZER) \
	    -D_GNU_SOURCE $(filter %.c,$(filter-out tests/fuzz/replay.c,$^)) $(FUZZ_DRIVER) $(LDFLAGS) -o $@

$(foreach kind,fuzz afl replay,build/$(kind)/proc): tests/fuzz/proc.c src/base/report.c src/tools/tool.c
$(foreach kind,fuzz afl replay,build/$(kind)/core): tests/fuzz/core.c \
    $(filter-out src/tools/main.c,$(TOOL_SOURCES)) build/map_page.c | build/replay/base.core

build/replay/base: tests/fuzz/base.c libcmalloc.a build/flags
	$(call say,CC)
	$(TEST_CC) -static $< libcmalloc.a $(LDFLAGS) -o $@

build/replay/base.core: tests/fuzz/base.sh build/replay/base
	$(call say,CORE)
	$(Q)tests/fuzz/base.sh build/replay/base $@

fuzz: $(FUZZ_TARGETS:%=build/fuzz/%) $(FUZZ_READERS:%=build/fuzz/%)
fuzz-afl: $(FUZZ_TARGETS:%=build/afl/%) $(FUZZ_READERS:%=build/afl/%)

CHECK_DEPS += $(foreach t,$(FUZZ_TARGETS) $(FUZZ_READERS),build/replay/$t)
CHECK_RUN  += $(foreach t,$(FUZZ_TARGETS) $(FUZZ_READERS),'build/replay/$t tests/fuzz/corpus/$t/*$(if $(filter core,$t), -r 1 5000)')

# Each call for memory fails once, one in each run (sweep.sh).
CHECK_RUN += 'OPS=200 SEED=1 MOST=60 tests/fuzz/sweep.sh build/tiny/stress/model'
LONG_RUN  += 'OPS=1000 TEST_TIMEOUT=3600 MOST=20000 tests/fuzz/sweep.sh build/tiny/stress/model' \
             'OPS=500 TEST_TIMEOUT=3600 MOST=20000 tests/fuzz/sweep.sh build/tiny/stress/threads'

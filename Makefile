# cmalloc. GNU make 3.82 or later, gcc or clang, and nothing else to build it.
#
#   make                  ./libcmalloc.so  ./libcmalloc.a  ./heap (the guided tour)
#                         build/cmalloc (the command)
#   make check            the quick tests; ends with "N passed, N failed"
#   make check-long       those and the long ones
#   make check-programs   real programs, preloaded
#   make check-map        pictures of heaps, in a browser
#   make debug            build/tiny/: asserts on, tiny sizes
#   make install          PREFIX=/usr/local  DESTDIR=
#   make uninstall        takes the same files away
#   make lint             every checker, both compilers
#   make format           clang-format, in place
#   make check-cross      other processors; check-clang, check-musl, check-install, dist, deb:
#                         tests/port/port.mk
#   make bench            against its peers (QUICK=1)
#   make model            the lock-free steps, in spin
#   make img              the drawings of the README
#   make clean
#
#   CC=clang  CFLAGS='-O3 -g'  V=1 (show the commands)  WERROR=1, CI=1 (warnings are errors)
#
# Tests bring their own rules in tests/*/*.mk. Such a fragment may
#   add to CHECK_DEPS       files that make check builds first
#          CHECK_RUN        commands that make check runs, each in single quotes
#          LONG_DEPS, LONG_RUN    the same for make check-long, which runs both
#   give the recipe of      bench, model, img, check-programs
#   compile with            $(TEST_CC) one.c $(TEST_LIBS) -o $@
#                           The variant follows from the path of $@:
#                           build/tiny/... or build/...; depend on build/flags, on the
#                           variant's cmalloc.o and, for cmocka and C++, order-only on
#                           build/need
# and writes nothing outside build/. tests/run.sh says how the results are counted.

all:
.PHONY: all check check-long check-programs debug install uninstall clean format lint \
        img model bench

# ---- Choices ---------------------------------------------------------------------------

CFLAGS  ?= -O2 -g
OBJCOPY ?= objcopy
PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
LIBDIR  ?= $(PREFIX)/lib
INCDIR  ?= $(PREFIX)/include
MANDIR  ?= $(PREFIX)/share/man
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
GDBDIR  ?= $(PREFIX)/share/gdb/auto-load
SUPPDIR ?= $(PREFIX)/share/cmalloc
INSTALL ?= install

VERSION := $(shell awk '/define CMALLOC_VERSION_/ { v = v s $$3; s = "." } \
                        END { print v }' include/cmalloc.h)
SONAME  := libcmalloc.so.$(firstword $(subst ., ,$(VERSION)))

WARNINGS := -pedantic -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion \
            -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wpointer-arith -Wcast-align \
            -Wcast-qual -Wwrite-strings -Wvla -Wimplicit-fallthrough -Wformat=2
ifneq ($(filter-out 0,$(CI) $(WERROR)),)
WARNINGS += -Werror
endif

# What the code relies on; after CFLAGS, so that a distribution's flags do not undo it.
#   -fno-builtin           else gcc makes calloc, written as malloc and memset, call
#                          calloc
#   -fno-strict-aliasing   a chunk's words are the user's data in its other life
#   -ftls-model            the general model may call malloc from within malloc
#   -fno-lto               one object already; and nobody may see through malloc into the
#                          headers
#   unwind tables          operator new throws through our frames
#   sibling calls          who calls dlopen has to stay its caller
# Left to the compiler: -fcf-protection (one endbr64 at each entry; a library without it
# switches it off for the whole process) and the stack protector (there are no arrays on
# the hit path).
CODE  := -std=c11 -pthread -fno-builtin -fno-strict-aliasing -fno-lto
LIB   := $(CODE) -fPIC -fvisibility=hidden -ftls-model=initial-exec -fno-plt \
         -fasynchronous-unwind-tables -foptimize-sibling-calls -Isrc -Iinclude
TEST  := $(CODE) -Isrc -Iinclude -Itests
TOOL  := -std=c11 -pthread -fno-strict-aliasing -D_GNU_SOURCE -Isrc -Iinclude
TINY  ?= -O1 -g
TINY_DEFS := -DCM_TINY=1 -DCM_DEBUG=1

# How the library is linked.
#   now         binding on first use would enter the dynamic linker in the middle of
#               malloc
#   nodelete    after dlclose, the exit handlers of threads still point to our code
#   initfirst   our constructor comes before all others
LINK := -shared -pthread -Wl,-soname,$(SONAME) -Wl,--version-script=src/cmalloc.map \
        -Wl,--no-undefined -Wl,-z,now -Wl,-z,nodelete -Wl,-z,initfirst -Wl,-z,relro \
        -Wl,-z,noexecstack -Wl,--build-id
# Few pages of it in a small program's memory: src/library.ld. One segment for code and
# constants, so that both share those pages.
PLACEABLE := -fdata-sections -ffunction-sections
PLACED := -Wl,-z,noseparate-code -Wl,-T,src/library.ld

# In the archive only what the library exports stays global: a program may have an
# arena_new of its own. It may also have operators new and delete of its own, or a cfree,
# so ours are weak there; and a static program keeps libc's dlopen. (.group: an i386
# compiler's helpers, which the linker would take from another object and leave ours
# without.)
ARCHIVED := --localize-hidden --remove-section=.group --wildcard --weaken-symbol=_Zn[wa]* \
            --weaken-symbol=_Zd[la]* --weaken-symbol=cfree --localize-symbol=dlopen

# ---- Words of the rules ----------------------------------------------------------------

VARIANT   = $(if $(filter build/tiny/%,$@),$(TINY) $(TINY_DEFS),$(CFLAGS)) \
            $(if $(findstring secure,$@),-DCM_SECURE=1)
FOLDER    = $(if $(filter build/tiny/%,$@),build/tiny,build)$(if $(findstring \
            secure,$@),/secure)
OBJECT    = $(FOLDER)/cmalloc.o
PARTS     = $(PART_NAMES:%=$(FOLDER)/%.o)
DEPENDS   = -MMD -MP -MF $@.d -MT $@
LIB_CC    = $(Q)$(CC) $(CPPFLAGS) $(VARIANT) $(LIB) $(WARNINGS) $(DEPENDS)
TEST_CC   = $(Q)$(CC) $(CPPFLAGS) $(VARIANT) $(TEST) $(WARNINGS) $(DEPENDS)
TEST_LIBS = $(LDFLAGS) -lcmocka
Q        := $(if $(filter-out 0,$(V)),,@)
say       = $(if $(Q),@mkdir -p $(@D); printf '  %-5s %s\n' '$(1)' '$@',@mkdir -p $(@D))
export CC CXX

# Rewritten only when the compiler or a flag changes; every object depends on it.
build/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CPPFLAGS) $(CFLAGS) | $(TINY) | $(LIB) | $(TEST) | $(WARNINGS)' \
	    '| $(PLACEABLE) $(LINK) $(PLACED) $(LDFLAGS) | $(ARCHIVED)' >$@.$$$$; \
	 if cmp -s $@.$$$$ $@; then rm -f $@.$$$$; else mv $@.$$$$ $@; fi
FORCE:

# ---- Library, archive, tour ------------------------------------------------------------

all: libcmalloc.so libcmalloc.a heap build/cmalloc
# The secure variant: its switches are read-only options of their own pages (src/secure.ld).
all: libcmalloc-secure.so
debug: build/tiny/libcmalloc.so build/tiny/libcmalloc.a build/tiny/cmalloc

# The parts of src/cmalloc.c, for the linker to place, and all as one.
PART_NAMES := near start more far
FOLDERS := build build/tiny build/secure build/tiny/secure
$(FOLDERS:%=%/near.o): PART := 1
$(FOLDERS:%=%/start.o): PART := 2
$(FOLDERS:%=%/more.o): PART := 3
$(FOLDERS:%=%/far.o): PART := 4
$(foreach part,$(PART_NAMES),$(FOLDERS:%=%/$(part).o)): src/cmalloc.c build/flags
	$(call say,CC)
	$(LIB_CC) $(PLACEABLE) -DCM_PART=$(PART) -c $< -o $@
$(FOLDERS:%=%/cmalloc.o): %/cmalloc.o: $(foreach part,$(PART_NAMES),%/$(part).o)
	$(call say,JOIN)
	$(Q)$(CC) $(filter -m%,$(CFLAGS)) -nostdlib -r $(PARTS) -o $@

libcmalloc.so: $(PART_NAMES:%=build/%.o)
build/tiny/libcmalloc.so: $(PART_NAMES:%=build/tiny/%.o)
libcmalloc.so build/tiny/libcmalloc.so: src/cmalloc.map src/library.ld
	$(call say,LINK)
	$(Q)$(CC) $(VARIANT) $(LDFLAGS) $(LINK) $(PLACED) $(PARTS) -o $@
libcmalloc-secure.so: build/secure/cmalloc.o
build/tiny/libcmalloc-secure.so: build/tiny/secure/cmalloc.o
libcmalloc-secure.so build/tiny/libcmalloc-secure.so: src/cmalloc.map src/secure.ld
	$(call say,LINK)
	$(Q)$(CC) $(VARIANT) $(LDFLAGS) $(LINK) -Wl,-T,src/secure.ld $(OBJECT) -o $@

build/archive/cmalloc.o: build/cmalloc.o
build/tiny/archive/cmalloc.o: build/tiny/cmalloc.o
build/archive/cmalloc.o build/tiny/archive/cmalloc.o:
	$(call say,LOCAL)
	$(Q)$(OBJCOPY) $(ARCHIVED:%='%') $(OBJECT) $@

libcmalloc.a: build/archive/cmalloc.o
build/tiny/libcmalloc.a: build/tiny/archive/cmalloc.o
libcmalloc.a build/tiny/libcmalloc.a:
	$(call say,AR)
	$(Q)rm -f $@ && $(AR) rcs $@ $<

# The tour, and of the command what draws it.
heap: tests/demo/heap.c $(filter-out src/tools/map.c,$(wildcard src/tools/map_*.c)) \
        src/tools/tool.c build/map_page.c libcmalloc.a build/flags \
        $(wildcard tests/demo/*.h src/tools/*.h)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(CODE) -D_GNU_SOURCE -Isrc -Iinclude $(WARNINGS) \
	    $(filter %.c,$^) libcmalloc.a $(LDFLAGS) -o $@

# The command: its own files, and the part of the library that looks at any memory.
TOOL_SOURCES := $(wildcard src/tools/*.c) \
                $(addprefix src/,base/report.c os/proc.c \
                  $(addprefix inspect/,reader.c walk.c walk_target.c stats.c stats_text.c find.c check.c \
                    reach.c leak.c roots.c scene.c findings.c profile.c))

# The style and the script of the page that `cmalloc map` writes, as arrays of lines.
build/map_page.c: src/tools/map.css src/tools/map.js
	@mkdir -p $(@D)
	$(Q)for kind in css js; do \
	    echo "extern const char *const map_$$kind[];"; \
	    echo "const char *const map_$$kind[] = {"; \
	    sed -e 's/[\\"]/\\&/g' -e 's/.*/    "&\\n",/' src/tools/map.$$kind; \
	    echo '    0};'; \
	done >$@

TOOL_OBJECTS := $(TOOL_SOURCES:src/%.c=command/%.o)
TOOL_PAGE    := command/map_page.o
build/cmalloc: $(TOOL_OBJECTS:%=build/%) $(TOOL_PAGE:%=build/%)
build/tiny/cmalloc: $(TOOL_OBJECTS:%=build/tiny/%) $(TOOL_PAGE:%=build/tiny/%)
build/cmalloc build/tiny/cmalloc:
	$(call say,LINK)
	$(Q)$(CC) $(VARIANT) $(TOOL) $^ $(LDFLAGS) -o $@

$(TOOL_OBJECTS:%=build/%): build/command/%.o: src/%.c
$(TOOL_OBJECTS:%=build/tiny/%): build/tiny/command/%.o: src/%.c
build/$(TOOL_PAGE) build/tiny/$(TOOL_PAGE): build/map_page.c
$(foreach o,$(TOOL_OBJECTS) $(TOOL_PAGE),build/$o build/tiny/$o): build/flags
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(VARIANT) $(TOOL) $(WARNINGS) $(DEPENDS) -c $(filter %.c,$^) -o $@

# ---- Tests -----------------------------------------------------------------------------

UNITS        := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
UNIT_HELPERS := $(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c))
UNIT_BINS    := $(UNITS:%=build/unit/%) $(UNITS:%=build/tiny/unit/%)

CHECK_DEPS := all debug $(UNIT_BINS)
CHECK_RUN  := 'tests/lint/layers.sh' 'tests/lint/exports.sh libcmalloc.so' \
              'tests/lint/exports.sh build/tiny/libcmalloc.so' 'tests/lint/link.sh' \
              'tests/lint/options.sh libcmalloc.so' \
              $(UNIT_BINS:%='%')
LONG_DEPS  :=
LONG_RUN   :=

include $(wildcard tests/*/*.mk img/*.mk)

$(UNITS:%=build/unit/%): build/cmalloc.o
$(UNITS:%=build/tiny/unit/%): build/tiny/cmalloc.o
$(UNITS:%=build/unit/%): build/unit/%: tests/unit/%.c
$(UNITS:%=build/tiny/unit/%): build/tiny/unit/%: tests/unit/%.c
$(UNIT_BINS) $(CXX_BINS): | build/need
$(UNIT_BINS): $(UNIT_HELPERS) build/flags
	$(call say,CC)
	$(TEST_CC) tests/unit/$(@F).c $(UNIT_HELPERS) $(OBJECT) $(TEST_LIBS) -o $@

# There is a cmocka to build with, and a C++ compiler: installed here if we may, else one
# line says how. gdb too, which makes core files; without it the tests of those are skipped.
build/need:
	@mkdir -p $(@D)
	@tests/need.sh cmocka cxx
	@tests/need.sh gdb || true
	@touch $@
build/cmocka: build/need
	@touch $@

check: $(CHECK_DEPS)
	@tests/run.sh $(CHECK_RUN)

check-long: $(CHECK_DEPS) $(LONG_DEPS)
	@tests/run.sh $(CHECK_RUN) $(LONG_RUN)

lint: export LIB_FLAGS := $(LIB)
lint: export TEST_FLAGS := $(TEST)
lint: export TOOL_FLAGS := $(TOOL)
lint: export WARNING_FLAGS := $(filter-out -Werror,$(WARNINGS))
lint: export TEST_TAIL := 200
lint:
	@tests/need.sh lint
	@tests/run.sh tests/lint/layers.sh tests/lint/style.sh tests/lint/format.sh \
	    'tests/lint/headers.sh gcc' 'tests/lint/headers.sh clang' \
	    'tests/lint/warnings.sh gcc' 'tests/lint/warnings.sh clang' \
	    tests/lint/tidy.sh tests/lint/cppcheck.sh tests/lint/scripts.sh

format:
	$(Q)clang-format -i $$(find src include tests -name '*.[ch]')

# ---- Installation ----------------------------------------------------------------------

D = $(DESTDIR)
PAGES = $(wildcard src/man/*.[1-8])

install: libcmalloc.so libcmalloc.a build/cmalloc
	$(INSTALL) -d '$D$(LIBDIR)/pkgconfig' '$D$(INCDIR)' '$D$(BINDIR)'
	$(INSTALL) -m 755 build/cmalloc '$D$(BINDIR)/cmalloc'
	$(INSTALL) -m 755 libcmalloc.so '$D$(LIBDIR)/libcmalloc.so.$(VERSION)'
	ln -sf libcmalloc.so.$(VERSION) '$D$(LIBDIR)/$(SONAME)'
	ln -sf $(SONAME) '$D$(LIBDIR)/libcmalloc.so'
	$(INSTALL) -m 644 libcmalloc.a '$D$(LIBDIR)/libcmalloc.a'
	$(INSTALL) -m 644 include/cmalloc.h '$D$(INCDIR)/cmalloc.h'
	$(INSTALL) -d '$D$(BASHDIR)' '$D$(GDBDIR)$(LIBDIR)'
	$(INSTALL) -m 644 src/tools/cmalloc.bash '$D$(BASHDIR)/cmalloc'
	$(INSTALL) -m 644 src/tools/cmalloc-gdb.py '$D$(GDBDIR)$(LIBDIR)/libcmalloc.so.$(VERSION)-gdb.py'
	$(INSTALL) -d '$D$(SUPPDIR)'
	$(INSTALL) -m 644 src/cmalloc.supp '$D$(SUPPDIR)/cmalloc.supp'
	for page in $(PAGES); do \
	    to='$D$(MANDIR)'/man$${page##*.}; \
	    $(INSTALL) -d "$$to" && $(INSTALL) -m 644 $$page "$$to" || exit 1; \
	done
	@printf '%s\n' 'Name: cmalloc' \
	    'Description: a drop-in malloc whose heap explains itself' 'Version: $(VERSION)' \
	    'Libs: -L$(LIBDIR) -lcmalloc' 'Libs.private: -pthread' 'Cflags: -I$(INCDIR)' \
	    >'$D$(LIBDIR)/pkgconfig/cmalloc.pc'
	$(INSTALL) -d '$D$(LIBDIR)/cmake/cmalloc'
	@for file in cmalloc-config cmalloc-config-version; do \
	    sed 's|@VERSION@|$(VERSION)|; s|@SONAME@|$(SONAME)|; s|@INCLUDE@|'$$(realpath \
	        -m --relative-to='$(LIBDIR)' '$(INCDIR)')'|' src/$$file.cmake \
	        >'$D$(LIBDIR)/cmake/cmalloc/'$$file.cmake || exit 1; \
	done

uninstall:
	rm -f '$D$(BINDIR)/cmalloc' \
	    '$D$(LIBDIR)/libcmalloc.so.$(VERSION)' '$D$(LIBDIR)/$(SONAME)' \
	    '$D$(LIBDIR)/libcmalloc.so' '$D$(LIBDIR)/libcmalloc.a' \
	    '$D$(LIBDIR)/pkgconfig/cmalloc.pc' '$D$(INCDIR)/cmalloc.h' \
	    '$D$(LIBDIR)/cmake/cmalloc/cmalloc-config.cmake' \
	    '$D$(LIBDIR)/cmake/cmalloc/cmalloc-config-version.cmake' \
	    '$D$(SUPPDIR)/cmalloc.supp' '$D$(BASHDIR)/cmalloc' '$D$(GDBDIR)$(LIBDIR)/libcmalloc.so.$(VERSION)-gdb.py' \
	    $(foreach p,$(PAGES),'$D$(MANDIR)/man$(subst .,,$(suffix $p))/$(notdir $p)')

clean:
	rm -rf build libcmalloc.so libcmalloc-secure.so libcmalloc.a heap

-include $(wildcard build/*.d build/*/*.d build/*/*/*.d build/*/*/*/*.d)

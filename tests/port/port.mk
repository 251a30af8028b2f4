# port.mk - the library with other compilers, on other processors, with another libc.
#
#   make check-cross    aarch64, riscv64 and i386, cross-built, run by qemu-user, or by this
#                       processor if it can; MACHINES='aarch64' for some of them
#   make check-clang    the quick tests with clang; programs of either compiler, at all levels
#   make check-musl     the suites with musl, static programs, and preloaded
#   make check-checkers programs built with sanitizers, and below valgrind
#   make check-install  what make install gives to pkg-config, CMake and static-pie
#   make dist           build/dist/cmalloc-VERSION.tar.gz; check-dist: its own make check
#   make deb            Debian packages in build/deb; check-deb: lintian, and, as root, that they
#                       install, work, and purge cleanly
#
# Each has a tree of its own in build/port/, a project made of links to this one, in which
# an ordinary make runs with other tools.

.PHONY: check-cross check-checkers check-clang check-musl check-install dist check-dist deb check-deb \
        port-suite musl-suite

# ---- processors ------------------------------------------------------------------------

MACHINES ?= aarch64 riscv64 i386
TRIPLET  = $(or $(TRIPLET_$*),$*-linux-gnu)
TRIPLET_i386 := i686-linux-gnu

# What runs it; of i386 the cross compiler's libc alone.
RUNNER      = EMULATOR='qemu-$* -L /usr/$(TRIPLET)'
RUNNER_i386 = EMULATOR= LDFLAGS='-Wl,--dynamic-linker=/usr/$(TRIPLET)/lib/ld-linux.so.2 \
                                 -Wl,-rpath,/usr/$(TRIPLET)/lib'

# $(call tree,NAME): build/port/NAME, where make is at home.
tree = mkdir -p build/port/$1/build && \
       ln -sfn $(CURDIR)/Makefile $(CURDIR)/README.md $(CURDIR)/src $(CURDIR)/include $(CURDIR)/tests \
           $(CURDIR)/img build/port/$1/

# Here there is a package of cmocka; there, tests/port/cmocka.h takes its place.
OWN_CMOCKA := TEST_LIBS= CPPFLAGS=-Itests/port

check-cross: $(MACHINES:%=check-cross-%)

check-cross-%:
	@tests/port/need.sh $*
	@$(call tree,$*) && touch build/port/$*/build/need
	+$(Q)$(MAKE) --no-print-directory -C build/port/$* $(OWN_CMOCKA) \
	    CC=$(TRIPLET)-gcc CXX=$(TRIPLET)-g++ OBJCOPY=$(TRIPLET)-objcopy AR=$(TRIPLET)-ar \
	    $(or $(RUNNER_$*),$(RUNNER)) port-suite

# What can be run by EMULATOR. Not stress/exhaust: qemu-user knows no limits on memory; nor
# what starts itself anew: the kernel knows no qemu.
PORT_STRESS := threads fork model sbrk
PORT_BINS   := $(UNIT_BINS) $(foreach p,$(PORT_STRESS),build/stress/$p build/tiny/stress/$p) \
               build/unit/operators build/tiny/unit/operators \
               build/unit/replaced_static build/tiny/unit/replaced_static

port-suite: export EMULATOR := $(EMULATOR)
port-suite: all debug $(PORT_BINS) $(ABORTS)
	@TEST_TIMEOUT=1800 tests/run.sh $(PORT_BINS:%='$(strip $(EMULATOR) %)') \
	    'tests/lint/exports.sh libcmalloc.so' \
	    'tests/abort/run.sh build/abort libcmalloc.so' \
	    'tests/abort/run.sh build/abort build/tiny/libcmalloc.so'

# ---- clang -----------------------------------------------------------------------------

# The quick tests with clang, then programs that are built with each level of optimisation,
# and with LTO, by either compiler, on the archive and on the shared library.
check-clang:
	@command -v clang++ >/dev/null || tests/need.sh lint
	@$(call tree,clang)
	+$(Q)$(MAKE) --no-print-directory -C build/port/clang CC=clang CXX=clang++ WERROR=1 check
	@tests/run.sh 'tests/port/levels.sh build/port/clang clang clang++' \
	    'tests/port/levels.sh build/port/clang gcc g++'

# ---- other checkers ----------------------------------------------------------------------

check-checkers: all
	@tests/port/need.sh checkers
	@TEST_TIMEOUT=900 tests/run.sh tests/port/checkers.sh

# ---- musl ------------------------------------------------------------------------------

# The suites, static and dynamic programs, and a preload by musl's own loader (abort). musl-gcc
# has no C++ library, and does not find the kernel's headers.
check-musl:
	@tests/port/need.sh musl
	@$(call tree,musl) && touch build/port/musl/build/need
	@mkdir -p build/port/musl/kernel && ln -sfn /usr/include/linux \
	    /usr/include/asm-generic /usr/include/$$(gcc -print-multiarch)/asm build/port/musl/kernel/
	+$(Q)$(MAKE) --no-print-directory -C build/port/musl CC=musl-gcc TEST_LIBS= \
	    CPPFLAGS='-Itests/port -isystem kernel' WERROR=1 musl-suite

MUSL_BINS := $(UNIT_BINS) $(foreach p,$(PORT_STRESS) exhaust,build/stress/$p build/tiny/stress/$p)

musl-suite: all debug $(MUSL_BINS) $(ABORTS)
	@TEST_TIMEOUT=900 tests/run.sh $(MUSL_BINS:%='%') \
	    'tests/lint/exports.sh libcmalloc.so' \
	    'tests/abort/run.sh build/abort libcmalloc.so' \
	    'tests/abort/run.sh build/abort build/tiny/libcmalloc.so' 'tests/port/levels.sh . musl-gcc'

# ---- installation ----------------------------------------------------------------------

check-install: all
	@tests/port/need.sh install
	@tests/run.sh tests/port/install.sh

# ---- packages --------------------------------------------------------------------------

# The source, whole; the same bytes from the same files. The time of all is the header's, where
# the version stands.
NAME_VERSION := cmalloc-$(VERSION)
DIST         := build/dist/$(NAME_VERSION).tar.gz
DIST_FILES   := .ci .clang-format .clang-tidy .gitignore LICENSE Makefile README.md img \
                include src tests

dist:
	@mkdir -p build/dist
	$(Q)tar -c --sort=name --owner=0 --group=0 --numeric-owner \
	    --mtime="@$$(stat -c %Y include/cmalloc.h)" --exclude=__pycache__ \
	    --transform='s|^|$(NAME_VERSION)/|' $(DIST_FILES) | gzip -9n >$(DIST)
	@echo $(DIST)

check-dist: dist
	$(Q)rm -rf build/dist/$(NAME_VERSION) && tar -C build/dist -xf $(DIST)
	+$(Q)$(MAKE) -C build/dist/$(NAME_VERSION) check

# The tarball again, with src/debian filled in and moved to where Debian wants it.
deb: dist
	@tests/port/need.sh deb
	@tests/port/deb.sh $(DIST) $(VERSION)

check-deb: deb
	@tests/run.sh 'tests/port/check-deb.sh $(VERSION)'

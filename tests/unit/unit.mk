# unit.mk - the unit tests that are C++. The C ones, test_*.c, have their rule in the Makefile.
#
#   operators   every form of operator new and delete, linked with the library in both variants
#   replaced    a program with its own operator new, against the preloaded library and against the archive

CXX_TEST = $(Q)$(CXX) $(CPPFLAGS) -std=c++17 -O1 -g -fno-builtin -pthread -Wall -Wextra \
           $(if $(findstring clang,$(CXX)),-fsized-deallocation) -Wno-sized-deallocation $(DEPENDS)

CXX_BINS := build/unit/operators build/tiny/unit/operators \
            build/unit/replaced build/unit/replaced_static build/tiny/unit/replaced_static

build/unit/operators: build/cmalloc.o
build/tiny/unit/operators: build/tiny/cmalloc.o
build/unit/operators build/tiny/unit/operators: tests/unit/operators.cc build/flags
	$(call say,CXX)
	$(CXX_TEST) $< $(OBJECT) $(LDFLAGS) -ldl -o $@

build/secure/unit/operators: tests/unit/operators.cc build/secure/cmalloc.o build/flags | build/need
	$(call say,CXX)
	$(CXX_TEST) $< $(OBJECT) $(LDFLAGS) -ldl -Wl,-T,src/secure.ld -o $@

build/unit/replaced: tests/unit/replaced.cc build/flags
	$(call say,CXX)
	$(CXX_TEST) $< $(LDFLAGS) -o $@

build/unit/replaced_static: libcmalloc.a
build/tiny/unit/replaced_static: build/tiny/libcmalloc.a
build/unit/replaced_static build/tiny/unit/replaced_static: tests/unit/replaced.cc build/flags
	$(call say,CXX)
	$(CXX_TEST) $< $(filter %.a,$^) $(LDFLAGS) -o $@

CHECK_DEPS += $(CXX_BINS) build/secure/unit/operators
CHECK_RUN  += 'build/unit/operators' 'build/tiny/unit/operators' 'build/secure/unit/operators' \
              'LD_PRELOAD=./libcmalloc.so build/unit/replaced' \
              'LD_PRELOAD=build/tiny/libcmalloc.so build/unit/replaced' \
              'build/unit/replaced_static' 'build/tiny/unit/replaced_static' \
              'CMALLOC_OPTIONS=leak_unaligned=on,leak_bits=48 build/unit/test_leaks'

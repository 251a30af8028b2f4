# secure.mk - the secure variant, release and debug: its own checks, and programs that use
# every entry point, linked with its object.

SECURE_OWN    := tests/secure/harden.c
SECURE_SHARED := unit/test_family stress/model stress/threads stress/fork
SECURE_BINS   := $(foreach v,build/secure build/tiny/secure, \
                     $v/harden $(SECURE_SHARED:%=$v/%))

define SECURE_RULE
$(1)/harden: tests/secure/harden.c $(1)/cmalloc.o
$(SECURE_SHARED:%=$(1)/%): $(1)/%: tests/%.c $(1)/cmalloc.o
endef
$(foreach v,build/secure build/tiny/secure,$(eval $(call SECURE_RULE,$v)))

$(SECURE_BINS): build/flags | build/need
	$(call say,CC)
	$(TEST_CC) $(filter %.c,$^) $(OBJECT) $(TEST_LIBS) -Wl,-T,src/secure.ld -o $@

# Each switch off by itself, and all of them.
COMMA := ,
SECURE_ALL_OFF := seal=off,canary=off,shuffle=off,quarantine=0,zero=off,guard=off,constant=off,sized=off
SECURE_OFF     := $(subst $(COMMA), ,$(SECURE_ALL_OFF))

CHECK_DEPS += libcmalloc-secure.so build/tiny/libcmalloc-secure.so $(SECURE_BINS)
CHECK_RUN  += $(SECURE_BINS:%='%') 'tests/lint/exports.sh libcmalloc-secure.so' \
              $(foreach o,$(SECURE_OFF) $(SECURE_ALL_OFF),'CMALLOC_OPTIONS=$o OPS=5000 build/tiny/secure/stress/model') \
              'CMALLOC_OPTIONS=$(SECURE_ALL_OFF) build/secure/unit/test_family' \
              'CMALLOC_OPTIONS=perturb=17 build/secure/unit/test_family'

# SPDX-License-Identifier: Apache-2.0
#
# Tests by folder; every test_*.c is one program:
#   unit      kit, all layers but app, the real io
#   contract  the same, and the plugins linked statically
#   scenario  the whole host, with tests/kit/sim_*.c in place of host/io, and the plugins
# tests/house/test_*.sh are run as they are and count as one test each.

KIT_SRCS := $(filter-out tests/kit/sim_%.c,$(wildcard tests/kit/*.c))
SIM_SRCS := $(wildcard tests/kit/sim_*.c)
KIT_LIB  := $(if $(KIT_SRCS),$(B)/lib/libek-testkit.a)
SIM_LIB  := $(if $(SIM_SRCS),$(B)/lib/libek-sim.a)
$(if $(KIT_LIB),$(eval $(call archive,$(KIT_LIB),$(call objects,obj,$(KIT_SRCS)))))
$(if $(SIM_LIB),$(eval $(call archive,$(SIM_LIB),$(call objects,obj,$(SIM_SRCS)))))

REAL_LIBS  := $(call layer_libs,sync config plugin kube io base) $(SDK_LIB)
WHOLE_LIBS := $(call layer_libs,$(LAYERS)) $(SDK_LIB)
WORLD_LIBS := $(call layer_libs,$(filter-out io,$(LAYERS))) $(SDK_LIB)

# $(call tests,FOLDER,ARCHIVES,LIBRARIES)
define tests
$(1)_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/$(1)/test_*.c))
$(foreach s,$(wildcard tests/$(1)/test_*.c),$(call program_grouped,$(s:%.c=$(B)/%),$(call \
	objects,obj,$(s)),$(2),$(3))
)
endef
define program_grouped
$(1): $(2) $(3) $(B)/flags
	$$(call say,LINK,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(EK_LDFLAGS) $$(EK_LDFLAGS_EXE) $$(LDFLAGS) -o $$@ $(2) $(call grouped,$(3)) $(4)
ALL_OBJECTS += $(2)

endef
$(eval $(call tests,unit,$(KIT_LIB) $(REAL_LIBS),$$(HOST_LIBS) $$(TEST_LIBS)))
$(eval $(call tests,contract,$(KIT_LIB) $(PLUGIN_LIBS_STATIC) $(REAL_LIBS),\
	$$(PLUGIN_PRIVATE_LIBS) $$(HOST_LIBS) $$(TEST_LIBS)))
$(eval $(call tests,scenario,$(KIT_LIB) $(SIM_LIB) $(PLUGIN_LIBS_STATIC) $(WORLD_LIBS),\
	$$(PLUGIN_PRIVATE_LIBS) $$(PURE_LIBS) $$(TEST_LIBS)))

# Stand-in servers (tests/kit/bin), the conformance kit (sdk/check) and benchmarks; some of these run in simulated time.
SIM_BENCHES := bench/endpoint.c
KIT_BINS := $(patsubst tests/kit/bin/%.c,$(B)/bin/ek-%,$(wildcard tests/kit/bin/*.c))
BENCHES  := $(patsubst bench/%.c,$(B)/bin/bench-%,$(wildcard bench/*.c))
RIG_LIB  := $(B)/lib/libek-bench.a
$(eval $(call archive,$(RIG_LIB),$(call objects,obj,$(wildcard bench/rig/*.c))))
$(foreach s,$(wildcard tests/kit/bin/*.c),$(eval $(call program_grouped,$(s:tests/kit/bin/%.c=$(B)/bin/ek-%),\
	$(call objects,obj,$(s)),$(KIT_LIB) $(REAL_LIBS),$$(HOST_LIBS) $$(TEST_LIBS))))
$(foreach s,$(filter-out $(SIM_BENCHES),$(wildcard bench/*.c)),$(eval $(call program_grouped,$(s:bench/%.c=$(B)/bin/bench-%),\
	$(call objects,obj,$(s)),$(RIG_LIB) $(KIT_LIB) $(WHOLE_LIBS),$$(HOST_LIBS) $$(TEST_LIBS))))
$(foreach s,$(SIM_BENCHES),$(eval $(call program_grouped,$(s:bench/%.c=$(B)/bin/bench-%),\
	$(call objects,obj,$(s)),$(KIT_LIB) $(SIM_LIB) $(PLUGIN_LIBS_STATIC) $(WORLD_LIBS),\
	$$(PLUGIN_PRIVATE_LIBS) $$(PURE_LIBS) $$(TEST_LIBS))))
$(if $(CHECK_BIN),$(eval $(call program_grouped,$(CHECK_BIN),$(call objects,obj,$(CHECK_SRCS)),\
	$(KIT_LIB) $(REAL_LIBS),$$(HOST_LIBS) $$(TEST_LIBS))))

# Plugins that a loader must refuse. A first line /* build: FLAGS */ adds flags; the words
# no-version-script and no-defs there leave out that part of a decent plugin's link.
BAD_SOS := $(patsubst tests/bad-plugins/%.c,$(B)/bad-plugins/%.so,$(wildcard tests/bad-plugins/*.c))
bad_flags = $(filter-out no-%,$(bad_words)) \
	$(if $(filter no-version-script,$(bad_words)),,-Wl,--version-script=$(PLUGIN_MAP)) \
	$(if $(filter no-defs,$(bad_words)),,$(Z_DEFS))
$(B)/bad-plugins/%.so: bad_words = $(shell sed -n '1s,^/\* build: \(.*\) \*/.*,\1,p' $<)
$(B)/bad-plugins/%.so: tests/bad-plugins/%.c $(SDK_LIB) $(PLUGIN_MAP) $(B)/flags
	$(call say,BAD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(compile) -fPIC -fvisibility=hidden $(EK_LDFLAGS) -shared $(LDFLAGS) -o $@ $< \
		$(bad_flags) $(SDK_LIB) $(bad_more)

# Traps in C++; and a library that plugins bring along, in two versions of one SONAME.
BAD_CXX_SOS := $(patsubst tests/bad-plugins/%.cc,$(B)/bad-plugins/%.so,$(wildcard tests/bad-plugins/*.cc))
$(B)/bad-plugins/%.so: tests/bad-plugins/%.cc $(SDK_LIB) $(PLUGIN_MAP) $(B)/flags
	$(call say,BAD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(if $(findstring clang,$(CC_VERSION)),clang++,$(CXX)) -std=gnu++20 $(OPTIMISE) -Wall -Wextra \
		-Wno-unused-parameter -Wno-missing-field-initializers $(EK_CPPFLAGS) $(CPPFLAGS) -MMD -MP \
		-fPIC -fvisibility=hidden $(EK_LDFLAGS) -shared $(LDFLAGS) -o $@ $< $(bad_flags) $(SDK_LIB)

bad_dir := $(abspath $(B)/bad-plugins)
ANSWERS := $(addprefix $(B)/bad-plugins/,one/libek-answer.so.1 two/libek-answer.so.1 sanitizer/libasan.so.99)
$(ANSWERS): tests/bad-plugins/library/answer.c $(B)/flags
	$(Q)mkdir -p $(@D)
	$(Q)$(compile) -fPIC -DEK_TRAP_ANSWER='"$(notdir $(@D))"' $(EK_LDFLAGS) -shared $(LDFLAGS) -Wl,-soname,$(@F) -o $@ $<

$(B)/bad-plugins/trap-needs-one.so: bad_more = $(bad_dir)/one/libek-answer.so.1 -Wl,-rpath,$(bad_dir)/one
$(B)/bad-plugins/trap-needs-two.so: bad_more = $(bad_dir)/two/libek-answer.so.1 -Wl,-rpath,$(bad_dir)/two
$(B)/bad-plugins/trap-needs-any.so: bad_more = $(bad_dir)/one/libek-answer.so.1
$(B)/bad-plugins/trap-sanitized.so: bad_more = $(bad_dir)/sanitizer/libasan.so.99
$(filter $(B)/bad-plugins/trap-needs-% %/trap-sanitized.so,$(BAD_SOS)): $(ANSWERS)
BAD_SOS += $(BAD_CXX_SOS)
ALL_OBJECTS += $(BAD_SOS:.so=.o)

# Running them
PROGRAM_TESTS := $(unit_TESTS) $(contract_TESTS) $(scenario_TESTS)
SCRIPT_TESTS  := $(wildcard tests/house/test_*.sh)
chosen = $(if $(TESTS),$(foreach t,$(1),$(if $(strip $(foreach w,$(TESTS),$(findstring $(w),$(t)))),$(t))),$(1))

.PHONY: check soak bench bench-real
check: $(call chosen,$(PROGRAM_TESTS)) $(PLUGIN_SOS) $(BAD_SOS) $(HOST_BIN) $(CHECK_BIN) $(KIT_BINS)
check:	## run unit, contract and scenario tests (TESTS=words, SANITIZE=address,undefined)
	$(Q)V=$(V) mk/check.sh $(B) $(call chosen,$(PROGRAM_TESTS)) $(call chosen,$(SCRIPT_TESTS))

soak: $(scenario_TESTS) $(PLUGIN_SOS)
soak:	## run the scenarios with many seeds (SEEDS=N)
	$(Q)EK_SEEDS=$(or $(SEEDS),10000) V=$(V) mk/check.sh $(B) $(scenario_TESTS)

bench: all $(BENCHES) $(KIT_BINS)
bench:	## measure, beside the figures to reach
	$(Q)for b in $(BENCHES); do EK_TEST_BUILD=$(B) $$b || exit; done
	$(Q)if tests/e2e/servers/build --built; then EK_TEST_BUILD=$(B) tests/e2e/run --python bench/real.py; \
		else echo "not measured with a real API server: make bench-real builds one, which takes minutes"; fi

bench-real: all $(KIT_BINS)
bench-real:	## measure with a real API server
	$(Q)EK_TEST_BUILD=$(B) tests/e2e/run --python bench/real.py

-include $(patsubst %.o,%.d,$(ALL_OBJECTS))

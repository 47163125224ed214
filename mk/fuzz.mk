# SPDX-License-Identifier: Apache-2.0
#
# Fuzz targets: tests/fuzz/fuzz_*.c. `make check` replays the corpus of each, with any compiler;
# `make fuzz` builds them with clang's libFuzzer and the sanitizers, in a directory of their own, and
# runs each for FUZZ_SECONDS. What it finds is kept in $(B)/fuzz/TARGET; put it into
# tests/fuzz/corpus/TARGET when it is mended.

FUZZ_SECONDS ?= 60
FUZZ_CC      ?= clang-14
FUZZ_SRCS    := $(wildcard tests/fuzz/fuzz_*.c)
fuzz_TESTS   := $(FUZZ_SRCS:%.c=$(B)/%)
FUZZERS      := $(FUZZ_SRCS:tests/fuzz/fuzz_%.c=$(B)/fuzz/bin/%)
fuzz_more    = $(if $(findstring fuzz_eureka,$(1)),$(B)/obj/plugins/eureka/replies.o)

$(foreach s,$(FUZZ_SRCS),$(eval $(call program_grouped,$(s:%.c=$(B)/%),$(call \
	objects,obj,$(s) tests/fuzz/replay.c) $(call fuzz_more,$(s)),$(REAL_LIBS),$$(HOST_LIBS))))

define fuzzer
$(B)/fuzz/bin/$(1): $(B)/obj/tests/fuzz/fuzz_$(1).o $(call fuzz_more,fuzz_$(1)) $(REAL_LIBS) $(B)/flags
	$$(call say,LINK,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) -fsanitize=fuzzer $$(EK_LDFLAGS) $$(EK_LDFLAGS_EXE) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) $$(call grouped,$(REAL_LIBS)) $$(HOST_LIBS)
endef
$(foreach s,$(FUZZ_SRCS),$(eval $(call fuzzer,$(s:tests/fuzz/fuzz_%.c=%))))

PROGRAM_TESTS += $(fuzz_TESTS)
check: $(call chosen,$(fuzz_TESTS))

.PHONY: fuzz fuzz-run
fuzz:	## let libFuzzer look for inputs that break the readers (FUZZ_SECONDS=N for each)
	$(Q)mk/deps.sh clang-14 libclang-rt-14-dev
	$(Q)$(MAKE) --no-print-directory CC=$(FUZZ_CC) SANITIZE=address,undefined,fuzzer-no-link fuzz-run

fuzz-run: $(FUZZERS)
	$(Q)set -e; for fuzzer in $(FUZZERS); do \
		name=$${fuzzer##*/}; kept=$(B)/fuzz/$$name; mkdir -p $$kept; \
		printf '  FUZZ    %s\n' $$name; \
		$$fuzzer -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 -artifact_prefix=$$kept/ \
			$$kept tests/fuzz/corpus/$$name >$$kept.log 2>&1 || { tail -n 40 $$kept.log; exit 1; }; \
		grep -a 'stat::number_of_executed_units\|^DONE\|#.*DONE' $$kept.log | tail -n 2; done

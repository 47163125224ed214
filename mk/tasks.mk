# SPDX-License-Identifier: Apache-2.0
#
# Targets that compile nothing themselves. What depends on `deps` builds in a second make, since
# this one may have been started before there was a pkg-config.

jobs   = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
remake = +$(Q)$(MAKE) --no-print-directory $(jobs)

.PHONY: all help deps demo demo-parts e2e-parts test e2e e2e-long lint format dist clean print-flags

help:	## this list
	@sed -n 's/^\([a-z0-9-]*\):	*## \(.*\)/  \1	\2/p' $(MAKEFILE_LIST) | sort | expand -t 14
	@echo "  variables: CONFIG=release|debug SANITIZE=address,undefined WERROR=1 V=1 CC= PREFIX= DESTDIR="

deps:	## install the distribution's packages that building needs (says which)
	$(Q)mk/deps.sh

demo-parts: all $(KIT_BINS)
demo: deps
demo:	## watch it work, on embedded stand-ins for Kubernetes and Eureka
	$(remake) demo-parts
	$(Q)EK_TEST_BUILD=$(B) examples/demo/run

test: deps
test:	## deps, then check
	$(remake) check

e2e-parts: all $(KIT_BINS) $(BAD_SOS)
e2e: deps
e2e:	## test against a real API server and real Spring Eureka servers
	$(Q)mk/deps.sh valgrind
	$(remake) e2e-parts
	$(Q)EK_TEST_BUILD=$(B) tests/e2e/run

e2e-long: deps
e2e-long:	## at real length: minutes of heartbeats and of outage; and once without streaming lists
	$(Q)mk/deps.sh valgrind
	$(remake) e2e-parts
	$(Q)EK_TEST_BUILD=$(B) tests/e2e/run --long
	$(Q)EK_TEST_BUILD=$(B) EK_E2E_FEATURE_GATES=WatchList=false tests/e2e/run \
		test_pods_in_eureka.py test_restarts.py test_api_faults.py test_guard.py

lint:	## includes, headers, licences, sizes, banned functions
	$(Q)mk/lint/run

CLANG_FORMAT ?= $(firstword $(foreach n,clang-format clang-format-14,$(shell command -v $(n))))
format:	## reformat the C sources with clang-format
	$(Q)$(or $(CLANG_FORMAT),$(error clang-format is not installed)) -i \
		$$(git ls-files --cached --others --exclude-standard '*.c' '*.h')

dist:	## pack the committed tree
	$(Q)mkdir -p build
	$(Q)git archive --format=tar --prefix=eurekube-$(VERSION)/ HEAD | gzip -n >build/eurekube-$(VERSION).tar.gz
	@echo build/eurekube-$(VERSION).tar.gz

clean:	## remove everything that was built
	$(Q)rm -rf build

print-flags: export TEXT = $(FLAGS_TEXT)
print-flags:	## show compiler, flags and libraries
	@printf '%s\n' "$$TEXT"

# SPDX-License-Identifier: Apache-2.0
#
# install puts down exactly the files listed here, and uninstall takes exactly these away.

bindir     := $(PREFIX)/bin
libdir     := $(PREFIX)/lib
includedir := $(PREFIX)/include
datadir    := $(PREFIX)/share/eurekube
plugindir  := $(libdir)/eurekube/plugins
toolsdir   := $(libdir)/eurekube/tools#	stand-ins, for trying a plugin without a cluster
templates  := $(wildcard $(addprefix sdk/template/*/,*.c Makefile README.md))

INSTALLED := \
	$(patsubst $(B)/bin/%,$(bindir)/%,$(HOST_BIN) $(CHECK_BIN)) \
	$(patsubst $(B)/plugins/%,$(plugindir)/%,$(PLUGIN_SOS)) \
	$(patsubst sdk-headers/%,$(includedir)/%,$(wildcard sdk-headers/eurekube/*.h)) \
	$(patsubst $(B)/lib/%,$(libdir)/%,$(SDK_LIB)) \
	$(libdir)/pkgconfig/eurekube-sdk.pc $(datadir)/plugin.mk $(datadir)/plugin.map \
	$(patsubst $(B)/bin/%,$(toolsdir)/%,$(KIT_BINS)) \
	$(patsubst sdk/template/%,$(datadir)/template/%,$(templates))

$(B)/eurekube-sdk.pc: sdk-headers/eurekube-sdk.pc.in FORCE
	@mkdir -p $(@D)
	$(Q)sed -e 's,@PREFIX@,$(PREFIX),' -e 's,@VERSION@,$(VERSION),' $< >$@

.PHONY: install uninstall
install: all $(KIT_BINS) $(B)/eurekube-sdk.pc
install:	## install under PREFIX (/usr/local), below DESTDIR
	$(Q)set -e; put() { mode=$$1 dir=$$2; shift 2; \
		[ $$# -eq 0 ] || install -D -m $$mode -t "$(DESTDIR)$$dir" "$$@"; }; \
	put 755 $(bindir) $(HOST_BIN) $(CHECK_BIN); \
	put 755 $(plugindir) $(PLUGIN_SOS); \
	put 644 $(includedir)/eurekube $(wildcard sdk-headers/eurekube/*.h); \
	put 644 $(libdir) $(SDK_LIB); \
	put 644 $(libdir)/pkgconfig $(B)/eurekube-sdk.pc; \
	put 644 $(datadir) sdk-headers/plugin.mk sdk-headers/plugin.map; \
	put 755 $(toolsdir) $(KIT_BINS); \
	for f in $(templates:sdk/template/%=%); do put 644 $(datadir)/template/$${f%/*} sdk/template/$$f; done

uninstall:	## remove what install put there
	$(Q)rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	$(Q)for d in $(plugindir) $(toolsdir) $(libdir)/eurekube $(includedir)/eurekube \
		$(sort $(dir $(templates:sdk/template/%=$(datadir)/template/%))) $(datadir)/template $(datadir); do \
		[ ! -d $(DESTDIR)$$d ] || rmdir --ignore-fail-on-non-empty $(DESTDIR)$$d; done

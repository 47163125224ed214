# SPDX-License-Identifier: Apache-2.0
#
# Every folder plugins/NAME becomes plugins/NAME.so, and lib/libek-plugin-NAME.a: one object whose
# only global symbol is ek_plugin_entry_v0_NAME, so that a test can link all plugins at once.
#
# Private libraries of a plugin are declared in plugins/NAME/plugin.mk: PLUGIN_PKGS (pkg-config
# names), PLUGIN_CFLAGS, PLUGIN_LIBS.

PLUGIN_MAP := sdk-headers/plugin.map
PLUGIN_NAMES := $(patsubst plugins/%/,%,$(filter-out plugins/,$(sort $(dir $(wildcard plugins/*/*.c)))))
PLUGIN_SOS   := $(PLUGIN_NAMES:%=$(B)/plugins/%.so)
PLUGIN_LIBS_STATIC := $(PLUGIN_NAMES:%=$(B)/lib/libek-plugin-%.a)
PLUGIN_PRIVATE_LIBS :=
NO_GNU_UNIQUE := $(if $(BUILDS),$(call probe,compile,-fno-gnu-unique))

# $(call plugin,NAME,SOURCES)
define plugin
PLUGIN_PKGS :=
PLUGIN_CFLAGS :=
PLUGIN_LIBS :=
-include plugins/$(1)/plugin.mk
$(1)_CFLAGS := $$(PLUGIN_CFLAGS) $$(if $$(PLUGIN_PKGS),$$(call pkg_cflags,$$(PLUGIN_PKGS)))
$(1)_LIBS   := $$(PLUGIN_LIBS) $$(if $$(PLUGIN_PKGS),$$(call pkg_libs,$$(PLUGIN_PKGS)))
PLUGIN_PRIVATE_LIBS += $$($(1)_LIBS)

$(B)/pic/plugins/$(1)/%.o:    EXTRA = $$($(1)_CFLAGS)
$(B)/static/plugins/$(1)/%.o: EXTRA = $$($(1)_CFLAGS) \
	-Dek_plugin_entry_v0=ek_plugin_entry_v0_$(subst -,_,$(1))

$(B)/plugins/$(1).so: $(call objects,pic,$(2)) $(SDK_LIB) $(PLUGIN_MAP) $(B)/flags
	$$(call say,PLUGIN,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(EK_LDFLAGS) $$(EK_LDFLAGS_SO) $$(LDFLAGS) -Wl,--version-script=$(PLUGIN_MAP) \
		-o $$@ $(call objects,pic,$(2)) $(SDK_LIB) $$($(1)_LIBS)

$(B)/static/$(1).o: $(call objects,static,$(2))
	$$(Q)ld -r -o $$@ $$^
	$$(Q)objcopy --keep-global-symbol=ek_plugin_entry_v0_$(subst -,_,$(1)) $$@
$(call archive,$(B)/lib/libek-plugin-$(1).a,$(B)/static/$(1).o)
ALL_OBJECTS += $(call objects,pic,$(2)) $(call objects,static,$(2))
endef
$(foreach p,$(PLUGIN_NAMES),$(eval $(call plugin,$(p),$(wildcard plugins/$(p)/*.c))))

$(B)/static/%.o: %.c $(B)/flags
	$(call say,CC,$< (static))
	$(Q)mkdir -p $(@D)
	$(Q)$(compile) -fPIE -c -o $@ $<

all: $(PLUGIN_SOS)

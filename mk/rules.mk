# SPDX-License-Identifier: Apache-2.0
#
# How a source becomes an object, and objects an archive or a program. Three flavours of objects:
#   obj/     position independent for executables
#   pic/     for shared objects: plugins, and the SDK library that is linked into them
#   static/  a plugin for linking into a test, its entry renamed

.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: FORCE

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' '$(1)' '$(2)')

compile = $(CC) $(EK_CPPFLAGS) $(INCLUDES) $(CPPFLAGS) $(EK_CFLAGS) $(CFLAGS) $(EXTRA) -MMD -MP

# What the objects of a folder may include besides <eurekube/...> and the system's headers.
INCLUDES =
BANNED = -include host/base/banned.h
$(B)/obj/host/%.o:  INCLUDES = -iquote host $(BANNED)
$(B)/pic/%.o:       INCLUDES = $(BANNED)
$(B)/static/%.o:    INCLUDES = $(BANNED)
$(B)/obj/sdk/%.o:   INCLUDES = -iquote host -iquote tests -iquote .
$(B)/obj/tests/%.o: INCLUDES = -iquote host -iquote tests -iquote .
$(B)/obj/bench/%.o: INCLUDES = -iquote host -iquote tests -iquote bench

# Changed flags rebuild what they were used for.
$(B)/flags: export TEXT = $(FLAGS_TEXT)
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$TEXT" | cmp -s - $@ || printf '%s\n' "$$TEXT" >$@

$(B)/obj/%.o: %.c $(B)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(compile) -fPIE -c -o $@ $<

$(B)/pic/%.o: %.c $(B)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(compile) -fPIC -fvisibility=hidden $(NO_GNU_UNIQUE) -c -o $@ $<

# $(call archive,FILE,OBJECTS): the list beside it notices sources that went away.
define archive
$(1): $(2) $(1).list
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@ && ar rcsD $$@ $(2)
$(1).list: FORCE
	@mkdir -p $$(@D)
	@echo '$(2)' | cmp -s - $$@ || echo '$(2)' >$$@
ALL_OBJECTS += $(2)
endef

# $(call program,FILE,OBJECTS,ARCHIVES,LIBRARIES): archives in this order, so that a call against
# the order of layers does not link.
define program
$(1): $(2) $(3) $(B)/flags
	$$(call say,LINK,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(EK_LDFLAGS) $$(EK_LDFLAGS_EXE) $$(LDFLAGS) -o $$@ $(2) $(3) $(4)
ALL_OBJECTS += $(2)
endef
objects = $(patsubst %.c,$(B)/$(1)/%.o,$(2))

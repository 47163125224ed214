# SPDX-License-Identifier: Apache-2.0
#
# The SDK library, one archive per layer of the host, and the operator. A layer without files yet
# is left out.

LAYERS := app sync config plugin kube io base#	whoever includes comes before what is included

SDK_SRCS := $(wildcard sdk/*.c)
SDK_LIB  := $(if $(SDK_SRCS),$(B)/lib/libeurekube-sdk.a)
$(if $(SDK_SRCS),$(eval $(call archive,$(SDK_LIB),$(call objects,pic,$(SDK_SRCS)))))

PRESENT_LAYERS := $(foreach l,$(LAYERS),$(if $(wildcard host/$(l)/*.c),$(l)))
layer_libs = $(patsubst %,$(B)/lib/libek-%.a,$(filter $(1),$(PRESENT_LAYERS)))
$(foreach l,$(PRESENT_LAYERS),$(eval $(call \
	archive,$(B)/lib/libek-$(l).a,$(call objects,obj,$(wildcard host/$(l)/*.c)))))

HOST_BIN := $(if $(wildcard host/main.c),$(B)/bin/eurekube)
$(if $(HOST_BIN),$(eval $(call program,$(HOST_BIN),$(call objects,obj,host/main.c),\
	$(call layer_libs,$(LAYERS)) $(SDK_LIB),$$(HOST_LIBS))))

# For a test or a tool the order of layers is no matter: its doubles sit below and above them.
# $(call grouped,ARCHIVES)
grouped = -Wl,--start-group $(1) -Wl,--end-group

CHECK_SRCS := $(wildcard sdk/check/*.c)
CHECK_BIN  := $(if $(CHECK_SRCS),$(B)/bin/eurekube-plugin-check)

all: $(SDK_LIB) $(HOST_BIN) $(CHECK_BIN)

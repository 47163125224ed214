# SPDX-License-Identifier: Apache-2.0
#
# Compiler and linker flags. Whatever not every compiler has is probed (mk/probe.sh), once per
# compiler and build directory. CFLAGS, CPPFLAGS and LDFLAGS stay the user's.

PKGS := libcurl libcjson yaml-0.1 libuv libmicrohttpd libcrypto

WARNINGS := -Wall -Wextra -Wno-unused-parameter -Wconversion -Wshadow -Wvla -Wundef -Wformat=2 \
	-Wpointer-arith -Wwrite-strings -Wstrict-prototypes -Wold-style-definition -Wmissing-prototypes \
	-Wimplicit-fallthrough -Wduplicated-cond -Wlogical-op -Wtrampolines \
	-Werror=format-security -Werror=implicit -Werror=incompatible-pointer-types \
	-Werror=int-conversion

HARDENING := -fstrict-flex-arrays=3 -fstack-clash-protection -fstack-protector-strong \
	-fcf-protection=full -mbranch-protection=standard -fno-delete-null-pointer-checks \
	-fno-strict-overflow -fno-strict-aliasing -fexceptions
HARDENING_release := -ftrivial-auto-var-init=zero -fzero-init-padding-bits=all

LINK_HARDENING := -Wl,-z,noexecstack -Wl,-z,relro -Wl,-z,now -Wl,--as-needed \
	-Wl,--no-copy-dt-needed-entries
# (GNU ld drops nodlopen from executables; glibc refuses to open what is marked PIE)
LINK_EXE := -Wl,-z,nodlopen

OPTIMISE_release := -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
OPTIMISE_debug   := -O0 -g3
OPTIMISE := $(OPTIMISE_$(CONFIG))
ifneq ($(SANITIZE),)
# Fortified calls and zeroed variables would hide what the sanitizers look for.
OPTIMISE := -O1 -g -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all
else
HARDENING += $(HARDENING_$(CONFIG))
endif

ifneq ($(BUILDS),)
probe = $(shell mk/probe.sh '$(CC)' $(B) $(1) $(2))

ifneq ($(shell command -v pkg-config >/dev/null && pkg-config --exists $(PKGS) && echo ok),ok)
$(error some libraries are missing ($(PKGS)); `make deps` installs them)
endif
pkg_cflags = $(patsubst -I%,-isystem%,$(shell pkg-config --cflags $(1)))
pkg_libs   = $(shell pkg-config --libs $(1))

HOST_LIBS := $(call pkg_libs,$(PKGS)) -ldl -lpthread
PURE_LIBS := $(call pkg_libs,libcjson yaml-0.1 libcrypto) -ldl -lpthread
TEST_LIBS := $(shell pkg-config --libs cmocka 2>/dev/null || echo -lcmocka)

EK_CFLAGS := -std=gnu11 $(OPTIMISE) $(call probe,compile,$(WARNINGS) $(HARDENING)) \
	$(if $(filter 1,$(WERROR)),-Werror) -ffile-prefix-map=$(CURDIR)=.
EK_CPPFLAGS := -D_GNU_SOURCE -DEK_VERSION='"$(VERSION)"' -Isdk-headers $(call pkg_cflags,$(PKGS))
EK_LDFLAGS := $(if $(SANITIZE),-fsanitize=$(SANITIZE)) $(call probe,link,$(LINK_HARDENING))
EK_LDFLAGS_EXE := -pie $(call probe,link,$(LINK_EXE))
CC_VERSION := $(shell $(CC) --version | head -n 1)
endif

# A plugin may call nothing but libraries: clang's sanitizer run time is in the executable only.
Z_DEFS := $(if $(and $(SANITIZE),$(findstring clang,$(CC_VERSION))),,-Wl$(comma)-z$(comma)defs)
EK_LDFLAGS_SO := -shared $(Z_DEFS)

define FLAGS_TEXT
CC        $(CC) ($(CC_VERSION))
CPPFLAGS  $(EK_CPPFLAGS) $(CPPFLAGS)
CFLAGS    $(EK_CFLAGS) $(CFLAGS)
LDFLAGS   $(EK_LDFLAGS) $(LDFLAGS)
exe       $(EK_LDFLAGS_EXE)
so        $(EK_LDFLAGS_SO)
libs      $(HOST_LIBS)
tests     $(TEST_LIBS)
endef

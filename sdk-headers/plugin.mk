# SPDX-License-Identifier: Apache-2.0
#
# Builds a EureKube plugin outside the source tree. The whole Makefile of a plugin:
#
#   EK_PLUGIN = mymode
#   SRCS = mymode.c
#   include $(shell pkg-config --variable=pluginmk eurekube-sdk)
#
# Targets: all (mymode.so), check (the conformance kit), install (into the plugin directory, or
# PLUGINDIR), clean. Before the include, or on the command line, may be set: CHECK_OPTIONS (arguments
# of the conformance kit, such as --option name=value), and PLUGIN_CFLAGS and PLUGIN_LIBS, for
# libraries of the plugin's own. Link private libraries statically: a shared one exists once per
# process, and whoever loads it first decides its version. CC, CFLAGS, CPPFLAGS and LDFLAGS stay
# yours.

EK_MAP    := $(dir $(lastword $(MAKEFILE_LIST)))plugin.map
PLUGINDIR ?= $(shell pkg-config --variable=plugindir eurekube-sdk)
CFLAGS    ?= -O2 -g -Wall -Wextra

# GNU_UNIQUE symbols are shared between everything in a process, so the host refuses them; only
# some compilers make them, and have the option.
EK_CFLAGS := $(shell pkg-config --cflags eurekube-sdk) -fPIC -fvisibility=hidden \
	$(shell $(CC) -fno-gnu-unique -E -x c /dev/null >/dev/null 2>&1 && echo -fno-gnu-unique)
EK_LDFLAGS := -shared -Wl,--version-script=$(EK_MAP) -Wl,-z,defs -Wl,-z,relro -Wl,-z,now \
	-Wl,-z,noexecstack
EK_LIBS := $(shell pkg-config --libs eurekube-sdk)
EK_OBJS := $(SRCS:.c=.o)

all: $(EK_PLUGIN).so

$(EK_PLUGIN).so: $(EK_OBJS) $(EK_MAP)
	$(CC) $(EK_LDFLAGS) $(LDFLAGS) -o $@ $(EK_OBJS) $(EK_LIBS) $(PLUGIN_LIBS)

%.o: %.c
	$(CC) -std=gnu11 $(EK_CFLAGS) $(PLUGIN_CFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

check: $(EK_PLUGIN).so
	eurekube-plugin-check $(CHECK_OPTIONS) ./$<

install: $(EK_PLUGIN).so
	install -D -m 755 -t '$(DESTDIR)$(PLUGINDIR)' $<

clean:
	rm -f $(EK_PLUGIN).so $(EK_OBJS) $(EK_OBJS:.o=.d)

.PHONY: all check install clean
-include $(EK_OBJS:.o=.d)

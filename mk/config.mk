# SPDX-License-Identifier: Apache-2.0
#
# The knobs, and where things are built: one directory per configuration, so that no object of one
# is ever linked into another.

VERSION  := 0.1.0

CONFIG   ?= release#	release or debug
SANITIZE ?=#		a list for -fsanitize, e.g. address,undefined
WERROR   ?=#		1: warnings are errors
V        ?=#		1: show the commands
TESTS    ?=#		make check: only the tests whose path contains one of these words

PREFIX   ?= /usr/local
DESTDIR  ?=

ifeq ($(origin CC),default)
CC := gcc
endif

comma := ,
empty :=
space := $(empty) $(empty)

# Recipes may rely on these being plain words.
override CONFIG   := $(strip $(CONFIG))
override SANITIZE := $(strip $(SANITIZE))
override WERROR   := $(strip $(WERROR))
override V        := $(strip $(V))
override TESTS    := $(strip $(TESTS))

ifeq ($(filter release debug,$(CONFIG)),)
$(error CONFIG is "$(CONFIG)"; it can be release or debug)
endif

B := build/$(CONFIG)$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))

# Targets that compile nothing in this make: they may run on a machine that has neither libraries
# nor pkg-config yet. What they build, they build in a second make, after `deps`.
TASKS := help deps demo test e2e e2e-long fuzz lint format dist uninstall clean
BUILDS := $(filter-out $(TASKS),$(or $(MAKECMDGOALS),all))

# Two tasks at once would run two makes in one build directory.
ifeq ($(BUILDS),)
.NOTPARALLEL:
endif

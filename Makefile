# SPDX-License-Identifier: Apache-2.0
#
# EureKube: `make help` lists the targets. Sources are found by folder, so a new file needs no entry
# here: mk/config.mk has the knobs, mk/flags.mk the compiler flags, and the rest one file per kind
# of thing that is built.

all:	## build the operator, its plugins and the SDK (default)

include mk/config.mk
include mk/flags.mk
include mk/rules.mk
include mk/host.mk
include mk/plugins.mk
include mk/tests.mk
include mk/fuzz.mk
include mk/install.mk
include mk/tasks.mk

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether what the operator wants after looking at parts is what it would want after looking at everything: each syncer that is at rest is evaluated as a whole, and
 * compared with its entries in the ledger. It applies nothing.
 */
#ifndef EK_KIT_EXACT_H
#define EK_KIT_EXACT_H

#include "kit/world.h"

/* Fails the test where they differ. Gives how many syncers were at rest and could be compared. */
unsigned then_wants_are_exact(struct world *w);

#endif

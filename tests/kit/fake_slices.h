/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plays the endpoint slice controller on a fake API server: Services with a selector and Pods become EndpointSlices, on the next turn
 * of the loop. It may play the kubelet as well: a new Pod then gets an address (10.0.0.1, 10.0.0.2, ...) and is ready at once; nobody ends
 * a terminating Pod but a deletion without grace period. Takes fake_kube_on_change for itself.
 */
#ifndef EK_KIT_FAKE_SLICES_H
#define EK_KIT_FAKE_SLICES_H

#include <stdbool.h>

#include "io/loop.h"
#include "kit/fake_kube.h"

struct fake_slices;

struct fake_slices *fake_slices_new(struct ek_loop *loop, struct fake_kube *kube, bool plays_kubelet);
void fake_slices_free(struct fake_slices *slices);      /* before the fake API server */

#endif

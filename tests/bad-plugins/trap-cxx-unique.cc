/* build: no-version-script */
/* SPDX-License-Identifier: Apache-2.0 */
/* The same without the version script: its shared variable is GNU_UNIQUE. */
#include "trap-cxx.cc"

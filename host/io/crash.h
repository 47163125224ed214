/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last line of a process that crashes: which signal, and who ran. Part of io/loop.
 */
#ifndef EK_IO_CRASH_H
#define EK_IO_CRASH_H

/* From the loop's thread. `who` is read when it happens. Signals that somebody handles already (a sanitizer) are left to them. */
void ek_crash_install(const char *who);

#endif

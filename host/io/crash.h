/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last line of a process that crashes, or that a plugin ends by exit: which signal, and who ran. Part of io/loop.
 */
#ifndef EK_IO_CRASH_H
#define EK_IO_CRASH_H

#define EK_CRASH_HOST "the host" /* who runs when no plugin does */

/* From the loop's thread. `who` is read when it happens, until it is forgotten. Signals that somebody handles already (a sanitizer) are left to them. */
void ek_crash_install(const char *who);
void ek_crash_forget(const char *who);

#endif

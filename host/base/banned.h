/* SPDX-License-Identifier: Apache-2.0 */
/*
 * banned.h - calls that do not compile here.
 *
 * The build includes this file before every source of the host, the SDK and the plugins. Use
 * snprintf or base/buf.h for strings, strtok_r or a scan for splitting; nothing here starts a shell
 * or takes memory from the stack by a size that came from outside.
 */
#ifndef EK_BASE_BANNED_H
#define EK_BASE_BANNED_H

/* Declared before the names are taken away. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef alloca
#undef gets
#undef popen
#undef sprintf
#undef strcat
#undef strcpy
#undef strncat
#undef strncpy
#undef strtok
#undef system
#undef vsprintf

#define alloca(...)   ek_banned_alloca
#define gets(...)     ek_banned_gets
#define popen(...)    ek_banned_popen
#define sprintf(...)  ek_banned_sprintf
#define strcat(...)   ek_banned_strcat
#define strcpy(...)   ek_banned_strcpy
#define strncat(...)  ek_banned_strncat
#define strncpy(...)  ek_banned_strncpy
#define strtok(...)   ek_banned_strtok
#define system(...)   ek_banned_system
#define vsprintf(...) ek_banned_vsprintf

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one form of a refusal.
 * It decides nothing.
 * Read next: loader.c for the reasons.
 */
#include "plugin/refuse.h"

#define REASON "PluginUnavailable"

static void mask_controls(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

int ek_refuse(struct ek_error *err, const char *name, const char *format, ...)
{
	char why[sizeof(err->message)];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	ek_fail_reason(err, EK_INVALID, REASON, "%.64s: %s", name, why);
	if (err)
		mask_controls(err->message);
	return EK_INVALID;
}

int ek_refuse_because(struct ek_error *err, const char *name, const struct ek_error *why)
{
	return ek_refuse(err, name, "%s", why->message);
}

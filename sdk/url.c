/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Percent-encoding for one path segment or one query value.
 * It does not build or split URLs.
 * Next: json_writer.c, for the bodies that go there.
 */
#include <eurekube/json.h>

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	       c == '~' || c == ':';
}

size_t ek_url_escape(const char *text, char *buffer, size_t size)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = 0;

	if (!size)
		return 0;
	for (; *text; text++) {
		bool is_plain = is_unreserved(*text);

		if (size - n <= (is_plain ? 1 : 3)) {
			buffer[0] = '\0';
			return 0;
		}
		if (is_plain) {
			buffer[n++] = *text;
			continue;
		}
		buffer[n++] = '%';
		buffer[n++] = digits[(unsigned char)*text >> 4];
		buffer[n++] = digits[(unsigned char)*text & 15];
	}
	buffer[n] = '\0';
	return n;
}

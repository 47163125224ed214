/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts a registry listing, which arrives in pieces of any size, into its instances: at any time only one of a hundred thousand is in memory. Reads
 * {"applications":{"application":[{"instance":[{...}]}]}} and {"application":{...}}, and lists of one element that old servers write as the element alone.
 */
#ifndef EK_PLUGINS_EUREKA_SCANNER_H
#define EK_PLUGINS_EUREKA_SCANNER_H

#include <eurekube/json.h>

#include <stdbool.h>

#define EK_EUREKA_SCANNER_DEPTH 16
#define EK_EUREKA_INSTANCE_MAX (1u << 20)

struct ek_eureka_frame {
	uint8_t is_array, wants_key;
	uint8_t role;  /* the key under which it stands */
	uint8_t key;   /* the last key read in it; an array's is its role */
};

struct ek_eureka_scanner {
	/* Takes the text of one instance; not 0 stops. */
	int (*on_instance)(void *arg, struct ek_slice json);
	void *arg;

	const char *fault;  /* NULL, or why this cannot be a listing */
	int32_t code;       /* with a fault or a stop: EK_PLUGIN, EK_TOO_BIG, EK_RETRY, or what on_instance gave */
	bool is_complete;   /* the whole document was read */
	bool is_listing;    /* and it had applications in it, or place for them */

	bool in_string, is_escaped, in_key;
	uint32_t depth, n_key;
	struct ek_eureka_frame frames[EK_EUREKA_SCANNER_DEPTH];
	char key[16];
	uint32_t braces;    /* open ones of the instance that is being copied; 0 none */
	char *copy;
	size_t n_copy, copy_room;
};

void ek_eureka_scanner_clear(struct ek_eureka_scanner *scanner);

/* Forgets the document but keeps callback and memory. */
void ek_eureka_scanner_restart(struct ek_eureka_scanner *scanner);

/* Nothing more is read after a fault or a stop. */
void ek_eureka_scanner_feed(struct ek_eureka_scanner *scanner, const char *bytes, size_t n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds values in the pruned trees that modes are shown. It allocates nothing and changes nothing.
 * Read <eurekube/mode.h> next, struct ek_tree.
 */
#include <eurekube/mode.h>

#include <string.h>

static const struct ek_tree *find_member(const struct ek_tree *tree, const char *key, size_t n)
{
	for (uint32_t i = 0; i < tree->n_children; i++)
		if (strncmp(tree->children[i]->key, key, n) == 0 && tree->children[i]->key[n] == '\0')
			return tree->children[i];
	return NULL;
}

static const struct ek_tree *find_item(const struct ek_tree *tree, const char *digits, size_t n)
{
	uint64_t number = 0;

	if (!n || n > 9)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return NULL;
		number = number * 10 + (uint64_t)(digits[i] - '0');
	}
	return number < tree->n_children ? tree->children[number] : NULL;
}

const struct ek_tree *ek_tree_find(const struct ek_tree *tree, const char *path)
{
	while (tree && *path) {
		size_t n = strcspn(path, ".");

		tree = tree->kind == EK_TREE_ARRAY ? find_item(tree, path, n) : find_member(tree, path, n);
		path += n + (path[n] == '.');
	}
	return tree;
}

const char *ek_tree_text(const struct ek_tree *tree, const char *path)
{
	const struct ek_tree *found = ek_tree_find(tree, path);

	return found && found->kind == EK_TREE_STRING ? found->text : NULL;
}

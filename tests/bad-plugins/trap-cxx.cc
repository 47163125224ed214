/* SPDX-License-Identifier: Apache-2.0 */
/* Written in C++: statics with constructors and destructors, exceptions that stay inside, and a variable that is one in the whole process if it is seen. */
#include <eurekube/mode.h>

#include <cstdlib>
#include <fcntl.h>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

extern "C" {
__attribute__((visibility("default"))) inline int shared_by_all = 1;
}

namespace
{
/* At the end of the process it leaves a mark. */
struct witness {
	std::vector<std::string> words{"constructed", "thrown", "caught"};

	~witness()
	{
		const char *path = std::getenv("EK_TEST_MARKER");

		if (path && words.size() == 3)
			close(open(path, O_CREAT | O_WRONLY, 0600));
	}
};

witness statics;

std::string sentence()
{
	static const std::string local = statics.words.at(0);

	try {
		throw std::runtime_error(statics.words.at(1));
	} catch (const std::exception &caught) {
		return local + ", " + caught.what() + ", " + statics.words.at(2) + ", " + std::string(1, static_cast<char>('0' + shared_by_all));
	}
}

int desired(void *self, const ek_syncer *syncer, const ek_cluster *cluster, const ek_sink *sink, ek_error *err)
{
	return ek_fail(err, EK_INVALID, "%s", sentence().c_str());
}

ek_mode_ops operations()
{
	ek_mode_ops made = {};

	made.size = sizeof(made);
	made.desired = desired;
	return made;
}

const ek_mode_ops ops = operations();
}

extern "C" {
EK_PLUGIN_DEFINE(cxx, MODE, .version = "1.0.0", .ops = &ops);
}

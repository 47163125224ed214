/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS of io/http against `openssl s_server`: who is believed, under which name, and with which
 * certificate of our own. Most of it is skipped where there is no openssl command.
 * Next: host/io/http_tls.h.
 */
#include "io/http.h"

#include "base/buf.h"
#include "io/file.h"
#include "unit/io_wait.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64];
static struct ek_loop *loop;
static struct ek_http *http;
static struct ek_http_client *client;

struct server {
	pid_t pid;
	int out;
	unsigned port;
};

static pid_t start_openssl(char *const argv[], int out)
{
	pid_t child = fork();

	if (!child) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(out >= 0 ? out : null, 1);
		dup2(null, 2);
		execvp("openssl", argv);
		_exit(127);
	}
	return child;
}

static bool run_openssl(char *const argv[])
{
	pid_t child = start_openssl(argv, -1);
	int status;

	return waitpid(child, &status, 0) == child && WIFEXITED(status) && !WEXITSTATUS(status);
}

#define OPENSSL(...) ((char *const[]){ (char[]){ "openssl" }, __VA_ARGS__, NULL })
#define S(text)      ((char[]){ text })

static bool make_certificate(const char *name, const char *extension)
{
	char key[32], cert[32], subject[64], alt[64];

	snprintf(key, sizeof(key), "%s.key", name);
	snprintf(cert, sizeof(cert), "%s.crt", name);
	snprintf(subject, sizeof(subject), "/CN=%s", name);
	snprintf(alt, sizeof(alt), "subjectAltName=%s", extension);
	return run_openssl(OPENSSL(S("req"), S("-x509"), S("-newkey"), S("ec"), S("-pkeyopt"),
		S("ec_paramgen_curve:prime256v1"), S("-nodes"), S("-days"), S("2"), S("-subj"), subject,
		S("-addext"), alt, S("-keyout"), key, S("-out"), cert));
}

static int set_up_group(void **state)
{
	snprintf(directory, sizeof(directory), "/tmp/test_io_tls.XXXXXX");
	if (!mkdtemp(directory) || chdir(directory))
		return -1;
	if (!run_openssl(OPENSSL(S("version"))))
		return 0;
	return make_certificate("local", "IP:127.0.0.1") && make_certificate("api.test", "DNS:api.test") &&
		make_certificate("me", "DNS:me") ? 0 : -1;
}

static int tear_down_group(void **state)
{
	static const char *const names[] = { "local.key", "local.crt", "api.test.key", "api.test.crt",
		"me.key", "me.crt" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(names[i]);
	return chdir("/") || rmdir(directory);
}

static int set_up(void **state)
{
	loop = ek_loop_new();
	http = ek_http_new(loop);
	return 0;
}

static int tear_down(void **state)
{
	ek_http_client_free(client);
	client = NULL;
	ek_http_free(http);
	ek_loop_free(loop);
	return 0;
}

/* It says "ACCEPT 127.0.0.1:PORT" when it listens. */
static void start_server(struct server *server, const char *name, bool asks_for_certificate)
{
	char key[32], cert[32], line[256] = "";
	int ends[2];
	size_t n = 0;
	const char *accept_line;

	if (access("local.crt", F_OK))
		skip();
	snprintf(key, sizeof(key), "%s.key", name);
	snprintf(cert, sizeof(cert), "%s.crt", name);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	server->pid = start_openssl(asks_for_certificate ?
		OPENSSL(S("s_server"), S("-accept"), S("127.0.0.1:0"), S("-www"), S("-key"), key, S("-cert"),
			cert, S("-Verify"), S("1"), S("-verify_return_error"), S("-CAfile"), S("me.crt")) :
		OPENSSL(S("s_server"), S("-accept"), S("127.0.0.1:0"), S("-www"), S("-key"), key, S("-cert"),
			cert), ends[1]);
	close(ends[1]);
	server->out = ends[0];
	while (!(accept_line = strstr(line, "ACCEPT 127.0.0.1:")) || !strchr(accept_line, '\n')) {
		ssize_t more = read(ends[0], line + n, sizeof(line) - 1 - n);

		assert_true(more > 0);
		n += (size_t)more;
		line[n] = '\0';
	}
	server->port = (unsigned)atoi(accept_line + strlen("ACCEPT 127.0.0.1:"));
}

static void stop_server(struct server *server)
{
	kill(server->pid, SIGTERM);
	waitpid(server->pid, NULL, 0);
	close(server->out);
}

struct reply {
	unsigned n_done;
	int code, status;
	char message[512];
};

static void on_done(void *arg, const struct ek_http_result *result)
{
	struct reply *reply = arg;

	reply->n_done = 1;
	reply->code = result->code;
	reply->status = result->status;
	snprintf(reply->message, sizeof(reply->message), "%s", result->message);
}

static int ask(struct server *server, struct ek_http_tls tls)
{
	struct reply reply = { 0 };
	char url[64];
	struct ek_http_req req = { .method = "GET", .url = url, .timeout_ms = 5000, .arg = &reply,
		.on_done = on_done };

	snprintf(url, sizeof(url), "https://127.0.0.1:%u/", server->port);
	if (client)
		ek_http_client_set_tls(client, &tls);
	else
		client = ek_http_client_new(http, &(struct ek_http_client_config){ .tls = tls });
	assert_non_null(ek_http_start(client, &req, NULL));
	assert_true(io_wait(loop, &reply.n_done, 1));
	if (reply.code == EK_OK)
		assert_int_equal(reply.status, 200);
	else
		assert_true(strlen(reply.message) > 20);
	return reply.code;
}

static void a_server_is_believed_only_with_its_authority(void **state)
{
	struct server server;
	struct ek_buf pem;

	start_server(&server, "local", false);
	assert_int_equal(ask(&server, (struct ek_http_tls){ 0 }), EK_AUTH);
	assert_int_equal(ask(&server, (struct ek_http_tls){ .ca_file = "api.test.crt" }), EK_AUTH);
	assert_int_equal(ask(&server, (struct ek_http_tls){ .ca_file = "local.crt" }), EK_OK);
	assert_int_equal(ask(&server, (struct ek_http_tls){ .ca_file = "api.test.crt" }), EK_AUTH);
	ek_buf_init(&pem, 100000);
	assert_int_equal(ek_file_read("local.crt", &pem, NULL), EK_OK);
	assert_int_equal(ask(&server, (struct ek_http_tls){ .ca_file = "api.test.crt", .ca_pem = pem.at,
		.ca_pem_bytes = pem.n }), EK_OK);
	ek_buf_clear(&pem);
	stop_server(&server);
}

static void a_server_is_believed_only_under_its_name(void **state)
{
	struct server server;

	start_server(&server, "api.test", false);
	assert_int_equal(ask(&server, (struct ek_http_tls){ .ca_file = "api.test.crt" }), EK_AUTH);
	assert_int_equal(ask(&server, (struct ek_http_tls){ .ca_file = "api.test.crt",
		.server_name = "api.test" }), EK_OK);
	assert_int_equal(ask(&server, (struct ek_http_tls){ .ca_file = "api.test.crt",
		.server_name = "other.test" }), EK_AUTH);
	stop_server(&server);
}

static void verification_can_be_skipped(void **state)
{
	struct server server;

	start_server(&server, "api.test", false);
	assert_int_equal(ask(&server, (struct ek_http_tls){ .insecure_skip_verify = true }), EK_OK);
	stop_server(&server);
}

static void a_client_certificate_is_shown_and_its_lack_is_auth(void **state)
{
	struct server server;

	start_server(&server, "local", true);
	assert_int_equal(ask(&server, (struct ek_http_tls){ .ca_file = "local.crt" }), EK_AUTH);
	assert_int_equal(ask(&server, (struct ek_http_tls){ .ca_file = "local.crt", .cert_file = "me.crt",
		.key_file = "me.key" }), EK_OK);
	assert_int_equal(ask(&server, (struct ek_http_tls){ .ca_file = "local.crt",
		.cert_file = "api.test.crt", .key_file = "api.test.key" }), EK_AUTH);
	stop_server(&server);
}

static void an_unreadable_ca_file_is_an_error_that_names_it(void **state)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_http_req req = { .method = "GET", .url = "https://127.0.0.1:1/", .on_done = on_done };

	client = ek_http_client_new(http, &(struct ek_http_client_config){
		.tls = { .ca_file = "/nonexistent/ca.crt" } });
	assert_null(ek_http_start(client, &req, &err));
	assert_non_null(strstr(err.message, "/nonexistent/ca.crt"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_unreadable_ca_file_is_an_error_that_names_it),
		TEST(a_server_is_believed_only_with_its_authority),
		TEST(a_server_is_believed_only_under_its_name),
		TEST(verification_can_be_skipped),
		TEST(a_client_certificate_is_shown_and_its_lack_is_auth),
	};

	return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session with ZooKeeper, and how the client library is joined to the host's loop: it names a socket, the events it waits for and a time; the host watches a
 * duplicate of that socket, since the library closes its own whenever it likes. It knows nothing of instances. Read calls.c next.
 *
 * A lost connection is the library's affair: it goes on with the next server and the same session. A session that expired is ours: a new one is opened, and the host is
 * told that everything is lost. Names are resolved again when no server could be reached, in case they have moved.
 */
#include "zk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECONNECT_MIN_MS 200
#define REFUSED_PAUSE_MS 5000  /* between attempts with credentials that were refused */
#define MAX_READS 64           /* answers handled in one turn */
#define SECRET_BYTES 256

static void turn(struct zk *zk, uint32_t events);

/* ---- When to turn ------------------------------------------------------------------------------------------------------------------------------------------- */

static void on_timer(void *arg)
{
	struct zk *zk = arg;

	zk->timer = NULL;
	turn(zk, 0);
}

static void turn_in(struct zk *zk, int64_t delay_ms)
{
	const struct ek_host *host = zk->host;

	host->timer_stop(host, zk->timer);
	zk->timer = host->timer_start(host, delay_ms, on_timer, zk);
	zk->timer_due_ms = host->now_ms(host) + delay_ms;
}

void zk_turn_soon(struct zk *zk)
{
	if (!zk->is_closing && !zk->resolver && (!zk->timer || zk->timer_due_ms > zk->host->now_ms(zk->host)))
		turn_in(zk, 0);
}

/* ---- What to watch ------------------------------------------------------------------------------------------------------------------------------------------ */

static void on_ready(void *arg, uint32_t events)
{
	turn(arg, events);
}

static void unwatch(struct zk *zk)
{
	zk->host->fd_stop(zk->host, zk->watch);
	zk->watch = NULL;
	if (zk->fd >= 0)
		close(zk->fd);
	zk->fd = -1;
}

/* A number that was closed may have come back as another socket. */
static bool is_same_socket(int a, int b)
{
	struct stat first, second;

	return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

static void watch(struct zk *zk, int fd, uint32_t events)
{
	struct ek_error err = EK_ERROR_INIT;
	const struct ek_host *host = zk->host;

	if (fd >= 0 && zk->watch && is_same_socket(fd, zk->fd)) {
		if (events != zk->events)
			host->fd_update(host, zk->watch, events);
		zk->events = events;
		return;
	}
	unwatch(zk);
	if (fd < 0)
		return;
	zk->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (zk->fd >= 0)
		zk->watch = host->fd_watch(host, zk->fd, events, on_ready, zk, &err);
	if (!zk->watch) {
		host->log(host, EK_LOG_ERROR, "the socket to ZooKeeper cannot be watched", NULL, 0);
		unwatch(zk); /* the timer still drives it, slowly */
	}
	zk->events = events;
}

/* ---- What to tell ------------------------------------------------------------------------------------------------------------------------------------------- */

static void say(const struct zk *zk, uint32_t level, const char *message)
{
	char session[32];
	struct ek_pair servers = { .size = sizeof(servers), .key = "servers", .value = zk->addresses };
	struct ek_pair id = { .size = sizeof(id), .key = "session", .value = session };
	const struct ek_pair *const pairs[] = { &servers, &id };

	snprintf(session, sizeof(session), "0x%llx", (unsigned long long)zk->session);
	zk->host->log(zk->host, level, message, pairs, zk->session ? 2 : 1);
}

static void begin_outage(struct zk *zk, const char *message)
{
	if (!zk->is_in_outage)
		say(zk, EK_LOG_WARN, message);
	zk->is_in_outage = true;
}

static void on_connected(struct zk *zk)
{
	int64_t former = zk->session;

	zk->client = *zoo_client_id(zk->handle);
	zk->session = zk->client.client_id;
	zk->is_connected = true;
	zk->n_failed = 0;
	zk->is_in_outage = false;
	zk->is_secret_bad = false;
	say(zk, EK_LOG_INFO, "connected to ZooKeeper");
	zk->host->gauge(zk->host, "connected", 1);
	if (!former || former == zk->session)
		return;
	zk->host->count(zk->host, "sessions_lost", 1);
	zk->host->lost(zk->host, "the session with ZooKeeper ended, and its nodes with it");
}

static void on_event(zhandle_t *handle, int type, int state, const char *path, void *context)
{
	struct zk *zk = context;

	if (type != ZOO_SESSION_EVENT || zk->is_closing || zk->handle != handle)
		return;
	if (state == ZOO_CONNECTED_STATE) {
		on_connected(zk);
		return;
	}
	if (zk->is_connected) {
		zk->host->gauge(zk->host, "connected", 0);
		begin_outage(zk, "connection to ZooKeeper lost");
	}
	zk->is_connected = false;
}

/* The library's own lines would go to stderr; it has no way to tell for whom they are. */
static void on_library_log(const char *message)
{
}

/* ---- Credentials -------------------------------------------------------------------------------------------------------------------------------------------- */

static void on_auth(int rc, const void *data)
{
}

static uint64_t hash_of(const char *text)
{
	uint64_t hash = 14695981039346656037u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 1099511628211u;
	return hash | 1;
}

/* "username:password"; EK_GONE without any. */
static int read_secret(struct zk *zk, char secret[SECRET_BYTES], struct ek_error *err)
{
	const struct ek_host *host = zk->host;
	uint32_t n;
	int code = host->secret(host, "username", secret, SECRET_BYTES - 1, err);

	if (code != EK_OK)
		return code;
	n = (uint32_t)strlen(secret);
	secret[n++] = ':';
	return host->secret(host, "password", secret + n, SECRET_BYTES - n, err);
}

static void send_secret(struct zk *zk)
{
	struct ek_error err = EK_ERROR_INIT;
	char secret[SECRET_BYTES];
	int code = read_secret(zk, secret, &err);

	if (code == EK_OK && hash_of(secret) != zk->secret_hash) {
		zk->secret_hash = hash_of(secret);
		zoo_add_auth(zk->handle, "digest", secret, (int)strlen(secret), on_auth, NULL);
	} else if (code != EK_OK && code != EK_GONE) {
		say(zk, EK_LOG_ERROR, "the credentials for ZooKeeper cannot be read");
	}
	explicit_bzero(secret, sizeof(secret));
}

void zk_read_secret_again(struct zk *zk)
{
	if (zk->secret_hash && zk->handle && !zk->is_closing)
		send_secret(zk);
}

/* ---- Handles ------------------------------------------------------------------------------------------------------------------------------------------------ */

void zk_session_drop(struct zk *zk)
{
	zhandle_t *handle = zk->handle;

	if (!handle)
		return;
	/* zookeeper_close says goodbye to a server that it is connected to, and that would delete our nodes. */
	if (zk->fd >= 0)
		shutdown(zk->fd, SHUT_RDWR);
	for (int i = 0; i < 1000000 && zoo_state(handle) == ZOO_CONNECTED_STATE; i++)
		zookeeper_process(handle, ZOOKEEPER_READ);
	zk->is_connected = false;
	zk->handle = NULL;
	zookeeper_close(handle);
	unwatch(zk);
}

static bool open_handle(struct zk *zk)
{
	zk->secret_hash = 0;
	zk->n_failed = 0;
	zk->handle = zookeeper_init2(zk->addresses, on_event, (int)zk->traits.lease_ms, zk->client.client_id ? &zk->client : NULL, zk, 0, on_library_log);
	if (!zk->handle)
		return false;
	zoo_set_servers_resolution_delay(zk->handle, -1);
	send_secret(zk);
	return true;
}

static void cannot_connect(struct zk *zk, const char *message)
{
	begin_outage(zk, message);
	zk_calls_fail_waiting(zk, EK_RETRY, message);
}

static void on_resolved(void *arg, const char *addresses, uint32_t n_addresses)
{
	struct zk *zk = arg;

	zk->resolver = NULL;
	if (zk->is_closing) {
		zk_free(zk);
		return;
	}
	if (!n_addresses) {
		cannot_connect(zk, "the names of the ZooKeeper servers cannot be resolved");
		turn_in(zk, zk->addresses[0] ? RECONNECT_MIN_MS : REFUSED_PAUSE_MS);
		zk->n_failed = 0;
		return;
	}
	if (strcmp(zk->addresses, addresses) != 0)
		zk_session_drop(zk);
	snprintf(zk->addresses, sizeof(zk->addresses), "%s", addresses);
	zk->n_addresses = n_addresses;
	zk->n_failed = 0;
	turn_in(zk, 0);
}

static void resolve(struct zk *zk)
{
	zk->host->timer_stop(zk->host, zk->timer);
	zk->timer = NULL;
	unwatch(zk);
	zk->resolver = zk_resolver_start(zk->host, zk->servers, zk->n_servers, on_resolved, zk);
	if (!zk->resolver) {
		cannot_connect(zk, "no thread can be started to resolve the names of the ZooKeeper servers");
		turn_in(zk, REFUSED_PAUSE_MS);
	}
}

/* Addresses and a handle; false if that takes until a later turn. */
static bool prepare(struct zk *zk)
{
	if (!zk->n_addresses && zk->has_names) {
		resolve(zk);
		return false;
	}
	for (; zk->n_addresses < zk->n_servers && !zk->has_names; zk->n_addresses++)
		zk_append_address(zk->addresses, zk->servers[zk->n_addresses].host, zk->servers[zk->n_addresses].port);
	if (zk->handle || open_handle(zk))
		return true;
	cannot_connect(zk, "the ZooKeeper client cannot be started");
	turn_in(zk, REFUSED_PAUSE_MS);
	return false;
}

/* ---- A turn ------------------------------------------------------------------------------------------------------------------------------------------------- */

static int work(struct zk *zk, uint32_t events)
{
	int todo = (events & EK_FD_READABLE ? ZOOKEEPER_READ : 0) | (events & EK_FD_WRITABLE ? ZOOKEEPER_WRITE : 0);
	int rc = zookeeper_process(zk->handle, todo);
	int pending = 0;

	for (int i = 0; rc == ZOK && i < MAX_READS && zk->is_connected && ioctl(zk->fd, FIONREAD, &pending) == 0 && pending > 0; i++)
		rc = zookeeper_process(zk->handle, ZOOKEEPER_READ);
	return rc;
}

/* An attempt to connect has failed. Once all servers have, there is nothing to wait for. */
static void count_failure(struct zk *zk)
{
	if (++zk->n_failed >= zk->n_addresses)
		cannot_connect(zk, "no ZooKeeper server can be reached");
}

/* The library gave the handle up. */
static void begin_anew(struct zk *zk)
{
	bool is_refused = zoo_state(zk->handle) == ZOO_AUTH_FAILED_STATE;

	zk_session_drop(zk);
	memset(&zk->client, 0, sizeof(zk->client));
	if (is_refused) {
		begin_outage(zk, "ZooKeeper refused the credentials");
		zk_calls_fail_waiting(zk, EK_AUTH, "ZooKeeper refused the credentials");
	} else {
		say(zk, EK_LOG_WARN, "the session with ZooKeeper has expired");
	}
	turn_in(zk, is_refused ? REFUSED_PAUSE_MS : 0);
}

/* Asks the library what it waits for. This is also where it connects, pings, and notices that a server is silent. */
static void wait_for_more(struct zk *zk)
{
	struct timeval wait = { 0 };
	bool was_connected = zk->is_connected;
	int fd = -1, interest = 0;
	int64_t now_ms = zk->host->now_ms(zk->host), delay_ms, until_ms;

	if (zookeeper_interest(zk->handle, &fd, &interest, &wait) != ZOK) {
		fd = -1;
		if (!was_connected)
			count_failure(zk);
	}
	watch(zk, fd, (interest & ZOOKEEPER_READ ? EK_FD_READABLE : 0u) | (interest & ZOOKEEPER_WRITE ? EK_FD_WRITABLE : 0u));
	delay_ms = wait.tv_sec * 1000 + wait.tv_usec / 1000 + 1;
	if (!zk->watch && delay_ms < RECONNECT_MIN_MS)
		delay_ms = RECONNECT_MIN_MS;
	until_ms = zk_calls_deadline_ms(zk);
	if (until_ms != INT64_MAX && until_ms - now_ms < delay_ms)
		delay_ms = until_ms > now_ms ? until_ms - now_ms : 0;
	turn_in(zk, delay_ms);
}

static bool has_given_up(const struct zk *zk)
{
	return is_unrecoverable(zk->handle) == ZINVALIDSTATE;
}

static void turn(struct zk *zk, uint32_t events)
{
	bool was_connected = zk->is_connected;

	if (!prepare(zk))
		return;
	if (events && work(zk, events) != ZOK && !was_connected && !has_given_up(zk))
		count_failure(zk);
	if (has_given_up(zk)) {
		begin_anew(zk);
		return;
	}
	zk_calls_send(zk);
	if (zk->has_names && !zk->is_connected && zk->n_failed >= zk->n_addresses)
		resolve(zk);
	else
		wait_for_more(zk);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this plugin share: the registry, its session with ZooKeeper, and a *call*, which is one operation, list or probe on its way.
 *
 * Everything is driven by zk_turn(), which runs on a timer or when the socket is ready. `apply`, `list`, `probe` and `cancel` only queue and ask for a turn, so
 * nothing completes inside the call that started it. A turn lets the client library work, hands waiting calls to it when there is a session, and asks it what to
 * watch next. Completions of the library come only within a turn.
 */
#ifndef EK_SRC_ZK_H
#define EK_SRC_ZK_H

#include <eurekube/json.h>
#include <eurekube/registry.h>

#include <stdbool.h>
#include <sys/queue.h>
#include <sys/types.h>

#include <zookeeper/zookeeper.h>

#define ZK_ROOT_MAX 200
#define ZK_APPLICATION_MAX 63
#define ZK_PATH_MAX (ZK_ROOT_MAX + 1 + ZK_APPLICATION_MAX + 1 + EK_ID_MAX + 1)
#define ZK_DOCUMENT_MAX 65536  /* bytes of one node */
#define ZK_METADATA_MAX 256    /* entries of one node */
#define ZK_CALLS_MAX 1024      /* waiting or in flight; more are asked to come later */
#define ZK_PATIENCE_MS 10000   /* how long lists and probes wait for a connection */
#define ZK_WINDOW 64           /* how many nodes a list reads at once */
#define ZK_ATTEMPTS_MAX 64     /* detours of one PUT: missing parents, and others who work on the same nodes */
#define ZK_SERVERS_MAX 16
#define ZK_ADDRESSES_BYTES 2048

enum zk_call_kind { ZK_LIST = 100, ZK_PROBE }; /* beside enum ek_op_kind */

struct zk;
struct zk_listing;
struct zk_resolver;

struct zk_server {
	char host[256]; /* an address or a name, without brackets */
	char port[8];
};

struct zk_call {
	TAILQ_ENTRY(zk_call) link;
	struct zk *zk;
	uint64_t token;
	uint32_t kind;
	int32_t preset;            /* not EK_OK: it ends so on the next turn, with preset_message */
	const char *preset_message;
	bool is_sent;              /* in zk->flying, no longer in zk->waiting */
	bool is_cancelled;
	int attempts;
	int64_t deadline_ms;       /* until then it waits for a connection */
	int64_t revision;
	char *document;            /* PUT */
	int n_document;
	char *owner;               /* PUT: our mark */
	size_t n_parent;           /* PUT: how much of the path is the parent being made */
	zoo_op_result_t results[2];
	char created[ZK_PATH_MAX];
	struct zk_listing *listing;
	char path[ZK_PATH_MAX];
};

TAILQ_HEAD(zk_calls, zk_call);

/* Where one node is decoded to; lent to the host for the length of a call. */
struct zk_reading {
	struct ek_entry entry;
	struct ek_instance instance;
	struct ek_pair pairs[ZK_METADATA_MAX];
	const struct ek_pair *metadata[ZK_METADATA_MAX];
	char application[ZK_APPLICATION_MAX + 1];
	char texts[ZK_DOCUMENT_MAX + 1];
};

struct zk {
	const struct ek_host *host;
	struct ek_registry_traits traits;
	char root[ZK_ROOT_MAX + 1]; /* "" for the root of all */
	bool is_upper;              /* applications are written in upper case */
	struct ACL acls[2];
	struct ACL_vector acl;
	struct zk_server servers[ZK_SERVERS_MAX];
	uint32_t n_servers;
	bool has_names;             /* some are not addresses */

	/* session.c */
	zhandle_t *handle;
	clientid_t client;          /* what a handle made anew resumes; all zero: nothing */
	int64_t session;            /* the owner of our nodes; 0 before the first session */
	bool is_connected;
	bool is_in_outage;          /* reported, and not over yet */
	bool is_secret_bad;         /* the server refused our credentials */
	uint32_t n_failed;          /* attempts to connect since the last success */
	uint64_t secret_hash;       /* 0: none was sent */
	struct zk_resolver *resolver;
	char addresses[ZK_ADDRESSES_BYTES];
	uint32_t n_addresses;
	struct ek_fd_handle *watch;
	int fd;                     /* a duplicate of the library's socket, -1 none */
	uint32_t events;
	struct ek_timer_handle *timer;
	int64_t timer_due_ms;
	bool is_closing;

	/* calls.c */
	struct zk_calls waiting, flying;
	uint32_t n_calls;

	struct zk_reading reading;
	char scratch[ZK_DOCUMENT_MAX + 1];
};

/* ---- session.c ---- */

void zk_turn_soon(struct zk *zk);
void zk_read_secret_again(struct zk *zk); /* after the server has refused an operation */
/* Lets go of the connection without ending the session: our nodes stay until it expires. */
void zk_session_drop(struct zk *zk);
/* The last step of closing, once nothing is outstanding. */
void zk_free(struct zk *zk);

/* ---- resolver.c: names in a thread of its own, since the client library would block the loop ---- */

/* Turns the servers into "address:port,..." and gives that to fn on the loop; "" if there is none. NULL when no thread can be started. */
struct zk_resolver *zk_resolver_start(const struct ek_host *host, const struct zk_server *servers, uint32_t n_servers,
	void (*fn)(void *arg, const char *addresses, uint32_t n_addresses), void *arg);
bool zk_is_address(const char *text);
/* Appends "address:port" to a list of room ZK_ADDRESSES_BYTES; false if it does not fit. */
bool zk_append_address(char *list, const char *address, const char *port);

/* ---- calls.c: the life of a call ---- */

struct zk_call *zk_call_new(struct zk *zk, uint32_t kind, uint64_t token, int64_t patience_ms); /* NULL without memory; it waits */
void zk_call_preset(struct zk_call *call, int32_t code, const char *message);
/* Whether the next step may be taken; if not, the call has been ended and freed. */
bool zk_call_may_go_on(struct zk_call *call);
/* Ends the call if the library refused to take the next step. */
void zk_call_started(struct zk_call *call, int rc);
/* Ends the call. `is_write`: whether what failed may have taken effect. */
void zk_call_end(struct zk_call *call, int32_t code, const char *message);
void zk_call_end_rc(struct zk_call *call, int rc, bool is_write);
void zk_call_end_with(struct zk_call *call, const struct ek_result *result);
void zk_calls_send(struct zk *zk);                                         /* those that wait, if there is a session */
void zk_calls_fail_waiting(struct zk *zk, int32_t code, const char *message);
void zk_calls_drop(struct zk *zk);
int64_t zk_calls_deadline_ms(const struct zk *zk);                          /* the next one of those that wait; INT64_MAX none */
void zk_calls_cancel(struct zk *zk, uint64_t token);

/* ---- operations.c, listing.c: the steps of a call ---- */

void zk_operation_send(struct zk_call *call);
void zk_operation_init(struct zk_call *call, const struct ek_op *op); /* copies what is borrowed; may preset a failure */
void zk_listing_send(struct zk_call *call);
void zk_listing_free(struct zk_listing *listing);
void zk_sync(struct zk_call *call); /* what is read next is as new as this moment */

/* ---- node.c: where an instance is and how it looks ---- */

/* The node of an entry, or of its application where id is NULL. EK_OK, or EK_INVALID. */
int32_t zk_node_path(const struct zk *zk, const char *application, const char *id, char path[ZK_PATH_MAX]);
/* Whether a child of the root is an application that we could have written. */
bool zk_is_application(const struct zk *zk, const char *node);
/* Writes the instance to zk->scratch; its length, or 0 if it is too large. */
size_t zk_node_write(struct zk *zk, const struct ek_instance *instance);
/* Reads a node into zk->reading. What is not an instance is an entry all the same, of nobody that we know. */
const struct ek_entry *zk_node_read(struct zk *zk, const char *path, const char *value, int n_value, const struct Stat *stat);
/* Whether it carries this owner mark. */
bool zk_entry_is_owned_by(const struct ek_entry *entry, const char *owner);

#endif

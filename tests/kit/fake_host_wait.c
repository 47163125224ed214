/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes from outside a test's hand: descriptors that a plugin watches, and posts from its threads. Time passes for real here, since a library with sockets of
 * its own keeps its own clock. Read fake_host.c next.
 */
#include "kit/fake_host_inside.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define WATCHES_MAX 64

struct fake_watch {
	struct fake_watch *next;
	int fd;
	uint32_t events;
	void (*fn)(void *arg, uint32_t events);
	void *arg;
};

/* One call that waits for its turn; made by any thread. */
struct fake_post {
	struct fake_post *next;
	void (*fn)(void *arg);
	void *arg;
};

struct fake_posts {
	pthread_mutex_t lock;
	struct fake_post *first, **last;
	int wake;                      /* an eventfd */
};

/* ---- Posts ---- */

struct fake_posts *fake_posts_new(void)
{
	struct fake_posts *posts = calloc(1, sizeof(*posts));

	pthread_mutex_init(&posts->lock, NULL);
	posts->last = &posts->first;
	posts->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return posts;
}

void fake_posts_free(struct fake_posts *posts)
{
	struct fake_post *post;

	while ((post = posts->first)) {
		posts->first = post->next;
		free(post);
	}
	close(posts->wake);
	pthread_mutex_destroy(&posts->lock);
	free(posts);
}

void fake_host_post(const struct ek_host *host, void (*fn)(void *arg), void *arg)
{
	struct fake_posts *posts = ((struct fake_host *)(uintptr_t)host)->posts;
	struct fake_post *post = calloc(1, sizeof(*post));

	*post = (struct fake_post){ .fn = fn, .arg = arg };
	pthread_mutex_lock(&posts->lock);
	*posts->last = post;
	posts->last = &post->next;
	eventfd_write(posts->wake, 1);
	pthread_mutex_unlock(&posts->lock);
}

static struct fake_post *take_all(struct fake_posts *posts)
{
	struct fake_post *first;
	eventfd_t count;

	pthread_mutex_lock(&posts->lock);
	eventfd_read(posts->wake, &count);
	first = posts->first;
	posts->first = NULL;
	posts->last = &posts->first;
	pthread_mutex_unlock(&posts->lock);
	return first;
}

void fake_host_run_posts(struct fake_host *fake)
{
	struct fake_post *post, *next;

	for (post = take_all(fake->posts); post; post = next) {
		next = post->next;
		fake->n_uses++;
		post->fn(post->arg);
		free(post);
	}
}

bool fake_host_has_posts(const struct fake_host *fake)
{
	bool has_some;

	pthread_mutex_lock(&fake->posts->lock);
	has_some = fake->posts->first != NULL;
	pthread_mutex_unlock(&fake->posts->lock);
	return has_some;
}

/* ---- Descriptors ---- */

struct ek_fd_handle *fake_host_fd_watch(const struct ek_host *host, int fd, uint32_t events, void (*fn)(void *arg, uint32_t events), void *arg,
                                        struct ek_error *err)
{
	struct fake_host *fake = fake_host_use(host);
	struct fake_watch *watch = calloc(1, sizeof(*watch));

	(void)err;
	*watch = (struct fake_watch){ .next = fake->watches, .fd = fd, .events = events, .fn = fn, .arg = arg };
	fake->watches = watch;
	return (struct ek_fd_handle *)watch;
}

void fake_host_fd_update(const struct ek_host *host, struct ek_fd_handle *handle, uint32_t events)
{
	fake_host_use(host);
	((struct fake_watch *)handle)->events = events;
}

void fake_host_fd_stop(const struct ek_host *host, struct ek_fd_handle *handle)
{
	struct fake_host *fake = fake_host_use(host);

	for (struct fake_watch **at = &fake->watches; handle && *at; at = &(*at)->next) {
		if (*at == (struct fake_watch *)handle) {
			*at = (*at)->next;
			free(handle);
			return;
		}
	}
}

static bool is_watched(const struct fake_host *fake, const struct fake_watch *watch)
{
	for (const struct fake_watch *at = fake->watches; at; at = at->next)
		if (at == watch)
			return true;
	return false;
}

/* A callback may stop any watch, its own included. */
static void dispatch(struct fake_host *fake, struct fake_watch *const *watches, const struct pollfd *fds, nfds_t n)
{
	for (nfds_t i = 0; i < n; i++) {
		uint32_t events = 0;

		if (fds[i].revents & (POLLIN | POLLERR | POLLHUP))
			events |= EK_FD_READABLE;
		if (fds[i].revents & (POLLOUT | POLLERR | POLLHUP))
			events |= EK_FD_WRITABLE;
		if (events && is_watched(fake, watches[i]))
			watches[i]->fn(watches[i]->arg, events & watches[i]->events ? events & watches[i]->events : events);
	}
}

static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* How long poll may sleep: no longer than until the next timer. */
static int patience(const struct fake_host *fake, int64_t ms)
{
	int64_t due_ms = fake_host_next_due(fake);

	if (due_ms < ms)
		ms = due_ms;
	return ms > 0 ? (int)ms : 0;
}

void fake_host_wait(struct fake_host *fake, int64_t ms)
{
	struct fake_watch *watches[WATCHES_MAX];
	struct pollfd fds[WATCHES_MAX + 1];
	int64_t began_ms = clock_ms();
	nfds_t n = 0;

	for (struct fake_watch *at = fake->watches; at && n < WATCHES_MAX; at = at->next) {
		watches[n] = at;
		fds[n++] = (struct pollfd){ .fd = at->fd, .events = (short)((at->events & EK_FD_READABLE ? POLLIN : 0) |
		                                                            (at->events & EK_FD_WRITABLE ? POLLOUT : 0)) };
	}
	fds[n] = (struct pollfd){ .fd = fake->posts->wake, .events = POLLIN };
	poll(fds, n + 1, patience(fake, ms));
	dispatch(fake, watches, fds, n);
	fake_host_advance(fake, clock_ms() - began_ms);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a real loop until a counter has reached a value, or a deadline has passed. For the tests of io. */
#ifndef EK_UNIT_IO_WAIT_H
#define EK_UNIT_IO_WAIT_H

#include "io/loop.h"

#define WAIT_MS 10000

struct io_wait {
	struct ek_loop *loop;
	struct ek_timer tick;
	const unsigned *counter;
	unsigned at_least;
	int64_t until_ms;
};

static inline void io_wait_tick(void *arg)
{
	struct io_wait *wait = arg;

	if (*wait->counter >= wait->at_least || ek_loop_now_ms(wait->loop) >= wait->until_ms)
		ek_loop_stop(wait->loop);
	else
		ek_loop_arm(wait->loop, &wait->tick, 1);
}

/* counter NULL: simply lets so much time pass in the loop. */
static inline bool io_wait_within(struct ek_loop *loop, const unsigned *counter, unsigned at_least, int64_t ms)
{
	static const unsigned never = 0;
	struct io_wait wait = { .loop = loop, .counter = counter ? counter : &never,
		.at_least = counter ? at_least : 1, .until_ms = ek_loop_now_ms(loop) + ms };

	ek_timer_init(&wait.tick, io_wait_tick, &wait);
	ek_loop_arm(loop, &wait.tick, 0);
	ek_loop_run(loop);
	return *wait.counter >= wait.at_least;
}

static inline bool io_wait(struct ek_loop *loop, const unsigned *counter, unsigned at_least)
{
	return io_wait_within(loop, counter, at_least, WAIT_MS);
}

#endif

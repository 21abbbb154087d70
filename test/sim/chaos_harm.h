/* chaos_harm.h - one piece of trouble, and what it does. */
#ifndef REDLOCK_TEST_CHAOS_HARM_H
#define REDLOCK_TEST_CHAOS_HARM_H

#include "chaos.h"

struct chaos_fault {
	struct chaos *chaos;
	enum chaos_trouble kind;
	unsigned node;
	struct sim_client *client;
	struct sim_dice dice;
};

/* Each does what of the fault is its business. */
void chaos_harm_client(struct chaos_fault *fault);
void chaos_harm_node(struct chaos_fault *fault);

#endif

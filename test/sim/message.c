/* message.c - queues of messages, each with dice of its own for its delays. */
#include "message.h"

#include <stdlib.h>
#include <string.h>

static uint64_t delay_us(const struct sim *sim, struct sim_dice *dice, uint64_t latency_us)
{
	uint64_t delay = latency_us + dice_between(dice, 0, sim->jitter_us);

	return dice_chance(dice, sim->slow_percent) ? delay + dice_between(dice, 0, sim->slow_us)
						    : delay;
}

static struct sim_message *message_new(struct sim *sim)
{
	struct sim_message *message = sim->spare_messages;

	if (message == NULL) {
		return sim_alloc(sizeof *message);
	}
	sim->spare_messages = message->next;
	message->next = NULL;
	return message;
}

void sim_message_free(struct sim *sim, struct sim_message *message)
{
	message->next = sim->spare_messages;
	sim->spare_messages = message;
}

struct sim_message *sim_queue_push(struct sim *sim, struct sim_queue *queue,
				   enum sim_message_kind kind, uint64_t latency_us)
{
	struct sim_message *message = message_new(sim);
	uint64_t ready_us = sim->now_us + delay_us(sim, &queue->dice, latency_us);

	message->kind = kind;
	message->ready_us = ready_us > queue->ready_us ? ready_us : queue->ready_us;
	queue->ready_us = message->ready_us;
	if (queue->last != NULL) {
		queue->last->next = message;
	} else {
		queue->first = message;
	}
	queue->last = message;
	return message;
}

struct sim_message *sim_queue_pop(struct sim_queue *queue)
{
	struct sim_message *message = queue->first;

	queue->first = message->next;
	if (queue->first == NULL) {
		queue->last = NULL;
	}
	return message;
}

void sim_queue_flush(struct sim *sim, struct sim_queue *queue)
{
	while (queue->first != NULL) {
		sim_message_free(sim, sim_queue_pop(queue));
	}
}

void sim_queue_orphan(struct sim *sim, struct sim_queue *queue)
{
	struct sim_queue kept = {0};
	struct sim_message *message;
	uint64_t late_us = dice_between(&queue->dice, sim->stray_min_us, sim->stray_max_us);

	while (queue->first != NULL && dice_chance(&queue->dice, sim->stray_percent)) {
		message = sim_queue_pop(queue);
		message->ready_us += late_us;
		message->next = NULL;
		if (kept.last != NULL) {
			kept.last->next = message;
		} else {
			kept.first = message;
		}
		kept.last = message;
	}
	sim_queue_flush(sim, queue);
	queue->first = kept.first;
	queue->last = kept.last;
}

void sim_messages_free(struct sim *sim)
{
	struct sim_message *message;

	while ((message = sim->spare_messages) != NULL) {
		sim->spare_messages = message->next;
		free(message);
	}
}

bool sim_queue_sets(const struct sim_queue *queue, const char *token, size_t token_len)
{
	const struct sim_message *message;

	for (message = queue->first; message != NULL; message = message->next) {
		if (message->kind == SIM_ASK &&
		    (message->command.op == RLK_OP_ACQUIRE ||
		     message->command.op == RLK_OP_REPAIR || message->command.op == RLK_OP_JOIN) &&
		    message->command.token_len == token_len &&
		    memcmp(message->command.token, token, token_len) == 0) {
			return true;
		}
	}
	return false;
}

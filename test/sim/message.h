/* message.h - what is on its way between a client and a node, in order. */
#ifndef REDLOCK_TEST_MESSAGE_H
#define REDLOCK_TEST_MESSAGE_H

#include "core/line.h"
#include "sim.h"

enum sim_message_kind {
	SIM_LOG_IN,
	SIM_ASK,
	SIM_ANSWER,
	SIM_UP,
	SIM_DOWN,
	SIM_LISTEN, /* May I? */
	SIM_LISTENS,
	SIM_MAY_NOT,
	SIM_CALL
};

/* Of a new one, only the first three are set. */
struct sim_message {
	struct sim_message *next;
	enum sim_message_kind kind;
	uint64_t ready_us; /* When it arrives, if nothing holds it up. */
	struct rlk_request *request;
	struct sim_command command;
	struct rlk_answer answer;
	char text[RLK_TOKEN_MAX];
	struct rlk_enrolment enrolment;
	struct rlk_call call;
	char run_id[RLK_RUN_ID_MAX];
};

/* pipe.c */
struct sim_message *sim_conn_push(struct sim_conn *conn, struct sim_queue *queue,
				  enum sim_message_kind kind, uint64_t latency_us);
/* Nothing comes from the server any more; the client will hear of it. */
void sim_conn_end(struct sim_conn *conn);
/* arrive.c */
void sim_arrive_at_server(struct sim_conn *conn, struct sim_message *message);
void sim_arrive_at_client(struct sim_conn *conn, struct sim_message *message);

/* message.c */
struct sim_message *sim_queue_push(struct sim *sim, struct sim_queue *queue,
				   enum sim_message_kind kind, uint64_t latency_us);
/* Is there anything on its way that would set a key under this token? */
bool sim_queue_sets(const struct sim_queue *queue, const char *token, size_t token_len);
struct sim_message *sim_queue_pop(struct sim_queue *queue);
void sim_queue_flush(struct sim *sim, struct sim_queue *queue);
/* What is on its way to the server when the client's end of the connection goes: the beginning of
 * it may arrive, and late; the rest is lost. */
void sim_queue_orphan(struct sim *sim, struct sim_queue *queue);
void sim_message_free(struct sim *sim, struct sim_message *message);
/* Those that were kept for the next use. */
void sim_messages_free(struct sim *sim);

#endif

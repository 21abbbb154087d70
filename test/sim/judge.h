/* judge.h - what the judge has to be told of, besides what judge.c sees by itself. */
#ifndef REDLOCK_TEST_JUDGE_H
#define REDLOCK_TEST_JUDGE_H

#include "sim.h"

/* judge_nodes.c */
void sim_nodes_voted(struct sim *sim, struct sim_server *server, const struct sim_command *command,
		     uint64_t until_ms);
/* Who looks for a key finds out that it is dead. */
void sim_nodes_looked(struct sim *sim, struct sim_server *server,
		      const struct sim_command *command);
void sim_nodes_released(struct sim *sim, struct sim_server *server,
			const struct sim_command *command);
/* Do all keys of the lease live as long as it does on that node, or may the node have forgotten
 * them? */
bool sim_nodes_have(const struct sim_server *server, const struct sim_lock *lock);
void sim_nodes_counted(const struct sim_lock *lock);
void sim_nodes_set(const struct sim_conn *conn, const struct sim_command *command);
/* A node keeps a key for who was first in line. */
void sim_nodes_kept(struct sim *sim, const struct sim_server *server,
		    const struct sim_place *place);
/* A key was given back there. */
void sim_nodes_given_back(const struct sim *sim, const struct sim_server *server,
			  const struct sim_key *key);
void sim_nodes_extended(const struct sim_client *client, unsigned node,
			const struct rlk_attempt *attempt);
/* The lock is about to act on what it knows of its keys. */
void sim_nodes_believed(const struct sim_lock *lock);

/* judge_rules.c */
void sim_rules_asked(struct sim_lock *lock, uint64_t wait_ms);
void sim_rules_turn(const struct sim_client *client);
void sim_rules_begun(struct sim_lock *lock, uint64_t until_us);
void sim_rules_changed(struct sim_lock *lock, uint64_t until_us);
void sim_rules_let_go(struct sim_lock *lock);
void sim_rules_ended(const struct sim_lock *lock);
void sim_rules_told(struct sim_lock *lock, enum rlk_news news, int status);
void sim_rules_sent(const struct sim_client *client, unsigned node,
		    const struct rlk_request *request, const struct rlk_command *command);

#endif

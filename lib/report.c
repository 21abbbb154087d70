/* report.c - a lock's last round, told in the caller's terms. */
#include <inttypes.h>

#include "client.h"
#include "core/lease.h"

/* What the node had to say; it may have logged in anew since the vote. */
static const char *words_of(const struct rlk_node *node, const char *otherwise)
{
	const char *words = node->error[0] != '\0' ? node->error : node->past_error;

	return words[0] != '\0' ? words : otherwise;
}

static const char *reason(const struct rlk_node *node, enum redlock_vote vote, bool answered)
{
	switch (vote) {
	case REDLOCK_VOTE_ERROR:
		return answered || node->error[0] != '\0'
			       ? words_of(node, "unexpected reply")
			       : "too many unanswered requests, or out of memory";
	case REDLOCK_VOTE_UNREACHABLE:
		return words_of(node, "not connected yet");
	case REDLOCK_VOTE_TIMED_OUT:
		return "no answer in time";
	case REDLOCK_VOTE_WITHHELD:
		return "may have forgotten grants in a restart: vote withheld";
	default:
		return "";
	}
}

void rlk_report(struct redlock_lock *lock, struct redlock_report *report)
{
	struct redlock_client *client = lock->client;
	const struct rlk_lock *core = &lock->core;
	uint64_t valid_us = atomic_load(&core->valid_until_us);
	unsigned i;

	for (i = 0; i < client->cluster.node_count; i++) {
		const struct rlk_ballot_note *note = &core->ballots[i];
		client->node_reports[i] = (struct redlock_node_report){
			.address = client->link[i].url.address,
			.vote = (enum redlock_vote)note->vote,
			.rtt_us = note->rtt_us,
			.remaining_ms = note->fence == RLK_FENCE_FINE ? note->remaining_ms : -1,
			.error = note->fence != RLK_FENCE_FINE
					 ? "refused the fencing token"
					 : reason(&client->nodes[i], (enum redlock_vote)note->vote,
						  note->rtt_us != 0),
		};
	}
	*report = (struct redlock_report){
		.node_count = client->cluster.node_count,
		.quorum = client->cluster.quorum,
		.nodes = client->node_reports,
		.elapsed_us = (uint32_t)rlk_until(core->decided_us, core->round.start_us),
		.attempts = core->attempts,
		.waited_ms = rlk_until(core->decided_us, core->asked_us) / 1000,
		.validity_ms = rlk_until(valid_us, rlk_clock_us()) / 1000,
		.fence = redlock_lock_fence(lock),
		.way = (enum redlock_way)core->way,
	};
}

/* server_shared.c - readers, who have a key together, as the scripts for them in lib/redis/script.c
 * have it: each is there until its own end, and the key, which is nobody's, until the last one's.
 */
#include <string.h>

#include "core/line.h"
#include "core/mutant.h"
#include "redis/wire.h"
#include "sim.h"

static uint64_t clock_ms(const struct sim *sim, const struct sim_server *server)
{
	return sim_clock_read(sim, &server->clock) / 1000;
}

bool sim_key_is_shared(const struct sim_key *key)
{
	return sim_key_is(key, REDLOCK_OWNER_READERS, sizeof REDLOCK_OWNER_READERS - 1);
}

/* NULL: it is none of them. */
static struct sim_reader *find(struct sim_key *key, const char *token, size_t len)
{
	unsigned i;

	for (i = 0; i < key->reader_count; i++) {
		if (key->readers[i].token_len == len &&
		    memcmp(key->readers[i].token, token, len) == 0) {
			return &key->readers[i];
		}
	}
	return NULL;
}

static void remove_reader(struct sim_key *key, struct sim_reader *reader)
{
	*reader = key->readers[--key->reader_count];
}

static void end_those_over(struct sim_key *key, uint64_t now_ms)
{
	unsigned i;

	for (i = key->reader_count; i-- > 0;) {
		if (key->readers[i].ends_ms <= now_ms) {
			remove_reader(key, &key->readers[i]);
		}
	}
}

uint64_t sim_key_until_ms(const struct sim_key *key, const char *token, size_t len)
{
	const struct sim_reader *reader;

	if (sim_key_is(key, token, len)) {
		return key->dies_ms;
	}
	reader = sim_key_is_shared(key) ? find((struct sim_key *)key, token, len) : NULL;
	if (reader == NULL) {
		return 0;
	}
	return reader->ends_ms < key->dies_ms ? reader->ends_ms : key->dies_ms;
}

/* The key ends with the last of them. */
static void end_with_last(struct sim_key *key)
{
	unsigned i;

	key->dies_ms = 0;
	for (i = 0; i < key->reader_count; i++) {
		if (key->readers[i].ends_ms > key->dies_ms) {
			key->dies_ms = key->readers[i].ends_ms;
		}
	}
}

static void lengthen(const struct sim *sim, const struct sim_server *server, struct sim_key *key,
		     struct sim_reader *reader, uint32_t ttl_ms)
{
	uint64_t ends_ms = clock_ms(sim, server) + ttl_ms;

	if (reader->ends_ms < ends_ms) {
		reader->ends_ms = ends_ms;
	}
	end_with_last(key);
	if (RLK_MUTANT(SHARED_SHORT)) {
		key->dies_ms = reader->ends_ms;
	}
}

static bool is_refused(struct sim *sim, struct sim_server *server, struct sim_key *key,
		       const struct sim_command *command, struct rlk_answer *answer)
{
	uint64_t left = sim_server_left_ms(sim, server, key);
	const struct sim_reader *own = find(key, command->token, command->token_len);
	bool is_new = command->op == RLK_OP_ACQUIRE;
	uint64_t now_ms = clock_ms(sim, server);

	answer->kind = RLK_NO;
	answer->remaining_ms = left > 0 ? (int64_t)left : -1;
	if (left > 0 && !sim_key_is_shared(key)) {
		return !RLK_MUTANT(SHARED_WITH_WRITER);
	}
	if (is_new && own != NULL && own->ends_ms > now_ms) {
		answer->remaining_ms = (int64_t)(own->ends_ms - now_ms);
		return true;
	}
	if (is_new && left == 0 && !RLK_MUTANT(SHARED_DEAD_AHEAD) &&
	    sim_line_pass(sim, server, key, command)) {
		answer->remaining_ms = (int64_t)sim_server_left_ms(sim, server, key);
		return true;
	}
	return is_new && sim_line_is_ahead(sim, server, key, left);
}

/* RLK_SCRIPT_SHARE. */
void sim_shared_set(struct sim *sim, struct sim_server *server, struct sim_key *key,
		    const struct sim_command *command, struct rlk_answer *answer)
{
	uint64_t now_ms = clock_ms(sim, server);
	struct sim_reader *reader;

	if (is_refused(sim, server, key, command, answer)) {
		return;
	}
	end_those_over(key, now_ms);
	reader = find(key, command->token, command->token_len);
	if (reader == NULL) {
		if (key->reader_count == SIM_READERS) {
			answer->kind = RLK_ERROR; /* It has no memory for more. */
			return;
		}
		reader = &key->readers[key->reader_count++];
		*reader = (struct sim_reader){.token_len = command->token_len};
		memcpy(reader->token, command->token, command->token_len);
	}
	sim_key_set(sim, server, key, REDLOCK_OWNER_READERS, sizeof REDLOCK_OWNER_READERS - 1, 0);
	lengthen(sim, server, key, reader, command->ttl_ms);
	answer->kind = RLK_YES;
}

/* RLK_SCRIPT_SHARED_EXTEND. Who is told that he is none, is none from then on. */
void sim_shared_extend(const struct sim *sim, const struct sim_server *server, struct sim_key *key,
		       const struct sim_command *command, struct rlk_answer *answer)
{
	uint64_t left = sim_server_left_ms(sim, server, key), dies_ms = key->dies_ms;
	struct sim_reader *reader = find(key, command->token, command->token_len);

	if (left > 0 && !sim_key_is_shared(key)) {
		answer->kind = RLK_NO;
	} else if (left == 0 || reader == NULL ||
		   (reader->ends_ms <= clock_ms(sim, server) && !RLK_MUTANT(SHARED_EXTEND_OVER))) {
		answer->kind = RLK_MISSING;
		if (reader != NULL) {
			remove_reader(key, reader);
		}
	} else {
		lengthen(sim, server, key, reader, command->ttl_ms);
		key->dies_ms = RLK_MUTANT(SHARED_EXTEND_SHORT) ? dies_ms : key->dies_ms;
		answer->kind = RLK_YES;
	}
}

/* RLK_SCRIPT_SHARED_RELEASE. */
void sim_shared_release(struct sim *sim, struct sim_server *server, struct sim_key *key,
			const struct sim_command *command, struct rlk_answer *answer)
{
	struct sim_reader *own;

	answer->kind = RLK_NO;
	if (sim_server_left_ms(sim, server, key) == 0 || !sim_key_is_shared(key)) {
		return;
	}
	end_those_over(key, clock_ms(sim, server));
	own = find(key, command->token, command->token_len);
	if (own != NULL) {
		answer->kind = RLK_YES;
		if (!RLK_MUTANT(SHARED_STAYS)) {
			remove_reader(key, own);
		}
	}
	if (RLK_MUTANT(SHARED_FREES_ALL)) {
		key->reader_count = 0;
	}
	end_with_last(key);
	if (key->reader_count == 0) {
		answer->passed = sim_line_release(sim, server, key, command) && own != NULL;
	}
}

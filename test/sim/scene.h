/* scene.h - two programs and a few nodes, on a quiet network: one millisecond each way. */
#ifndef REDLOCK_TEST_SCENE_H
#define REDLOCK_TEST_SCENE_H

#include "sim.h"

#define MS UINT64_C(1000)
#define S UINT64_C(1000000)
#define JOB "jobs:42"
/* Of the default TTL of 10 s: less 1 % and 2 ms. */
#define VALID_US (10 * S - 102 * MS)

extern struct sim *sim;
extern struct sim_client *alice, *bob;

/* A new world; change what is to be changed, then enter. */
void scene_new(unsigned nodes);
/* Alice and Bob start, and are connected to every node. */
void scene_enter(void);
/* Both. */
void scene(unsigned nodes);
/* The same, where all wait in pauses and nobody in line. */
void scene_in_pauses(unsigned nodes);
struct sim_client *scene_client(void);
struct sim_lock *scene_lock(struct sim_client *client);
struct sim_lock *scene_fenced(struct sim_client *client);
struct sim_lock *scene_renewed(struct sim_client *client);
struct sim_lock *scene_lock_ttl(struct sim_client *client, uint32_t ttl_ms);
struct sim_lock *scene_lock_token(struct sim_client *client, const char *token);
/* From each node, alice's answers take this long. */
void scene_slow_answers(uint64_t first_us, uint64_t step_us);
/* How many nodes have a key for JOB. */
unsigned scene_keys(void);
/* How often all nodes together were asked this; and anything. */
unsigned scene_asked_in_all(enum rlk_op op);
unsigned scene_asked_anything(void);
/* The lock, which now waits, or holds. */
struct sim_lock *scene_waiting(struct sim_lock *lock);
struct sim_lock *scene_holding(struct sim_lock *lock);
/* How many tickets there are for JOB, on all nodes. */
unsigned scene_tickets(void);
/* The lock, which now stands in line on every node. */
struct sim_lock *scene_in_line(struct sim_lock *lock);
/* Wait until it has the lease: for how long, in the world's time? */
uint64_t scene_until_had_us(struct sim_lock *lock);
unsigned scene_votes(const struct sim_lock *lock, enum redlock_vote vote);
uint64_t scene_until_us(const struct sim_lock *lock);

/* clang-format off */
#define SCENES(X) \
	X(vote) \
	X(debt) \
	X(wait) \
	X(hold) \
	X(fill) \
	X(end) \
	X(guard) \
	X(fence) \
	X(belief) \
	X(token) \
	X(shared) \
	X(node) \
	X(queue) \
	X(pace) \
	X(hand) \
	X(line) \
	X(line_trouble) \
	X(several) \
	X(change) \
	X(cover) \
	X(lesson_take) \
	X(lesson_wait) \
	X(lesson_hold) \
	X(lesson_clock)
/* clang-format on */
#define SCENE_DECLARE(name) void add_##name(TCase *tcase);
SCENES(SCENE_DECLARE)

#endif

/* pace.h - of very many who wait, so many ask at once. */
#ifndef RLK_PACE_H
#define RLK_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct rlk_cluster;
struct rlk_lock;

/* With so many requests unanswered by one node, those who wait ask no more... */
#define RLK_PACE_MOST 512

/* The lock, which is between two rounds, wants to ask all nodes. True: it has to stand behind
 * others who want that, too, and has its turn later. */
bool rlk_pace_hold(struct rlk_lock *lock);
/* It wants it no more. */
void rlk_pace_leave(struct rlk_lock *lock);
void rlk_pace_init(struct rlk_cluster *cluster);

#endif

/* line.h - standing in line at the nodes, behind other clients. */
#ifndef RLK_LINE_H
#define RLK_LINE_H

#include "cluster.h"

/* What a node calls out to us. */
struct rlk_call {
	bool yours;	    /* It keeps the key for us; else: we are next in line... */
	uint32_t name, seq; /* The end of the name's hash, and the ticket: as we gave them. */
	uint32_t in_ms;	    /* ...and may look after this, if nobody has called by then. */
};

/* From the driver. */
void rlk_line_called(struct rlk_cluster *cluster, unsigned node, const struct rlk_call *call);
/* The node's calls are heard from now on. */
void rlk_node_listens(struct rlk_node *node);
/* They are not, or not any more. @for_good: it does not let us, on this connection. @why: in
 * words, or NULL. */
void rlk_node_deaf(struct rlk_node *node, bool for_good, const char *why);

/* Listen to a node that is up, if anybody wants to be called. */
void rlk_node_listen(struct rlk_node *node);
/* It had too much to do for somebody to join: he tries again soon, with all who were left out. */
void rlk_node_left_out(struct rlk_node *node, uint64_t now_us);
void rlk_node_join_left_out(struct rlk_node *node, uint64_t now_us);
/* Would it call us? */
bool rlk_node_may_call(const struct rlk_node *node, uint64_t now_us);
/* From now on listen to all of them. */
void rlk_cluster_listen(struct rlk_cluster *cluster);
/* How many would call us. */
unsigned rlk_cluster_callers(const struct rlk_cluster *cluster);

#endif

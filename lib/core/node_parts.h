/* node_parts.h - what the rooms of the node share with each other, and nobody else. */
#ifndef RLK_NODE_PARTS_H
#define RLK_NODE_PARTS_H

#include "node.h"

/* node.c */
/* The last word on a request. */
void rlk_node_finish(struct rlk_node *node, struct rlk_request *request,
		     const struct rlk_answer *answer);
void rlk_node_send(struct rlk_node *node, struct rlk_request *request);
/* Why the node cannot be asked this now; RLK_YES: it can. */
enum rlk_answer_kind rlk_node_refusal(const struct rlk_node *node, enum rlk_op op, uint64_t now_us);
/* Set the alarm for what comes next. */
void rlk_node_rearm(struct rlk_node *node);

#endif

/* survey.h - look at every node once: is it well, and who has a key there? */
#ifndef RLK_SURVEY_H
#define RLK_SURVEY_H

#include "cluster.h"

#define RLK_OWNER_MAX 256

struct rlk_finding {
	bool asked, answered, held;
	uint32_t rtt_us;
	int64_t remaining_ms;
	int32_t in_line;
	size_t owner_len;
	char owner[RLK_OWNER_MAX]; /* The beginning of it, if it is longer. */
};

struct rlk_survey {
	struct rlk_asker asker;
	struct rlk_survey *prev, *next;
	struct rlk_cluster *cluster;
	struct rlk_name *name; /* NULL: the nodes alone. */
	struct rlk_timer alarm;
	uint64_t deadline_us;
	unsigned unanswered; /* Requests that are still to be heard of. */
	unsigned unsettled;  /* Nodes that the result waits for. */
	bool told, closed;
	/* All is known, or as much as will be; called once. */
	void (*done)(struct rlk_survey *survey, bool closed);
	/* Nothing refers to it any more. */
	void (*gone)(struct rlk_survey *survey);
	struct rlk_finding findings[]; /* One for each node. */
};

static inline size_t rlk_survey_size(unsigned node_count)
{
	return sizeof(struct rlk_survey) + node_count * sizeof(struct rlk_finding);
}

/* @survey: zeroed memory of rlk_survey_size(), with done and gone set; takes over @name. */
void rlk_survey_start(struct rlk_survey *survey, struct rlk_cluster *cluster,
		      struct rlk_name *name);
/* End all surveys, as closed. */
void rlk_surveys_close(struct rlk_cluster *cluster);

#endif

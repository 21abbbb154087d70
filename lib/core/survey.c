/* survey.c - ask every node once; wait for those that are still connecting.
 *
 * Answers are told from the survey's own alarm, never from the middle of an
 * event. A survey outlives its result until no request refers to it. */
#include "survey.h"

#include <string.h>

#include "lease.h"

#define LOOK_AGAIN_US 5000

static void unlist(struct rlk_survey *survey)
{
	if (survey->prev != NULL) {
		survey->prev->next = survey->next;
	} else {
		survey->cluster->surveys = survey->next;
	}
	if (survey->next != NULL) {
		survey->next->prev = survey->prev;
	}
}

static void bury_if_over(struct rlk_survey *survey)
{
	if (!survey->told || survey->unanswered > 0) {
		return;
	}
	unlist(survey);
	if (survey->name != NULL) {
		rlk_name_drop(survey->cluster, survey->name);
	}
	survey->gone(survey);
}

static void describe(struct rlk_asker *asker, const struct rlk_request *request,
		     struct rlk_command *command)
{
	const struct rlk_survey *survey = (const struct rlk_survey *)asker;

	command->op = (enum rlk_op)request->op;
	command->name = survey->name;
}

static void note(struct rlk_finding *finding, const struct rlk_answer *answer)
{
	finding->answered = answer->kind == RLK_VALUE;
	finding->in_line = finding->answered ? answer->in_line : -1;
	if (!finding->answered || !answer->held) {
		return;
	}
	finding->held = true;
	finding->remaining_ms = answer->remaining_ms;
	finding->owner_len = answer->text_len;
	memcpy(finding->owner, answer->text,
	       answer->text_len < RLK_OWNER_MAX ? answer->text_len : RLK_OWNER_MAX);
}

static void heard(struct rlk_asker *asker, struct rlk_node *node, const struct rlk_request *request,
		  const struct rlk_answer *answer)
{
	struct rlk_survey *survey = (struct rlk_survey *)asker;
	struct rlk_finding *finding = &survey->findings[node->index];
	bool first = !request->late || answer->kind == RLK_SILENT;

	if (first && survey->unsettled > 0) {
		survey->unsettled--;
		if (answer->kind == RLK_VALUE || answer->kind == RLK_ERROR) {
			finding->rtt_us = node->rtt_us;
		}
		note(finding, answer);
		if (survey->unsettled == 0 && !survey->told) {
			rlk_timer_set(&survey->cluster->timers, &survey->alarm, 0);
		}
	}
	if (answer->kind != RLK_SILENT || !request->sent) {
		survey->unanswered--;
		bury_if_over(survey);
	}
}

static const struct rlk_asking asking = {describe, heard};

/* Returns how many nodes may yet be asked. */
static unsigned ask_those_up(struct rlk_survey *survey)
{
	uint64_t now_us = rlk_now(survey->cluster);
	unsigned i, connecting = 0;

	for (i = 0; i < survey->cluster->node_count; i++) {
		struct rlk_node *node = &survey->cluster->nodes[i];
		if (survey->findings[i].asked) {
			continue;
		}
		if (node->state == RLK_CONNECTING) {
			connecting++;
			continue;
		}
		survey->findings[i].asked = true;
		if (rlk_node_ask(node, &survey->asker, RLK_OP_INSPECT, 0, now_us) == RLK_YES) {
			survey->unanswered++;
		} else {
			survey->unsettled--;
		}
	}
	return connecting;
}

static void tell(struct rlk_survey *survey)
{
	survey->told = true;
	rlk_timer_stop(&survey->cluster->timers, &survey->alarm);
	survey->unanswered++; /* Stay until done() has returned. */
	survey->done(survey, survey->closed);
	survey->unanswered--;
	bury_if_over(survey);
}

static void look(struct rlk_survey *survey, uint64_t now_us)
{
	unsigned connecting = ask_those_up(survey);

	if (survey->closed || survey->unsettled == 0 ||
	    (now_us >= survey->deadline_us && connecting == survey->unsettled)) {
		tell(survey);
	} else if (connecting > 0) {
		rlk_timer_set(&survey->cluster->timers, &survey->alarm,
			      rlk_later(now_us, LOOK_AGAIN_US));
	}
	/* Else the last answer, or its absence, sets the alarm. */
}

static void on_alarm(struct rlk_timer *timer, uint64_t now_us)
{
	look((struct rlk_survey *)((char *)timer - offsetof(struct rlk_survey, alarm)), now_us);
}

void rlk_survey_start(struct rlk_survey *survey, struct rlk_cluster *cluster, struct rlk_name *name)
{
	survey->asker.asking = &asking;
	survey->cluster = cluster;
	survey->name = name;
	survey->alarm.fire = on_alarm;
	survey->unsettled = cluster->node_count;
	survey->deadline_us =
		rlk_later(rlk_now(cluster), rlk_us(cluster->config.connect_timeout_ms));
	survey->next = cluster->surveys;
	if (cluster->surveys != NULL) {
		cluster->surveys->prev = survey;
	}
	cluster->surveys = survey;
	/* Not at once: a callback that asks again must not keep the loop from turning. */
	rlk_timer_set(&cluster->timers, &survey->alarm, rlk_later(rlk_now(cluster), 1));
}

void rlk_surveys_close(struct rlk_cluster *cluster)
{
	struct rlk_survey *survey;

	for (survey = cluster->surveys; survey != NULL; survey = survey->next) {
		survey->closed = true;
		if (!survey->told) {
			rlk_timer_set(&cluster->timers, &survey->alarm, 0);
		}
	}
}

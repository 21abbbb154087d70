/* meeting.c - open, take, extend, give back, close, and look at every report on the way. */
#include "meeting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Hostile servers may cost this much memory, and no more. Sanitizers keep what was freed. */
#if defined(__SANITIZE_ADDRESS__)
#define PEAK_MAX ((size_t)700 << 20)
#else
#define PEAK_MAX ((size_t)96 << 20)
#endif
/* A node is given this long; less where it is sure to be silent. */
#define PATIENT_MS 2000
#define HUNG_MS 300

static char said[1 << 16];
static size_t said_len, peak_before;
static const char *scene = "";

/* ---- Listening ------------------------------------------------------------------------------- */

static void listen_to_trace(struct redlock_client *client, const char *line, void *data)
{
	size_t len = strlen(line);

	(void)client;
	(void)data;
	ck_assert_uint_gt(len, 0);
	for (size_t i = 0; i < len; i++) {
		ck_assert_msg((unsigned char)line[i] >= ' ', "%s: a control character in: %s",
			      scene, line);
	}
	if (said_len + len + 2 < sizeof said) {
		said_len += (size_t)snprintf(said + said_len, sizeof said - said_len, "%s\n", line);
	}
}

void meeting_never_said(const char *secret)
{
	ck_assert_msg(secret[0] == '\0' || !strstr(said, secret), "%s: a secret in the trace",
		      scene);
}

size_t meeting_peak(void)
{
	char line[256];
	size_t kb = 0;
	FILE *file = fopen("/proc/self/status", "r");

	while (file && fgets(line, sizeof line, file)) {
		if (sscanf(line, "VmPeak: %zu", &kb) == 1) {
			break;
		}
	}
	if (file) {
		(void)fclose(file);
	}
	return kb << 10;
}

static void check_text(const struct hostility *hostility, const char *text, const char *token)
{
	ck_assert_msg(!strstr(text, PASSWORD), "%s: the password in: %s", scene, text);
	ck_assert_msg(token[0] == '\0' || !strstr(text, token), "%s: the token in: %s", scene,
		      text);
	for (const char *at = text; *at; at++) {
		ck_assert_msg((unsigned char)*at >= ' ', "%s: a control character in: %s", scene,
			      text);
	}
	if (hostility->says) {
		ck_assert_msg(strstr(text, hostility->says), "%s: \"%s\" is not in: \"%s\"", scene,
			      hostility->says, text);
	} else {
		ck_assert_msg(text[0] == '\0', "%s: %s", scene, text);
	}
}

/* ---- Opening --------------------------------------------------------------------------------- */

void meeting_open(void)
{
	rig_open(REALS, NULL);
	rig.options.trace = listen_to_trace;
	rig.options.reconnect_min_ms = 20;
	rig.options.reconnect_max_ms = 50;
	peak_before = meeting_peak();
}

void meeting_close(void)
{
	rig_close();
}

struct redlock_client *meeting_client(size_t reals, struct fake *const *fakes, size_t count)
{
	char urls[REALS + HOSTILES_MAX][128];
	const char *list[REALS + HOSTILES_MAX];
	struct redlock_client *client = NULL;
	struct redlock_error error;
	size_t n = 0;

	for (size_t i = 0; i < reals; i++) {
		(void)snprintf(urls[n++], sizeof urls[0], "%s", rig.urls[i]);
	}
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(urls[n++], sizeof urls[0], "redis://app:" PASSWORD "@127.0.0.1:%u",
			       fake_port(fakes[i]));
	}
	for (size_t i = 0; i < n; i++) {
		list[i] = urls[i];
	}
	said_len = 0;
	said[0] = '\0';
	ck_assert_int_eq(redlock_client_new(&client, &rig.loop, list, n, &rig.options, &error),
			 REDLOCK_OK);
	return client;
}

/* ---- One meeting ----------------------------------------------------------------------------- */

struct meeting {
	const struct hostility *hostility;
	size_t reals, hostiles;
	struct fake *fakes[HOSTILES_MAX];
	struct redlock_client *client;
	struct redlock_lock *lock;
	bool asks_owner, looked, settled;
};

static bool is_up(const struct redlock_node_status *node)
{
	return node->state == REDLOCK_NODE_UP && node->guard_ms == 0;
}

/* Where the hostile node has to end up before it is asked anything. */
static bool is_settled(const struct hostility *hostility, const struct redlock_node_status *node)
{
	switch (hostility->stage) {
	case LOGGING_IN:
		return node->state == REDLOCK_NODE_DOWN;
	case BARRED:
		return node->state == REDLOCK_NODE_BARRED;
	default:
		return is_up(node);
	}
}

static void on_look(struct redlock_client *client, int status,
		    const struct redlock_inspection *inspection, void *data)
{
	struct meeting *meeting = data;
	const struct hostility *hostility = meeting->hostility;

	(void)client;
	ck_assert_int_eq(status, REDLOCK_OK);
	meeting->looked = meeting->settled = true;
	for (size_t i = 0; i < inspection->node_count; i++) {
		const struct redlock_node_status *node = &inspection->nodes[i];

		meeting->settled &= i < meeting->reals ? is_up(node) : is_settled(hostility, node);
		if (i < meeting->reals) {
			continue;
		}
		if (is_settled(hostility, node) && hostility->stage <= BARRED) {
			check_text(hostility, node->error, "");
		}
		if (meeting->asks_owner) {
			ck_assert_msg(node->answered == (hostility->vote == REDLOCK_VOTE_GRANTED),
				      "%s: answered: %d", scene, node->answered);
		}
	}
}

static bool all_settled(void *data)
{
	struct meeting *meeting = data;

	meeting->looked = false;
	ck_assert_int_eq(redlock_inspect(meeting->client, NULL, 0, on_look, meeting), REDLOCK_OK);
	loop_wait(&rig.loop, &meeting->looked);
	return meeting->settled;
}

/* A real node grants, unless it is not waited for, or wants another fencing token first. */
static void check_real(const struct meeting *meeting, const struct redlock_node_report *node,
		       bool most)
{
	bool refused = most && meeting->hostility->stage == FENCING &&
		       strcmp(node->error, "refused the fencing token") == 0;
	bool unheard = node->vote == REDLOCK_VOTE_NONE &&
		       (most || meeting->hostility->vote == REDLOCK_VOTE_GRANTED);

	ck_assert_msg(node->vote == REDLOCK_VOTE_GRANTED || refused || unheard,
		      "%s: a real node voted %s: %s", scene, redlock_vote_name(node->vote),
		      node->error);
}

/* The report of the operation that meets the hostility. */
static void check_report(const struct meeting *meeting, const struct outcome *outcome)
{
	const struct hostility *hostility = meeting->hostility;
	enum redlock_vote vote = hostility->stage == LOGGING_IN ? REDLOCK_VOTE_UNREACHABLE
				 : hostility->stage == BARRED	? REDLOCK_VOTE_ERROR
								: hostility->vote;
	bool most = meeting->hostiles > meeting->reals;
	size_t seen = 0;

	for (size_t i = 0; i < meeting->hostiles; i++) {
		const struct redlock_node_report *node = &outcome->nodes[meeting->reals + i];

		/* Missing: what it says to the repair is not waited for. */
		if (node->vote == REDLOCK_VOTE_MISSING && !most) {
			continue;
		}
		if (node->vote == REDLOCK_VOTE_NONE && (!most || vote == REDLOCK_VOTE_GRANTED)) {
			seen++;
			continue; /* Decided without it. */
		}
		/* A second attempt, with another fencing token, may find it gone; and what is
		 * barred is looked at again now and then. */
		ck_assert_msg(
			node->vote == vote ||
				((hostility->stage == FENCING || hostility->stage == BARRED) &&
				 node->vote == REDLOCK_VOTE_UNREACHABLE),
			"%s: voted %s: %s", scene, redlock_vote_name(node->vote), node->error);
		check_text(hostility, node->error, fake_token(meeting->fakes[i]));
		seen++;
	}
	ck_assert_msg(!most || seen > meeting->hostiles / 2, "%s: no vote of it", scene);
	for (size_t i = 0; i < meeting->reals; i++) {
		check_real(meeting, &outcome->nodes[i], most);
	}
}

/* What the operation must end with. */
static int due_status(const struct meeting *meeting, enum stage stage)
{
	const struct hostility *hostility = meeting->hostility;
	bool meets = hostility->stage <= BARRED || hostility->stage == stage;

	if (meeting->hostiles <= meeting->reals || !meets ||
	    hostility->vote == REDLOCK_VOTE_GRANTED) {
		return REDLOCK_OK;
	}
	if (hostility->vote == REDLOCK_VOTE_HELD || hostility->vote == REDLOCK_VOTE_MISSING) {
		return stage == ACQUIRING || stage == FENCING ? REDLOCK_EHELD : REDLOCK_ELOST;
	}
	return REDLOCK_ENOQUORUM;
}

static bool does(const struct meeting *meeting, enum stage stage, int status,
		 const struct outcome *outcome)
{
	int due = due_status(meeting, stage);

	/* What went wrong before may have cost the connections. */
	if (stage == RELEASING && meeting->hostility->stage == EXTENDING &&
	    status == REDLOCK_ENOQUORUM && meeting->hostiles > meeting->reals) {
		return false;
	}
	ck_assert_msg(status == due, "%s: %s instead of %s", scene, redlock_status_name(status),
		      redlock_status_name(due));
	ck_assert_uint_eq(outcome->calls, 1);
	if (meeting->hostility->stage <= BARRED || meeting->hostility->stage == stage) {
		check_report(meeting, outcome);
	}
	return status == REDLOCK_OK;
}

static void use(struct meeting *meeting)
{
	bool fenced = meeting->hostility->stage == FENCING;
	struct outcome took, extended, released;
	struct redlock_lock_options options;

	redlock_lock_options_init(&options);
	options.fence = fenced;
	meeting->lock = rig_lock_with(meeting->client, NAME, &options);
	if (does(meeting, fenced ? FENCING : ACQUIRING,
		 acquire_sync(&rig.loop, meeting->lock, 0, &took), &took)) {
		(void)does(meeting, EXTENDING, extend_sync(&rig.loop, meeting->lock, &extended),
			   &extended);
		ck_assert_msg(redlock_lock_held(meeting->lock), "%s: not held", scene);
		(void)does(meeting, RELEASING, release_sync(&rig.loop, meeting->lock, &released),
			   &released);
		ck_assert_uint_eq(extended.calls, 1);
		ck_assert_uint_eq(released.calls, 1);
	}
	ck_assert(!redlock_lock_held(meeting->lock));
	ck_assert_uint_eq(took.calls, 1);
	redlock_lock_free(meeting->lock);
}

static bool are_clean(void *data)
{
	const struct meeting *meeting = data;
	size_t left = 0;

	for (size_t i = 0; i < meeting->reals; i++) {
		left += server_leftovers(&rig.servers.at[i]);
	}
	return left == 0;
}

static void look_once(struct meeting *meeting)
{
	meeting->looked = false;
	meeting->asks_owner = true;
	ck_assert_int_eq(redlock_inspect(meeting->client, NAME, strlen(NAME), on_look, meeting),
			 REDLOCK_OK);
	loop_wait(&rig.loop, &meeting->looked);
}

static bool hangs(const struct hostility *hostility)
{
	return hostility->vote == REDLOCK_VOTE_TIMED_OUT ||
	       (hostility->stage == LOGGING_IN && hostility->says &&
		strstr(hostility->says, "no answer"));
}

/* Tools that make everything slow have Check wait for longer, too. */
static uint32_t hung_ms(void)
{
	const char *slow = getenv("CK_TIMEOUT_MULTIPLIER");

	return slow ? PATIENT_MS : HUNG_MS;
}

void meet(const struct hostility *hostility, size_t reals, size_t hostiles)
{
	struct meeting meeting = {.hostility = hostility, .reals = reals, .hostiles = hostiles};
	char text[160];

	(void)snprintf(text, sizeof text, "%s (%zu real, %zu hostile)", hostility->name, reals,
		       hostiles);
	scene = text;
	for (size_t i = 0; i < hostiles; i++) {
		meeting.fakes[i] = fake_new(&rig.loop, &hostility->cue);
	}
	rig.options.node_timeout_ms = hangs(hostility) ? hung_ms() : PATIENT_MS;
	rig.options.connect_timeout_ms = rig.options.node_timeout_ms;
	meeting.client = meeting_client(reals, meeting.fakes, hostiles);
	loop_until(&rig.loop, all_settled, &meeting, scene);
	use(&meeting);
	if (hostility->stage == LOOKING) {
		look_once(&meeting);
	}
	loop_until(&rig.loop, are_clean, &meeting, scene);
	close_sync(&rig.loop, meeting.client);
	for (size_t i = 0; i < hostiles; i++) {
		meeting_never_said(fake_token(meeting.fakes[i]));
		fake_free(meeting.fakes[i]);
	}
	meeting_never_said(PASSWORD);
	ck_assert_msg(meeting_peak() < peak_before + PEAK_MAX, "%s: %zu MB of memory", scene,
		      (meeting_peak() - peak_before) >> 20);
	scene = "";
}

void meet_all(const struct hostility *hostilities, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		meet(&hostilities[i], 3, 2);
		meet(&hostilities[i], 2, 3);
		if (!hangs(&hostilities[i])) {
			meet(&hostilities[i], 0, 1);
		}
	}
}

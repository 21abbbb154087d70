/* chaos_shrink.c - from a schedule that fails to a part of it that fails in the same way, and of
 * which nothing more can be left out ("delta debugging").
 *
 * What is left out is decided, not guessed: each act of a user, each stroke of
 * fate and each oddity of the cast has dice of its own and is done at the time
 * that the tape says, so that leaving one out moves none of the others. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chaos_work.h"

#define STORY_BEGIN 100
#define STORY_END 200

struct shrinking {
	const struct chaos_failure *goal;
	struct tape *tape;	     /* Shared. */
	struct chaos_worker *worker; /* Shared. */
	unsigned played;
};

/* Does it still fail like that? Its story goes to @story, unless that is NULL. */
static bool fails(struct shrinking *shrinking, FILE *story)
{
	struct chaos_failure *failure = &shrinking->worker->failure;
	pid_t pid;
	int status;

	shrinking->played++;
	memset(failure, 0, sizeof *failure);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		chaos_work_within(20);
		if (story != NULL) {
			dup2(fileno(story), STDERR_FILENO);
		}
		chaos_work_one(shrinking->worker, shrinking->goal->seed, shrinking->tape,
			       story != NULL);
		_exit(EXIT_SUCCESS);
	}
	waitpid(pid, &status, 0);
	return chaos_work_over(shrinking->worker, status) &&
	       strcmp(failure->kind, shrinking->goal->kind) == 0;
}

static unsigned left(const struct tape *tape)
{
	unsigned i, n = 0;

	for (i = 0; i < tape->count; i++) {
		n += !tape->marks[i].skip;
	}
	return n;
}

/* Try without the marks from @first on, so many of those that are left. Returns where to go on. */
static size_t try_without(struct shrinking *shrinking, size_t first, unsigned many, bool *better)
{
	struct tape *tape = shrinking->tape;
	size_t taken[TAPE_MARKS_MAX / 2], count = 0, i;

	for (i = first; i < tape->count && count < many; i++) {
		if (!tape->marks[i].skip) {
			tape->marks[i].skip = true;
			taken[count++] = i;
		}
	}
	first = i;
	if (count == 0 || fails(shrinking, NULL)) {
		*better |= count > 0;
		return first;
	}
	for (i = 0; i < count; i++) {
		tape->marks[taken[i]].skip = false;
	}
	return first;
}

static void shrink(struct shrinking *shrinking)
{
	struct tape *tape = shrinking->tape;
	unsigned many = left(tape) / 2;
	size_t first;
	bool better;

	for (many = many > TAPE_MARKS_MAX / 2 ? TAPE_MARKS_MAX / 2 : many; many > 0; many /= 2) {
		do {
			better = false;
			for (first = 0; first < tape->count;) {
				first = try_without(shrinking, first, many, &better);
			}
		} while (better && many == 1);
	}
}

/* What happens in it; of a long story, only how it begins and how it ends. */
static void tell(struct shrinking *shrinking)
{
	FILE *story = tmpfile();
	unsigned lines = 0, line = 0;
	char text[400];

	if (story == NULL || !fails(shrinking, story)) {
		printf("not told: it does not fail any more\n");
		return;
	}
	rewind(story);
	while (fgets(text, sizeof text, story) != NULL) {
		lines++;
	}
	rewind(story);
	while (fgets(text, sizeof text, story) != NULL) {
		if (++line <= STORY_BEGIN || line + STORY_END > lines) {
			fputs(text, stdout);
		} else if (line == STORY_BEGIN + 1) {
			printf("[%u lines]\n", lines - STORY_BEGIN - STORY_END);
		}
	}
	fclose(story);
}

void chaos_shrink(const struct chaos_failure *failure)
{
	struct shrinking shrinking = {.goal = failure};
	unsigned all;

	shrinking.tape = chaos_share(sizeof *shrinking.tape);
	shrinking.worker = chaos_share(sizeof *shrinking.worker);
	if (!fails(&shrinking, NULL)) {
		printf("not shrunk: played again, it does not fail like that\n");
		return;
	}
	all = left(shrinking.tape);
	shrinking.tape->playing = true;
	shrink(&shrinking);
	printf("shrunk from %u decisions to %u, in %u plays:\n", all, left(shrinking.tape),
	       shrinking.played);
	tell(&shrinking);
}

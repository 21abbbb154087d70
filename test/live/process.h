/* process.h - a part of a live test that runs in a process of its own, to be hurt as one. */
#ifndef REDLOCK_TEST_PROCESS_H
#define REDLOCK_TEST_PROCESS_H

#include <sys/types.h>

struct process {
	pid_t pid;
	int from; /* What it says, a byte at a time. */
};

/* Run @work with the writing end of a pipe, in a process with a loop of its own. It must not
 * end the servers: they belong to its parent. */
void process_start(struct process *process, void (*work)(int to));
/* Inside of it. */
void process_say(int to, char byte);
/* Run the loop until it has said so; or has ended, without a fault. */
void process_wait_said(const struct process *process, char byte);
void process_wait_ended(struct process *process);
/* kill -9. */
void process_kill(struct process *process);
/* SIGSTOP; returns when it stands still. To be let on by SIGCONT. */
void process_stop(const struct process *process);

#endif

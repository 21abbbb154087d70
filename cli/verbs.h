/* verbs.h - what main() can be asked to do. Each returns the exit code. */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

struct args;

int verb_run(struct args *args);
int verb_lock(struct args *args);
int verb_extend(struct args *args);
int verb_unlock(struct args *args);
int verb_status(struct args *args);
int verb_cluster(struct args *args);

#endif

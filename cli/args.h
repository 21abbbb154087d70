/* args.h - the command line, read and checked. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "nodes.h"
#include "out.h"

#include <redlock/redlock.h>

#include <stdbool.h>
#include <stdint.h>

struct args;

/* Groups of options; a verb takes those of its groups. */
enum option_group {
	OPTIONS_OUTPUT = 1,   /* --json -v -q --help --version */
	OPTIONS_NODES = 2,    /* Where the servers are, and how to treat them. */
	OPTIONS_TTL = 4,      /* --ttl */
	OPTIONS_WAIT = 8,     /* -n -w */
	OPTIONS_RUN = 16,     /* What only run has. */
	OPTIONS_CLUSTER = 32, /* --nodes --dir --port --server */
	OPTIONS_STATUS = 64,  /* --watch */
	OPTIONS_EVERYWHERE = OPTIONS_OUTPUT | OPTIONS_NODES
};

struct verb {
	const char *name;
	int (*run)(struct args *args); /* Returns the exit code. */
	unsigned options;	       /* Groups of options it takes. */
	int operands_min;
	int operands_max;     /* -1: any number, none of them an option. */
	bool options_later;   /* Options may follow the first operand. */
	const char *operands; /* As named in messages. */
};

struct args {
	const struct verb *verb;
	struct out_manner manner;
	struct nodes nodes;
	const char *nodes_file;
	const char *key_format; /* NULL: the library's. */
	const char *tls_ca;
	const char *tls_cert;
	const char *tls_key;
	uint32_t node_timeout_ms; /* 0: the library's. */
	uint32_t max_ttl_ms;
	uint32_t ttl_ms;
	bool no_restart_guard;
	bool no_wait;
	bool wait_set;
	uint64_t wait_ms;
	int held_code;
	uint64_t min_hold_ms;
	bool kill_after_set;
	uint32_t kill_after_ms;
	bool fence;
	unsigned permits;			     /* 0: not given, and a lock. */
	const char *also[REDLOCK_RESOURCES_MAX - 1]; /* Names to lock together with NAME. */
	unsigned also_count;
	bool shared;
	const char *shell_command;
	const char *stats;	/* File to keep statistics in, or NULL. */
	unsigned cluster_nodes; /* 0: not given. */
	unsigned cluster_port;	/* 0: not given. */
	const char *cluster_dir;
	const char *cluster_server;
	bool watch;
	bool help;
	bool version;
	char **operands;
	int operand_count;
};

/* Find a verb; NULL if there is none of that name. */
const struct verb *verb_find(const char *name);

/* Read the command line. Returns 0, or CODE_USAGE when something is wrong with
 * it (and has been said). With help or version set, the rest is not checked. */
int args_read(struct args *args, int argc, char **argv);

/* Settle the nodes: --node, or --nodes-file, or REDLOCK_NODES. 0 or CODE_USAGE. */
int args_find_nodes(struct args *args);

/* How long to wait for a lock: -n, -w, or for ever. */
uint64_t args_wait_ms(const struct args *args);

void args_clear(struct args *args);

#endif

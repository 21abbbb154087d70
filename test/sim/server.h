/* server.h - a node: its keys, its clock, what it answers, and what becomes of it. For sim.h. */
#ifndef REDLOCK_TEST_SERVER_H
#define REDLOCK_TEST_SERVER_H

/* A ticket of somebody who stands in line, and what the judge wants to know of it. */
struct sim_place {
	char token[RLK_TOKEN_LEN];
	unsigned caller; /* Index of its client. */
	uint32_t name;
	struct rlk_ticket ticket;
	uint64_t joined_us; /* By the world's time. */
	uint32_t ttl_ms;    /* Of what it wants. */
	bool stray;	    /* It came when its connection had ended. */
};

#define SIM_PLACES 16

/* One of those who have a key together. */
struct sim_reader {
	size_t token_len;
	char token[RLK_TOKEN_MAX];
	uint64_t ends_ms; /* By the node's clock. */
};

#define SIM_READERS 12

struct sim_key {
	struct sim_place line[SIM_PLACES]; /* First come first. */
	unsigned places;
	uint64_t line_dies_ms, wait_dies_ms; /* And of the key that tells of it. */
	size_t name_len, token_len;
	char name[SIM_NAME_MAX];
	char token[RLK_TOKEN_MAX];
	uint64_t dies_ms; /* By the node's clock; 0: no key. */
	uint64_t fence;	  /* Highest fencing token of the name; 0: none. Lives on. */
	unsigned reader_count;
	struct sim_reader readers[SIM_READERS];
};

/* What a node knows; what of it survives a crash is the crash's business. */
struct sim_data {
	struct sim_key keys[SIM_KEYS_MAX];
	char incarnation[RLK_RUN_ID_MAX]; /* Run id of the process that was born at... */
	uint64_t born_us;
};

/* To whom a node has promised a resource, as the judge remembers it; by the node's clock. */
struct sim_word {
	size_t token_len;
	char token[RLK_TOKEN_MAX];
	bool shared;	    /* To a reader. */
	unsigned since_run; /* Of the server: without a break. */
	uint64_t until_ms;  /* 0: it is none. */
	/* By then what was promised to others is over, of what it had forgotten when it gave this.
	 */
	uint64_t broken_until_us;
};

#define SIM_WORDS 4

struct sim_promise {
	struct sim_word given[SIM_READERS];   /* The last one, or those to readers. */
	struct sim_word forgotten[SIM_WORDS]; /* To others, of whom the node forgot. */
};

enum sim_memory { SIM_KEEPS_ALL, SIM_FORGETS_ALL, SIM_FORGETS_SOME };

struct sim_server {
	unsigned index, runs;
	struct sim_clock clock;
	struct sim_data data, saved; /* saved: what SIM_FORGETS_SOME comes back with. */
	char run_id[RLK_RUN_ID_MAX];
	const char *barred;		   /* Told at log-in: why it must not vote. */
	bool up, paused, durable, was_set; /* Its clock was. */
	bool mute;			   /* Nobody may listen to it... */
	bool no_line;			   /* ...or stand in line. */
	unsigned error_percent;		   /* Of commands that are answered with an error. */
	unsigned asked[RLK_OP_INSPECT + 1];
	uint64_t lost_us;			   /* When it last lost data; 0: never. */
	unsigned lost_run;			   /* Which of its runs ended so. */
	struct sim_promise promises[SIM_KEYS_MAX]; /* In the order of sim->resources. */
	struct sim_dice dice;
};

#define SIM_PARTS_MAX 3

/* One of several resources. */
struct sim_part {
	size_t len;
	char name[SIM_NAME_MAX];
};

struct sim_command {
	enum rlk_op op;
	size_t name_len, token_len;
	char name[SIM_NAME_MAX];
	char token[RLK_TOKEN_MAX];
	uint32_t ttl_ms;
	uint64_t fence, born_us;
	struct rlk_ticket ticket;
	unsigned caller;
	uint32_t hash;
	unsigned part_count;		      /* 0: it is about the one resource above. */
	struct sim_part parts[SIM_PARTS_MAX]; /* Else these are named, one after the other. */
	bool stray;			      /* It came when its connection had ended. */
	bool shared;			      /* Of a reader. */
	bool checked;			      /* Only by the process that logged in: */
	const char *run_id;		      /* this one. */
};

/* server_set.c: set the key, if it may be. */
void sim_server_set(struct sim *sim, struct sim_server *server, struct sim_key *key,
		    const struct sim_command *command, struct rlk_answer *answer);

/* server_several.c: commands for several resources. */
void sim_several_execute(struct sim *sim, struct sim_server *server,
			 const struct sim_command *command, struct rlk_answer *answer);
/* The same command for the @part-th of its resources alone: in @one, or as it is if it has no more.
 */
const struct sim_command *sim_command_part(const struct sim_command *command, unsigned part,
					   struct sim_command *one);
/* How many resources is it about? */
unsigned sim_command_parts(const struct sim_command *command);

/* server_line.c: who stands in line, and is next. */
void sim_line_leave(struct sim_key *key, const char *token);
/* Give the key to the first who listens, for a moment. Returns whether there was one. */
bool sim_line_pass(struct sim *sim, struct sim_server *server, struct sim_key *key,
		   const struct sim_command *command);
/* Does anybody stand there who listens? He is told when the key, which lives for @left_ms, is gone;
 * those before him who do not listen are dead. */
bool sim_line_is_ahead(struct sim *sim, const struct sim_server *server, struct sim_key *key,
		       uint64_t left_ms);
/* As sim_line_pass(), for a release: if there is word that somebody waits. */
bool sim_line_release(struct sim *sim, struct sim_server *server, struct sim_key *key,
		      const struct sim_command *command);
void sim_line_join(struct sim *sim, struct sim_server *server, struct sim_key *key,
		   const struct sim_command *command, struct rlk_answer *answer);
uint64_t sim_server_left_ms(const struct sim *sim, const struct sim_server *server,
			    const struct sim_key *key);

/* server_shared.c: readers. */
void sim_shared_set(struct sim *sim, struct sim_server *server, struct sim_key *key,
		    const struct sim_command *command, struct rlk_answer *answer);
void sim_shared_extend(const struct sim *sim, const struct sim_server *server, struct sim_key *key,
		       const struct sim_command *command, struct rlk_answer *answer);
void sim_shared_release(struct sim *sim, struct sim_server *server, struct sim_key *key,
			const struct sim_command *command, struct rlk_answer *answer);
bool sim_key_is_shared(const struct sim_key *key);
/* Until when it is that one's, alone or with others, by the node's clock; 0: not at all. */
uint64_t sim_key_until_ms(const struct sim_key *key, const char *token, size_t len);

/* server.c */
struct sim_key *sim_key_find_or_make(struct sim *sim, struct sim_server *server, const char *name,
				     size_t len);
bool sim_key_is(const struct sim_key *key, const char *token, size_t len);
void sim_key_set(const struct sim *sim, const struct sim_server *server, struct sim_key *key,
		 const char *token, size_t len, uint32_t ttl_ms);
const char *sim_op_name(enum rlk_op op);
void sim_server_init(struct sim *sim, unsigned index);
/* A run id that it never had before. */
void sim_server_name_process(struct sim_server *server);
void sim_server_execute(struct sim *sim, struct sim_server *server,
			const struct sim_command *command, struct rlk_answer *answer);
/* Does the live key that the command is about carry its token? */
bool sim_server_has(const struct sim *sim, struct sim_server *server,
		    const struct sim_command *command);
bool sim_server_durable(const struct sim *sim, const struct sim_server *server);
void sim_server_enrol(struct sim *sim, struct sim_server *server, uint64_t *born_us,
		      uint64_t *now_us);
/* The live key, or NULL. */
const struct sim_key *sim_key(struct sim *sim, unsigned node, const char *resource);
/* On how many nodes does the live key carry this token? */
unsigned sim_keys_with(struct sim *sim, const char *resource, const char *token, size_t token_len);
/* Put another owner's key there. */
void sim_plant(struct sim *sim, unsigned node, const char *resource, const char *token,
	       uint32_t ttl_ms);

/* server_life.c */
void sim_save(struct sim *sim, unsigned node);
/* Crash. Connections end at once; @quietly: without a word to the other side. */
void sim_stop(struct sim *sim, unsigned node, enum sim_memory memory, bool quietly);
void sim_start(struct sim *sim, unsigned node);
/* Another process takes its place, and no connection breaks. */
void sim_take_over(struct sim *sim, unsigned node, enum sim_memory memory);
void sim_pause(struct sim *sim, unsigned node);
/* Somebody sets the node's clock. */
void sim_set_clock(struct sim *sim, unsigned node, int64_t by_us);
void sim_resume(struct sim *sim, unsigned node);

#endif

/* ports.h - all that the core may ask of the world.
 *
 * The core reads no clock, owns no socket and allocates through here, so that
 * the drivers (libuv and hiredis) and the simulator can run the same objects.
 * Times are microseconds of one clock that counts suspended time. */
#ifndef RLK_PORTS_H
#define RLK_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RLK_NODES_MAX 32
#define RLK_NEVER UINT64_MAX
#define RLK_TOKEN_LEN 32
/* What our own tokens are written in, four bits to a letter. No other client's hexadecimal digits:
 * behind such an owner nobody can count on being called. */
#define RLK_TOKEN_LETTERS "ghijklmnopqrstuv"
#define RLK_TOKEN_MAX 64

struct rlk_request;
struct rlk_lock;

/* The commands of the protocol, as docs/protocol.md describes them. */
enum rlk_op {
	RLK_OP_ACQUIRE,	  /* Set the key if it is free. */
	RLK_OP_EXTEND,	  /* Lengthen the key's life if it is ours. */
	RLK_OP_REPAIR,	  /* Give the key back to a node that lost it. */
	RLK_OP_ADVANCE,	  /* Lengthen it under another fencing token, if it is ours. */
	RLK_OP_RELEASE,	  /* Delete the key if it is ours, or pass it on to who is next in line. */
	RLK_OP_JOIN,	  /* Stand in line for it; if it is free, the first in line may have it. */
	RLK_OP_REMAINING, /* How long will the key live? */
	RLK_OP_INSPECT	  /* Who has the key, and for how long? */
};

static inline bool rlk_is_vote(enum rlk_op op)
{
	return op == RLK_OP_ACQUIRE || op == RLK_OP_EXTEND || op == RLK_OP_REPAIR ||
	       op == RLK_OP_ADVANCE;
}

/* The key of a resource, or those of several; shared by its locks and what their attempts left
 * behind. */
struct rlk_name {
	unsigned refs;
	bool listed, passing;
	uint8_t several; /* So many resources, all or none: parts.h; 0: it is one. */
	uint8_t yields;	 /* How often its client has made room for others. */
	bool contended;	 /* Others stood in line for it when we last heard of it. */
	int8_t why;	 /* The keeper has lost its last attempt so; 0: won, or none yet. */
	uint64_t hash;
	struct rlk_name *next; /* In its bucket: names.c. */
	/* The locks of this client that want it: queue.c. */
	struct rlk_lock *keeper;       /* Holds it or tries for it. */
	struct rlk_lock *first, *last; /* Wait behind. */
	unsigned turns;		       /* How often it has passed to the next of them... */
	uint64_t kept_since_us;	       /* ...since then. */
	size_t len;
	char bytes[]; /* NUL-terminated for convenience; may hold NULs. */
};

/* A place in the line of those who wait at the nodes. It has a number: 0 is none. */
struct rlk_ticket {
	uint64_t since_us; /* They come in this order; by the nodes' clocks. */
	uint32_t seq;
	uint16_t keep_ms; /* How long a node keeps the key for us, once it has called us. */
};

struct rlk_command {
	enum rlk_op op;
	const struct rlk_name *name; /* NULL: INSPECT of the node alone. */
	const char *token;
	size_t token_len;
	uint32_t ttl_ms;
	uint32_t longest_ms; /* A key under this token may have been set for so long. */
	uint64_t fence;	     /* Fencing token to store; 0: no fencing. */
	struct rlk_ticket ticket;
	const char *caller; /* Who is to be called. */
	bool checked;	    /* Only if the node is still the one that logged in. */
	bool several;	    /* The name is of several resources. */
	bool shared;	    /* Others may read at the same time. */
	bool undone;	    /* Its release is on its way: do not send it a second time. */
};

enum rlk_answer_kind {
	RLK_YES,	 /* Set, extended or deleted. */
	RLK_NO,		 /* Another owner's key is there (RELEASE: ours is not). */
	RLK_MISSING,	 /* No key is there. */
	RLK_FENCE_LOW,	 /* Refused: fence holds the node's floor. */
	RLK_FENCE_HIGH,	 /* Refused, too far ahead: fence holds the node's clock. */
	RLK_VALUE,	 /* REMAINING, INSPECT: the answer. */
	RLK_ERROR,	 /* The node answered an error, or nonsense: text. */
	RLK_SILENT,	 /* No answer in time; it may still come. */
	RLK_BROKEN,	 /* The connection broke; no answer will come. */
	RLK_UNREACHABLE, /* Not asked: not connected, or silent since long. */
	RLK_WITHHELD,	 /* Not asked: the restart guard is on. */
	RLK_BARRED,	 /* Not asked: this node must never vote. */
	RLK_FULL	 /* Not asked: too much is unanswered. */
};

struct rlk_answer {
	enum rlk_answer_kind kind;
	bool held;	      /* INSPECT: the key is there; text is its owner. */
	bool passed;	      /* RELEASE: somebody else was next in line. */
	bool foreign;	      /* JOIN: the owner may be one who calls nobody. */
	uint32_t rank;	      /* JOIN: so many are ahead in line. */
	int32_t in_line;      /* INSPECT: so many stand in line; -1: nobody can, or not known. */
	int64_t remaining_ms; /* -1: unknown, or for ever. */
	uint64_t fence;
	const char *text;
	size_t text_len;
};

struct rlk_ports {
	/* Read fresh each time: validity hangs on it. */
	uint64_t (*now_us)(void *world);
	/* Unix time: only proposes fencing tokens, never measures. */
	uint64_t (*wall_us)(void *world);
	/* Write RLK_TOKEN_LEN random letters and a NUL. */
	bool (*token)(void *world, char *token);
	/* Zeroed memory, or NULL. */
	void *(*alloc)(void *world, size_t size);
	void (*free)(void *world, void *block);
	/* Begin to connect; ends, later, in rlk_node_up() or rlk_node_down(). */
	void (*connect)(void *world, unsigned node);
	/* Drop the connection at once; nothing more is heard of it. */
	void (*disconnect)(void *world, unsigned node);
	/* Begin to listen to a node that is up; ends, later, in rlk_node_listens() or
	 * rlk_node_deaf(). Over when the node's connection goes. */
	void (*listen)(void *world, unsigned node);
	/* Send; ends, later, in rlk_node_answer() unless the connection goes. */
	void (*send)(void *world, unsigned node, struct rlk_request *request,
		     const struct rlk_command *command);
	/* One decision in words; may be NULL. */
	void (*trace)(void *world, const char *line);
};

#endif

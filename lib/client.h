/* client.h - a client as its own rooms see it. */
#ifndef RLK_CLIENT_H
#define RLK_CLIENT_H

#include <redlock/redlock.h>
#include <redlock/semaphore.h>
#include <uv.h>

#include "core/lock.h"
#include "core/parts.h"
#include "core/survey.h"
#include "redis/link.h"

#define RLK_RESOURCE_MAX 65536 /* Bytes. */
#define RLK_TOKENS_AHEAD 32

struct redlock_client {
	uv_loop_t *loop;
	uv_prepare_t prepare;
	uv_check_t check;
	uv_timer_t timer;
	uint64_t timer_us; /* What the timer is set for; RLK_NEVER: not set. */
	struct redlock_allocator allocator;
	struct redlock_options options;
	char *key_format, *client_name, *incarnation_key;
	struct rlk_cluster cluster;
	struct rlk_node nodes[REDLOCK_NODES_MAX];
	struct rlk_links links;
	struct rlk_link *link; /* One for each node. */
	size_t url_count;

	unsigned char entropy[RLK_TOKENS_AHEAD * RLK_TOKEN_LEN / 2];
	size_t entropy_left;

	/* Lent to callbacks. */
	struct redlock_node_report node_reports[REDLOCK_NODES_MAX];
	struct redlock_node_status node_statuses[REDLOCK_NODES_MAX];

	/* The close handshake. */
	bool closing, stopped, gone;
	unsigned handles; /* Of ours, open. */
	unsigned lock_count;
	struct rlk_timer grace;
	redlock_close_cb on_close;
	void *on_close_data;
};

struct redlock_lock {
	struct redlock_client *client;
	redlock_lock_cb cb[RLK_NEWS_KINDS];
	void *data[RLK_NEWS_KINDS - 1]; /* Who is told of risk and loss is the same. */
	struct rlk_lock core;		/* Last: it ends in an array. */
};

/* front.c: for resources that are in order, and different. */
int rlk_lock_new(struct redlock_lock **lock, struct redlock_client *client,
		 const struct redlock_resource *resources, size_t count,
		 const struct redlock_lock_options *options);

/* several.c: may a lock for more than one resource be like that? 0, or a REDLOCK_ error. */
int rlk_several_check(const struct redlock_options *options,
		      const struct redlock_lock_options *lock_options);

/* options.c */
int rlk_options_import(struct redlock_options *options, const struct redlock_options *given,
		       struct redlock_error *error);
int rlk_lock_options_import(struct redlock_lock_options *options,
			    const struct redlock_lock_options *given);
int rlk_semaphore_options_import(struct redlock_semaphore_options *options,
				 const struct redlock_semaphore_options *given);
int rlk_lock_ttl_check(const struct redlock_options *options, uint32_t ttl_ms);
uint32_t rlk_options_node_timeout_ms(const struct redlock_options *options);
int rlk_error(struct redlock_error *error, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* memory.c */
extern const struct redlock_allocator rlk_libc_allocator;
void *rlk_calloc(struct redlock_client *client, size_t size);
void rlk_free(struct redlock_client *client, void *block);
char *rlk_copy_text(struct redlock_client *client, const char *text);
/* Through a key format; returns the length, and writes it if @out is not NULL. */
size_t rlk_format_key(const char *format, const void *resource, size_t len, char *out);
/* The key of a resource, through the key format; NULL: out of memory. */
struct rlk_name *rlk_key(struct redlock_client *client, const void *resource, size_t len);
/* The same for one or several. */
struct rlk_name *rlk_keys(struct redlock_client *client, const struct redlock_resource *resources,
			  size_t count);

/* inspect.c */
enum redlock_node_state rlk_node_state_of(const struct rlk_node *node);

/* close.c */
/* Free what a client has; no handle of it may be open. */
void rlk_client_destroy(struct redlock_client *client);
/* Free the client if it is closed and its last lock is gone. */
void rlk_client_gone(struct redlock_client *client);
/* Closing: go on, if nothing is left to be told or given back. */
void rlk_client_close_when_ready(struct redlock_client *client);
void rlk_client_io_closed(struct rlk_ios *ios);

/* world.c: the core's ports. */
extern const struct rlk_ports rlk_world;
extern const struct rlk_ports rlk_world_traced;
uint64_t rlk_clock_us(void);
bool rlk_entropy(void *bytes, size_t len);

/* report.c */
void rlk_report(struct redlock_lock *lock, struct redlock_report *report);

#endif

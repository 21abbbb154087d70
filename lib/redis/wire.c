/* wire.c - commands, byte for byte; docs/protocol.md is its other half.
 *
 * They are written with lengths, so that a resource or a token may hold any
 * byte. What comes back is read in reply.c. */
#include "wire.h"

#include <string.h>

#define ARGS_MAX 16
/* Room for any script with a name of usual length: who runs out of memory can still give back. */
#define RESERVE_BYTES 4096
/* A kind, a number, an end of line. */
#define HEAD_MAX (1 + 20 + 2)

void rlk_wire_free(struct rlk_wire *wire)
{
	if (wire->bytes != NULL) {
		wire->allocator->free(wire->bytes, wire->allocator->data);
	}
	wire->bytes = NULL;
	wire->len = wire->cap = 0;
}

/* Have room for @len bytes; what was there is over. */
static bool reserve(struct rlk_wire *wire, size_t len)
{
	const struct redlock_allocator *allocator = wire->allocator;
	size_t cap = wire->cap == 0 ? RESERVE_BYTES : wire->cap;
	char *bytes;

	while (cap < len) {
		cap *= 2;
	}
	if (cap == wire->cap) {
		return true;
	}
	bytes = allocator->calloc(1, cap, allocator->data);
	if (bytes == NULL) {
		return false;
	}
	rlk_wire_free(wire);
	wire->bytes = bytes;
	wire->cap = cap;
	return true;
}

/* The decimal digits of @n, without NUL; returns how many. Each command has a dozen numbers in it,
 * and printf() would be most of the work of a cycle. */
static size_t decimal(char digits[20], uint64_t n)
{
	char backwards[20];
	size_t len = 0, i;

	do {
		backwards[len++] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	for (i = 0; i < len; i++) {
		digits[i] = backwards[len - 1 - i];
	}
	return len;
}

/* ---- Commands -------------------------------------------------------------------------------- */

struct args {
	int n;
	int helper_at; /* This one gets the suffix of a helper key; 0: none does. */
	const char *suffix;
	const char *v[ARGS_MAX];
	size_t len[ARGS_MAX];
	size_t at[ARGS_MAX]; /* Where it begins in the bytes. */
	char numbers[6][24];
	int number_count;
	char ticket[RLK_TICKET_LEN + 1];
};

static void add(struct args *args, const char *bytes, size_t len)
{
	args->v[args->n] = bytes;
	args->len[args->n++] = len;
}

static void add_text(struct args *args, const char *text)
{
	add(args, text, strlen(text));
}

static void add_number(struct args *args, uint64_t number)
{
	char *text = args->numbers[args->number_count++];

	add(args, text, decimal(text, number));
}

/* The head of an array or of a string; most are of less than a hundred. Returns where it ends. */
static char *head(char *at, char kind, size_t n)
{
	*at++ = kind;
	if (n < 10) {
		*at++ = (char)('0' + n);
	} else if (n < 100) {
		*at++ = (char)('0' + n / 10);
		*at++ = (char)('0' + n % 10);
	} else {
		at += decimal(at, n);
	}
	*at++ = '\r';
	*at++ = '\n';
	return at;
}

static char *bytes(char *at, const char *from, size_t len)
{
	memcpy(at, from, len);
	return at + len;
}

static void put_all(struct rlk_wire *wire, struct args *args)
{
	size_t suffix_len = args->helper_at > 0 ? strlen(args->suffix) : 0;
	size_t most = HEAD_MAX + suffix_len, more;
	char *at;
	int i;

	for (i = 0; i < args->n; i++) {
		most += HEAD_MAX + args->len[i] + 2;
	}
	wire->len = 0;
	wire->made.known = false;
	wire->failed = !reserve(wire, most);
	if (wire->failed) {
		return;
	}
	at = head(wire->bytes, '*', (size_t)args->n);
	for (i = 0; i < args->n; i++) {
		more = args->helper_at > 0 && i == args->helper_at ? suffix_len : 0;
		at = head(at, '$', args->len[i] + more);
		args->at[i] = (size_t)(at - wire->bytes);
		at = bytes(at, args->v[i], args->len[i]);
		if (more > 0) {
			at = bytes(at, args->suffix, more);
		}
		*at++ = '\r';
		*at++ = '\n';
	}
	wire->len = (size_t)(at - wire->bytes);
}

void rlk_wire_args(struct rlk_wire *wire, int argc, const char *const *argv)
{
	struct args args = {0};
	int i;

	for (i = 0; i < argc; i++) {
		add_text(&args, argv[i]);
	}
	put_all(wire, &args);
}

/* By a node that keeps the key for us. */
static bool is_called(const struct rlk_command *command)
{
	return command->op == RLK_OP_ACQUIRE && command->ticket.seq != 0;
}

enum rlk_script_id rlk_wire_script(const struct rlk_command *command)
{
	switch (command->op) {
	case RLK_OP_ACQUIRE:
	case RLK_OP_REPAIR:
		if (command->fence != 0) {
			return RLK_SCRIPT_FENCED;
		}
		if (command->checked) {
			return RLK_SCRIPT_CHECKED;
		}
		return is_called(command) ? RLK_SCRIPT_CONFIRM : RLK_SCRIPTS;
	case RLK_OP_JOIN:
		return RLK_SCRIPT_JOIN;
	case RLK_OP_ADVANCE:
		return RLK_SCRIPT_FENCED;
	case RLK_OP_EXTEND:
		return RLK_SCRIPT_EXTEND;
	case RLK_OP_RELEASE:
		return RLK_SCRIPT_RELEASE;
	case RLK_OP_INSPECT:
		return command->name != NULL ? RLK_SCRIPT_INSPECT : RLK_SCRIPTS;
	case RLK_OP_REMAINING:
		break;
	}
	return RLK_SCRIPTS;
}

static void add_plain(struct args *args, const struct rlk_command *command)
{
	const struct rlk_name *name = command->name;

	if (command->op == RLK_OP_INSPECT) {
		add_text(args, "PING");
		return;
	}
	if (command->op == RLK_OP_REMAINING) {
		add_text(args, "PTTL");
		add(args, name->bytes, name->len);
		return;
	}
	add_text(args, "SET");
	add(args, name->bytes, name->len);
	add(args, command->token, command->token_len);
	add_text(args, "NX");
	add_text(args, "PX");
	add_number(args, command->ttl_ms);
}

static char *hex(char *at, uint32_t n)
{
	static const char digits[] = "0123456789abcdef";
	int shift;

	for (shift = 28; shift >= 0; shift -= 4) {
		*at++ = digits[n >> shift & 15];
	}
	return at;
}

static void add_ticket(struct args *args, const struct rlk_command *command)
{
	char *at = bytes(args->ticket, command->token, RLK_TOKEN_LEN);
	unsigned ms = command->ticket.keep_ms;

	at = bytes(at, command->caller, 12);
	*at++ = (char)('0' + ms / 1000 % 10);
	*at++ = (char)('0' + ms / 100 % 10);
	*at++ = (char)('0' + ms / 10 % 10);
	*at++ = (char)('0' + ms % 10);
	at = hex(at, (uint32_t)command->name->hash);
	hex(at, command->ticket.seq);
	add(args, args->ticket, RLK_TICKET_LEN);
}

static void add_script_args(struct args *args, const struct rlk_command *command,
			    const struct rlk_wire_node *node)
{
	if (command->op == RLK_OP_INSPECT) {
		return;
	}
	if (command->op == RLK_OP_JOIN) {
		add_ticket(args, command);
		add_number(args, command->ticket.since_us);
		add_number(args, RLK_LINE_LIFE_MS);
		return;
	}
	add(args, command->token, command->token_len);
	if (command->op == RLK_OP_RELEASE) {
		if (command->ticket.seq != 0) {
			add_ticket(args, command);
		}
		return;
	}
	add_number(args, command->ttl_ms);
	if (is_called(command) && command->fence == 0 && !command->checked) {
		add_ticket(args, command);
		return;
	}
	if (command->op == RLK_OP_EXTEND) {
		if (command->fence != 0 || command->checked) {
			add_number(args, command->fence != 0 ? RLK_FENCE_TTL_MS : 0);
		}
		if (command->checked) {
			add_text(args, node->incarnation);
		}
		return;
	}
	if (command->fence == 0) {
		add_text(args, node->incarnation);
		return;
	}
	add_number(args, command->fence);
	add_number(args, node->born_us);
	add_number(args, RLK_FENCE_DELTA_US);
	add_number(args, RLK_FENCE_TTL_MS);
	add_text(args, command->op == RLK_OP_REPAIR    ? "1"
		       : command->op == RLK_OP_ADVANCE ? "2"
						       : "0");
	if (command->checked) {
		add_text(args, node->incarnation);
	}
}

/* The suffix of the helper key that the script wants, or NULL. */
static const char *helper_of(const struct rlk_command *command, enum rlk_script_id id)
{
	if (id == RLK_SCRIPT_JOIN || id == RLK_SCRIPT_CONFIRM || id == RLK_SCRIPT_INSPECT) {
		return RLK_LINE_SUFFIX;
	}
	return command->fence != 0 && id != RLK_SCRIPT_RELEASE ? RLK_FENCE_SUFFIX : NULL;
}

/* Returns how many. */
static int add_keys(struct args *args, const struct rlk_command *command, enum rlk_script_id id,
		    const struct rlk_wire_node *node)
{
	const char *suffix = helper_of(command, id);
	bool checked = command->checked && rlk_is_vote(command->op);
	int count = 1 + (suffix != NULL) + checked;

	add_number(args, (uint64_t)count);
	add(args, command->name->bytes, command->name->len);
	if (suffix != NULL) {
		args->helper_at = args->n;
		args->suffix = suffix;
		add(args, command->name->bytes, command->name->len);
	}
	if (checked) {
		add_text(args, node->incarnation_key);
	}
	return count;
}

/* ---- The same for all nodes ------------------------------------------------------------------ */

/* It has a token, and nothing of the node but whether that knows the script. */
static bool is_for_all(const struct rlk_command *command)
{
	return command->op == RLK_OP_RELEASE || command->op == RLK_OP_JOIN ||
	       (rlk_is_vote(command->op) && command->fence == 0 && !command->checked);
}

static bool is_there(const struct rlk_wire *wire, size_t at, size_t len, const char *text,
		     size_t text_len)
{
	return len == text_len && memcmp(wire->bytes + at, text, len) == 0;
}

static bool is_made(const struct rlk_wire *wire, const struct rlk_command *command, bool by_digest)
{
	return wire->made.known && wire->made.op == command->op &&
	       wire->made.by_digest == by_digest && wire->made.ttl_ms == command->ttl_ms &&
	       wire->made.ticket == command->ticket.seq && is_for_all(command) &&
	       is_there(wire, wire->made.name_at, wire->made.name_len, command->name->bytes,
			command->name->len) &&
	       is_there(wire, wire->made.token_at, wire->made.token_len, command->token,
			command->token_len);
}

/* @name, @token: which arguments they are; a ticket begins with its token. */
static void remember(struct rlk_wire *wire, const struct rlk_command *command, bool by_digest,
		     const struct args *args, int name, int token)
{
	if (wire->failed || !is_for_all(command)) {
		return;
	}
	wire->made.known = true;
	wire->made.by_digest = by_digest;
	wire->made.op = command->op;
	wire->made.ttl_ms = command->ttl_ms;
	wire->made.ticket = command->ticket.seq;
	wire->made.name_at = args->at[name];
	wire->made.name_len = args->len[name];
	wire->made.token_at = args->at[token];
	wire->made.token_len = command->token_len;
}

enum rlk_script_id rlk_wire_encode(struct rlk_wire *wire, const struct rlk_command *command,
				   const struct rlk_wire_node *node)
{
	enum rlk_script_id id = rlk_wire_script(command);
	bool by_digest = id != RLK_SCRIPTS && (node->loaded & (1U << id)) != 0;
	struct args args;
	int keys;

	if (is_made(wire, command, by_digest)) {
		return id;
	}
	args.n = args.helper_at = args.number_count = 0;
	if (id == RLK_SCRIPTS) {
		add_plain(&args, command);
		put_all(wire, &args);
		remember(wire, command, by_digest, &args, 1, 2);
		return id;
	}
	add_text(&args, by_digest ? "EVALSHA" : "EVAL");
	add_text(&args, by_digest ? rlk_scripts[id].sha1 : rlk_scripts[id].text);
	keys = add_keys(&args, command, id, node);
	add_script_args(&args, command, node);
	put_all(wire, &args);
	remember(wire, command, by_digest, &args, 3, 3 + keys);
	return id;
}

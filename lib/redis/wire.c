/* wire.c - commands, byte for byte; docs/protocol.md is its other half.
 *
 * They are written with lengths, so that a resource or a token may hold any
 * byte. What comes back is read in reply.c. */
#include "wire.h"

#include <assert.h>
#include <string.h>

#define ARGS_MAX RLK_WIRE_ARGS_MAX
/* A kind, a number, an end of line. */
#define HEAD_MAX (1 + 20 + 2)

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
	wire->failed = !rlk_wire_reserve(wire, most);
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

void rlk_wire_args(struct rlk_wire *wire, int argc, const char *const *argv, const size_t *lens)
{
	struct args args = {0};
	int i;

	for (i = 0; i < argc; i++) {
		add(&args, argv[i], lens != NULL ? lens[i] : strlen(argv[i]));
	}
	put_all(wire, &args);
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
	if (rlk_wire_script(command) == RLK_SCRIPT_CONFIRM) {
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
	if (command->shared) {
		add_text(args, command->op == RLK_OP_REPAIR ? "1" : "0");
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

/* Returns how many. */
static int add_keys(struct args *args, const struct rlk_command *command, enum rlk_script_id id,
		    const struct rlk_wire_node *node)
{
	const char *suffix = rlk_wire_helper(command, id);
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
	       wire->made.shared == command->shared && wire->made.by_digest == by_digest &&
	       wire->made.ttl_ms == command->ttl_ms && wire->made.ticket == command->ticket.seq &&
	       is_for_all(command) &&
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
	wire->made.shared = command->shared;
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

	if (command->several) {
		assert(id != RLK_SCRIPTS); /* Nothing else is asked of several. */
		rlk_several_encode(wire, command, id, by_digest);
		return id;
	}
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

/* wire.c - commands, byte for byte; docs/protocol.md is its other half.
 *
 * They are written with lengths, so that a resource or a token may hold any
 * byte. What comes back is read in reply.c. */
#include "wire.h"

#include <string.h>

#define ARGS_MAX 16

static bool grow(struct rlk_wire *wire, size_t cap)
{
	const struct redlock_allocator *allocator = wire->allocator;
	char *bytes = allocator->calloc(1, cap, allocator->data);

	if (bytes == NULL) {
		return false;
	}
	if (wire->bytes != NULL) {
		memcpy(bytes, wire->bytes, wire->len);
		allocator->free(wire->bytes, allocator->data);
	}
	wire->bytes = bytes;
	wire->cap = cap;
	return true;
}

static char *room(struct rlk_wire *wire, size_t len)
{
	size_t cap = wire->cap == 0 ? 1024 : wire->cap;

	while (cap - wire->len < len) {
		cap *= 2;
	}
	if (wire->failed || (cap != wire->cap && !grow(wire, cap))) {
		wire->failed = true;
		return NULL;
	}
	return wire->bytes + wire->len;
}

static void put(struct rlk_wire *wire, const char *bytes, size_t len)
{
	char *at = room(wire, len);

	if (at != NULL) {
		memcpy(at, bytes, len);
		wire->len += len;
	}
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

static void put_head(struct rlk_wire *wire, char kind, size_t n)
{
	char head[23] = {kind};
	size_t len = 1 + decimal(head + 1, n);

	head[len++] = '\r';
	head[len++] = '\n';
	put(wire, head, len);
}

void rlk_wire_free(struct rlk_wire *wire)
{
	if (wire->bytes != NULL) {
		wire->allocator->free(wire->bytes, wire->allocator->data);
	}
	wire->bytes = NULL;
	wire->len = wire->cap = 0;
}

/* ---- Commands -------------------------------------------------------------------------------- */

struct args {
	int n;
	int fence_at; /* This one gets RLK_FENCE_SUFFIX; 0: none does. */
	const char *v[ARGS_MAX];
	size_t len[ARGS_MAX];
	char numbers[6][24];
	int number_count;
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

static void put_all(struct rlk_wire *wire, const struct args *args)
{
	static const char suffix[] = RLK_FENCE_SUFFIX;
	size_t more;
	int i;

	wire->len = 0;
	wire->failed = false;
	put_head(wire, '*', (size_t)args->n);
	for (i = 0; i < args->n; i++) {
		more = args->fence_at > 0 && i == args->fence_at ? sizeof suffix - 1 : 0;
		put_head(wire, '$', args->len[i] + more);
		put(wire, args->v[i], args->len[i]);
		put(wire, suffix, more);
		put(wire, "\r\n", 2);
	}
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

enum rlk_script_id rlk_wire_script(const struct rlk_command *command)
{
	switch (command->op) {
	case RLK_OP_ACQUIRE:
	case RLK_OP_REPAIR:
		if (command->fence == 0) {
			return command->checked ? RLK_SCRIPT_CHECKED : RLK_SCRIPTS;
		}
		return RLK_SCRIPT_FENCED;
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

static void add_script_args(struct args *args, const struct rlk_command *command,
			    const struct rlk_wire_node *node)
{
	if (command->op == RLK_OP_INSPECT) {
		return;
	}
	add(args, command->token, command->token_len);
	if (command->op == RLK_OP_RELEASE) {
		return;
	}
	add_number(args, command->ttl_ms);
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

static bool is_vote(enum rlk_op op)
{
	return op == RLK_OP_ACQUIRE || op == RLK_OP_EXTEND || op == RLK_OP_REPAIR ||
	       op == RLK_OP_ADVANCE;
}

static void add_keys(struct args *args, const struct rlk_command *command,
		     const struct rlk_wire_node *node)
{
	bool fence_key = command->fence != 0 && command->op != RLK_OP_RELEASE;
	bool checked = command->checked && is_vote(command->op);

	add_number(args, 1U + fence_key + checked);
	add(args, command->name->bytes, command->name->len);
	if (fence_key) {
		args->fence_at = args->n;
		add(args, command->name->bytes, command->name->len);
	}
	if (checked) {
		add_text(args, node->incarnation_key);
	}
}

void rlk_wire_encode(struct rlk_wire *wire, const struct rlk_command *command,
		     const struct rlk_wire_node *node)
{
	enum rlk_script_id id = rlk_wire_script(command);
	struct args args = {0};

	if (id == RLK_SCRIPTS) {
		add_plain(&args, command);
		put_all(wire, &args);
		return;
	}
	if ((node->loaded & (1U << id)) != 0) {
		add_text(&args, "EVALSHA");
		add_text(&args, rlk_scripts[id].sha1);
	} else {
		add_text(&args, "EVAL");
		add_text(&args, rlk_scripts[id].text);
	}
	add_keys(&args, command, node);
	add_script_args(&args, command, node);
	put_all(wire, &args);
}

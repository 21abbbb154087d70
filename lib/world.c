/* world.c - the core's ports, as this machine has them: clock, entropy, memory, links. */
#include <string.h>
#include <time.h>

#include "client.h"

static uint64_t read_clock(clockid_t id)
{
	struct timespec t;

	if (clock_gettime(id, &t) != 0) {
		return 0;
	}
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* CLOCK_MONOTONIC stands still while the machine is suspended; leases do not. */
uint64_t rlk_clock_us(void)
{
#ifdef CLOCK_BOOTTIME
	uint64_t now_us = read_clock(CLOCK_BOOTTIME);

	if (now_us != 0) {
		return now_us;
	}
#endif
	return read_clock(CLOCK_MONOTONIC);
}

bool rlk_entropy(void *bytes, size_t len)
{
	return uv_random(NULL, NULL, bytes, len, 0, NULL) == 0;
}

static uint64_t now_us(void *world)
{
	(void)world;
	return rlk_clock_us();
}

static uint64_t wall_us(void *world)
{
	(void)world;
	return read_clock(CLOCK_REALTIME);
}

/* Random bytes are fetched for several tokens at a time, and wiped when used. */
static bool token(void *world, char *out)
{
	static const char letters[] = RLK_TOKEN_LETTERS;
	struct redlock_client *client = world;
	size_t i, need = RLK_TOKEN_LEN / 2;
	unsigned char *bytes;

	if (client->entropy_left < need) {
		if (!rlk_entropy(client->entropy, sizeof client->entropy)) {
			return false;
		}
		client->entropy_left = sizeof client->entropy;
	}
	client->entropy_left -= need;
	bytes = client->entropy + client->entropy_left;
	for (i = 0; i < need; i++) {
		out[2 * i] = letters[bytes[i] >> 4];
		out[2 * i + 1] = letters[bytes[i] & 15];
	}
	out[RLK_TOKEN_LEN] = '\0';
	memset(bytes, 0, need);
	return true;
}

static void *alloc(void *world, size_t size)
{
	return rlk_calloc(world, size);
}

static void release(void *world, void *block)
{
	rlk_free(world, block);
}

static void connect_node(void *world, unsigned node)
{
	struct redlock_client *client = world;
	rlk_link_connect(&client->link[node]);
}

static void disconnect_node(void *world, unsigned node)
{
	struct redlock_client *client = world;
	rlk_link_disconnect(&client->link[node]);
}

static void send_command(void *world, unsigned node, struct rlk_request *request,
			 const struct rlk_command *command)
{
	struct redlock_client *client = world;
	rlk_link_send(&client->link[node], request, command);
}

static void listen_to_node(void *world, unsigned node)
{
	struct redlock_client *client = world;
	rlk_listener_open(&client->link[node]);
}

static void trace(void *world, const char *line)
{
	struct redlock_client *client = world;
	client->options.trace(client, line, client->options.trace_data);
}

const struct rlk_ports rlk_world = {
	.now_us = now_us,
	.wall_us = wall_us,
	.token = token,
	.alloc = alloc,
	.free = release,
	.connect = connect_node,
	.disconnect = disconnect_node,
	.send = send_command,
	.listen = listen_to_node,
};

const struct rlk_ports rlk_world_traced = {
	.now_us = now_us,
	.wall_us = wall_us,
	.token = token,
	.alloc = alloc,
	.free = release,
	.connect = connect_node,
	.disconnect = disconnect_node,
	.send = send_command,
	.listen = listen_to_node,
	.trace = trace,
};

/* front.c - the public functions of a lock: check, pass on to the core, tell the caller. */
#include <string.h>

#include "client.h"
#include "core/lease.h"
#include "redis/wire.h"

static void **data_of(struct redlock_lock *lock, enum rlk_news news)
{
	return &lock->data[news == RLK_RELEASED ? RLK_LOST : news == RLK_LOST ? RLK_AT_RISK : news];
}

static struct redlock_lock *lock_of(struct rlk_lock *core)
{
	return (struct redlock_lock *)((char *)core - offsetof(struct redlock_lock, core));
}

static void tell(struct rlk_lock *core, enum rlk_news news, int status)
{
	struct redlock_lock *lock = lock_of(core);
	redlock_lock_cb cb = lock->cb[news];
	struct redlock_report report;

	if (cb != NULL) {
		rlk_report(lock, &report);
		cb(lock, status, &report, *data_of(lock, news));
	}
}

static void gone(struct rlk_lock *core)
{
	struct redlock_lock *lock = lock_of(core);
	struct redlock_client *client = lock->client;

	rlk_free(client, lock);
	client->lock_count--;
	rlk_client_gone(client);
}

static const struct rlk_lock_user user = {tell, gone};

static struct rlk_lock_config config_of(const struct redlock_client *client,
					const struct redlock_lock_options *options)
{
	uint32_t ttl_ms = options->ttl_ms != 0 ? options->ttl_ms : client->options.ttl_ms;
	struct rlk_lock_config config = {
		.ttl_ms = ttl_ms,
		.at_risk_ms = options->at_risk_ms != 0 ? options->at_risk_ms : ttl_ms / 3,
		.max_hold_ms = options->max_hold_ms,
		.auto_renew = options->auto_renew,
		.fence = options->fence,
		.shared = options->shared,
		.token = options->token,
		.token_len = options->token != NULL ? (uint8_t)options->token_len : 0,
	};

	return config;
}

static bool ends_with(const struct rlk_part *key, const char *end)
{
	size_t len = strlen(end);

	return key->len >= len && memcmp(key->bytes + key->len - len, end, len) == 0;
}

/* Helper keys that are written over, or deleted, without a look at what they are: nobody's lock
 * may be there. */
static bool is_reserved(const struct rlk_name *name)
{
	struct rlk_part key = {0};

	while (rlk_part_next(name, &key)) {
		if (ends_with(&key, RLK_FENCE_SUFFIX) || ends_with(&key, RLK_LINE_ON_SUFFIX) ||
		    ends_with(&key, RLK_READERS_SUFFIX)) {
			return true;
		}
	}
	return false;
}

static bool are_sound(const struct redlock_resource *resources, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (resources[i].bytes == NULL || resources[i].len == 0 ||
		    resources[i].len > RLK_RESOURCE_MAX) {
			return false;
		}
	}
	return true;
}

int rlk_lock_new(struct redlock_lock **out, struct redlock_client *client,
		 const struct redlock_resource *resources, size_t count,
		 const struct redlock_lock_options *given)
{
	struct redlock_lock_options options;
	struct rlk_lock_config config;
	struct redlock_lock *lock;
	struct rlk_name *name;
	int status;

	if (out == NULL || client == NULL || !are_sound(resources, count)) {
		return REDLOCK_EINVAL;
	}
	status = rlk_lock_options_import(&options, given);
	if (status != 0) {
		return status;
	}
	if (count > 1) {
		status = rlk_several_check(&client->options, &options);
		if (status != 0) {
			return status;
		}
	}
	/* An old copy of the node could have an earlier lease under the same token, and vote. Nor
	 * do the scripts of readers ask whether it is still the same. */
	if ((options.token != NULL || options.shared) && client->options.node_may_change) {
		return REDLOCK_EUNSUPPORTED;
	}
	config = config_of(client, &options);
	status = rlk_lock_ttl_check(&client->options, config.ttl_ms);
	if (status != 0) {
		return status;
	}
	if (client->closing) {
		return REDLOCK_ECLOSED;
	}
	lock = rlk_calloc(client,
			  offsetof(struct redlock_lock, core) +
				  rlk_lock_size(client->cluster.node_count, config.token_len));
	name = rlk_keys(client, resources, count);
	if (lock == NULL || name == NULL || is_reserved(name)) {
		status = lock == NULL || name == NULL ? REDLOCK_ENOMEM : REDLOCK_EINVAL;
		rlk_free(client, lock);
		rlk_free(client, name);
		return status;
	}
	lock->client = client;
	lock->cb[RLK_AT_RISK] = options.on_at_risk;
	lock->cb[RLK_LOST] = options.on_lost;
	*data_of(lock, RLK_LOST) = options.data;
	rlk_lock_init(&lock->core, &client->cluster, name, &config, &user);
	client->lock_count++;
	*out = lock;
	return 0;
}

int redlock_lock_new(struct redlock_lock **out, struct redlock_client *client, const void *resource,
		     size_t resource_len, const struct redlock_lock_options *options)
{
	const struct redlock_resource one = {resource, resource_len};

	return rlk_lock_new(out, client, &one, 1, options);
}

void redlock_lock_free(struct redlock_lock *lock)
{
	if (lock != NULL) {
		rlk_lock_free(&lock->core);
	}
}

int redlock_acquire(struct redlock_lock *lock, uint64_t wait_ms, redlock_lock_cb cb, void *data)
{
	int status;

	if (lock == NULL || cb == NULL) {
		return REDLOCK_EINVAL;
	}
	status = rlk_lock_acquire(&lock->core, wait_ms);
	if (status == 0) {
		lock->cb[RLK_ACQUIRED] = cb;
		*data_of(lock, RLK_ACQUIRED) = data;
	}
	return status;
}

int redlock_extend(struct redlock_lock *lock, redlock_lock_cb cb, void *data)
{
	int status;

	if (lock == NULL || cb == NULL) {
		return REDLOCK_EINVAL;
	}
	status = rlk_lock_extend(&lock->core);
	if (status == 0) {
		lock->cb[RLK_EXTENDED] = cb;
		*data_of(lock, RLK_EXTENDED) = data;
	}
	return status;
}

int redlock_release(struct redlock_lock *lock, redlock_lock_cb cb, void *data)
{
	int status;

	if (lock == NULL) {
		return REDLOCK_EINVAL;
	}
	status = rlk_lock_release(&lock->core, cb != NULL);
	if (status == 0) {
		lock->cb[RLK_RELEASED] = cb;
		*data_of(lock, RLK_RELEASED) = data;
	}
	return status;
}

int redlock_cancel(struct redlock_lock *lock)
{
	return lock == NULL ? REDLOCK_EINVAL : rlk_lock_cancel(&lock->core);
}

bool redlock_lock_held(const struct redlock_lock *lock)
{
	return lock != NULL && rlk_clock_us() < atomic_load(&lock->core.valid_until_us);
}

uint64_t redlock_lock_validity_ms(const struct redlock_lock *lock)
{
	if (lock == NULL) {
		return 0;
	}
	return rlk_until(atomic_load(&lock->core.valid_until_us), rlk_clock_us()) / 1000;
}

const char *redlock_lock_token(const struct redlock_lock *lock, size_t *len)
{
	if (!redlock_lock_held(lock)) {
		return NULL;
	}
	if (len != NULL) {
		*len = lock->core.attempt->token_len;
	}
	return lock->core.attempt->token;
}

uint64_t redlock_lock_fence(const struct redlock_lock *lock)
{
	return redlock_lock_held(lock) ? lock->core.attempt->fence : 0;
}

/* fuzz_options.c - any struct of any size as a caller's options.
 *
 * The bytes say how large the caller's struct is and what to write into it:
 *   'S' size             the struct has 8 to 263 bytes
 *   'n' offset a b c d   four bytes of it; not where a pointer is
 *   'f' 'i' '1' '2' '3' TEXT 0    a text: key_format, client_name, the TLS files
 *   '0' which            that pointer is NULL: key_format, client_name, token
 *   'a' bits             an allocator: bit 0, with calloc; bit 1, with free
 *   't' 'r'              an owner token, the readers' one; its length is for 'n'
 * What is refused is refused for a reason; what is accepted is in its range, and
 * is what the caller asked for, or the default where he does not say. */
#include <string.h>

#include "client.h"
#include "fuzz.h"

#define SIZE_MAX_OF_ALL 264
#define TEXTS_MAX 16

/* As large a struct as there is, and its pointers, whose bytes cannot come from the input. */
union shape {
	struct redlock_options client;
	struct redlock_lock_options lock;
	unsigned char bytes[SIZE_MAX_OF_ALL];
};

struct input {
	const uint8_t *at, *end;
	union shape client, lock;
	size_t size;
	struct redlock_allocator allocator;
	char *texts[TEXTS_MAX];
	size_t text_count;
};

static uint8_t take(struct input *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

/* A copy of its own, as large as the text, so that reading on is seen. */
static char *take_text(struct input *input)
{
	const uint8_t *nul = memchr(input->at, '\0', (size_t)(input->end - input->at));
	size_t len = (size_t)((nul != NULL ? nul : input->end) - input->at);
	char *text;

	if (input->text_count == TEXTS_MAX) {
		return NULL;
	}
	text = calloc(1, len + 1);
	REQUIRE(text != NULL);
	memcpy(text, input->at, len);
	input->at += len + (nul != NULL);
	input->texts[input->text_count++] = text;
	return text;
}

static bool within(size_t offset, size_t from, size_t to)
{
	return offset + 4 > from && offset < to;
}

static void take_number(struct input *input)
{
	size_t offset = take(input), i;
	bool client = !within(offset, offsetof(struct redlock_options, key_format),
			      sizeof(struct redlock_options)) &&
		      offset >= sizeof(size_t);
	bool lock = !within(offset, offsetof(struct redlock_lock_options, token),
			    offsetof(struct redlock_lock_options, token_len)) &&
		    !within(offset, offsetof(struct redlock_lock_options, auto_renew),
			    offsetof(struct redlock_lock_options, token)) &&
		    !within(offset, offsetof(struct redlock_lock_options, on_at_risk),
			    sizeof(struct redlock_lock_options)) &&
		    offset >= sizeof(size_t);

	for (i = 0; i < 4; i++) {
		uint8_t byte = take(input);
		if (offset + i < SIZE_MAX_OF_ALL) {
			input->client.bytes[offset + i] =
				client ? byte : input->client.bytes[offset + i];
			input->lock.bytes[offset + i] = lock ? byte : input->lock.bytes[offset + i];
		}
	}
}

static void *fuzz_calloc(size_t count, size_t size, void *data)
{
	(void)data;
	return calloc(count, size);
}

static void fuzz_free(void *block, void *data)
{
	(void)data;
	free(block);
}

static void take_allocator(struct input *input)
{
	uint8_t bits = take(input);

	input->allocator.calloc = (bits & 1) != 0 ? fuzz_calloc : NULL;
	input->allocator.free = (bits & 2) != 0 ? fuzz_free : NULL;
	input->client.client.allocator = &input->allocator;
}

static void take_null(struct input *input)
{
	switch (take(input) % 3) {
	case 0:
		input->client.client.key_format = NULL;
		break;
	case 1:
		input->client.client.client_name = NULL;
		break;
	default:
		input->lock.lock.token = NULL;
		break;
	}
}

static void read_input(struct input *input)
{
	redlock_options_init_sized(&input->client.client, sizeof input->client);
	redlock_lock_options_init_sized(&input->lock.lock, sizeof input->lock);
	input->size = sizeof(struct redlock_options);
	while (input->at < input->end) {
		switch (take(input)) {
		case 'S':
			input->size = sizeof(size_t) + take(input);
			break;
		case 'n':
			take_number(input);
			break;
		case 'f':
			input->client.client.key_format = take_text(input);
			break;
		case 'i':
			input->client.client.client_name = take_text(input);
			break;
		case '1':
			input->client.client.tls_ca_file = take_text(input);
			break;
		case '2':
			input->client.client.tls_cert_file = take_text(input);
			break;
		case '3':
			input->client.client.tls_key_file = take_text(input);
			break;
		case '0':
			take_null(input);
			break;
		case 'a':
			take_allocator(input);
			break;
		case 't':
			input->lock.lock.token = "owner";
			break;
		case 'r':
			input->lock.lock.token = REDLOCK_OWNER_READERS;
			break;
		default:
			break;
		}
	}
}

/* ---- What must hold -------------------------------------------------------------------------- */

static bool has_zero_tail(const void *given, size_t size, size_t known)
{
	const unsigned char *bytes = given;
	size_t i;

	for (i = known; i < size; i++) {
		if (bytes[i] != 0) {
			return false;
		}
	}
	return true;
}

/* The size of a struct that has pointers: any other one ends inside of one. */
static bool is_whole(size_t size)
{
	return size % sizeof(void *) == 0;
}

static bool has_one_place(const char *format)
{
	unsigned places = 0;

	while ((format = strchr(format, '%')) != NULL) {
		places += format[1] == 's';
		if (format[1] != 's' && format[1] != '%') {
			return false;
		}
		format += 2;
	}
	return places == 1;
}

static void check_ranges(const struct redlock_options *options)
{
	const char *name = options->client_name;

	REQUIRE(options->max_ttl_ms >= 1 && options->max_ttl_ms <= 86400000);
	REQUIRE(options->ttl_ms >= 1 && options->ttl_ms <= options->max_ttl_ms);
	REQUIRE(options->drift_ppm <= 500000);
	REQUIRE(options->min_validity_percent <= 99);
	REQUIRE(options->retry_min_ms >= 1 && options->retry_min_ms <= options->retry_max_ms);
	REQUIRE(options->reconnect_min_ms >= 1);
	REQUIRE(options->reconnect_min_ms <= options->reconnect_max_ms);
	REQUIRE(options->connect_timeout_ms >= 1 && options->max_in_flight >= 1);
	REQUIRE(options->guard == REDLOCK_GUARD_ON || options->guard == REDLOCK_GUARD_OFF ||
		options->guard == REDLOCK_GUARD_DURABLE);
	REQUIRE(options->key_format != NULL && has_one_place(options->key_format));
	REQUIRE(strlen(options->key_format) <= 1024);
	REQUIRE(name != NULL && *name != '\0');
	for (; *name != '\0'; name++) {
		REQUIRE(*name > ' ' && *name <= '~');
	}
	REQUIRE(options->allocator == NULL ||
		(options->allocator->calloc != NULL && options->allocator->free != NULL));
	REQUIRE((options->tls_cert_file == NULL) == (options->tls_key_file == NULL));
	REQUIRE(rlk_options_node_timeout_ms(options) >= 1);
	REQUIRE(rlk_lock_ttl_check(options, options->ttl_ms) == 0);
	REQUIRE(rlk_lock_ttl_check(options, 0) != 0);
	REQUIRE(rlk_lock_ttl_check(options, options->max_ttl_ms + 1) != 0);
}

/* A key through this format takes the length that was foretold. */
static void check_key(const struct redlock_options *options)
{
	size_t len = rlk_format_key(options->key_format, "a\0b", 3, NULL);
	char *key = malloc(len);

	REQUIRE(key != NULL && len >= 3);
	REQUIRE(rlk_format_key(options->key_format, "a\0b", 3, key) == len);
	free(key);
}

static void check_asked_for(const struct redlock_options *got, const void *given, size_t size)
{
	struct redlock_options wanted;

	redlock_options_init(&wanted);
	memcpy(&wanted, given, size < sizeof wanted ? size : sizeof wanted);
	REQUIRE(memcmp((const char *)got + sizeof got->size,
		       (const char *)&wanted + sizeof wanted.size,
		       sizeof wanted - sizeof wanted.size) == 0);
}

static void check_client(const struct input *input)
{
	struct redlock_options *given = malloc(input->size), got;
	struct redlock_error error = {0};
	bool zero_tail;
	int status;

	REQUIRE(given != NULL);
	memcpy(given, &input->client, input->size);
	given->size = input->size;
	zero_tail = has_zero_tail(given, input->size, sizeof got);
	status = rlk_options_import(&got, given, &error);
	if (status == 0) {
		REQUIRE(zero_tail && is_whole(input->size));
		check_asked_for(&got, given, input->size);
		check_ranges(&got);
		check_key(&got);
	} else {
		REQUIRE(status == REDLOCK_EINVAL && error.status == status);
		REQUIRE(memchr(error.text, '\0', sizeof error.text) != NULL);
		REQUIRE(strchr(error.text, ':') != NULL); /* It names the field. */
	}
	REQUIRE((zero_tail && is_whole(input->size)) != (strncmp(error.text, "options:", 8) == 0));
	free(given);
}

static size_t token_len(const struct input *input)
{
	size_t len = input->lock.lock.token_len;

	return len < REDLOCK_TOKEN_MAX ? len : REDLOCK_TOKEN_MAX;
}

/* As many bytes as the caller says that there are, and no more; of a length that is refused, as
 * many as may be looked at. */
static char *make_token(const struct input *input)
{
	const char *text = input->lock.lock.token;
	size_t len = token_len(input), i;
	char *token;

	if (text == NULL) {
		return NULL;
	}
	token = malloc(len > 0 ? len : 1);
	REQUIRE(token != NULL);
	for (i = 0; i < len; i++) {
		token[i] = text[i % strlen(text)];
	}
	return token;
}

static bool is_readers(const void *token, size_t len)
{
	return len == strlen(REDLOCK_OWNER_READERS) &&
	       memcmp(token, REDLOCK_OWNER_READERS, len) == 0;
}

static void check_lock(struct input *input)
{
	struct redlock_lock_options *given = malloc(input->size), got;
	char *token = make_token(input);
	bool zero_tail;
	int status;

	REQUIRE(given != NULL);
	input->lock.lock.token = token;
	memcpy(given, &input->lock, input->size);
	given->size = input->size;
	zero_tail = has_zero_tail(given, input->size, sizeof got);
	status = rlk_lock_options_import(&got, given);
	REQUIRE(status == 0 || status == REDLOCK_EINVAL);
	REQUIRE(status != 0 || (zero_tail && is_whole(input->size)));
	REQUIRE(status != 0 || got.token == NULL ||
		(got.token_len >= 1 && got.token_len <= REDLOCK_TOKEN_MAX &&
		 !is_readers(got.token, got.token_len)));
	free(given);
	free(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct input input;
	size_t i;

	memset(&input, 0, sizeof input);
	input.at = bytes;
	input.end = bytes + size;
	read_input(&input);
	check_client(&input);
	check_lock(&input);
	for (i = 0; i < input.text_count; i++) {
		free(input.texts[i]);
	}
	return 0;
}

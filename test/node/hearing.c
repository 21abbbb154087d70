/* hearing.c - a fake node that publishes, and a client that listens to it. */
#include "hearing.h"

#include <stdio.h>
#include <string.h>

const char *hearing_said(const char *kind, const char *channel, const char *payload)
{
	static char text[512];

	(void)snprintf(text, sizeof text, "*3\r\n$%zu\r\n%s\r\n$%zu\r\n%s\r\n$%zu\r\n%s\r\n",
		       strlen(kind), kind, strlen(channel), channel, strlen(payload), payload);
	return text;
}

const char *hearing_message(const char *payload)
{
	return hearing_said("message", ear_channel(client), payload);
}

void hearing_publish(const char *text)
{
	fake_publish(fakes[0], &(struct fake_bytes){.head = text});
}

static char letter[512];

void hearing_publish_many(size_t count)
{
	(void)snprintf(letter, sizeof letter, "%s", hearing_message("n00000001000000021500"));
	fake_publish(fakes[0], &(struct fake_bytes){.unit = letter, .times = count});
}

void hearing_open(void)
{
	company_open(0, 1, NULL);
	rig_wait_up(client, 1);
	ear_expect_listens(client, 0);
}

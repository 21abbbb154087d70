/* url.h - where a node is and how to log in, from its URL. */
#ifndef RLK_URL_H
#define RLK_URL_H

#include <stdbool.h>
#include <stddef.h>

#define RLK_HOST_MAX 256
#define RLK_PATH_MAX 104 /* What every platform's sockaddr_un takes. */
#define RLK_SECRET_MAX 512

enum rlk_url_kind { RLK_URL_TCP, RLK_URL_TLS, RLK_URL_UNIX };

struct rlk_url {
	enum rlk_url_kind kind;
	char host[RLK_HOST_MAX];
	unsigned port;
	char path[RLK_PATH_MAX];
	unsigned db;
	char user[RLK_SECRET_MAX];
	char password[RLK_SECRET_MAX];
	char address[RLK_HOST_MAX + 16]; /* For people; no credentials. */
};

/* Returns NULL, or what is wrong: a text naming the part, without any of the input. */
const char *rlk_url_parse(struct rlk_url *url, const char *text);
/* Do they lead to one server, as far as the text tells? */
bool rlk_url_same(const struct rlk_url *a, const struct rlk_url *b);
/* Overwrite the secrets. */
void rlk_url_wipe(struct rlk_url *url);

#endif

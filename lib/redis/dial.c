/* dial.c - a connection to the address at hand, and in what words it ends. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "link.h"

static void tune(int fd, bool tcp)
{
	int on = 1, idle_s = 15, interval_s = 5, count = 3;

	fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (!tcp) {
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
#ifdef TCP_KEEPIDLE
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
#else
	(void)idle_s, (void)interval_s, (void)count;
#endif
}

static redisAsyncContext *begin(const struct rlk_link *link)
{
	const struct rlk_url *url = &link->url;

	return url->kind == RLK_URL_UNIX
		       ? redisAsyncConnectUnix(url->path)
		       : redisAsyncConnect(link->addresses[link->address - 1], (int)url->port);
}

redisAsyncContext *rlk_dial(struct rlk_link *link, const struct rlk_io_use *use,
			    struct rlk_tls_peer *tls, char *why, size_t size)
{
	redisAsyncContext *ac = begin(link);

	*tls = (struct rlk_tls_peer){0};
	if (ac != NULL && ac->err != 0) {
		snprintf(why, size, "%s", ac->errstr);
		redisAsyncFree(ac);
		return NULL;
	}
	if (ac != NULL) {
		tune(ac->c.fd, link->url.kind != RLK_URL_UNIX);
	}
	if (ac == NULL ||
	    !rlk_io_attach(&link->all->ios, ac, use, link->url.kind == RLK_URL_TLS ? tls : NULL)) {
		snprintf(why, size, "out of memory");
		if (ac != NULL) {
			redisAsyncFree(ac);
		}
		return NULL;
	}
	return ac;
}

bool rlk_dial_done(struct rlk_link *link, const redisAsyncContext *ac, int status,
		   struct rlk_tls_peer *tls, char *why, size_t size)
{
	if (status != REDIS_OK) {
		snprintf(why, size, "%s", ac->c.errstr[0] != '\0' ? ac->c.errstr : strerror(errno));
		return false;
	}
	return link->url.kind != RLK_URL_TLS ||
	       rlk_tls_start(&link->all->tls, tls, ac, link->url.host, why, size);
}

void rlk_dial_lost(const struct rlk_link *link, const redisAsyncContext *ac,
		   const struct rlk_tls_peer *tls, bool logged_in, char *why, size_t size)
{
	const char *text = ac->c.errstr[0] != '\0' ? ac->c.errstr : "closed";
	size_t len;

	if (!rlk_tls_explain(tls, ac, logged_in, why, size)) {
		len = (size_t)snprintf(why, size, "connection lost: ");
		rlk_tell(link, why + len, size - len, text, strlen(text));
	}
}

const char *rlk_dial_silence(const redisAsyncContext *ac, const struct rlk_tls_peer *tls)
{
	if (ac != NULL && rlk_tls_waits(tls, ac)) {
		return "TLS: no answer to the handshake: perhaps no TLS on that port";
	}
	return "no answer while connecting";
}

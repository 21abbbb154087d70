/* proxy.h - a bad network between a client and one server, on loopback.
 *
 * A thread of its own passes bytes both ways. Each way can be slowed down, or
 * held: held bytes wait inside the proxy, as in a network that will deliver
 * them later, even if the side that sent them has hung up meanwhile. */
#ifndef REDLOCK_TEST_PROXY_H
#define REDLOCK_TEST_PROXY_H

#include <stdbool.h>
#include <stddef.h>

enum proxy_way { PROXY_TO_SERVER = 0, PROXY_TO_CLIENT = 1 };

struct proxy;

struct proxy *proxy_new(unsigned server_port);
void proxy_free(struct proxy *proxy);
unsigned proxy_port(const struct proxy *proxy);

/* Bytes that come in from now on are passed on @ms later. */
void proxy_delay(struct proxy *proxy, enum proxy_way way, unsigned ms);
/* Hold bytes, those on their way included; or let them go. */
void proxy_hold(struct proxy *proxy, enum proxy_way way, bool hold);
/* Bytes that are held or delayed now. */
size_t proxy_pending(struct proxy *proxy, enum proxy_way way);
/* Lead to another server from now on; connections that there are stay, and the client hears of
 * nothing. What is on its way is lost. */
void proxy_lead_to(struct proxy *proxy, unsigned server_port);
/* Break all connections, and all that they carry is lost. */
void proxy_cut(struct proxy *proxy);
/* Break them for the client alone: what it has sent and was held is still on its way, and reaches
 * the server at proxy_deliver(), long after the client has begun to use other connections. */
void proxy_cut_client(struct proxy *proxy);
void proxy_deliver(struct proxy *proxy);

#endif

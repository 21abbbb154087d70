/* fleet.c - the servers of one `redlock cluster`, and the directory they share. */
#include "fleet.h"

#include "codes.h"
#include "values.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int choose_dir(struct fleet *fleet, const struct args *args)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char real[PATH_MAX];
	int length;
	*fleet = (struct fleet){.lock_fd = -1};
	if (args->cluster_dir != NULL && args->cluster_dir[0] == '/') {
		length = snprintf(fleet->dir, sizeof fleet->dir, "%s", args->cluster_dir);
	} else if (args->cluster_dir != NULL) {
		const char *here = getcwd(real, sizeof real);
		length = snprintf(fleet->dir, sizeof fleet->dir, "%s/%s", here != NULL ? here : ".",
				  args->cluster_dir);
	} else {
		bool given = runtime != NULL && runtime[0] == '/';
		length = snprintf(fleet->dir, sizeof fleet->dir, "%s/redlock-cluster-%u",
				  given ? runtime : "/tmp", (unsigned)getuid());
	}
	if (length < 0 || (size_t)length >= sizeof fleet->dir) {
		return out_usage("cluster", "--dir: too long a path");
	}
	return 0;
}

static int add(struct fleet *fleet, unsigned port)
{
	if (fleet->count == REDLOCK_NODES_MAX) {
		return 0;
	}
	if (!server_init(&fleet->servers[fleet->count], fleet->dir, port)) {
		return out_usage("cluster", "--dir: too long a path");
	}
	fleet->count++;
	return 0;
}

static int add_range(struct fleet *fleet, const struct args *args)
{
	unsigned first = args->cluster_port != 0 ? args->cluster_port : FLEET_PORT;
	unsigned count = args->cluster_nodes != 0 ? args->cluster_nodes : FLEET_NODES;
	int code = 0;
	if (first + count - 1 > 65535) {
		return out_usage("cluster", "--port: no room for %u ports up to 65535", count);
	}
	for (unsigned i = 0; i < count && code == 0; i++) {
		code = add(fleet, first + i);
	}
	return code;
}

static int compare_ports(const void *a, const void *b)
{
	const struct server *left = a;
	const struct server *right = b;
	return (left->port > right->port) - (left->port < right->port);
}

static int add_found(struct fleet *fleet)
{
	DIR *dir = opendir(fleet->dir);
	struct dirent *entry;
	int code = 0;
	if (dir == NULL) {
		return 0;
	}
	while (code == 0 && (entry = readdir(dir)) != NULL) {
		uint64_t port = 0;
		if (value_number(entry->d_name, 65535, &port) == NULL && port > 0) {
			code = add(fleet, (unsigned)port);
		}
	}
	closedir(dir);
	qsort(fleet->servers, fleet->count, sizeof *fleet->servers, compare_ports);
	return code;
}

int fleet_named(struct fleet *fleet, const struct args *args)
{
	int code = choose_dir(fleet, args);
	return code != 0 ? code : add_range(fleet, args);
}

int fleet_found(struct fleet *fleet, const struct args *args)
{
	int code = choose_dir(fleet, args);
	if (code != 0) {
		return code;
	}
	bool given = args->cluster_port != 0 || args->cluster_nodes != 0;
	return given ? add_range(fleet, args) : add_found(fleet);
}

/* A directory in /tmp may have been laid out for us by somebody else. */
static bool ours_alone(const char *dir)
{
	struct stat info;
	return lstat(dir, &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == getuid() &&
	       (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

int fleet_claim(struct fleet *fleet)
{
	char path[PATH_MAX + 8];
	if (mkdir(fleet->dir, 0700) != 0 && errno != EEXIST) {
		out_note("cluster", "cannot make %s: %s", fleet->dir, strerror(errno));
		return CODE_NO_QUORUM;
	}
	if (!ours_alone(fleet->dir)) {
		out_note("cluster", "%s is not a directory that only you can write", fleet->dir);
		return CODE_NO_QUORUM;
	}
	snprintf(path, sizeof path, "%s/lock", fleet->dir);
	fleet->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fleet->lock_fd < 0 || flock(fleet->lock_fd, LOCK_EX) != 0) {
		out_note("cluster", "cannot lock %s: %s", path, strerror(errno));
		fleet_unclaim(fleet);
		return CODE_NO_QUORUM;
	}
	return 0;
}

void fleet_unclaim(struct fleet *fleet)
{
	if (fleet->lock_fd >= 0) {
		close(fleet->lock_fd);
		fleet->lock_fd = -1;
	}
}

void fleet_urls(const struct fleet *fleet, struct nodes *nodes)
{
	for (size_t i = 0; i < fleet->count; i++) {
		char url[64];
		snprintf(url, sizeof url, "redis://127.0.0.1:%u", fleet->servers[i].port);
		nodes_add(nodes, url);
	}
}

/* All are asked before any is waited for. */
size_t fleet_stop(struct fleet *fleet)
{
	pid_t pids[REDLOCK_NODES_MAX];
	size_t running = 0;
	for (size_t i = 0; i < fleet->count; i++) {
		pids[i] = server_ask_to_end(&fleet->servers[i]);
		running += pids[i] > 0;
	}
	for (size_t i = 0; i < fleet->count; i++) {
		server_await_end(&fleet->servers[i], pids[i]);
	}
	return running;
}

#include "syscalls.h"

#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static uint64_t count;
static unsigned settle_us;

uint64_t syscalls_count(void)
{
	return count;
}

void syscalls_settle_before_waiting(unsigned pause_us)
{
	settle_us = pause_us;
}

static void settle(void)
{
	struct timespec pause = {.tv_nsec = (long)settle_us * 1000};

	if (settle_us > 0) {
		nanosleep(&pause, NULL);
	}
}

ssize_t read(int fd, void *bytes, size_t size)
{
	count++;
	return syscall(SYS_read, fd, bytes, size);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	count++;
	return syscall(SYS_write, fd, bytes, size);
}

ssize_t readv(int fd, const struct iovec *parts, int n)
{
	count++;
	return syscall(SYS_readv, fd, parts, n);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
	count++;
	return syscall(SYS_writev, fd, parts, n);
}

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
	count++;
	return syscall(SYS_sendto, fd, bytes, size, flags, NULL, 0);
}

ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
	count++;
	return syscall(SYS_recvfrom, fd, bytes, size, flags, NULL, NULL);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	count++;
	return syscall(SYS_sendmsg, fd, message, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	count++;
	return syscall(SYS_recvmsg, fd, message, flags);
}

int epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
	count++;
	return (int)syscall(SYS_epoll_ctl, epoll, op, fd, event);
}

int epoll_pwait(int epoll, struct epoll_event *events, int max, int timeout_ms,
		const sigset_t *signals)
{
	settle();
	count++;
	/* The kernel's set of signals has 64 bits, whatever libc's has. */
	return (int)syscall(SYS_epoll_pwait, epoll, events, max, timeout_ms, signals, 8);
}

int epoll_wait(int epoll, struct epoll_event *events, int max, int timeout_ms)
{
	return epoll_pwait(epoll, events, max, timeout_ms, NULL);
}

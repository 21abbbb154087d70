#!/usr/bin/env python3
"""A neighbour that takes the lock with redis-py: its Lock on each of several masters, with one token
in all of them, held by who has most of them in time; its scripts extend and release.

usage: redis_py.py RESOURCE TTL_MS HOLD_MS THINK_MS INSIDE LOG HOST:PORT...

What it writes to LOG, and INSIDE, are as in ours.c. TERM ends it.
"""

import contextlib
import os
import random
import signal
import sys
import time
import uuid

import redis
from redis.exceptions import LockError, RedisError

DRIFT = 0.01
PAUSE_S = (0.05, 0.25)  # Between two attempts, as others of the kind have it.
EXTEND_EACH = 8  # One stay in so many is extended before it ends.


class Majority:
    def __init__(self, resource, ttl_s, addresses):
        self.ttl_s, self.valid_until = ttl_s, 0.0
        self.locks = []
        for address in addresses:
            host, port = address.split(":")
            client = redis.Redis(host=host, port=int(port), socket_timeout=2)
            self.locks.append(client.lock(resource, timeout=ttl_s, thread_local=False))
        self.quorum = len(self.locks) // 2 + 1

    def vote(self, act):
        """Has the act succeeded on so many that it is over in time? What raised has not."""
        start, yes = time.monotonic(), 0
        for lock in self.locks:
            with contextlib.suppress(LockError, RedisError):
                yes += bool(act(lock))
        self.valid_until = start + self.ttl_s * (1 - DRIFT) - 0.002
        return yes >= self.quorum and time.monotonic() < self.valid_until

    # Lower-case hex, as Lock itself would draw it.
    def acquire(self):
        token = uuid.uuid1().hex
        return self.vote(lambda lock: lock.acquire(blocking=False, token=token))

    def extend(self):
        return self.vote(lambda lock: lock.extend(self.ttl_s, replace_ttl=True))

    def release(self):
        for lock in self.locks:
            with contextlib.suppress(LockError, RedisError):
                lock.release()




def stay(majority, inside, hold_s, extend):
    """Entered, left, and in which words."""
    entered, clash = time.monotonic_ns(), False
    try:
        os.close(os.open(inside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        clash = True
    valid_until = majority.valid_until
    time.sleep(hold_s)
    if extend and majority.extend():
        valid_until = majority.valid_until
    if not clash:
        os.unlink(inside)
    left = time.monotonic_ns()
    late = left / 1e9 >= valid_until
    return entered, left, "clash" if clash else "late" if late else "valid"


def main():
    resource, inside, name = sys.argv[1], sys.argv[5], sys.argv[6]
    ttl_s, hold_s, think_s = (int(word) / 1000 for word in sys.argv[2:5])
    majority = Majority(resource, ttl_s, sys.argv[7:])
    ending = []
    signal.signal(signal.SIGTERM, lambda *_: ending.append(True))
    count = 0
    with open(name, "w", buffering=1, encoding="ascii") as log:
        while not ending:
            asked = time.monotonic_ns()
            while not ending and not majority.acquire():
                majority.release()
                time.sleep(random.uniform(*PAUSE_S))
            if ending:
                break
            count += 1
            entered, left, word = stay(majority, inside, hold_s, count % EXTEND_EACH == 0)
            print(entered, left, entered - asked, word, file=log)
            majority.release()
            time.sleep(random.uniform(0, think_s))
    majority.release()


main()

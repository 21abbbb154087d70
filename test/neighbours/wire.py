#!/usr/bin/env python3
"""Clients that are not here take and give back a lock in their own words, on all of five masters:
who was first has it, in our case with the key format that docs/protocol.md names for them.

usage: wire.py REDLOCK

Their words are those of their sources. What a quorum of masters does for them is not looked at:
each master has to answer as they expect it to.
"""

import os
import shutil
import subprocess
import sys

import masters

SKIP = 77
NAME = "wire:42"
TTL = "10000"
HELD = 75

# How keys are taken and given back. KEY, VALUE and TTL are put in their places.
SET = ("SET", "KEY", "VALUE", "NX", "PX", TTL)
GIVE_BACK = (
    "EVAL",
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0",
    "1", "KEY", "VALUE",
)  # fmt: skip
SET_IF_ABSENT = (
    "EVAL",
    "if redis.call('exists', KEYS[1]) == 1 then return 0 end "
    "return redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])",
    "1", "KEY", "VALUE", TTL,
)  # fmt: skip
SET_UNLESS_OTHERS = (
    "EVAL",
    "local v = redis.call('get', KEYS[1]) if v and v ~= ARGV[1] then return 0 end "
    "return redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])",
    "1", "KEY", "VALUE", TTL,
)  # fmt: skip
SET_MANY = (
    "EVAL",
    "if redis.call('msetnx', KEYS[1], ARGV[1]) == 0 then return 0 end "
    "redis.call('pexpire', KEYS[1], ARGV[2]) return 'OK'",
    "1", "KEY", "VALUE", TTL,
)  # fmt: skip
HASH = (
    "EVAL",
    "if redis.call('exists', KEYS[1]) == 0 or redis.call('hexists', KEYS[1], ARGV[1]) == 1 then "
    "redis.call('hincrby', KEYS[1], ARGV[1], 1) redis.call('pexpire', KEYS[1], ARGV[2]) "
    "return 'OK' end return 0",
    "1", "KEY", "VALUE", TTL,
)  # fmt: skip
DELETE_HASH = (
    "EVAL",
    "if redis.call('hexists', KEYS[1], ARGV[1]) == 0 then return 0 end "
    "return redis.call('del', KEYS[1])",
    "1", "KEY", "VALUE",
)  # fmt: skip

UUID = "9b2e3c50-93f7-4d0a-8d52-6b1c3a6f7e11"
# Key format, value, acquire, release.
CLIENTS = {
    "redsync": ("%s", "kq3lYy0eV0m1y5mZc9bq1g==", SET, GIVE_BACK),
    "redis-py Lock": ("%s", "0f5a1e4ccd3011f0b5a70242ac110002", SET, GIVE_BACK),
    "node-redlock 5": ("%s", "8f14e45fceea167a5a36dedd4bea2543", SET_IF_ABSENT, GIVE_BACK),
    "redlock-py": ("%s", "q8ZtR0x7LmN2cVb5Kp1WsD", SET, GIVE_BACK),
    "redlock-rb": ("%s", UUID, SET_UNLESS_OTHERS, GIVE_BACK),
    "aioredlock": ("%s", UUID, SET_UNLESS_OTHERS, GIVE_BACK),
    "RedLock.net": ("redlock:%s", UUID, SET, GIVE_BACK),
    "pottery": ("redlock:%s", UUID, SET, GIVE_BACK),
    "redis-semaphore": ("mutex:%s", UUID, SET, GIVE_BACK),
    "rslock": ("%s", b"\x01\xff\r\n 0123456789abcde", SET, GIVE_BACK),
    "redis-plus-plus": ("%s", "aZ09aZ09aZ09aZ09aZ09", SET, GIVE_BACK),
    "DistributedLock.Redis": ("%s", "host_4711_" + UUID, SET, GIVE_BACK),
    "bsm/redislock": ("%s", "aZ09aZ09aZ09aZ09aZ09aQ", SET_MANY, GIVE_BACK),
}


def say(server, words, key, value):
    """Does its client take the answer for a success? And the answer."""
    places = {"KEY": key, "VALUE": value}
    command = ["redis-cli", "-p", str(server.port), *(places.get(word, word) for word in words)]
    done = subprocess.run(command, check=True, capture_output=True)
    return done.stdout.strip() in (b"OK", b"1"), done.stdout.decode(errors="replace").strip()


class Lock:
    """Ours."""

    def __init__(self, tool, servers, key_format):
        urls = ",".join(f"redis://{server.address}" for server in servers)
        self.env = {**os.environ, "REDLOCK_NODES": urls}
        self.tool, self.format = tool, ["--key-format", key_format, "--node-timeout", "5s"]

    def run(self, verb, *words):
        command = [self.tool, verb, *self.format, *words]
        done = subprocess.run(command, env=self.env, check=False, capture_output=True, text=True)
        return done.returncode, done.stdout.strip()


def everywhere(servers, words, key, value, wanted):
    return all(say(server, words, key, value)[0] == wanted for server in servers)


def faults(tool, servers, client):
    """What is not as it should be, in words."""
    key_format, value, acquire, release = CLIENTS[client]
    key, ours = key_format.replace("%s", NAME), Lock(tool, servers, key_format)
    if not everywhere(servers, acquire, key, value, True):
        yield "cannot take it though it is free"
    if ours.run("lock", "-n", NAME)[0] != HELD:
        yield "does not keep us out"
    if not everywhere(servers, release, key, value, True):
        yield "cannot give it back after we tried"
    code, token = ours.run("lock", "-n", NAME)
    if code != 0:
        yield "has given it back, and we do not get it"
    if not everywhere(servers, acquire, key, value, False):
        yield "is not kept out by us"
    if not everywhere(servers, release, key, value, False):
        yield "takes ours away"
    if ours.run("unlock", NAME, token)[0] != 0:
        yield "keeps us from giving it back"


def hash_faults(tool, servers):
    """Redisson's lock is a hash: it keeps us out, and is kept out with an error."""
    ours = Lock(tool, servers, "%s")
    if not everywhere(servers, HASH, NAME, UUID + ":1", True):
        yield "cannot take it though it is free"
    if ours.run("lock", "-n", NAME)[0] != HELD:
        yield "does not keep us out"
    if not everywhere(servers, DELETE_HASH, NAME, UUID + ":1", True):
        yield "cannot give it back after we tried"
    code, token = ours.run("lock", "-n", NAME)
    if code != 0:
        yield "has given it back, and we do not get it"
    if not all("WRONGTYPE" in say(server, HASH, NAME, UUID + ":1")[1] for server in servers):
        yield "gets no error for our key"
    if ours.run("unlock", NAME, token)[0] != 0:
        yield "keeps us from giving it back"


def stranger_faults(tool, servers):
    """rueidislock has keys of its own: neither keeps the other out."""
    ours = Lock(tool, servers, "%s")
    key = f"rueidislock:0:{NAME}"
    if not everywhere(servers, SET, key, UUID, True):
        yield "cannot take it though it is free"
    code, token = ours.run("lock", "-n", NAME)
    if code != 0:
        yield "keeps us out after all: the papers say it does not"
    ours.run("unlock", NAME, token)
    everywhere(servers, GIVE_BACK, key, UUID, True)


def main():
    tool = os.path.abspath(sys.argv[1])
    if not masters.local_servers.program() or not shutil.which("redis-cli"):
        print("skipped: there is no redis-server")
        sys.exit(SKIP)
    found = 0
    with masters.started(26300) as servers:
        for server in servers:
            for key_format in {client[0] for client in CLIENTS.values()}:
                masters.make_old(server, key_format)
        checks = {client: faults(tool, servers, client) for client in CLIENTS}
        checks["Redisson"] = hash_faults(tool, servers)
        checks["rueidislock"] = stranger_faults(tool, servers)
        for client, wrong in checks.items():
            told = list(wrong)
            found += len(told)
            print(f"{client}: {'; '.join(told) or 'as the papers say'}")
    sys.exit(1 if found else 0)


main()

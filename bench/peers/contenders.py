"""Who is compared: the peers, and our own programs, each with its figures in the same form.

A block is {"who", "nodes", "in_flight", "resources", "errors", "first_error", "figures"}.
"""

import json
import subprocess

PATIENCE_S = 120
OURS_ONLY = ("floor", "ours")
PEERS = ("redsync", "redsync-failfast", "rueidislock", "rueidislock-3keys")
TTL_MS = 30000


def urls(nodes):
    return ",".join(f"redis://{node}" for node in nodes)


def run(command, fine=(0,)):
    """Exit code 2 is ours for a run that had errors, which its figures tell."""
    done = subprocess.run(
        [str(word) for word in command],
        check=False,
        timeout=PATIENCE_S,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode not in fine:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


class Peer:
    """One of the Go program's libraries."""

    def __init__(self, peers, name):
        self.peers, self.name = peers, name

    def can(self, _in_flight, _resources):
        return True

    def measure(self, nodes, in_flight, resources, seconds, file):
        wanted = "distinct" if resources == in_flight else "shared"
        who = ["-peer", self.name, "-nodes", ",".join(nodes)]
        load = ["-concurrency", in_flight, "-resources", wanted]
        # A cycle of a thousand in flight takes the slower ones half a second.
        length = ["-seconds", seconds, "-warmup", max(0.5, seconds / 2)]
        run([self.peers, *who, *load, *length, "-json", file])
        yield json.loads(file.read_text(encoding="utf-8"))


class LoadOfOurs:
    """redlock-bench, on the first so many nodes: the floor and ours."""

    def __init__(self, program, count):
        self.program, self.count = program, count

    def can(self, _in_flight, _resources):
        return True

    def measure(self, nodes, in_flight, resources, seconds, file):
        load = ["--in-flight", in_flight, "--resources", resources, "--seconds", seconds]
        where = ["--nodes", urls(nodes[: self.count]), "--ttl", TTL_MS]
        run([self.program, "load", *load, *where, "--rounds", 1, "--json", file], fine=(0, 2))
        report = json.loads(file.read_text(encoding="utf-8"))
        for row in report["results"]:
            if row["who"] in OURS_ONLY:
                figures = {key: each["median"] for key, each in row["figures"].items()}
                yield {**row, "nodes": self.count, "figures": figures}


class LatencyOfOurs:
    """acquire_latency, on the first so many nodes: one in flight, and latencies only."""

    def __init__(self, program, count):
        self.program, self.count = program, count

    def can(self, in_flight, _resources):
        return in_flight == 1

    def measure(self, nodes, in_flight, resources, seconds, _file):
        where = ["--nodes", urls(nodes[: self.count]), "--ttl", TTL_MS]
        text = run([self.program, *where, "--rounds", 1, "--seconds", seconds, "--json"], (0, 2))
        for row in json.loads(text)["results"]:
            figures = {
                f"{step}_{quantile}_us": row[step][f"{quantile}_us"]
                for step in ("acquire", "release")
                for quantile in ("p50", "p99")
            }
            load = {"nodes": self.count, "in_flight": in_flight, "resources": resources}
            yield {**row, **load, "figures": figures}


def contenders(peers, ours, names=PEERS, counts=(5, 1)):
    """@ours is the directory of our programs, @counts are the numbers of nodes that they get."""
    load = ours / "redlock-bench"
    if load.exists():
        own = [LoadOfOurs(load, count) for count in counts]
    else:
        own = [LatencyOfOurs(ours / "acquire_latency", count) for count in counts]
    return own + [Peer(peers, name) for name in names]

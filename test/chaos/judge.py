#!/usr/bin/env python3
"""The judge: reads what clients, store and faults have written down, and knows nothing of the
library. Writes verdict.json beside them; false if anything that must hold did not.

usage: judge.py DIRECTORY

A lease is held from the moment a client says so to the end of its validity, the moment before it
gives it back, or the moment it is told that it has lost it: whichever is first. If the client is
killed, to the end of its validity. Two leases on one resource must not overlap; fencing tokens grow
from one lease to the next; nobody acts after the end; every wait ends; nothing is left behind.

An overlap is *excused* if all nodes that voted for both leases had forgotten the first, or had
their clock set forward, before they voted for the second: no lease survives that. All others are
violations.
"""

import json
import pathlib
import re
import statistics
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field

NODES, QUORUM = 5, 3
LONGEST_US = 2_000_000  # TTL in use.
SLACK_US = 3_000_000  # Of the end of a wait.
GRAIN_US = 5_000  # A client notes the end of its validity in ms, and again when it has grown.
TOLD_US = 100_000  # From the decision on a renewal until the client is told.
FAULT = re.compile(r"(\w+)=(\S+)")


@dataclass(slots=True)
class Lease:
    who: str
    resource: str
    tried_us: int
    from_us: int
    until_us: int
    fence: int
    votes: list  # When it was said, and which nodes voted, bit by bit; 0: not known.
    over: bool = False
    acts: int = 0

    def nodes_by(self, at_us):
        """That had voted for it last then."""
        said = [nodes for since_us, nodes in self.votes if since_us <= at_us]
        return nodes_of(said[-1] if said else 0)


@dataclass
class Findings:
    violations: list = field(default_factory=list)
    leases: list = field(default_factory=list)
    ended: Counter = field(default_factory=Counter)
    ways: Counter = field(default_factory=Counter)
    waits_ms: list = field(default_factory=list)
    late_ms: list = field(default_factory=list)
    writes: Counter = field(default_factory=Counter)
    slept: int = 0

    def accuse(self, at_us, what):
        self.violations.append((at_us, what))


def fields(words):
    return dict(FAULT.findall(" ".join(words)))


def nodes_of(mask):
    return [node for node in range(NODES) if mask >> node & 1]


class Client:
    """The journal of one client process."""

    def __init__(self, name, findings, stops):
        self.name, self.findings, self.stops = name, findings, stops
        self.tries, self.held = {}, {}
        self.mine, self.last_us, self.said_bye = [], 0, False

    def who(self, worker):
        return sys.intern(f"{self.name}/{worker}")

    def read(self, path):
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                at_us, word, *rest = line.split()
                self.last_us = int(at_us)
                getattr(self, "on_" + word, self.on_other)(int(at_us), rest)

    def on_other(self, at_us, rest):
        pass

    def on_bye(self, _at_us, _rest):
        self.said_bye = True

    def on_try(self, at_us, rest):
        self.tries[rest[0]] = (at_us, int(fields(rest)["wait"]))

    def stopped_us(self, from_us, to_us):
        return sum(max(0, min(to_us, end) - max(from_us, begin)) for begin, end in self.stops)

    def end_of_wait(self, at_us, worker):
        """When it was tried. A wait has a deadline, even where it is 0."""
        tried_us, wait_ms = self.tries.pop(worker)
        took_us = at_us - tried_us
        if wait_ms != 0:
            self.findings.waits_ms.append(took_us / 1000)
        if wait_ms >= 0:
            late_us = took_us - wait_ms * 1000 - self.stopped_us(tried_us, at_us)
            self.findings.late_ms.append(late_us / 1000)
            if late_us > SLACK_US:
                text = f"{self.who(worker)} waited {wait_ms} ms, and {late_us // 1000} ms more"
                self.findings.accuse(at_us, text)
        return tried_us

    def on_ended(self, at_us, rest):
        self.end_of_wait(at_us, rest[0])
        self.findings.ended[fields(rest)["status"]] += 1

    def on_won(self, at_us, rest):
        what = fields(rest)
        tried_us = self.end_of_wait(at_us, rest[0])
        nodes = int(what["nodes"])
        if what["attempts"] == "0":
            # It came from another lock of this client, with votes that are older than the wait.
            tried_us, nodes = tried_us - LONGEST_US, 0
        lease = Lease(self.who(rest[0]), sys.intern(rest[1]), tried_us, at_us, int(what["until"]),
                      int(what["fence"]), [(at_us, nodes)])
        self.held[rest[0]] = lease
        self.findings.leases.append(lease)
        self.mine.append(lease)
        self.findings.ways[what["way"]] += 1

    def on_held(self, at_us, rest):
        lease, what = self.held[rest[0]], fields(rest)
        if at_us > lease.until_us + TOLD_US and what["nodes"] != "0":
            self.findings.accuse(at_us, f"{lease.who} renewed a lease that was over")
        lease.until_us = max(lease.until_us, int(what["until"]))
        # 0: it has renewed itself, and nobody says with whose votes.
        lease.votes.append((at_us, int(what["nodes"])))

    def on_act(self, at_us, rest):
        lease = self.held[rest[0]]
        lease.acts += 1
        if lease.over or at_us > lease.until_us + GRAIN_US:
            late_ms = (at_us - lease.until_us) // 1000
            self.findings.accuse(at_us, f"{lease.who} acted {late_ms} ms after the end of its lease")

    def finish(self, at_us, rest):
        lease = self.held[rest[0]]
        lease.over = True
        lease.until_us = min(lease.until_us, at_us)

    on_release = finish
    on_lost = finish

    def on_write(self, _at_us, rest):
        what = fields(rest)
        self.findings.writes[f"{what['kind']} {what['answer']}"] += 1

    def count_slept(self):
        """A lease that ran out while its client was stopped: what it does then is judged by on_act."""
        for lease in self.mine:
            if any(lease.from_us < begin < lease.until_us < end for begin, end in self.stops):
                self.findings.slept += 1

    def close(self, was_killed):
        """Who was not killed has said good-bye, and waits for nothing."""
        if was_killed:
            return
        if not self.said_bye:
            self.findings.accuse(self.last_us, f"{self.name} did not come to its end")
        for worker, (tried_us, wait_ms) in self.tries.items():
            self.findings.accuse(tried_us, f"{self.who(worker)} waits for ever ({wait_ms} ms)")


class Faults:
    """The driver's journal."""

    def __init__(self, path):
        self.injected, self.healed, self.failed = Counter(), Counter(), []
        self.forgot = defaultdict(list)
        self.stops, self.killed = defaultdict(list), set()
        self.marks, self.begin_us, self.end_us = [], 0, 0
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                at_us, word, rest = (line.rstrip("\n") + "  ").split(" ", 2)
                getattr(self, "on_" + word, lambda *_: None)(int(at_us), rest.strip())

    def on_begin(self, at_us, _rest):
        self.begin_us = at_us

    def on_end(self, at_us, _rest):
        self.end_us = at_us

    def on_inject(self, at_us, rest):
        targets, kind = rest.split(" ", 1)
        self.injected[kind] += 1
        self.marks.append([at_us, targets, kind])

    def on_heal(self, _at_us, rest):
        self.healed[rest.split(" ", 1)[1]] += 1

    def on_failed(self, at_us, rest):
        self.failed.append((at_us, rest))

    def on_forget(self, _at_us, rest):
        what = fields([rest])
        self.forgot[int(what["node"])].append((int(what["from"]), int(what["to"])))

    def on_stop(self, at_us, rest):
        self.stops[rest].append([at_us, at_us + 3_600_000_000])

    def on_continue(self, at_us, rest):
        self.stops[rest][-1][1] = at_us

    def on_kill(self, _at_us, rest):
        self.killed.add(rest)

    def forgot_between(self, node, from_us, to_us):
        return any(begin <= to_us and end >= from_us for begin, end in self.forgot[node])

    def excuse(self, first, second):
        """Has every node that voted for both broken its word in between?"""
        span = (first.tried_us, second.from_us)
        ours, theirs = first.nodes_by(second.from_us), second.nodes_by(second.from_us)
        if ours and theirs:
            shared = set(ours) & set(theirs)
            return bool(shared) and all(self.forgot_between(node, *span) for node in shared)
        # One of them is not known: some quorum that meets the other in such nodes alone.
        known = ours or theirs
        broken = sum(self.forgot_between(node, *span) for node in known or range(NODES))
        return broken > 0 and broken >= len(known) - (NODES - QUORUM)


def overlaps(leases):
    """Pairs on one resource, the first begun first."""
    running = []
    for lease in leases:
        running = [other for other in running if other.until_us > lease.from_us]
        yield from ((other, lease) for other in running)
        running.append(lease)


def tell(first, second):
    at_us = second.from_us
    over_ms = (min(first.until_us, second.until_us) - second.from_us) / 1000
    return (f"{first.resource}: {first.who} (nodes {first.nodes_by(at_us)}, token {first.fence}) and "
            f"{second.who} (nodes {second.nodes_by(at_us)}, token {second.fence}) "
            f"hold for {over_ms:.1f} ms at once")


def judge_leases(findings, faults):
    excused, tokens = [], 0
    by_resource = defaultdict(list)
    for lease in findings.leases:
        if lease.until_us > lease.from_us:
            by_resource[lease.resource].append(lease)
    for leases in by_resource.values():
        leases.sort(key=lambda lease: lease.from_us)
        for first, second in overlaps(leases):
            if faults.excuse(first, second):
                excused.append((second.from_us, tell(first, second)))
            else:
                findings.accuse(second.from_us, tell(first, second))
        fenced = [lease for lease in leases if lease.fence]
        for first, second in zip(fenced, fenced[1:]):
            tokens += 1
            if second.fence <= first.fence and not faults.excuse(first, second):
                text = f"{second.resource}: token {second.fence} of {second.who} after {first.fence}"
                findings.accuse(second.from_us, text)
    return excused, tokens


def judge_store(path, findings):
    """Its own journal: what it took never went back."""
    highest, taken, refused = {}, 0, 0
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            at_us, resource, token, who, answer, *_ = line.split()
            if answer == "ok":
                taken += 1
                if int(token) < highest.get(resource, 0):
                    findings.accuse(int(at_us), f"the store took an old token of {who}")
                highest[resource] = max(highest.get(resource, 0), int(token))
            else:
                refused += 1
    return taken, refused


def stalls(findings, faults):
    """The longest time without a grant: on any resource, and on each."""
    def longest(leases):
        times = sorted(lease.from_us for lease in leases)
        times = [at for at in times if faults.begin_us <= at <= faults.end_us]
        edges = [faults.begin_us, *times, faults.end_us]
        return max(second - first for first, second in zip(edges, edges[1:])) / 1000

    resources = sorted({lease.resource for lease in findings.leases})
    each = {name: longest([l for l in findings.leases if l.resource == name]) for name in resources}
    return longest(findings.leases), each


def quarters(findings, faults):
    """Grants in each quarter of a second."""
    counted = Counter((lease.from_us - faults.begin_us) // 250_000 for lease in findings.leases)
    return [counted[quarter] for quarter in range((faults.end_us - faults.begin_us) // 250_000 + 1)]


def leaks(path, findings):
    what = json.loads(path.read_text(encoding="utf-8"))
    for node, key, kind, ttl_ms in what["left"]:
        findings.accuse(what["at_us"], f"node {node} keeps {kind} {key} (PTTL {ttl_ms}) after all is over")
    return len(what["left"]), what["waited_s"]


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0


def main():
    directory = pathlib.Path(sys.argv[1])
    findings, faults = Findings(), Faults(directory / "faults.log")
    for path in sorted(directory.glob("client*.log")):
        client = Client(path.stem, findings, faults.stops[path.stem])
        client.read(path)
        client.count_slept()
        client.close(path.stem in faults.killed)
    excused, tokens = judge_leases(findings, faults)
    taken, refused = judge_store(directory / "store.log", findings)
    left, quiet_s = leaks(directory / "leaks.json", findings)
    for at_us, what in faults.failed:
        findings.accuse(at_us, f"the driver: {what}")
    stall_ms, stall_each = stalls(findings, faults)
    verdict = {
        "violations": [[(at - faults.begin_us) / 1e6, text] for at, text in sorted(findings.violations)],
        "excused": [[(at - faults.begin_us) / 1e6, text] for at, text in sorted(excused)],
        "grants": len(findings.leases),
        "grants_in_quarters": quarters(findings, faults),
        "slept": findings.slept,
        "acts": sum(lease.acts for lease in findings.leases),
        "refusals": dict(findings.ended.most_common()),
        "ways": dict(findings.ways.most_common()),
        "waits": len(findings.waits_ms),
        "wait_ms": {"median": statistics.median(findings.waits_ms or [0]),
                    "p99": quantile(findings.waits_ms, 0.99), "max": max(findings.waits_ms or [0])},
        "late_max_ms": max(findings.late_ms or [0]),
        "stall_ms": stall_ms, "stall_each_ms": stall_each,
        "tokens_compared": tokens, "tokens_taken": taken, "store_refused": refused,
        "writes": dict(findings.writes.most_common()),
        "left": left, "quiet_s": quiet_s,
        "injected": dict(faults.injected), "healed": dict(faults.healed),
        "marks": [[(at - faults.begin_us) / 1e6, who, kind] for at, who, kind in faults.marks],
        "seconds": (faults.end_us - faults.begin_us) / 1e6,
        "clients": len(list(directory.glob("client*.log"))),
    }
    (directory / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")
    sys.exit(1 if verdict["violations"] else 0)


main()

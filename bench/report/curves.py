"""What the pictures show: for each contender its points."""

import math
import statistics

from cells import is_known, median
from tables import WORDS, grouped, series

RANK_BASE = 8


def label(nodes, who):
    return WORDS.get(who, who) + ("" if nodes > 1 else ", one node")


def shown(name):
    """The floor and ours on one node stand in the table only."""
    nodes, who = name
    return nodes > 1 or who not in ("floor", "ours")


def slower(rank):
    """One of so many is slower than what is at the rank."""
    return 10 ** (rank / RANK_BASE)


def ranks(blocks):
    """At each rank the median of the rounds, as far as more than half of them reach: the others
    count as slower, else the curve would jump where one of them ends."""
    points = []
    for rank, values in enumerate(zip(*(block["acquire_ranks_us"] for block in blocks))):
        known = [value if is_known(value) else math.inf for value in values]
        if is_known(statistics.median(known)):
            points.append((slower(rank), statistics.median(known)))
    return points


def distributions(told_all, level):
    if "peers" in told_all:
        blocks = [each for each in told_all["peers"]["result"] if each["in_flight"] == level]
        found = {name: mine for name, mine in grouped(blocks).items() if shown(name)}
        return {label(*name): ranks(mine) for name, mine in found.items()}
    if "load" in told_all:
        rows = told_all["load"]["result"]["results"]
        found = {WORDS[row["who"]]: ranks([row]) for row in rows if row["in_flight"] == level}
        return {who: found[who] for who in WORDS.values() if who in found}
    return {}


def over_levels(told, key="cycles_per_s"):
    """Of blocks of the peers, or of a load."""
    if not told:
        return {}
    if isinstance(told["result"], list):
        levels = dict.fromkeys(block["in_flight"] for block in told["result"])
        curves = {}
        for name, mine in grouped(told["result"]).items():
            if shown(name):
                those = {at: [each for each in mine if each["in_flight"] == at] for at in levels}
                points = [(at, median(series(each, key))) for at, each in those.items() if each]
                curves[label(*name)] = points
        return curves
    curves = {}
    for row in told["result"]["results"]:
        if row["who"] != "ping":
            points = curves.setdefault(WORDS[row["who"]], [])
            points.append((row["in_flight"], row["figures"][key]["median"]))
    return curves


def handovers(told):
    """Of each number of processes over waiters, under what is possible."""
    curves = {"possible": []}
    for row in told["result"]["results"]:
        many = "process" if row["processes"] == 1 else "processes"
        who = "libredlock" if row["who"] == "ours" else "polling"
        points = curves.setdefault(f"{who}, {row['processes']} {many}", [])
        points.append((row["waiters"], row["figures"]["handovers_per_s"]["median"]))
        curves["possible"].append((row["waiters"], row["ceiling_per_s"]))
    curves["possible"] = sorted(set(curves["possible"]))
    return curves


# ---- Over time -----------------------------------------------------------------------------------


def interval_ms(told):
    return told["result"]["results"][0]["interval_ms"]


def waits(intervals, step_s):
    """The slowest cycle of each interval. Nothing else begins while one lasts: it stands until its
    end; where there is none at all is a gap."""
    wait_us, until_s = None, 0
    for place, interval in enumerate(intervals):
        at_s = place * step_s
        if is_known(interval["cycle_max_us"]):
            wait_us = interval["cycle_max_us"]
            until_s = at_s + wait_us / 1e6 + step_s
        elif at_s > until_s:
            wait_us = None
        yield (at_s, wait_us) if wait_us is not None else None


def over_time(told):
    curves = {}
    for each in told["result"]["results"]:
        points = list(waits(each["intervals"], each["interval_ms"] / 1000))
        curves[label(5, each["who"])] = points
    return curves


def events(told):
    """When, and what happened, in words."""
    found = told["result"]["events"]
    return [(each["at_s"], f"node {each['node']} {each['what']}") for each in found]

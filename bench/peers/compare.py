"""Peers and ours in turns against the same servers, and one table with ratios to ours.

In each round everybody has a block; the order goes round. What else the machine does so hits all
alike, and the ratios can be trusted further than the microseconds.
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile

from contenders import PEERS, TTL_MS, contenders
from local_servers import local_servers, program
from table import print_table

NODES = 5


def numbers(text):
    """Those that are not 0."""
    return [number for number in map(int, text.split(",")) if number > 0]


def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--peers", type=pathlib.Path, required=True, help="the Go program")
    parser.add_argument("--ours", type=pathlib.Path, required=True, help="where our programs are")
    parser.add_argument("--seconds", type=float, default=2, help="length of a block")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--port", type=int, default=24200, help="lowest port of the servers")
    level = {"type": numbers, "metavar": "LIST"}
    parser.add_argument("--in-flight", **level, default="1,64,1024", help="own resources; 0: none")
    parser.add_argument("--shared", **level, default="32", help="on one resource; 0: none")
    parser.add_argument("--who", default=",".join(PEERS), help="these peers")
    parser.add_argument("--ours-on", **level, default="5,1", help="the floor and ours on so many")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures of every block there")
    return parser.parse_args()


def settings(asked):
    """Pairs: how many in flight, on how many resources."""
    return [(level, level) for level in asked.in_flight] + [(level, 1) for level in asked.shared]


def play_round(turn, setting, able, nodes, seconds):
    """Everybody's blocks of one round."""
    first = turn % len(able)
    for contender in able[first:] + able[:first]:
        load = os.getloadavg()[0]
        with tempfile.TemporaryDirectory() as place:
            file = pathlib.Path(place) / "figures.json"
            for block in contender.measure(nodes, *setting, seconds, file):
                yield {**block, "round": turn, "load": load}


def play(asked, nodes):
    blocks = []
    everybody = contenders(asked.peers, asked.ours, asked.who.split(","), asked.ours_on)
    for setting in settings(asked):
        able = [each for each in everybody if each.can(*setting)]
        for turn in range(asked.rounds):
            where = f"{setting[0]} in flight, {setting[1]} resources"
            print(f"{where}: round {turn + 1} of {asked.rounds}", file=sys.stderr)
            blocks += play_round(turn, setting, able, nodes, asked.seconds)
    return blocks


def print_conditions(asked, blocks):
    loads = [block["load"] for block in blocks]
    versions = {}
    for block in blocks:
        versions.update(block.get("versions", {}))
    print(f"{NODES} servers of our own on loopback, without persistence")
    print(f"{os.cpu_count()} processors, load {min(loads):.1f} to {max(loads):.1f} before the blocks")
    print(", ".join(f"{name} {version}" for name, version in sorted(versions.items())))
    print(f"{asked.rounds} rounds, blocks of {asked.seconds:g} s in turns; TTL {TTL_MS} ms, hold 0")


def main():
    asked = options()
    if program() is None:
        sys.exit("there is no redis-server (REDIS_SERVER names one)")
    with local_servers(NODES, asked.port) as servers:
        blocks = play(asked, [server.address for server in servers])
    if asked.json:
        asked.json.write_text(json.dumps(blocks, indent=1) + "\n", encoding="utf-8")
    print_conditions(asked, blocks)
    print_table(blocks)


main()

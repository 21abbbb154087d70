"""What a hung node costs peers and ours: one client, with none, one and two of five nodes stopped.

A peer is warm, and its connections are up, before the nodes hang. Ours and the floor are measured
by acquire_latency, on servers of its own.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from local_servers import local_servers, program

NODES = 5
WARMUP_S = 1
CONDITIONS = ("healthy", "one hung", "two hung")
QUANTILES = ("p50", "p99")
STEPS = ("acquire", "release")
# Ends a peer's run that waits for a hung node, and then for its locks.
PATIENCE_S = 120


def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--peers", type=pathlib.Path, required=True, help="the Go program")
    parser.add_argument("--ours", type=pathlib.Path, required=True, help="where our programs are")
    parser.add_argument("--seconds", type=float, default=12, help="length of a peer's block")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--who", default="redsync,redsync-failfast", help="these peers")
    parser.add_argument("--port", type=int, default=24200, help="lowest port of the servers")
    return parser.parse_args()


def measure_ours(asked):
    length = ["--rounds", "1", "--seconds", str(min(1, asked.seconds)), "--ttl", "30000"]
    where = ["--port", str(asked.port + 100), "--json"]
    command = [asked.ours / "acquire_latency", *length, *where]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    # 2: there were errors, which are told.
    if done.returncode not in (0, 2):
        sys.exit(f"acquire_latency ended with {done.returncode}")
    for row in json.loads(done.stdout)["results"]:
        latencies = [row[step][f"{each}_us"] for step in STEPS for each in QUANTILES]
        yield (row["who"], row["condition"]), latencies, row["errors"]


def measure_peer(asked, peer, servers, hung):
    """The nodes hang from shortly before the window to the end of the run."""
    nodes = ",".join(server.address for server in servers)
    with tempfile.TemporaryDirectory() as place:
        file = pathlib.Path(place) / "figures.json"
        length = ["-warmup", str(WARMUP_S), "-seconds", str(asked.seconds), "-json", file]
        command = [asked.peers, "-peer", peer, "-nodes", nodes, *length]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
            time.sleep(WARMUP_S * 0.7)
            for server in servers[NODES - hung :]:
                server.hang()
            try:
                running.wait(PATIENCE_S)
            finally:
                for server in servers:
                    server.resume()
        told = json.loads(file.read_text(encoding="utf-8"))
    latencies = [told["figures"][f"{step}_{each}_us"] for step in STEPS for each in QUANTILES]
    return (peer, CONDITIONS[hung]), latencies, told["errors"]


def play(asked, servers):
    found = {}
    for turn in range(asked.rounds):
        print(f"round {turn + 1} of {asked.rounds}", file=sys.stderr)
        blocks = list(measure_ours(asked))
        for peer in asked.who.split(","):
            blocks += [measure_peer(asked, peer, servers, hung) for hung in range(len(CONDITIONS))]
        for name, latencies, errors in blocks:
            found.setdefault(name, []).append((latencies, errors))
    return found


def print_row(who, condition, blocks):
    columns = zip(*(latencies for latencies, _ in blocks))
    known = [[value for value in column if value is not None] for column in columns]
    cells = [f"{statistics.median(column):.0f}" if column else "none" for column in known]
    empty = sum(latencies[0] is None for latencies, _ in blocks)
    errors = sum(errors for _, errors in blocks)
    print(f"{condition:10}{who:18}", *(f"{cell:>11}" for cell in cells), f"{empty:>7} {errors:>7}")


def main():
    asked = options()
    load = os.getloadavg()[0]
    if program() is None:
        sys.exit("there is no redis-server (REDIS_SERVER names one)")
    with local_servers(NODES, asked.port) as servers:
        found = play(asked, servers)
    print("One client, five nodes; medians over the rounds, µs. empty: blocks without a grant.")
    print(f"{os.cpu_count()} processors, load {load:.1f} before")
    headings = [f"{step} {each}" for step in STEPS for each in QUANTILES]
    print(f"{'':28}", *(f"{heading:>11}" for heading in headings), "  empty  errors")
    for condition in CONDITIONS:
        for who in ("floor", "ours", *asked.who.split(",")):
            print_row(who, condition, found[who, condition])


main()

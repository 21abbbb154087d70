"""How long a cycle takes around the moment at which a node dies, and another hangs for a while.

One caller takes and gives back a lock over five nodes, again and again. At 3 of 10 s a node is
killed, and stays so; at 6 s another one is stopped, and at 8 s it goes on. Each contender has
servers of its own, one after the other. The peers are left out where there is no Go program.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

from contenders import TTL_MS, urls
from local_servers import local_servers, program

NODES = 5
# What happens at which part of the time, and to which node.
EVENTS = [
    (0.3, "killed", 4, lambda server: server.end()),
    (0.6, "stopped", 3, lambda server: server.hang()),
    (0.8, "continued", 3, lambda server: server.resume()),
]
WARMUP_S = 0.5
# For the start, and for those who wait for the dead when it is over.
PATIENCE_S = 60


def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--peers", type=pathlib.Path, help="the Go program")
    parser.add_argument("--ours", type=pathlib.Path, required=True, help="where our programs are")
    parser.add_argument("--who", default="redsync,redsync-failfast", help="these peers")
    parser.add_argument("--seconds", type=float, default=10, help="length of it all")
    parser.add_argument("--interval", type=int, default=50, metavar="MS")
    parser.add_argument("--port", type=int, default=24400, help="lowest port of the servers")
    parser.add_argument("--json", type=pathlib.Path, required=True, help="write it there")
    return parser.parse_args()


def our_command(asked, nodes, file):
    length = ["--seconds", asked.seconds, "--interval", asked.interval]
    # A node is given up after the library's own default for this TTL.
    times = ["--ttl", TTL_MS, "--node-timeout", 500]
    program_of_ours = asked.ours / "redlock-bench"
    return [program_of_ours, "timeline", "--nodes", urls(nodes), *length, *times, "--json", file]


def peer_command(asked, peer, nodes, file):
    length = ["-warmup", WARMUP_S, "-seconds", asked.seconds, "-timeline", f"{asked.interval}ms"]
    return [asked.peers, "-peer", peer, "-nodes", ",".join(nodes), *length, "-json", file]


def let_happen(asked, servers):
    begin = time.monotonic()
    for share, _, node, happen in EVENTS:
        time.sleep(max(0, begin + share * asked.seconds - time.monotonic()))
        happen(servers[node])


def measure(asked, who):
    with tempfile.TemporaryDirectory() as place, local_servers(NODES, asked.port) as servers:
        file = pathlib.Path(place) / "timeline.json"
        nodes = [server.address for server in servers]
        ours = who == "ours"
        command = our_command(asked, nodes, file) if ours else peer_command(asked, who, nodes, file)
        words = [str(word) for word in command]
        quiet = subprocess.DEVNULL  # go-redis tells of each attempt to reach a dead node.
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=quiet, text=True) as running:
            if running.stdout.readline() != "begin\n":
                raise RuntimeError(f"{who} did not begin")
            let_happen(asked, servers)
            running.stdout.read()
            code = running.wait(PATIENCE_S)
        # 2: there were errors, which are told.
        if code not in (0, 2):
            raise RuntimeError(f"{who} ended with {code}")
        told = json.loads(file.read_text(encoding="utf-8"))
    kept = ("errors", "first_error", "interval_ms", "intervals")
    return {"who": who, **{name: told[name] for name in kept}}


def slowest_ms(told):
    return max(each["cycle_max_us"] or 0 for each in told["intervals"]) / 1000


def main():
    asked = options()
    if program() is None:
        sys.exit("there is no redis-server (REDIS_SERVER names one)")
    everybody = ["ours", *(asked.who.split(",") if asked.peers else [])]
    told = [measure(asked, who) for who in everybody]
    events = [
        {"at_s": share * asked.seconds, "what": what, "node": node + 1}
        for share, what, node, _ in EVENTS
    ]
    result = {"seconds": asked.seconds, "events": events, "results": told}
    asked.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    for each in told:
        granted = sum(moment["granted"] for moment in each["intervals"])
        print(f"{each['who']:18} {granted:7} granted, slowest {slowest_ms(each):9.2f} ms,", end="")
        print(f" {each['errors']} errors {each['first_error']}")


main()

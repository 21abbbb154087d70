"""A tiny run of each peer, and of all beside ours: form and counts of the figures, never times.

usage: test_peers.py BUILD_SH PROGRAM OURS FIRST_PORT; exit code 77 where the peers cannot be built.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

from local_servers import local_servers, program

PEERS = {"redsync": 3, "redsync-failfast": 3, "rueidislock": 1, "rueidislock-3keys": 1}
# Long enough for a cycle on a machine that stands still now and then.
TINY = ["-seconds", "1", "-warmup", "0.1", "-concurrency", "4"]
QUANTILES = ["p50", "p90", "p99", "p999", "max"]


def measure(peers, peer, nodes, resources):
    with tempfile.TemporaryDirectory() as place:
        file = pathlib.Path(place) / "figures.json"
        options = ["-peer", peer, "-nodes", ",".join(nodes), "-resources", resources]
        subprocess.run([peers, *options, *TINY, "-json", file], check=True, timeout=60)
        text = file.read_text(encoding="utf-8")
    print(text)
    return json.loads(text)


def check(told, peer, resources):
    assert told["who"] == peer
    assert told["nodes"] == PEERS[peer]
    assert told["in_flight"] == 4
    assert told["resources"] == (4 if resources == "distinct" else 1)
    assert told["versions"]["github.com/redis/rueidis"].startswith("v"), told["versions"]
    # A crowded machine may bring errors, but they are told.
    assert (told["errors"] > 0) == bool(told["first_error"])
    assert told["cycles"] > 0 and told["measured_s"] > 0
    figures = told["figures"]
    # A lock and its release; the first of the window may have begun before it.
    assert figures["commands_per_cycle"] > 1.5
    for name in ("cycles_per_s", "client_cpu_us_per_cycle", "rss_mib"):
        assert figures[name] > 0, name
    for step in ("acquire", "release", "cycle"):
        values = [figures[f"{step}_{quantile}_us"] for quantile in QUANTILES]
        assert values[0] > 0 and values == sorted(values), (step, values)
    known = [value for value in told["acquire_ranks_us"] if value is not None]
    assert known == sorted(known) and known[0] > 0, told


def check_timeline(peers, nodes):
    with tempfile.TemporaryDirectory() as place:
        file = pathlib.Path(place) / "figures.json"
        options = ["-nodes", ",".join(nodes), "-timeline", "250ms", "-json", file]
        command = [peers, "-peer", "redsync", *TINY, *options]
        done = subprocess.run(command, check=True, timeout=60, stdout=subprocess.PIPE, text=True)
        told = json.loads(file.read_text(encoding="utf-8"))
    assert done.stdout == "begin\n", done.stdout
    assert len(told["intervals"]) == 5 and told["interval_ms"] == 250, told
    assert any(each["granted"] > 0 and each["cycle_max_us"] > 0 for each in told["intervals"]), told


def check_comparison(peers, ours, first_port):
    compare = pathlib.Path(__file__).with_name("compare.py")
    load = ["--rounds", "2", "--seconds", "0.1", "--in-flight", "1", "--shared", "2"]
    with tempfile.TemporaryDirectory() as place:
        file = pathlib.Path(place) / "blocks.json"
        options = ["--peers", peers, "--ours", ours, "--port", first_port, "--json", file]
        command = [sys.executable, compare, *options, *load]
        table = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        blocks = json.loads(file.read_text(encoding="utf-8"))
    print(table)
    assert "2 in flight, all on one resource" in table
    for who in ("floor", "ours", *PEERS):
        mine = [block for block in blocks if block["who"] == who]
        alone = [block["round"] for block in mine if block["in_flight"] == block["resources"]]
        # The floor and ours are measured on five nodes, and on one.
        assert alone == ([0, 0, 1, 1] if who in ("floor", "ours") else [0, 1]), (who, alone)
        rows = [line for line in table.splitlines() if line.startswith(who + " ")]
        assert len(rows) >= 2, (who, rows)


def check_hung(peers, ours, first_port):
    load = ["--rounds", "1", "--seconds", "0.1", "--who", "redsync-failfast"]
    options = ["--peers", peers, "--ours", ours, "--port", first_port]
    hung = pathlib.Path(__file__).with_name("hung.py")
    command = [sys.executable, hung, *options, *load]
    table = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    print(table)
    for condition in ("healthy", "one hung", "two hung"):
        rows = [line for line in table.splitlines() if line.startswith(condition)]
        names = [row[10:28].strip() for row in rows]
        assert names == ["floor", "ours", "redsync-failfast"], names


def main():
    build, peers, ours, first_port = sys.argv[1:]
    built = subprocess.run([build, peers, "--test"], check=False).returncode
    if built != 0:
        sys.exit(built)
    if program() is None:
        print("the peers are skipped: there is no redis-server")
        sys.exit(77)
    with local_servers(3, int(first_port)) as servers:
        nodes = [server.address for server in servers]
        for peer in PEERS:
            for resources in ("distinct", "shared"):
                check(measure(peers, peer, nodes, resources), peer, resources)
        check_timeline(peers, nodes)
    check_comparison(peers, ours, first_port)
    check_hung(peers, ours, first_port)
    wrong = subprocess.run([peers, "-peer", "nobody", "-nodes", "x"], check=False).returncode
    assert wrong == 64, wrong


main()

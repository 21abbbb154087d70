"""Tiny runs of redlock-bench in each of its modes: form and counts, never times."""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

BENCH = sys.argv[1]
CYCLES = 60


ILLS = ("hung1", "hung2", "dead1", "slow1", "rtt")
RANKS = ("p50", "p90", "p99", "p999", "max")


def run(port, *options):
    """Exit code 2 says that there were errors, which a crowded machine may cause."""
    command = [BENCH, "--rounds", "2", "--cycles", str(CYCLES), "--port", str(port), *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout)
    assert done.returncode in (0, 2), done.returncode
    return done


def run_json(port, *options):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "result.json"
        done = run(port, *options, "--json", str(path))
        report = json.loads(path.read_text(encoding="utf-8"))
    errors = sum(row["errors"] for row in report["results"])
    assert (done.returncode == 2) == (errors > 0), (done.returncode, errors)
    return report, done.stdout, errors == 0


def check_ascent(ranks, row, clean):
    """What one round measured. Where there were errors, there may be nothing."""
    if clean or None not in ranks:
        assert 0 < ranks[0] and list(ranks) == sorted(ranks), row


def check_row(row, clean):
    figures = row["figures"]
    assert row["cycles"] == 2 * CYCLES, row
    assert all(len(figure["rounds"]) == 2 for figure in figures.values()), row
    for step in ("acquire",) if row["who"] == "ping" else ("acquire", "release", "cycle"):
        for ranks in zip(*(figures[f"{step}_{rank}_us"]["rounds"] for rank in RANKS)):
            check_ascent(ranks, row, clean)
    for name in ("cycles_per_s", "client_cpu_us_per_cycle", "syscalls_per_cycle", "rss_mib"):
        assert figures[name]["median"] > 0, (name, row)
    if clean and row["who"] != "ours":
        per_cycle = {"floor": 10, "ping": 5}[row["who"]]
        assert figures["commands_per_cycle"]["rounds"] == [per_cycle] * 2, row


def check_load(port, *options):
    report, table, clean = run_json(port, "load", "--in-flight", "1,20", *options)
    places = [(row["in_flight"], row["who"]) for row in report["results"]]
    assert places == [(n, who) for n in (1, 20) for who in ("floor", "ours", "ping")], places
    for row in report["results"]:
        check_row(row, clean)
        check_ranks(report, row)
        assert row["resources"] <= row["in_flight"], row
    assert "restart guard off" in table and "20 in flight" in table
    return report, clean


def check_ranks(report, row):
    """Twenty cycles are too few for the later ranks."""
    percents, values = report["rank_percents"], row["acquire_ranks_us"]
    assert len(values) == len(percents) and percents[0] == 0, row
    known = [value for value in values if value is not None]
    assert known == sorted(known) and 0 < len(known) < len(values), row


def check_timeline(port):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "result.json"
        length = ["--seconds", "0.3", "--interval", "100"]
        done = run(port, "timeline", *length, "--json", str(path))
        report = json.loads(path.read_text(encoding="utf-8"))
    assert done.stdout.startswith("begin\n"), done.stdout
    assert len(report["intervals"]) == 4 and report["interval_ms"] == 100, report
    granted = [each for each in report["intervals"] if each["granted"] > 0]
    assert granted and all(
        0 < each["acquire_p50_us"] <= each["acquire_max_us"] < each["cycle_max_us"]
        for each in granted
    ), report
    assert done.returncode == (2 if report["errors"] else 0), report


def check_conditions(port):
    wanted = ["--condition", ",".join(ILLS), "--rtt", "1,2,3", "--jitter", "1", "--slow-ms", "20"]
    report, table, clean = run_json(port, "load", "--in-flight", "1,20", "--warmup", "10", *wanted)
    conditions = ("healthy", *ILLS)
    places = [(row["in_flight"], row["condition"], row["who"]) for row in report["results"]]
    whos = ("floor", "ours", "ping")
    assert places == [(n, c, who) for n in (1, 20) for c in conditions for who in whos], places
    assert report["rtt_ms"] == [1, 2, 3, 1, 2] and report["quorum_rtt_ms"] == 2, report
    for row in report["results"]:
        check_row(row, clean and row["condition"] == "healthy")
        figures = row["figures"]
        assert figures["acquire_p50_us"]["to_ping"] > 0, row
        if row["condition"] == "healthy":
            assert figures["acquire_p50_us"]["to_healthy"] == 1, row
        if row["condition"] == "rtt":
            # Nothing comes sooner than light, or than the proxy lets it through.
            assert min(figures["acquire_p50_us"]["rounds"]) >= 2000, row
    for words in ("2 of them hung", "one of them killed", "slow by 20 ms", "the quorum's: 2 ms"):
        assert words in table, words


def check_steps(port):
    tiny = ["--cycles", "20", "--hold-ms", "4", "--warmup", "2", "--condition", "hung1,rtt"]
    report, table, clean = run_json(port, "steps", *tiny, "--rtt", "1,2,3")
    kinds = ("ping", "ping"), ("extend", "floor"), ("extend", "ours"), ("hand_over", "ours")
    kinds += ("pass_on", "floor"), ("pass_on", "ours")
    places = [(row["condition"], row["step"], row["who"]) for row in report["results"]]
    assert places == [(c, *kind) for c in ("healthy", "hung1", "rtt") for kind in kinds], places
    for row in report["results"]:
        # There and back again: each cycle between processes hands over twice.
        per_cycle = 2 if (row["step"], row["who"]) == ("pass_on", "ours") else 1
        assert not clean or row["count"] == 2 * 20 * per_cycle, row
        for ranks in zip(*(row["figures"][f"{rank}_us"]["rounds"] for rank in RANKS)):
            check_ascent(ranks, row, clean)
    for words in ("extend: ours", "hand over in a client: ours", "to another process: ours"):
        assert table.count(words) == 3, words


def check_contend(port):
    options = ["--processes", "1,3", "--waiters", "2,7", "--think-ms", "2-5", "--seconds", "0.4"]
    options += ["--condition", "rtt", "--rtt", "1,2"]
    report, table, clean = run_json(port, "contend", *options)
    keys = ("condition", "processes", "waiters", "who")
    counts = ((1, 2), (1, 7), (2, 2), (3, 7))
    places = [tuple(row[key] for key in keys) for row in report["results"]]
    whos, conditions = ("ours", "plain"), ("healthy", "rtt")
    assert places == [(c, *n, who) for c in conditions for n in counts for who in whos], places
    for row in report["results"]:
        figures = row["figures"]
        assert row["overlaps"] == 0 and row["ceiling_per_s"] <= 1000.01, row
        if row["handovers"] == 0:
            continue  # On a machine that slept meanwhile.
        assert 1 / row["waiters"] <= figures["jain"]["median"] <= 1.0001, row
        assert 1 / row["processes"] <= figures["jain_processes"]["median"] <= 1.0001, row
        assert 0 < figures["wait_p50_ms"]["median"] <= figures["wait_max_ms"]["median"], row
        assert figures["hold_mean_ms"]["median"] >= 1, row
        assert figures["commands_per_handover"]["median"] > 0, row
        if row["who"] == "plain" and clean:
            # A turn of one's own is ten commands, if nobody else is there.
            assert figures["commands_per_handover"]["median"] >= 9, row
    assert "7 waiters in 3 processes, rtt" in table and "AT ONCE" not in table


def check_growth(port):
    report, table, clean = run_json(port, "growth", "--in-flight", "5,30", "--seconds", "0.2")
    assert [row["locks"] for row in report["results"]] == [5, 30]
    for row in report["results"]:
        figures = row["figures"]
        for name in ("held_heap_bytes", "line_heap_bytes", "wait_heap_bytes"):
            assert figures[name]["median"] > 0, (name, row)
        # Who waits for others has tried once, and then stands in line.
        assert figures["wait_begin_commands_per_node"]["median"] >= 2, row
        assert figures["wait_client_cpu_percent"]["median"] > 0, row
        # A lease is handed on without a word to the nodes.
        assert not clean or figures["hand_over_commands"]["median"] == 0, row
        assert report["results"][0]["figures"]["held_cycle_cpu_us"]["to_fewest"] == 1
    assert "a waiter for others" in table
    report, _, _ = run_json(port, "growth", "--in-flight", "5", "--brief")
    figures = report["results"][0]["figures"]
    assert figures["line_cycle_cpu_us"]["median"] > 0, figures
    assert figures["wait_cycle_cpu_us"]["median"] is None, figures


@contextlib.contextmanager
def foreign_servers(ports):
    program = os.environ.get("REDIS_SERVER") or shutil.which("redis-server") or "valkey-server"
    quiet = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--logfile", "/dev/null"]
    servers = [subprocess.Popen([program, "--port", str(port), *quiet]) for port in ports]
    try:
        for port in ports:
            wait_for(port)
        yield ",".join(f"redis://127.0.0.1:{port}" for port in ports)
    finally:
        for server in servers:
            server.kill()
            server.wait()


def wait_for(port):
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"nobody answers on port {port}")


def check_foreign(ports):
    """They tell their processor time themselves, and nothing is done to them."""
    with foreign_servers(ports) as nodes:
        options = ["--in-flight", "4", "--cycles", "600", "--nodes", nodes]
        report, table, clean = run_json(23800, "load", *options, "--condition", "slow1")
        for row in report["results"]:
            assert row["figures"]["server_cpu_us_per_cycle"]["median"] is not None, row
        floor = report["results"][0]["figures"]["server_cpu_us_per_cycle"]
        assert not clean or floor["median"] > 0, floor
        assert not report["own_servers"] and "given by --nodes" in table
        command = [BENCH, "load", "--nodes", nodes, "--condition", "hung1"]
        refused = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        assert refused.returncode == 64 and "neither stopped nor killed" in refused.stderr


def main():
    report, clean = check_load(23800)
    if clean:
        # Distinct resources, all nodes well: nothing is sent beside SET and release, to five each.
        ours = [row for row in report["results"] if row["who"] == "ours"]
        for row in ours:
            sent = row["figures"]["commands_per_cycle"]["median"] * CYCLES
            assert 10 * CYCLES <= sent <= 10 * CYCLES + 20, row
    check_load(23820, "--rate", "2000")
    check_load(23840, "--resources", "2")
    check_growth(23860)
    check_timeline(23890)
    check_conditions(23870)
    check_contend(23876)
    check_steps(23882)
    check_foreign([23893, 23894, 23895])
    for who in ("ours", "floor", "ping"):
        assert run(23880, "spin", "--who", who, "--settle", "100").returncode == 0


main()

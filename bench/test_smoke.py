"""A tiny run of acquire_latency, as a table and as JSON: form and counts, never times."""

import json
import subprocess
import sys

BENCH = sys.argv[1]
TINY = ["--rounds", "2", "--cycles", "20", "--warmup", "2", "--ttl", "30000"]
PLACES = [(when, who) for when in ("healthy", "one hung", "two hung") for who in ("floor", "ours")]


def run(*options):
    """Exit code 2 says that there were errors, which a crowded machine may cause."""
    done = subprocess.run([BENCH, *TINY, *options], stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout)
    assert done.returncode in (0, 2), done.returncode
    return done


def check_row(row):
    assert row["cycles"] == 2 * 22, row
    for what in ("acquire", "release"):
        assert row[what]["p50_us"] > 0, row
        assert row[what]["p99_us"] >= row[what]["p50_us"], row
        assert row[what]["p50_to_floor"] > 0, row
    assert (row["errors"] > 0) == bool(row["first_error"]), row


def main():
    done = run("--json", "--port", "23700")
    report = json.loads(done.stdout)
    assert [(row["condition"], row["who"]) for row in report["results"]] == PLACES
    for row in report["results"]:
        check_row(row)
    errors = sum(row["errors"] for row in report["results"])
    assert (done.returncode == 2) == (errors > 0), (done.returncode, errors)

    table = run("--port", "23750").stdout
    for when, _ in PLACES:
        assert table.count(when) >= 4, when
    assert "restart guard off" in table
    assert "no persistence" in table


main()

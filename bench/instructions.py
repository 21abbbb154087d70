#!/usr/bin/env python3
"""How many instructions a cycle of the library costs its client, against what it cost before.

usage: instructions.py REDLOCK_BENCH BASELINE.json [--update] [--port P]

Seconds depend on what else a machine does, instructions do not. callgrind counts those of a short
and of a long run; the difference is that of so many cycles, without start and end. Before each wait
for events the client sleeps until all answers are there, so that it has the same work each time.

The count is that of one compiler and of one set of libraries: with others there is nothing to
compare, and the figures are only told.
"""

import argparse
import concurrent.futures
import json
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

# Cycles in flight, and how many of them the short and the long run have.
LEVELS = {"1": (100, 500), "64": (640, 2560)}
TOLERANCE = 0.02
TRIES = 3
COLLECTED = re.compile(r"Collected : (\d+)")
SPIN = ("spin", "--settle", "2000")


def count(bench, level, cycles, port):
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", bench]
        command += [*SPIN, "--in-flight", level, "--cycles", str(cycles), "--port", str(port)]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    found = COLLECTED.search(done.stderr)
    if done.returncode != 0 or not found:
        sys.exit(f"error: {' '.join(command)}\n{done.stderr}")
    return int(found.group(1))


def per_cycle(bench, level, port):
    short, long = LEVELS[level]
    with concurrent.futures.ThreadPoolExecutor() as both:
        few = both.submit(count, bench, level, short, port)
        many = both.submit(count, bench, level, long, port + 50)
        return round((many.result() - few.result()) / (long - short))


def surroundings(bench):
    """What the count depends on beside the sources."""
    path = pathlib.Path(bench).resolve().parent / "surroundings.json"
    return {**json.loads(path.read_text()), "libc": " ".join(platform.libc_ver())}


def judge(bench, level, port, expected):
    """The count; counted again if it is too large: a late answer costs a turn of the loop more."""
    seen = []
    for _ in range(TRIES if expected else 1):
        seen.append(per_cycle(bench, level, port))
        if not expected or min(seen) <= expected * (1 + TOLERANCE):
            break
    return min(seen)


def tell(level, found, expected):
    line = f"{level} in flight: {found} instructions a cycle"
    if expected:
        line += f", before {expected}, {100 * (found / expected - 1):+.2f} %"
    print(line)


def compare(found, baseline, here):
    if here != baseline["surroundings"]:
        for name, value in here.items():
            if value != baseline["surroundings"].get(name):
                print(f"{name}: {value}, before {baseline['surroundings'].get(name)}")
        print("other surroundings than the baseline's: nothing to compare")
        return 77
    changes = [found[level] / baseline["cycle"][level] - 1 for level in LEVELS]
    if max(changes) > TOLERANCE:
        print(f"more than {100 * TOLERANCE:.0f} % above what it was")
        return 1
    if min(changes) < -TOLERANCE:
        print("that is worth keeping: ./dev bench instructions --update")
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bench")
    parser.add_argument("baseline", type=pathlib.Path)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--port", type=int, default=24200)
    args = parser.parse_args()

    here = surroundings(args.bench)
    baseline = json.loads(args.baseline.read_text()) if args.baseline.exists() else {}
    same = not args.update and baseline.get("surroundings") == here
    found = {}
    for level in LEVELS:
        expected = baseline["cycle"][level] if same else None
        found[level] = judge(args.bench, level, args.port, expected)
        tell(level, found[level], expected)
    if args.update:
        text = json.dumps({"cycle": found, "surroundings": here}, indent=2)
        args.baseline.write_text(text + "\n")
        return 0
    return compare(found, baseline, here)


sys.exit(main())

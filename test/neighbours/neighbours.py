#!/usr/bin/env python3
"""Other libraries and ours take one lock on five masters, thousands of times: no two are inside at
once, each gets its part, and nothing of ours is left behind.

usage: neighbours.py --ours PROGRAM --with KIND[,KIND] [--we MODE[,MODE]] [--grants N]
                     [--each N] [--think MS] [--hold MS] [--ttl MS] [--port FIRST]

A KIND is redsync or redis-py, a MODE is line, pauses or fence (see ours.c); each becomes as many
processes as it is named times. The environment's GRANTS goes before --grants. The run goes on until
there were so many grants, --each of them for each kind; then the neighbours end, and we go on
until their keys are dead, whatever they left. Ends with 77 if this machine has not got a neighbour.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import masters
import stays

HERE = pathlib.Path(__file__).resolve().parent
RESOURCE = "neighbours:42"
SKIP = 77
# Ends a run that hangs; a grant takes a few ms.
PATIENCE_S = 600
MODULES_PATIENCE_S = 120
LOOK_S = 0.2
SHOWN = 20  # Faults; where there is one, there are thousands.


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIP)


def built_redsync(place):
    """Go's program, from the modules that go.sum names; a machine without them skips it."""
    where = {"cwd": HERE / "redsync", "env": {"GOTOOLCHAIN": "local", **os.environ}}
    if not shutil.which("go"):
        skip("there is no Go toolchain")
    try:
        told = subprocess.run(
            ["go", "mod", "download"], **where, capture_output=True, text=True,
            check=False, timeout=MODULES_PATIENCE_S,
        )
    except subprocess.TimeoutExpired:
        skip("Go does not get redsync: no answer")
    if told.returncode != 0 and "SECURITY ERROR" not in told.stderr:
        skip(f"Go does not get redsync: {told.stderr.strip()[-200:]}")
    subprocess.run(["go", "build", "-buildvcs=false", "-o", place / "redsync", "."], **where,
                   check=True)
    return [place / "redsync"]


def found_redis_py(_place):
    """A distribution's package is for its own Python, which need not be the first one in PATH."""
    for python in (sys.executable, "/usr/bin/python3"):
        command = [python, "-c", "import redis.lock"]
        if shutil.which(python) and subprocess.run(
            command, check=False, capture_output=True
        ).returncode == 0:
            return [python, HERE / "redis_py.py"]
    return skip("Python has no redis module")


PROGRAMS = {"redsync": built_redsync, "redis-py": found_redis_py}


class Contender:
    def __init__(self, kind, command, log):
        self.kind, self.log = kind, log
        self.process = subprocess.Popen([str(word) for word in command])

    def stays(self):
        return list(stays.read(self.log, self.kind))

    def end(self):
        self.process.terminate()
        if self.process.wait(PATIENCE_S) != 0:
            raise RuntimeError(f"{self.kind} ended with {self.process.returncode}")


class Run:
    def __init__(self, args, servers, place):
        self.args, self.servers, self.place = args, servers, place
        self.ours, self.theirs = [], []
        self.programs = {kind: PROGRAMS[kind](place) for kind in sorted(set(args.theirs))}

    def start(self):
        load = [self.args.ttl, self.args.hold, self.args.think, self.place / "inside"]
        addresses = [server.address for server in self.servers]
        for number, kind in enumerate(self.args.theirs):
            log = self.place / f"theirs-{number}"
            words = [*self.programs[kind], RESOURCE, *load, log, *addresses]
            self.theirs.append(Contender(kind, words, log))
        for number, mode in enumerate(self.args.we):
            log = self.place / f"ours-{number}"
            urls = [f"redis://{address}" for address in addresses]
            words = [self.args.ours, mode, RESOURCE, *load, log, *urls]
            self.ours.append(Contender(f"ours {mode}", words, log))

    def all(self):
        return self.ours + self.theirs

    def stays(self):
        return [stay for each in self.all() for stay in each.stays()]

    def go_on(self, enough):
        until = time.monotonic() + PATIENCE_S
        while not enough():
            dead = [each.kind for each in self.all() if each.process.poll()]
            if dead or time.monotonic() > until:
                raise RuntimeError(f"{dead} died" if dead else "not enough grants in time")
            time.sleep(LOOK_S)

    def has_enough(self):
        everything = self.stays()
        kinds = {each.kind: 0 for each in self.all()}
        for stay in everything:
            kinds[stay.who] += 1
        return len(everything) >= self.args.grants and min(kinds.values()) >= self.args.each

    def kill(self):
        for each in self.all():
            each.process.kill()
            each.process.wait()


def judge(run, contended, seconds):
    """What was wrong, in words."""
    everything = run.stays()
    print(*stays.table(contended), sep="\n")
    late = sum(stay.word == "late" for stay in everything)
    print(f"{len(contended)} grants in {seconds:.0f} s, {len(everything) - len(contended)} more of ours "
          f"alone; {late} late; nobody inside for {stays.longest_gap_s(contended):.2f} s at most")
    expired = [masters.field(server, "stats", "expired_keys") for server in run.servers]
    print(f"keys that expired on the masters: {' '.join(expired)}")
    for one, other in stays.overlaps(everything):
        yield f"{one.who} and {other.who} at once: {one} {other}"
    clashes = [stay for stay in everything if stay.word == "clash"]
    # Who was late may have been inside with a good reason to be met there.
    if clashes and not late:
        yield f"met somebody inside: {clashes[0]} and {len(clashes) - 1} more"
    for port, key, value in masters.left_over(run.servers, RESOURCE):
        yield f"left on {port}: {key} = {value}"


def play(args, servers, place):
    run = Run(args, servers, place)
    for server in servers:
        masters.make_old(server)
    begin = time.monotonic()
    try:
        run.start()
        run.go_on(run.has_enough)
        contended, seconds = run.stays(), time.monotonic() - begin
        for each in run.theirs:
            each.end()
        time.sleep(args.ttl / 1000 * 1.1)
        for each in run.ours:
            each.end()
        return list(judge(run, contended, seconds))
    finally:
        run.kill()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ours", type=pathlib.Path, required=True)
    parser.add_argument("--with", dest="theirs", type=lambda text: text.split(","), required=True)
    parser.add_argument("--we", type=lambda text: text.split(","), default=["line", "pauses", "fence"])
    parser.add_argument("--grants", type=int, default=10000)
    parser.add_argument("--each", type=int, default=0)
    parser.add_argument("--think", type=int, default=20)
    parser.add_argument("--hold", type=int, default=1)
    parser.add_argument("--ttl", type=int, default=3000)
    parser.add_argument("--port", type=int, default=25900)
    args = parser.parse_args()
    args.grants = int(os.environ.get("GRANTS") or args.grants)
    if not masters.local_servers.program() or not shutil.which("redis-cli"):
        skip("there is no redis-server")
    with tempfile.TemporaryDirectory(prefix="redlock-neighbours-") as name:
        with masters.started(args.port) as servers:
            faults = play(args, servers, pathlib.Path(name))
    print(*(faults[:SHOWN] or ["no two at once, nothing left behind"]), sep="\n")
    sys.exit(1 if faults else 0)


main()

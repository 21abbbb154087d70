#!/usr/bin/env python3
"""Does each fault do what it says? Seen from a connection such as the clients have.

usage: check_faults.py BUILD [--room ROOM]     with ROOM: in the containers, see ground_compose.py
"""

import argparse
import os
import pathlib
import shutil
import socket
import sys
import tempfile
import threading
import time
import types

import faults
from common import Journal, ServerError, Words
from ground_compose import Compose
from ground_local import SERVER, Namespaces, Processes
from soak import may_make_namespaces, programs
from stage import Proxy

NODE = 2
DEAF_S = 0.4  # So long silence is waited for, where it is expected.
ANSWER_S = 15
EXIT_SKIPPED = 77


class Line(Words):
    """A connection through the network."""

    def __init__(self, address, patience_s=ANSWER_S):
        self.socket = socket.create_connection(address, timeout=patience_s)
        self.file = self.socket.makefile("rb")

    def outcome(self, *command):
        """The answer, or what came instead of one."""
        try:
            return self.ask(*command)
        except ServerError as error:
            return str(error).split()[0]
        except TimeoutError:
            return "silence"
        except OSError:
            return "broken"


def reach(address):
    try:
        return Line(address, DEAF_S).outcome("PING")
    except TimeoutError:
        return "silence"
    except OSError:
        return "refused"


class Trial:
    """One fault: before, meanwhile and after."""

    def __init__(self, stage, kind):
        self.stage, self.ground = stage, stage.ground
        self.address = stage.entrance
        self.late = f"late:{kind}"  # Its own: what is lost comes again when it can.
        self.hurt = (faults.KINDS | faults.WITHOUT_ROOT)[kind](stage, NODE)

    def ask(self, *command):
        return self.ground.ask(NODE, *command)

    def run(self, meanwhile):
        self.ask("SET", "before", 1)
        self.line = Line(self.address)
        assert self.line.ask("PING") == "PONG"
        self.hurt.inject()
        try:
            meanwhile(self)
        finally:
            self.hurt.heal()
        deadline = time.monotonic() + 20
        while reach(self.address) != "PONG":
            assert time.monotonic() < deadline, "it is not made good"
            time.sleep(0.05)


def equal(found, expected):
    assert found == expected, f"{found!r} instead of {expected!r}"


def is_gone(trial):
    assert reach(trial.address) in ("refused", "broken")
    equal(trial.line.outcome("PING"), "broken")


def is_away(trial):
    """A container takes its address with it."""
    trial.line.socket.settimeout(DEAF_S)
    assert reach(trial.address) in ("refused", "broken", "silence")
    assert trial.line.outcome("PING") in ("broken", "silence")


def is_silent(trial):
    trial.line.socket.settimeout(DEAF_S)
    equal(trial.line.outcome("SET", trial.late, 1), "silence")


def hears_nothing(trial):
    is_silent(trial)
    equal(trial.ask("GET", trial.late), None)


def is_not_heard(trial):
    is_silent(trial)
    equal(trial.ask("GET", trial.late), "1")


def is_broken(trial):
    equal(trial.line.outcome("PING"), "broken")
    equal(trial.ask("GET", "before"), "1")


def is_slow(trial):
    line = Line(("127.0.0.1", trial.stage.proxy.ports[NODE]))
    begin = time.monotonic()
    equal(line.outcome("PING"), "PONG")
    assert time.monotonic() - begin > 0.05


def is_ahead(trial, by_s=faults.CLOCK_S):
    before = time.time()
    seconds, micros = map(int, trial.line.ask("TIME"))
    assert before + by_s - 0.01 <= seconds + micros / 1e6 <= time.time() + by_s + 0.01


def is_behind(trial):
    is_ahead(trial, -faults.CLOCK_S)


def says(word):
    return lambda trial: equal(trial.line.outcome("SET", "x", 1), word)


def has_forgotten(trial):
    equal(trial.line.outcome("GET", "before"), None)


def knows_no_script(trial):
    equal(trial.line.outcome("EVALSHA", "0" * 40, 0), "NOSCRIPT")


EXPECTED = {
    "kill": is_away,
    "kill and lose the data": is_away,
    "freeze": is_silent,
    "disconnect": is_silent,
    "drop requests": hears_nothing,
    "drop answers": is_not_heard,
    "reject": is_gone,
    "reset": is_broken,
    "delay and jitter": is_slow,
    "clock forward": is_ahead,
    "clock back": is_behind,
    "OOM": says("OOM"),
    "READONLY": says("READONLY"),
    "FLUSHALL": has_forgotten,
    "SCRIPT FLUSH": knows_no_script,
    "CLIENT KILL": is_broken,
    "hold requests": hears_nothing,
    "hold answers": is_not_heard,
    "hang up": is_gone,
}


def try_loading(stage):
    """It lasts as long as injecting it."""
    hurt = faults.KINDS["LOADING"](stage, NODE)
    thread = threading.Thread(target=hurt.inject)
    said = set()
    stage.ground.ask(NODE, "SET", "before", 1)
    thread.start()
    while thread.is_alive():
        said.add(Line(stage.entrance).outcome("SET", "x", 1))
    thread.join()
    assert "LOADING" in said, f"it said {said}"
    equal(stage.ground.ask(NODE, "GET", "before"), "1")


def try_all(stage):
    without_root = bool(stage.ground.missing)
    for kind, meanwhile in EXPECTED.items():
        if kind in (faults.NEEDS_ROOT if without_root else faults.WITHOUT_ROOT):
            continue
        trial = Trial(stage, kind)
        trial.run(meanwhile)
        kept = trial.ask("GET", "before") == "1"
        equal(kept, kind not in ("FLUSHALL", "kill and lose the data"))
        print(f"ok: {kind}", flush=True)
    try_loading(stage)
    print("ok: LOADING")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--room")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def try_on(ground):
    proxy = Proxy(ground.programs["proxy"], ground)
    entrance = ("127.0.0.1", proxy.ports[NODE]) if ground.missing else ground.address(NODE)
    journal = Journal(os.devnull)
    try_all(types.SimpleNamespace(ground=ground, proxy=proxy, journal=journal, guard=True, entrance=entrance))


def main():
    options = arguments()
    if not options.room and not shutil.which(SERVER):
        print(f"skipped: there is no {SERVER}")
        sys.exit(EXIT_SKIPPED)
    if not options.room and not options.inside and may_make_namespaces():
        os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv, "--inside"])
    room = options.room or tempfile.mkdtemp(prefix="rl-chaos-", dir="/tmp")
    kind = Compose if options.room else Namespaces if options.inside else Processes
    ground = kind(room, programs(options.build))
    try:
        ground.up()
        try_on(ground)
    finally:
        ground.down()
        if not options.room:
            shutil.rmtree(room, ignore_errors=True)


main()

"""The measurements of docs/benchmarks.md, each by the command that the document tells.

A step's file has what was measured, and by what command, when, how long and on what machine. A step
that has its file is not taken again.
"""

import datetime
import json
import os
import subprocess
import sys
import time

from machine import machine

LEVELS = "1,4,16,64,256,1024"
LOCKS = "10,1000,10000,100000"
CONTENDERS = "2,8,32,128"
# At least one for each process.
WAITERS = "8,32,128"
CONDITIONS = "healthy,hung1,hung2,dead1,slow1,rtt"
# On five nodes; and one that is for a single one.
PEERS = "redsync,redsync-failfast,rueidislock"
# Their exit code for errors that happened while measuring: a finding, told in the file.
ERRORS_TOLD = 2


class Step:
    """Rounds and seconds are those of a whole report, and of a quick one."""

    def __init__(self, name, verb, takes_s, rounds=(5, 2), seconds=(1, 0.1)):
        self.name, self.verb, self.takes_s = name, verb, takes_s
        self.rounds, self.seconds = rounds, seconds

    def words(self, quick):
        """What follows ./dev bench, beside the file."""
        words = self.verb(quick)
        if self.rounds:
            words += ["--rounds", str(self.rounds[quick])]
        if self.seconds:
            words += ["--seconds", f"{self.seconds[quick]:g}"]
        return words


def command_of(step, quick):
    """As people type it."""
    return " ".join(["./dev", "bench", *step.words(quick)])


def load(quick):
    return ["load", "--in-flight", "1,64" if quick else "1,64,1024"]


def plain(quick):
    return ["load", "--in-flight", "64" if quick else "1024", "--plain-release"]


def conditions(_quick):
    return ["load", "--in-flight", "1", "--condition", CONDITIONS]


def steps(_quick):
    return ["steps", "--condition", "healthy,hung1,rtt"]


def peers(quick):
    return ["peers", "--in-flight", "1,16" if quick else LEVELS, "--shared", "0", "--who", PEERS]


def shared(quick):
    level = "2,8" if quick else CONTENDERS
    return ["peers", "--in-flight", "0", "--shared", level, "--who", PEERS, "--ours-on", "5"]


def handovers(quick):
    return ["contend", "--processes", "1,4,8", "--waiters", "8,32" if quick else WAITERS]


def far(_quick):
    return ["contend", "--condition", "rtt", "--processes", "4", "--waiters", "32"]


def apart(quick):
    return [*far(quick), "--hands", "0"]


def timeline(_quick):
    return ["timeline"]


def growth(quick):
    return ["growth", "--in-flight", "10,1000" if quick else LOCKS, "--cycles", "1000"]


STEPS = [
    Step("load", load, 50),
    Step("plain", plain, 20),
    Step("conditions", conditions, 225, rounds=(15, 2), seconds=(0.5, 0.1)),
    Step("steps", steps, 60, seconds=(0.4, 0.1)),
    Step("peers", peers, 210, seconds=(0.4, 0.1)),
    Step("shared", shared, 110, seconds=(0.4, 0.1)),
    Step("handovers", handovers, 120),
    Step("far", far, 35, seconds=(2, 0.2)),
    Step("apart", apart, 35, seconds=(2, 0.2)),
    Step("timeline", timeline, 40, rounds=None, seconds=(10, 2)),
    Step("growth", growth, 240, seconds=(0.5, 0.1)),
]


def read(path):
    """A step's file; nothing if it is not whole."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write(path, told):
    """Whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    part.replace(path)


def run(step, build, folder, quick):
    """Returns what goes into its file, or what is wrong as text."""
    words = step.words(quick)
    result, log = folder / f"{step.name}.result.json", folder / f"{step.name}.log"
    result.unlink(missing_ok=True)
    start, load_before = time.monotonic(), os.getloadavg()[0]
    with log.open("w", encoding="utf-8") as output:
        command = ["./dev", "bench", *words, "--json", str(result)]
        done = subprocess.run(command, check=False, stdout=output, stderr=subprocess.STDOUT)
    if done.returncode not in (0, ERRORS_TOLD):
        return f"failed with {done.returncode}: see {log}"
    if not result.exists():
        lines = log.read_text(encoding="utf-8").strip().split("\n")
        return f"left out: {lines[-1]}" if done.returncode == 0 else f"failed: see {log}"
    told = {
        "command": command_of(step, quick),
        "date": datetime.date.today().isoformat(),
        "took_s": round(time.monotonic() - start, 1),
        "load_before": round(load_before, 2),
        "machine": machine(build),
        "result": json.loads(result.read_text(encoding="utf-8")),
    }
    result.unlink()
    return told


def say(text):
    print(text, file=sys.stderr, flush=True)


def missing(chosen, folder, quick, again):
    """Those whose file is not there, or is of another command."""
    for step in chosen:
        known = read(folder / f"{step.name}.json")
        if again or not known or known["command"] != command_of(step, quick):
            yield step
        else:
            say(f"{step.name}: of {known['date']}, kept")


def take(chosen, build, folder, quick, again):
    """Take those that are missing. False: one failed."""
    folder.mkdir(parents=True, exist_ok=True)
    todo, fine = list(missing(chosen, folder, quick, again)), True
    if not quick:
        say(f"{len(todo)} steps, about {sum(step.takes_s for step in todo)} s")
    for step in todo:
        path = folder / f"{step.name}.json"
        length = "" if quick else f" (about {step.takes_s} s)"
        say(f"{step.name}{length}: {command_of(step, quick)}")
        told = run(step, build, folder, quick)
        if isinstance(told, str):
            say(f"{step.name}: {told}")
            fine = fine and told.startswith("left out")
        else:
            write(path, told)
            say(f"{step.name}: {told['took_s']:.0f} s")
    return fine


def results(folder):
    """All that have been taken, by name."""
    found = {step.name: read(folder / f"{step.name}.json") for step in STEPS}
    return {name: told for name, told in found.items() if told}

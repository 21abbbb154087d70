#!/usr/bin/env python3
"""Chaos on real parts, for as long as asked; then the judge, and a report.

usage: soak.py DURATION [--ground local|compose] [--scenario minority|majority|sound] [--seed N]
               [--out DIR] [--plant overstay|MUTANT] [--only KIND,KIND...] --build DIR

Without a seed: one that was not there before.

DURATION is 90s, 5m, 8h. With --plant something is wrong on purpose, and the run is good if the judge
has noticed. ./dev soak builds, brings the containers up, and calls this.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import faults
import plan
from ground_compose import Compose
from ground_local import SERVER, Namespaces, Processes
from stage import CLIENTS, Stage

UNITS = {"s": 1, "m": 60, "h": 3600, "": 1}
EXIT_SKIPPED = 77
QUIET_S = 60  # A line is kept for 30 s longer than its key.
HERE = pathlib.Path(__file__).resolve().parent


def seconds(text):
    found = re.fullmatch(r"(\d+)([smh]?)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text} is no duration such as 90s, 5m or 8h")
    return int(found.group(1)) * UNITS[found.group(2)]


def programs(build):
    built = build.resolve() / "test/chaos"
    return {
        "client": str(built / "chaos_client"),
        "mutant": str(built / "chaos_client_mutant"),
        "proxy": str(built / "chaos_proxy"),
        "clock": str(built / "chaos_wall_clock.so"),
    }


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("duration", type=seconds)
    parser.add_argument("--ground", choices=["local", "compose"], default="local")
    parser.add_argument("--scenario", choices=["minority", "majority", "sound"], default="minority")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "little"))
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--plant")
    parser.add_argument("--only", type=lambda text: text.split(","), help="kinds of fault")
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--room", help="where the containers have their rooms")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.programs = programs(options.build)
    if options.out is None:
        options.out = options.build / f"soak/{options.ground}-{options.scenario}-{options.seed}"
    options.out = options.out.resolve()
    return options


def may_make_namespaces():
    tools = all(shutil.which(tool) for tool in ("ip", "nft", "nsenter", "ss"))
    return tools and subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode == 0


def choose_ground(options, room):
    if options.ground == "compose":
        return Compose(room, options.programs)
    return (Namespaces if options.inside else Processes)(room, options.programs)


def choose_kinds(options, ground):
    if options.scenario == "majority":
        return options.only or ["FLUSHALL", "clock forward", "kill and lose the data"]
    kinds = list(faults.KINDS)
    if ground.missing:
        kinds = [kind for kind in kinds if kind not in faults.NEEDS_ROOT] + list(faults.WITHOUT_ROOT)
    if options.scenario == "sound":
        kinds = [kind for kind in kinds if kind not in faults.FORGETFUL]
    return options.only or kinds


def play(options, room):
    ground = choose_ground(options, room)
    stage = Stage(options, ground, room)
    make = plan.majority if options.scenario == "majority" else plan.minority
    events = make(options.seed, options.duration, choose_kinds(options, ground), CLIENTS)
    (options.out / "plan.json").write_text(json.dumps([vars(event) for event in events], indent=1))
    try:
        stage.up()
        stage.server = ground.product()
        stage.run(events, options.duration)
        stage.end_clients()
        left = stage.leftovers(QUIET_S)
        (options.out / "leaks.json").write_text(json.dumps(left))
    finally:
        stage.down()
    return stage


def conditions(options, stage):
    ground = stage.ground
    return {
        "ground": ground.name, "missing": ground.missing, "scenario": options.scenario,
        "seed": options.seed, "plant": options.plant, "asked_s": options.duration,
        "server": stage.server, "processors": os.cpu_count(),
        "load": os.getloadavg()[0], "client_processes": CLIENTS,
    }


def conclude(options, verdict):
    """What the run was for. The last line says it."""
    violations, excused = len(verdict["violations"]), len(verdict["excused"])
    if options.plant:
        good = any(not text.startswith("the driver") for _, text in verdict["violations"])
        what = "noticed" if good else "NOT noticed"
        print(f"planted {options.plant}: {what}, {violations} violations")
    elif options.scenario == "majority":
        refused = verdict["writes"].get("holder refused", 0)
        good = violations == 0 and excused > 0 and refused > 0
        print(f"a majority forgot: {excused} overlaps, seen and explained; {violations} that are not; "
              f"{refused} writes of a stale holder, refused")
    else:
        good = violations == 0
        print(f"{verdict['grants']} grants, {sum(verdict['injected'].values())} faults, "
              f"{violations} violations, {excused} overlaps that a node which forgot explains")
    return good


def make_place(out):
    """An earlier report may go, and nothing else."""
    if out.exists() and any(out.iterdir()) and not (out / "plan.json").exists():
        sys.exit(f"{out} is there, and is no report of this")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)


def main():
    options = arguments()
    if options.ground == "local" and not shutil.which(SERVER):
        print(f"skipped: there is no {SERVER}")
        sys.exit(EXIT_SKIPPED)
    if options.ground == "local" and not options.inside and may_make_namespaces():
        os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv, "--inside"])
    make_place(options.out)
    room = options.room or tempfile.mkdtemp(prefix="rl-chaos-", dir="/tmp")
    try:
        stage = play(options, room)
    finally:
        if not options.room:
            shutil.rmtree(room, ignore_errors=True)
    subprocess.run([sys.executable, HERE / "judge.py", options.out], check=False)
    (options.out / "conditions.json").write_text(json.dumps(conditions(options, stage)))
    subprocess.run([sys.executable, HERE / "report.py", options.out], check=True)
    verdict = json.loads((options.out / "verdict.json").read_text(encoding="utf-8"))
    for at_s, text in verdict["violations"][: 3 if options.plant else 20]:
        print(f"violation at {at_s:.3f} s: {text}")
    print(f"report: {os.path.relpath(options.out)}/README.md")
    sys.exit(0 if conclude(options, verdict) else 1)


if __name__ == "__main__":
    main()

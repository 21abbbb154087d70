#!/usr/bin/env python3
"""Can the simulator fail? Break the core in one place after the other, and see who notices.

usage: mutants.py [-n SCHEDULES] [-s SEED] [-j JOBS] DIRECTORY [NAME...]

DIRECTORY is where test_sim_mutants_scenes and test_sim_mutants_chaos were built. Each breakage (see
lib/core/mutant.h) has to be noticed by the random schedules, from SEED on, within that many of
them; what the scenes say is told as well. Fails if one is not noticed, or if something is found
where nothing is broken.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

WITHOUT = "none"  # Nothing is broken.


def run(*command, **env):
    """What it said, or None if it found nothing."""
    env = {**os.environ, **{name: str(value) for name, value in env.items()}}
    done = subprocess.run(command, capture_output=True, text=True, env=env, errors="replace")
    return None if done.returncode == 0 else done.stdout + done.stderr


class Lab:
    def __init__(self, args):
        self.scenes = args.directory / "test_sim_mutants_scenes"
        self.chaos = args.directory / "test_sim_mutants_chaos"
        self.schedules = args.n
        self.seed = args.s

    def list(self):
        env = {**os.environ, "SIM_MUTANT": "list"}
        text = subprocess.run([self.chaos], check=True, capture_output=True, text=True, env=env)
        return [line.split("\t") for line in text.stdout.splitlines()]

    def by_scenes(self, name):
        text = run(self.scenes, SIM_MUTANT=name)
        if text is None:
            return 0
        return len(re.findall(r":[FE]:\w+:\w+:", text)) or 1

    def by_chaos(self, name):
        """(Schedules that it took, or None; what was found.)"""
        options = f"--as-it-is --jobs 1 --seeds {self.schedules} --seed {self.seed}".split()
        text = run(self.chaos, *options, SIM_MUTANT=name)
        if text is None:
            return None, "nothing"
        violation = re.search(r"VIOLATION in seed (\d+) at .*? ms: (.*)", text)
        if violation is None:
            sys.exit(f"{name}: cannot be read: {text}")
        return int(violation.group(1)) - self.seed + 1, violation.group(2)

    def try_out(self, name):
        start = time.monotonic()
        return (self.by_scenes(name), *self.by_chaos(name), time.monotonic() - start)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("-n", type=int, default=200000, help="schedules for each, at most")
    parser.add_argument("-s", type=int, default=1, help="seed of the first")
    parser.add_argument("-j", type=int, default=os.cpu_count(), help="at a time")
    parser.add_argument("name", nargs="*", help="of breakages; all if there is none")
    return parser.parse_args()


def choose(listed, names):
    if not names:
        return listed
    wanted = {name.upper() for name in names}
    chosen = [mutant for mutant in listed if mutant[0] in wanted]
    unknown = wanted - {mutant[0] for mutant in chosen}
    if unknown:
        sys.exit(f"there is no mutant {', '.join(sorted(unknown))}")
    return chosen


def main():
    args = arguments()
    lab = Lab(args)
    mutants = choose(lab.list(), args.name)
    sound = Lab(args)
    sound.schedules = min(args.n, 2000)
    took, found = sound.by_chaos(WITHOUT)
    if took is not None or sound.by_scenes(WITHOUT):
        sys.exit(f"found where nothing is broken: {found}")
    print(f"{'schedules':>9} {'scenes':>6} {'s':>5}  rule: how it is broken; what was found")
    numbers = []
    with concurrent.futures.ThreadPoolExecutor(args.j) as pool:
        tried = pool.map(lab.try_out, (name for name, _, _ in mutants))
        for (name, rule, breakage), (scenes, took, found, seconds) in zip(mutants, tried):
            numbers.append(took)
            print(f"{took or 'NOT':>9} {scenes:>6} {seconds:>5.1f}  {name}: {rule}: {breakage}")
            print(f"{'':>23} {found}", flush=True)
    caught = [took for took in numbers if took is not None]
    middle = statistics.median_low(caught) if caught else "no"
    print(f"{len(numbers)} mutants, {len(caught)} caught, median {middle} schedules")
    sys.exit(len(caught) != len(numbers))


main()

#!/usr/bin/env python3
"""A schedule that fails is shrunk: seen on a core that is broken on purpose.

usage: check_shrink.py TEST_SIM_MUTANTS_CHAOS
"""

import os
import re
import subprocess
import sys

# How the core is broken, and to how many decisions its failure comes down at most.
MUTANTS = {"GUARD_OFF": 25, "DEBT_FORGOTTEN": 15, "FENCE_NO_FLOOR": 20}


def shrink(program, mutant):
    """(Why it is wrong, or None; what was said.)"""
    done = subprocess.run(
        [program, "--seeds", "20000"],
        env={**os.environ, "SIM_MUTANT": mutant},
        capture_output=True,
        text=True,
    )
    said = done.stdout
    violation = re.search(r"VIOLATION in seed \d+ at .*? ms: (.*)", said)
    shrunk = re.search(r"shrunk from (\d+) decisions to (\d+)", said)
    if done.returncode == 0 or violation is None or shrunk is None:
        return "it is not noticed, or not shrunk", said
    before, after = int(shrunk.group(1)), int(shrunk.group(2))
    if after >= before or after > MUTANTS[mutant]:
        return f"{after} decisions are left of {before}", said
    if not re.search(r"^\[.*\] FAILED: ", said.rstrip().split("\n")[-1]):
        return "the story does not end with the failure", said
    return None, f"{violation.group(1)}: {shrunk.group(0)}"


def main():
    wrong = 0
    for mutant in MUTANTS:
        why, said = shrink(sys.argv[1], mutant)
        wrong += why is not None
        print(f"{mutant}: {said}" if why is None else f"{mutant}: {why}\n{said}")
    sys.exit(1 if wrong else 0)


main()

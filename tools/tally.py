#!/usr/bin/env python3
"""Count what was tested, and close a test run.

tally.py log FILE.json   meson's log of a run -> lines of the tally: "passed N NAME" ...
tally.py close TALLY     say what was skipped and failed; the last line is the sum of it all

A Check binary counts as many tests as it says it made; any other test counts as one.
"""

import json
import re
import sys

SUMMARY = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)$", re.MULTILINE)
GOOD = ("OK", "EXPECTEDFAIL")


def first_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else "it does not say why"


def judge(test):
    """What one test of meson's comes to: (word, count, name) for each word of the tally."""
    name, result = test["name"], test["result"]
    if result == "SKIP":
        return [("skipped", 1, f"{name}: {first_line(test.get('stdout', ''))}")]
    sums = [tuple(map(int, found)) for found in SUMMARY.findall(test.get("stdout", ""))]
    checks = sum(made for made, _, _ in sums)
    failed = sum(failures + errors for _, failures, errors in sums)
    if result in GOOD and failed == 0:
        return [("passed", max(checks, 1), name)]
    # It may also have crashed, or run out of time, after all that it says.
    return [("passed", checks - failed, name), ("failed", max(failed, 1), f"{name} ({result})")]


def log(path):
    try:
        with open(path, encoding="utf-8") as lines:
            tests = [json.loads(line) for line in lines]
    except OSError:
        tests = []
    if not tests:
        print(f"failed 1 no test was run ({path})")
    for test in tests:
        for word, count, name in judge(test):
            if count > 0:
                print(word, count, name)


def close(path):
    sums = {"passed": 0, "failed": 0, "skipped": 0}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            word, count, name = line.rstrip("\n").split(" ", 2)
            sums[word] += int(count)
            if word != "passed":
                print(f"{word}: {name}")
    if sums["passed"] == 0 and sums["failed"] == 0:
        sums["failed"] = 1
        print("failed: nothing was tested")
    skipped = f", {sums['skipped']} skipped" if sums["skipped"] else ""
    print(f"{sums['passed']} passed, {sums['failed']} failed{skipped}")
    return 1 if sums["failed"] else 0


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("log", "close"):
        sys.exit(__doc__)
    sys.exit(log(sys.argv[2]) if sys.argv[1] == "log" else close(sys.argv[2]))


main()

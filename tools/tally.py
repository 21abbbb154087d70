#!/usr/bin/env python3
"""Count what was tested, and close a test run.

tally.py log FILE.json   meson's log of a run -> lines of the tally: "passed N NAME" ...
tally.py close TALLY     say what was skipped and failed; the last line is the sum of it all

A Check binary counts as many tests as it says it made; any other test counts as one. Behind the
name of one that failed comes what it said about that, with a tab before each line.
"""

import json
import re
import sys

SUMMARY = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)$", re.MULTILINE)
GOOD = ("OK", "EXPECTEDFAIL")
# Check's own line of a test, a claim that does not hold (of a C or shell test, of the demo).
COMPLAINT = re.compile(r"\S+:\d+:[FE]:|not ok\b|NO  ")
COMPLAINTS_MAX = 5
COMPLAINT_LENGTH = 400


def first_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else "it does not say why"


def complaints(test):
    """What a failed test says went wrong; or else the last that it said, to stderr if it can be."""
    said, errors = (
        [line.strip().replace("\t", " ") for line in test.get(stream, "").splitlines()]
        for stream in ("stdout", "stderr")
    )
    found = [line for line in said if COMPLAINT.match(line)][:COMPLAINTS_MAX]
    # Python underlines what is wrong, on a line of its own.
    last = [line for line in errors or said if line.strip("^~ ")][-COMPLAINTS_MAX:]
    return "".join("\t" + line[:COMPLAINT_LENGTH] for line in found or last)


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
    reason = f"{name} ({result}){complaints(test)}"
    return [("passed", checks - failed, name), ("failed", max(failed, 1), reason)]


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
                print(f"{word}: {name}".replace("\t", "\n    "))
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

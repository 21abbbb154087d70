#!/usr/bin/env python3
"""What fails is told by name and with its reason, on the last lines of a run.

usage: check_tally.py TALLY.PY
"""

import json
import pathlib
import subprocess
import sys
import tempfile

CHECK = """Running suite(s): run
66%: Checks: 3, Failures: 1, Errors: 0
../test/a.c:7:F:case:a_name:0: Assertion 'a == 1' failed: a == 2, 1 == 1
"""
PYTHON = """Traceback (most recent call last):
  File "check.py", line 3, in <module>
    assert 1 > 2, "one"
           ^^^^^
AssertionError: one
"""
RUNS = [
    {"name": "unit a", "result": "FAIL", "stdout": CHECK},
    {"name": "smoke", "result": "FAIL", "stdout": "a table\n", "stderr": PYTHON},
    {"name": "shell", "result": "TIMEOUT", "stdout": "ok - one\nnot ok - two: [ 1 -eq 2 ]\nok\n"},
    {"name": "unit b", "result": "OK", "stdout": "100%: Checks: 4, Failures: 0, Errors: 0\n"},
    {"name": "cluster", "result": "SKIP", "stdout": "\nno docker\n"},
]
CLOSING = """failed: unit a (FAIL)
    ../test/a.c:7:F:case:a_name:0: Assertion 'a == 1' failed: a == 2, 1 == 1
failed: smoke (FAIL)
    Traceback (most recent call last):
    File "check.py", line 3, in <module>
    assert 1 > 2, "one"
    AssertionError: one
failed: shell (TIMEOUT)
    not ok - two: [ 1 -eq 2 ]
skipped: cluster: no docker
6 passed, 3 failed, 1 skipped
"""


def tally(verb, file, text):
    file.write_text(text, encoding="utf-8")
    command = [sys.executable, sys.argv[1], verb, file]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout, done.returncode


def main():
    with tempfile.TemporaryDirectory(prefix="redlock-tally-") as place:
        file = pathlib.Path(place) / "file"
        lines, _ = tally("log", file, "".join(json.dumps(run) + "\n" for run in RUNS))
        said, code = tally("close", file, lines)
        print(said)
        assert said == CLOSING and code == 1, code
        good = [line for line in lines.splitlines(True) if line.startswith("passed")]
        assert tally("close", file, "".join(good)) == ("6 passed, 0 failed\n", 0)
        assert tally("close", file, "") == ("failed: nothing was tested\n0 passed, 1 failed\n", 1)


main()

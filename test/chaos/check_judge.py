#!/usr/bin/env python3
"""Does the judge see what is wrong, and nothing else? Journals made up for it, a fault in each.

usage: check_judge.py
"""

import json
import pathlib
import subprocess
import sys
import tempfile

JUDGE = pathlib.Path(__file__).with_name("judge.py")
MS = 1000


def ms(*lines):
    """Times in ms, as they are easier to read, to those of a journal."""
    return "".join(f"{int(float(line.split()[0]) * MS)} {line.split(' ', 1)[1]}\n" for line in lines)


def won(at, until, fence=0, nodes=7, worker=0):
    return f"{at} won {worker} r until={until * MS} fence={fence} nodes={nodes} attempts=1 way=none"


def lease(at, end, until, **details):
    return [f"{at} try 0 r wait=0", won(at, until, **details), f"{end} release 0 r", f"{end} released 0"]


ALICE = lease(10, 60, 100, fence=5)
BYE = ["900 bye"]
CALM = ["0 begin", "1000 end"]
EARLY = lease(30, 70, 90, fence=6)  # While Alice has it; node 0, 1 and 2 voted for both.
SPLIT = lease(30, 70, 90, fence=6, nodes=0b11100)  # Node 2 alone has voted for both.

# What is in the journals of Alice, of Bob, of the faults, of the store; keys left; what is found.
CASES = {
    "all is well": (ALICE, lease(60, 80, 150, fence=6), [], [], [], None, 0),
    "two at once": (ALICE, EARLY, [], [], [], "hold for 30.0 ms at once", 0),
    "one that was killed holds to its end": (ALICE[:2], lease(70, 80, 150, fence=6),
                                             ["50 kill client0-1"], [], [], "at once", 0),
    "the only node they share forgot": (ALICE, SPLIT, ["25 forget node=2 from=25000 to=26000"],
                                        [], [], None, 1),
    "another node forgot": (ALICE, SPLIT, ["25 forget node=3 from=25000 to=26000"], [], [], "at once", 0),
    "it forgot before": (ALICE, SPLIT, ["5 forget node=2 from=5000 to=6000"], [], [], "at once", 0),
    "one of three forgot": (ALICE, EARLY, ["25 forget node=2 from=25000 to=26000"], [], [], "at once", 0),
    "a token that does not grow": (ALICE, lease(60, 80, 150, fence=5), [], [], [], "token 5", 0),
    "an act after the end": (ALICE[:2] + ["120 act 0 r", "121 lost 0 r status=X"], [], [], [], [],
                             "acted 20 ms after", 0),
    "an act after it was given back": (ALICE + ["80 act 0 r"], [], [], [], [], "acted", 0),
    "a wait that ends late": (["10 try 0 r wait=50", "3500 ended 0 r status=X"], [], [], [], [], "more", 0),
    "late, since it was stopped": (["10 try 0 r wait=50", "3500 ended 0 r status=X"], [],
                                   ["20 stop client0-1", "3400 continue client0-1"], [], [], None, 0),
    "a wait that never ends": (["10 try 0 r wait=-1"], [], [], [], [], "waits for ever", 0),
    "a key that stays": ([], [], [], [], [[2, "r", "string", -1]], "node 2 keeps", 0),
    "a store that takes old tokens": ([], [], [], ["10 r 7 a ok", "11 r 6 b ok"], [], "took an old token", 0),
    "a fault that could not be done": ([], [], ["10 failed kill: no"], [], [], "the driver: kill", 0),
}


def judge(alice, bob, faults, store, left):
    with tempfile.TemporaryDirectory() as name:
        room = pathlib.Path(name)
        (room / "client0-1.log").write_text(ms(*alice, *BYE))
        (room / "client1-1.log").write_text(ms(*bob, *BYE))
        (room / "faults.log").write_text(ms(*CALM[:1], *faults, *CALM[1:]))
        (room / "store.log").write_text(ms(*store))
        (room / "leaks.json").write_text(json.dumps({"left": left, "waited_s": 0, "at_us": 0}))
        code = subprocess.run([sys.executable, JUDGE, room]).returncode
        return code, json.loads((room / "verdict.json").read_text())


def main():
    wrong = 0
    for name, (*journals, expected, excused) in CASES.items():
        code, verdict = judge(*journals)
        found = [text for _, text in verdict["violations"]]
        good = code == (expected is not None) and len(verdict["excused"]) == excused
        good = good and (len(found) == 1 and expected in found[0] if expected else not found)
        wrong += not good
        print(f"{'ok' if good else 'not ok'}: {name}" + ("" if good else f": {found}, {verdict['excused']}"))
    sys.exit(1 if wrong else 0)


main()

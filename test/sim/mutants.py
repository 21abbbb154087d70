#!/usr/bin/env python3
"""Can the simulator fail? Break the core in one place after the other, and see who notices.

usage: mutants.py [-n SCHEDULES] SOURCE_ROOT [NAME...]

Works on a copy. Not part of the test suite: it takes an hour. Fails if a breakage goes unnoticed
by the scenes and by that many random schedules, or does not apply to the source any more.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# Name: what is broken, then pairs of what is there and what is put there instead.
MUTANTS = {
    "quorum": ("one vote too few wins", ("return nodes / 2 + 1;", "return (nodes + 1) / 2;")),
    "twice": (
        "a node votes twice",
        ("if (((round->yes | round->no | round->fault) & bit) != 0) {", "if (bit == 0) {"),
    ),
    "round": (
        "an answer to an earlier round counts",
        ("if (request->round != lock->round.serial) {", "if (request->round == 0) {"),
    ),
    "drift": (
        "no allowance for drift",
        ("return (scaled + 999) / 1000 + 2000;", "return scaled * 0;"),
    ),
    "start": (
        "validity counts from the win",
        (
            "rlk_valid_until_us(lock->round.start_us, lock->config.ttl_ms, config->drift_ppm);\n"
            "\tuint64_t least_us",
            "rlk_valid_until_us(now_us, lock->config.ttl_ms, config->drift_ppm);\n"
            "\tuint64_t least_us",
        ),
    ),
    "late win": (
        "a win is not checked against the clock",
        (
            "if (rlk_later(now_us, least_us > RLK_EARLY_US ? least_us : RLK_EARLY_US)"
            " >= valid_us) {",
            "if (least_us == UINT64_MAX) {",
        ),
    ),
    "extend start": (
        "a renewal counts from its end",
        (
            "uint64_t new_us = rlk_valid_until_us(lock->round.start_us,",
            "uint64_t new_us = rlk_valid_until_us(now_us,",
        ),
    ),
    "late extend": (
        "a renewal counts after the old end, and re-creates keys then",
        ("if (!lock->adopting && now_us >= old_us) {", "if (old_us == RLK_NEVER) {"),
        (
            "if (rlk_later(now_us, RLK_EARLY_US) >= valid_us) {\n\t\tlose(lock);",
            "if (lock->state == RLK_HELD && rlk_later(now_us, RLK_EARLY_US) >= valid_us) {\n"
            "\t\tlose(lock);",
        ),
        (
            "bool valid = rlk_now(lock->cluster) < atomic_load(&lock->valid_until_us);",
            "bool valid = true;",
        ),
    ),
    "re-created": (
        "a lease that is not there is created by going on with it",
        (
            "bool valid = rlk_now(lock->cluster) < atomic_load(&lock->valid_until_us);",
            "bool valid = true;",
        ),
    ),
    "same token": (
        "every attempt of a client has the same token",
        (
            "if (!cluster->ports->token(cluster->world, lock->attempt->token)) {",
            "if (!memset(lock->attempt->token, 'a' + (int)(((uintptr_t)cluster >> 8) % 26), "
            "RLK_TOKEN_LEN)) {",
        ),
    ),
    "no guard": (
        "a node that forgot votes at once",
        ("if (!config->guard || ", "if (config->max_ttl_ms > 0 || "),
    ),
    "short guard": (
        "the restart guard is half as long",
        ("rlk_key_life_us(config->max_ttl_ms, ", "rlk_key_life_us(config->max_ttl_ms / 2, "),
    ),
    "guarded repair": (
        "a node inside its guard votes for a lease that it did not know",
        ("if (!claim->counted &&", "if (claim->state == RLK_CLAIM_NONE &&"),
    ),
    "twins": (
        "one server votes under two addresses",
        ("if (other != node && !other->twin &&", "if (other == NULL &&"),
    ),
    "silence": (
        "timed out is read as not set",
        (
            "\tdefault:\n\t\t/* Silence",
            "\tcase RLK_SILENT:\n\t\tclaim->state = RLK_CLAIM_NONE;\n\t\tbreak;\n"
            "\tdefault:\n\t\t/* Silence",
        ),
    ),
    "errors": (
        "an error is read as not set",
        (
            "\tdefault:\n\t\t/* Silence",
            "\tcase RLK_ERROR:\n\t\tclaim->state = RLK_CLAIM_NONE;\n\t\tbreak;\n"
            "\tdefault:\n\t\t/* Silence",
        ),
    ),
    "broken": (
        "a broken connection is read as not set",
        (
            "claim->debt.stray = true;\n\t\t} else {",
            "claim->state = RLK_CLAIM_NONE;\n\t\t} else {",
        ),
    ),
    "forgotten debts": (
        "debts are not asked for after a reconnection",
        ("\trlk_debts_sweep(node, now_us);\n}\n\nvoid", "}\n\nvoid"),
    ),
    "strays": (
        "a debt is settled by the first answer, whatever may still arrive",
        ("if (done && !debt->stray) {", "if (done) {"),
    ),
    "abandoned": (
        "a lost attempt is not given back",
        (
            "if (attempt->claims[i].state != RLK_CLAIM_NONE) {",
            "if (attempt->claims[i].state > RLK_CLAIM_SET) {",
        ),
    ),
    "own token": (
        "a token is used again where its release is owed",
        (
            "return lock->config.token_len > 0 &&",
            "return lock->config.token_len > RLK_TOKEN_MAX &&",
        ),
    ),
    "late release": (
        "a release of a dead connection is taken to be lost",
        ("if (debt->asking && debt->own_token) {", "if (debt->asking && node == NULL) {"),
    ),
    "lost late": (
        "the end of a lease is noticed after it",
        ("#define RLK_EARLY_US 2000", "#define RLK_EARLY_US 0"),
        ("uint64_t at_us = valid_us - RLK_EARLY_US;", "uint64_t at_us = valid_us + 2000;"),
    ),
    "held while released": (
        "held until the release is answered",
        (
            "\tatomic_store(&lock->valid_until_us, 0);\n\tlock->adopting = false;\n",
            "\tlock->adopting = false;\n",
        ),
    ),
    "suspect": (
        "a node that was silent stays suspect until it is connected to anew",
        ("if (first == NULL || !first->late) {", "if (first == NULL && node->in_flight == 0) {"),
    ),
    "fence": (
        "a fencing token is not raised above one that was refused",
        (
            "floor > cluster->last_fence ? floor : cluster->last_fence;",
            "floor > 0 ? cluster->last_fence : 0;",
        ),
    ),
}


def build(lib, root, part, out):
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "check"], check=True, capture_output=True, text=True
    ).stdout.split()
    sim = root / "test/sim"
    sources = [sim / f"{name}.c" for name in "world pipe server client user judge".split()]
    sources += sorted(sim.glob(f"{part}*.c")) + sorted((lib / "core").glob("*.c"))
    command = [os.environ.get("CC", "cc"), "-std=gnu11", "-O2", "-g", "-o", out, f"-I{sim}"]
    command += [f"-I{lib}", f"-I{root / 'include'}", *map(str, sources), str(lib / "error.c")]
    subprocess.run(command + flags, check=True)
    return out


def apply(lib, changes):
    for old, new in changes:
        hits = [path for path in sorted((lib / "core").iterdir()) if old in path.read_text()]
        if not hits:
            return f"DOES NOT APPLY: the core has no {old!r}"
        for path in hits:
            path.write_text(path.read_text().replace(old, new))
    return None


def run(program, schedules=0):
    env = {**os.environ, "SIM_SCHEDULES": str(schedules)}
    env.pop("SIM_SEED", None)
    done = subprocess.run([program], capture_output=True, text=True, env=env, errors="replace")
    return None if done.returncode == 0 else done.stdout + done.stderr


def by_scenes(program):
    text = run(program)
    if text is None:
        return "no scene"
    names = re.findall(r":[FE]:\w+:(\w+):", text)
    return f"{len(names)} scenes ({names[0] if names else text.strip()[-80:]}...)"


def by_chaos(program, schedules):
    text = run(program, schedules)
    if text is None:
        return f"no schedule of {schedules}"
    seed = re.search(r"SIM_SEED=(\d+)", text)
    what = re.search(r" ms: (.*)", text) or re.search(r"(Assertion.*)", text)
    return f"schedule {seed.group(1) if seed else '?'} ({what.group(1) if what else 'a crash'})"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("-n", type=int, default=20000, help="schedules for each")
    parser.add_argument("name", nargs="*")
    args = parser.parse_args()
    root = args.root.resolve()
    missed = 0
    for name, (what, *changes) in MUTANTS.items():
        if args.name and name not in args.name:
            continue
        with tempfile.TemporaryDirectory() as place:
            lib = pathlib.Path(place) / "lib"
            shutil.copytree(root / "lib", lib)
            found = apply(lib, changes)
            bad = found is not None
            if not bad:
                scenes = by_scenes(build(lib, root, "scene", f"{place}/scenes"))
                chaos = by_chaos(build(lib, root, "chaos", f"{place}/chaos"), args.n)
                bad = scenes.startswith("no ") and chaos.startswith("no ")
                found = f"{'NOT ' if bad else ''}noticed by {scenes}, {chaos}"
        missed += bad
        print(f"{name}: {what}: {found}", flush=True)
    sys.exit(1 if missed else 0)


main()

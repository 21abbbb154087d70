#!/usr/bin/env python3
"""What README.md shows is true: its C and C++ programs are short, compile and take a lock, and its
shell example runs as it stands, on servers that it starts itself; so do those of docs/design.md and
docs/recipes.md, and all of docs/operations.md, one after the other. That page has a row for each
error and each vote.

usage: check_readme.py SOURCE_ROOT LIBREDLOCK.SO REDLOCK CC... [-- CXX...]
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from free_ports import free_ports

C_LINES_MAX = 25
SKIP = 77
NODES = 5


def fail(text):
    print(text)
    sys.exit(1)


def block(readme, language, containing):
    for text in re.findall(rf"^```{language}\n(.*?)^```", readme, re.MULTILINE | re.DOTALL):
        if containing in text:
            return text
    fail(f"README.md has no {language} example with {containing}")
    return None


def run(command, **kwargs):
    done = subprocess.run(command, text=True, capture_output=True, timeout=60, **kwargs)
    print("$", " ".join(command), done.stdout, done.stderr, sep="\n")
    if done.returncode != 0:
        fail(f"{command[0]} ends with {done.returncode}")
    return done.stdout


def programs(readme, have_cpp):
    """Each with the end of its file's name."""
    found = re.findall(r"^```(c|cpp)\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    if not found:
        fail("README.md has no program")
    return [(language, text) for language, text in found if have_cpp or language == "c"]


def compile_program(name, language, program, library, compiler, include, work):
    if program.count("\n") > C_LINES_MAX:
        fail(f"a program of README.md has more than {C_LINES_MAX} lines")
    (work / f"{name}.{language}").write_text(program, encoding="utf-8")
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "libuv"], check=True, capture_output=True, text=True
    ).stdout.split()
    standard = "-std=gnu11" if language == "c" else "-std=c++11"
    warnings = [standard, "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
    run(
        [*compiler, *warnings, f"-I{include}", "-o", name, f"{name}.{language}"]
        + [str(library), f"-Wl,-rpath,{library.parent}", *flags],
        cwd=work,
    )


def play(script, tool, before_stop=""):
    """What a shell example says, on servers of its own, in a directory of its own."""
    start = f'cluster start --dir "$PWD/nodes" --port {free_ports(NODES)}'
    stop = f'{tool} cluster stop --dir "$PWD/nodes"'
    script = re.sub(r"\b(build/cli/)?redlock (?=run|lock|unlock|status|cluster)", f"{tool} ", script)
    script = script.replace("cluster start", start)
    script = script.replace(f"{tool} cluster stop", f"{before_stop}{stop}")
    trap = f"trap '{stop} >/dev/null 2>&1' EXIT\n"
    with tempfile.TemporaryDirectory(prefix="redlock-readme-") as place:
        env = {**os.environ, "TMPDIR": place}
        return run(["sh", "-euc", trap + script], cwd=place, env=env)


def expect(said, *all_wanted):
    for wanted in all_wanted:
        if wanted not in said:
            fail(f"the examples do not say '{wanted}'")


def expect_all_named(page, header):
    """Whoever meets an error finds it there."""
    errors = [f"REDLOCK_{name}" for name in re.findall(r"^\tX\((E\w+), -", header, re.MULTILINE)]
    votes = re.findall(r"^\t(REDLOCK_VOTE_\w+)", header, re.MULTILINE)
    if not errors or not votes:
        fail("no errors, or no votes, in the header")
    for name in errors + votes:
        if f"\n| `{name}` | " not in page:
            fail(f"docs/operations.md has no row for {name}")


def expect_all_traced(page, sources):
    """Whoever meets a line of the trace finds it there."""
    lines = re.findall(r'rlk_trace\([^";]*"([^"]*)"', sources)
    if not lines:
        fail("no lines of a trace")
    for line in lines:
        words = max(re.split(r"%u?|[:,]", line), key=len).strip()
        if words not in page:
            fail(f"docs/operations.md has no '{words}'")


def main():
    root, library, tool = (pathlib.Path(name).resolve() for name in sys.argv[1:4])
    readme = (root / "README.md").read_text(encoding="utf-8")
    design = (root / "docs/design.md").read_text(encoding="utf-8")
    recipes = (root / "docs/recipes.md").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="redlock-readme-") as name:
        work = pathlib.Path(name)
        compilers = " ".join(sys.argv[4:]).split(" -- ")
        made = []
        for language, text in programs(readme, len(compilers) > 1):
            compiler = compilers[language != "c"].split()
            made.append(f"program{len(made)}")
            compile_program(made[-1], language, text, library, compiler, root / "include", work)
        if not (shutil.which("redis-server") or shutil.which("valkey-server")):
            print("skipped: neither redis-server nor valkey-server is installed")
            sys.exit(SKIP)
        run_all = "".join(f"{work}/{name} $(echo $REDLOCK_NODES | tr , ' ')\n" for name in made)
        said = play(block(readme, "sh", "redlock run"), tool, run_all)
        expect(said, "nightly-report is ours")
        if said.count("ours for ") != len(made):
            fail(f"{len(made)} programs, but not as many times 'ours for'")
    said = play(block(design, "sh", "REDLOCK_FENCE"), tool)
    expect(said, "written: by Bob", "refused: ")
    said = play(block(recipes, "sh", "--shared"), tool)
    expect(said, "two read at a time", "now one writes")
    if "and nobody writes" in said:
        fail("somebody writes while others read")
    said = play(block(recipes, "sh", "nightly-report"), tool)
    expect(said, "ours, with one node", "ours, with five")
    said = play(block(recipes, "sh", "--permits"), tool)
    expect(said, *(f"film {film} in slot " for film in range(1, 7)))
    expect(play(block(recipes, "sh", "--also"), tool), "account:2 has 30")
    operations = (root / "docs/operations.md").read_text(encoding="utf-8")
    header = (root / "include/redlock/redlock.h").read_text(encoding="utf-8")
    expect_all_named(operations, header)
    sources = "".join(path.read_text(encoding="utf-8") for path in root.glob("lib/core/*.c"))
    expect_all_traced(operations, sources)
    blocks = re.findall(r"^```sh\n(.*?)^```", operations, re.MULTILINE | re.DOTALL)
    said = play("".join(blocks), tool)
    expect(said, "noeviction", "jobs:42: held by ", "jobs:42: free", '"voters":5')
    for wanted in ("page somebody", "look at it tomorrow"):
        if wanted in said:
            fail(f"servers that are well make the example say '{wanted}'")


main()

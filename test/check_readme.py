#!/usr/bin/env python3
"""What README.md shows is true: its C program is short, compiles and takes a lock, and its shell
example runs as it stands, on servers that it starts itself; so does that of docs/design.md.

usage: check_readme.py SOURCE_ROOT LIBREDLOCK.SO REDLOCK CC...
"""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

C_LINES_MAX = 25
SKIP = 77
NODES = 5
PORTS = range(22100, 22990, NODES)


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


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports():
    """The first of as many ports as there are nodes. Where to look first: not where others do."""
    start = os.getpid() % len(PORTS)
    for first in [*PORTS[start:], *PORTS[:start]]:
        if all(is_free(first + node) for node in range(NODES)):
            return first
    fail("no free ports")
    return None


def compile_program(program, library, compiler, include, work):
    if program.count("\n") > C_LINES_MAX:
        fail(f"the C program of README.md has more than {C_LINES_MAX} lines")
    (work / "program.c").write_text(program, encoding="utf-8")
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "libuv"], check=True, capture_output=True, text=True
    ).stdout.split()
    warnings = ["-std=gnu11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
    run(
        [*compiler, *warnings, f"-I{include}", "-o", "program", "program.c"]
        + [str(library), f"-Wl,-rpath,{library.parent}", *flags],
        cwd=work,
    )


def play(script, tool, before_stop=""):
    """What a shell example says, on servers of its own, in a directory of its own."""
    start = f'cluster start --dir "$PWD/nodes" --port {free_ports()}'
    stop = f'{tool} cluster stop --dir "$PWD/nodes"'
    script = re.sub(r"\b(build/cli/)?redlock (?=run|status|cluster)", f"{tool} ", script)
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


def main():
    root, library, tool = (pathlib.Path(name).resolve() for name in sys.argv[1:4])
    readme = (root / "README.md").read_text(encoding="utf-8")
    design = (root / "docs/design.md").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="redlock-readme-") as name:
        work = pathlib.Path(name)
        compile_program(
            block(readme, "c", "int main"), library, sys.argv[4:], root / "include", work
        )
        if not (shutil.which("redis-server") or shutil.which("valkey-server")):
            print("skipped: neither redis-server nor valkey-server is installed")
            sys.exit(SKIP)
        program = f"{work}/program $(echo $REDLOCK_NODES | tr , ' ')\n"
        said = play(block(readme, "sh", "redlock run"), tool, program)
        expect(said, "nightly-report is ours", "ours for ")
    said = play(block(design, "sh", "REDLOCK_FENCE"), tool)
    expect(said, "written: by Bob", "refused: ")


main()

#!/usr/bin/env python3
"""What README.md shows is true: its C program is short, compiles and takes a lock, and its shell
example runs as it stands, on servers that it starts itself.

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


def main():
    root, library, tool = (pathlib.Path(name).resolve() for name in sys.argv[1:4])
    readme = (root / "README.md").read_text(encoding="utf-8")
    script = block(readme, "sh", "redlock run").replace("build/cli/redlock", str(tool))
    start = f'cluster start --dir "$PWD/nodes" --port {free_ports()}'
    stop = 'cluster stop --dir "$PWD/nodes"'
    with tempfile.TemporaryDirectory(prefix="redlock-readme-") as name:
        work = pathlib.Path(name)
        compile_program(
            block(readme, "c", "int main"), library, sys.argv[4:], root / "include", work
        )
        if not (shutil.which("redis-server") or shutil.which("valkey-server")):
            print("skipped: neither redis-server nor valkey-server is installed")
            sys.exit(SKIP)
        script = script.replace("cluster start", start).replace(
            f"{tool} cluster stop", f"./program $(echo $REDLOCK_NODES | tr , ' ')\n{tool} {stop}"
        )
        trap = f"trap '{tool} {stop} >/dev/null 2>&1' EXIT\n"
        said = run(["sh", "-euc", trap + script], cwd=work, env={**os.environ, "TMPDIR": name})
    for wanted in ("nightly-report is ours", "ours for "):
        if wanted not in said:
            fail(f"the examples of README.md do not say '{wanted}'")


main()

#!/usr/bin/env python3
"""No document leads nowhere, and what it shows can be done: relative links and their #anchors are
there; C and C++ blocks, and the programs of the manual pages, compile; shell blocks parse, and those
that are marked "sh run" run, with the tool in the path and five servers in REDLOCK_NODES.

usage: check_docs.py SOURCE_ROOT [REDLOCK] [-- CC... [-- CXX...]]
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from check_text import tracked
from free_ports import free_ports

NODES = 5
# Its pieces are cut out of programs: see check_recipes.py.
PIECES = "recipes.md"
LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
STANDARD = {"c": "-std=gnu11", "c++": "-std=c++11"}


def anchors(text):
    """What GitHub makes of the headings."""
    for heading in HEADING.findall(BLOCK.sub("", text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        yield re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def link_faults(path, text):
    bare = re.sub(r"`[^`\n]*`", "", BLOCK.sub("", text))
    for target in LINK.findall(bare):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        place = path.parent / name if name else path
        if not place.exists():
            yield f"{target}: leads nowhere"
        elif anchor and place.suffix == ".md":
            if anchor not in anchors(place.read_text(encoding="utf-8")):
                yield f"{target}: no such heading"


def compile_fault(language, code, compiler, include):
    flags = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{include}", "-x", language, "-"]
    done = subprocess.run(
        [*compiler, STANDARD[language], *flags], input=code, capture_output=True, text=True,
        check=False,
    )
    return done.stderr if done.returncode != 0 else None


def shell_fault(code):
    done = subprocess.run(["sh", "-n"], input=code, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode != 0 else None


def blocks(path, text):
    """Language and code; a manual page tells no language, and only whole programs count."""
    for info, code in BLOCK.findall(text):
        if path.name == PIECES:
            continue
        if path.suffix == ".md":
            yield {"cpp": "c++"}.get(info, info), code
        elif "int main(" in code:
            yield "c++" if ".hpp>" in code else "c", code.replace("\\\\", "\\")


class Servers:
    """Started when the first block wants to run."""

    def __init__(self, tool, work):
        self.tool, self.work, self.env = tool, work, None
        self.can = bool(shutil.which("redis-server") or shutil.which("valkey-server"))

    def cluster(self, *words):
        done = subprocess.run(
            [self.tool, "cluster", *words, "--dir", self.work / "nodes"],
            capture_output=True, text=True, check=True,
        )
        return done.stdout

    def start(self):
        said = self.cluster("start", "--nodes", str(NODES), "--port", str(free_ports(NODES)))
        nodes = re.search(r"REDLOCK_NODES='?([^'\n]*)", said).group(1)
        path = f"{pathlib.Path(self.tool).parent}:{os.environ['PATH']}"
        self.env = {**os.environ, "PATH": path, "REDLOCK_NODES": nodes}

    def run(self, code):
        if self.env is None:
            self.start()
        done = subprocess.run(
            ["sh", "-eu"], input=code, capture_output=True, text=True, cwd=self.work,
            env=self.env, timeout=60, check=False,
        )
        print(code, done.stdout, done.stderr, sep="\n")
        return f"ends with {done.returncode}" if done.returncode != 0 else None

    def stop(self):
        if self.env is not None:
            self.cluster("stop")


def block_fault(language, code, compilers, include, servers):
    if language in STANDARD:
        compiler = compilers.get(language)
        return compile_fault(language, code, compiler, include) if compiler else None
    if language == "sh run" and servers.can:
        return shell_fault(code) or servers.run(code)
    return shell_fault(code) if language.startswith("sh") else None


def main():
    parts = " ".join(sys.argv[1:]).split(" -- ")
    root, *tool = (pathlib.Path(name).resolve() for name in parts[0].split())
    compilers = {name: part.split() for name, part in zip(("c", "c++"), parts[1:] or ["cc"])}
    paths = [path for path in tracked(root) if path.suffix in (".md", ".scd") and path.is_file()]
    count, faults = 0, []
    with tempfile.TemporaryDirectory(prefix="redlock-docs-") as work:
        servers = Servers(tool[0] if tool else None, pathlib.Path(work))
        servers.can = servers.can and bool(tool)
        if not servers.can:
            print("nothing is run: no tool, or neither redis-server nor valkey-server")
        try:
            for path in paths:
                text = path.read_text(encoding="utf-8")
                found = [*link_faults(path, text)] if path.suffix == ".md" else []
                for language, code in blocks(path, text):
                    count += 1
                    fault = block_fault(language, code, compilers, root / "include", servers)
                    if fault:
                        found.append(f"{language} block '{code.splitlines()[0]}': {fault}")
                faults += [f"{path.relative_to(root)}: {fault}" for fault in found]
        finally:
            servers.stop()
    print(*faults, sep="\n")
    print(f"{len(paths)} documents, {count} blocks, {len(faults)} faults")
    sys.exit(1 if faults or not count else 0)


if __name__ == "__main__":
    main()

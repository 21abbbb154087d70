"""On what a measurement was taken. Figures without it say nothing."""

import json
import os
import pathlib
import platform
import re
import subprocess

CPU_NAME = re.compile(r"^(?:model name|Model)\s*: (.*)$", re.MULTILINE)
REDIS = re.compile(r"v=(\S+)")


def told_by(*command):
    """The first line that a program writes; nothing where there is no such program."""
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip().split("\n")[0]


def cpuinfo():
    try:
        return pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""


def processor():
    found = CPU_NAME.search(cpuinfo())
    return found.group(1).strip() if found else platform.machine()


def surroundings(build):
    """As meson saw them: compiler, buildtype, hiredis, libuv."""
    path = build / "bench/surroundings.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def commit():
    """Of what is measured, and whether it was just that."""
    where = ["lib", "include", "bench", ":!bench/report"]
    changes = told_by("git", "status", "--porcelain", "--", *where)
    return told_by("git", "describe", "--always") + (" with changes" if changes else "")


def machine(build):
    built = surroundings(build)
    redis = REDIS.search(told_by(os.environ.get("REDIS_SERVER", "redis-server"), "--version"))
    return {
        "cpu": processor(),
        "processors": os.cpu_count(),
        "kernel": platform.release(),
        "virtual": " hypervisor" in cpuinfo(),
        "compiler": built.get("compiler", ""),
        "buildtype": built.get("buildtype", ""),
        "hiredis": built.get("hiredis", ""),
        "libuv": built.get("libuv", ""),
        "redis": redis.group(1) if redis else "",
        "go": told_by("go", "version").removeprefix("go version go").split(" ")[0],
        "commit": commit(),
    }


def in_words(told):
    """One line."""
    many = "processor" if told["processors"] == 1 else "processors"
    where = " of a virtual machine" if told["virtual"] else ""
    parts = [f"{told['processors']} {many}{where} ({told['cpu']})", f"Linux {told['kernel']}"]
    if told["compiler"]:
        parts.append(f"{told['compiler']} ({told['buildtype']})")
    for name in ("hiredis", "libuv", "redis"):
        if told[name]:
            parts.append(f"{name} {told[name]}")
    return ", ".join(parts)

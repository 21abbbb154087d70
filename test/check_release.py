#!/usr/bin/env python3
"""What goes out together agrees: the version of the public header is that of CHANGELOG.md and of
debian/changelog, and debian/libredlock0.symbols has the symbols of lib/redlock.map.

usage: check_release.py SOURCE_ROOT
"""

import pathlib
import re
import sys


def first(pattern, path):
    match = re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
    return match.group(1) if match else None


def mapped(path):
    text = path.read_text(encoding="utf-8")
    for node, body in re.findall(r"(\w+) \{(.*?)\}", text, re.DOTALL):
        yield from (f"{name}@{node}" for name in re.findall(r"^\t\t(\w+);", body, re.MULTILINE))
        yield f"{node}@{node}"


def numbers(version):
    return [int(number) for number in version.split(".")]


def main():
    root = pathlib.Path(sys.argv[1])
    version = first(r'^#define REDLOCK_VERSION "(.*)"$', root / "include/redlock/redlock.h")
    faults = []
    for name, pattern in (
        ("CHANGELOG.md", r"^## (\S+)"),
        ("debian/changelog", r"^libredlock \((.*)-[^-]*\)"),
    ):
        found = first(pattern, root / name)
        if found != version:
            faults.append(f"{name} begins with {found}, and this is {version}")
    symbols = dict(
        re.findall(
            r"^ (\S+@\S+) (\S+)$",
            (root / "debian/libredlock0.symbols").read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    )
    wanted = set(mapped(root / "lib/redlock.map"))
    faults += [f"{name}: not in debian/libredlock0.symbols" for name in wanted - set(symbols)]
    faults += [f"{name}: not in lib/redlock.map" for name in set(symbols) - wanted]
    for name, since in symbols.items():
        if numbers(since) > numbers(version):
            faults.append(f"{name}: since {since}, and this is {version}")
    print(*sorted(faults), sep="\n")
    print(f"version {version}, {len(symbols)} symbols, {len(faults)} faults")
    sys.exit(1 if faults or not version or not symbols else 0)


main()

#!/usr/bin/env python3
"""The library exports what the public headers declare, under the versions of the map, and no more.
The static one, which cannot hide its inner names, has none that could meet a program's own.

usage: check_symbols.py NM LIBREDLOCK.SO LIBREDLOCK.A REDLOCK.MAP HEADER...
"""

import re
import subprocess
import sys


def declared(paths):
    names = set()
    for path in paths:
        with open(path, encoding="utf-8") as header:
            text = re.sub(r"/\*.*?\*/", "", header.read(), flags=re.DOTALL)
        for declaration in re.findall(r"^REDLOCK_API\s([^;]*);", text, re.MULTILINE):
            names.add(re.search(r"(\w+)\s*\(", declaration).group(1))
    return names


def mapped(path):
    """Names by version node, in the order of the file."""
    with open(path, encoding="utf-8") as version_map:
        text = re.sub(r"/\*.*?\*/|#.*", "", version_map.read(), flags=re.DOTALL)
    nodes = {}
    for node, body in re.findall(r"(\w[\w.]*)\s*\{(.*?)\}", text, re.DOTALL):
        entries = body.split("local:")[0].replace("global:", "")
        nodes[node] = {name.strip() for name in entries.split(";") if name.strip()}
    return nodes


def defined(*command):
    """(kind, name) of each symbol that nm tells of."""
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [line.split()[1:] for line in lines if len(line.split()) == 3]


def exported(nm, path):
    names = {}
    for kind, symbol in defined(nm, "-D", "--defined-only", path):
        name, _, version = symbol.partition("@")
        if kind != "A":  # Not the name of a version itself.
            names[name] = version.lstrip("@")
    return names


def main():
    nm, library, archive, version_map, *headers = sys.argv[1:]
    wanted = declared(headers)
    nodes = mapped(version_map)
    found = exported(nm, library)
    listed = set().union(*nodes.values())
    faults = [f"{name} is exported, but no header declares it" for name in set(found) - wanted]
    faults += [f"{name} is declared, but not exported" for name in wanted - set(found)]
    faults += [f"{name} is declared, but not in the map" for name in wanted - listed]
    faults += [f"{name} is in the map, but not declared" for name in listed - wanted]
    for name, version in found.items():
        if name not in nodes.get(version, set()):
            faults.append(f"{name} is exported under '{version}', which the map does not say")
    for _, name in defined(nm, "-g", "--defined-only", archive):
        if not name.startswith(("redlock_", "rlk_")):
            faults.append(f"{name} of the static library is not a name of ours")
    for path in (library, archive):
        symbols = subprocess.run([nm, path], check=True, capture_output=True, text=True).stdout
        if "rlk_mutant" in symbols:
            faults.append(f"{path} was built to be broken: see lib/core/mutant.h")
    for name in wanted:
        if not name.startswith("redlock_"):
            faults.append(f"{name} is declared, and not a name of ours")
    print(f"{len(found)} symbols exported, {len(wanted)} declared")
    print("\n".join(sorted(faults)))
    sys.exit(1 if faults or not found else 0)


main()

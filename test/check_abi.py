#!/usr/bin/env python3
"""Programs that were built on an older library of this soname go on working with this one: nothing of
test/abi/redlock.abi is gone or changed. What is added is fine: functions, constants, and members at
the end of structs whose size the library knows or that it makes itself, one by one.

usage: check_abi.py SOURCE_ROOT LIBREDLOCK.SO
       check_abi.py --update SOURCE_ROOT CC...

The baseline is made from the public headers alone, so that it holds what users can see and nothing
else: each function is given an empty body, and abidw (libabigail) tells the types.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

BASELINE = "test/abi/redlock.abi"
SKIP = 77
# Structs that carry their size, and those that are only ever lent by a pointer to one of them. Not
# those in arrays: a longer struct moves the second one.
MAY_GROW = {
    "redlock_options",
    "redlock_lock_options",
    "redlock_semaphore_options",
    "redlock_stats",
    "redlock_node_stats",
    "redlock_report",
    "redlock_inspection",
}
BLOCK = re.compile(r"^'struct (\w+)' changed:\n((?:  .*\n)*)", re.MULTILINE)
GROWTH = re.compile(
    r"  type size changed from (?P<old>\d+) to \d+ \(in bits\)\n"
    r"  \d+ data member insertions?:\n(?P<added>(?:    '.*', at offset \d+ \(in bits\)\n)+)"
)
ADDED = re.compile(r"^\d+ Added functions?:\n\n(?:  \[A\] .*\n|\n)*", re.MULTILINE)
SUMMARY = re.compile(r"^.* summary: .*\n", re.MULTILINE)


def only_grew(match):
    name, changes = match.groups()
    growth = GROWTH.fullmatch(changes)
    if name not in MAY_GROW or not growth:
        return False
    offsets = [int(bits) for bits in re.findall(r"at offset (\d+) ", growth["added"])]
    return min(offsets) >= int(growth["old"])


def complaints(report):
    """What abidiff has to say, without that which harms nobody."""
    report = SUMMARY.sub("", report + "\n")
    report = ADDED.sub("", report)
    return BLOCK.sub(lambda match: "" if only_grew(match) else match[0], report).strip()


def bodies(root):
    yield "#include <redlock/redlock.h>\n#include <redlock/blocking.h>\n"
    yield "#include <redlock/semaphore.h>\n"
    for header in sorted((root / "include/redlock").glob("*.h")):
        text = re.sub(r"/\*.*?\*/", "", header.read_text(encoding="utf-8"), flags=re.DOTALL)
        for prototype in re.findall(r"^REDLOCK_API\s([^;]*);", text, re.MULTILINE):
            yield f"{prototype}\n{{\n{'' if prototype.startswith('void ') else 'return 0;'}\n}}\n"


def update(root, compiler):
    with tempfile.TemporaryDirectory(prefix="redlock-abi-") as name:
        work = pathlib.Path(name)
        (work / "public.c").write_text("".join(bodies(root)), encoding="utf-8")
        subprocess.run(
            [*compiler, "-g", "-O0", "-shared", "-fPIC", f"-I{root / 'include'}"]
            + ["-Wl,-soname,libredlock.so.0", f"-Wl,--version-script,{root / 'lib/redlock.map'}"]
            + ["-o", "public.so", "public.c"],
            cwd=work, check=True,
        )
        subprocess.run(
            ["abidw", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs"]
            + ["--no-elf-needed", "--type-id-style", "hash", "--out-file", root / BASELINE, "public.so"],
            cwd=work, check=True,
        )
    print(f"{BASELINE} is renewed: look at its changes, and say in CHANGELOG.md what they break")


def check(root, library):
    command = ["abidiff", "--leaf-changes-only", "--no-show-locs", root / BASELINE, library]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr, sep="")
    # The lowest bits are abidiff's own trouble; the others say that there are differences.
    if done.returncode & 3:
        sys.exit(1)
    found = complaints(done.stdout)
    if found:
        print("Programs in use would break. Not so:", found, sep="\n\n")
        sys.exit(1)
    print("nothing that breaks programs in use")


def main():
    if shutil.which("abidiff") is None or shutil.which("abidw") is None:
        print("skipped: abidiff and abidw are not installed (abigail-tools)")
        sys.exit(SKIP)
    if sys.argv[1] == "--update":
        update(pathlib.Path(sys.argv[2]).resolve(), sys.argv[3:] or ["cc"])
    else:
        check(pathlib.Path(sys.argv[1]).resolve(), sys.argv[2])


main()

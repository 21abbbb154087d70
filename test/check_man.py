#!/usr/bin/env python3
"""The manual pages are complete, and as the headers and the tool have it: each public function is
named in a page that has its prototype and its errors, each member and constant is told, each verb
and option of the tool; and what scdoc makes of them is shown without complaints.

usage: check_man.py SOURCE_ROOT SCDOC|"" [REDLOCK]
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

HEADERS = ("redlock.h", "blocking.h", "semaphore.h")
VERBS = ("run", "lock", "extend", "unlock", "status", "cluster", "help")
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]*|-[A-Za-z])(?![\w-])")
# scdoc ends each paragraph with an empty one.
HARMLESS = "skipping paragraph macro"


def squeeze(text):
    return re.sub(r"\s+", " ", text.replace("( ", "(")).strip()


def functions(header):
    """Name, prototype and comment of each."""
    for match in re.finditer(r"^REDLOCK_API\s([^;]*;)", header, re.MULTILINE):
        # A macro may stand between a comment and its function.
        before = re.sub(r"(^#define .*(\\\n.*)*\n)+\Z", "", header[: match.start()], flags=re.M)
        before = before.rstrip()
        comment = ""
        if before.endswith("*/"):
            comment = before[before.rindex("/*") :]
        yield re.search(r"(\w+)\s*\(", match.group(1)).group(1), squeeze(match.group(1)), comment


def members(header):
    """Of public structs, and the constants of enums."""
    bare = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    for body in re.findall(r"^struct \w+ \{\n(.*?)^\};", bare, re.MULTILINE | re.DOTALL):
        for line in (line.strip() for line in body.split(";")):
            pointer = re.search(r"\(\*(\w+)\)", line)
            if line:
                yield pointer.group(1) if pointer else re.search(r"(\w+)(\[\w+\])?$", line).group(1)
    for body in re.findall(r"^enum \w+ \{\n(.*?)^\};", bare, re.MULTILINE | re.DOTALL):
        yield from re.findall(r"^\s*(REDLOCK_\w+)", body, re.MULTILINE)
    for name in re.findall(r"^\tX\((\w+),", bare, re.MULTILINE):
        yield f"REDLOCK_{name}"


class Pages:
    def __init__(self, place):
        self.text = {}
        for path in sorted(place.glob("*.scd")):
            self.text[path.stem] = path.read_text(encoding="utf-8")
        self.links = (place / "meson.build").read_text(encoding="utf-8")

    def named(self, page):
        """What stands before the dash of NAME."""
        name = re.search(r"^# NAME\n\n(.*?) -\s", self.text[page], re.MULTILINE | re.DOTALL)
        return set(re.split(r",\s+", name.group(1))) if name else set()

    def of(self, function):
        return [page for page in self.text if function in self.named(page)]


def link_faults(pages):
    for page in pages.text:
        if f"'{page}'" not in pages.links:
            yield f"{page}: not in docs/man/meson.build"
        for other in pages.named(page) - {page.rsplit(".", 1)[0]}:
            if f"'{other}'" not in pages.links:
                yield f"{page}: no link leads from {other} to it"


def function_faults(pages, header):
    for name, prototype, comment in functions(header):
        found = pages.of(name)
        if len(found) != 1:
            yield f"{name}: in {len(found)} pages by its name"
            continue
        text = pages.text[found[0]]
        if prototype not in squeeze(text):
            yield f"{found[0]}: not there: {prototype}"
        for error in sorted(set(re.findall(r"REDLOCK_E\w+", comment))):
            if not re.search(rf"\b{error}\b", text):
                yield f"{found[0]}: {name} may give {error}"


def member_faults(pages, header):
    everything = "\n".join(pages.text.values())
    for name in members(header):
        told = rf"\b{name}\b" if name.isupper() else rf"[*_]{name}[*_]"
        if not re.search(told, everything):
            yield f"{name}: in no page"


def tool_faults(pages, tool):
    page = pages.text["redlock.1"]
    bold = set(re.findall(r"\*(-{1,2}[A-Za-z-]+)\*", page))
    told = set()
    for verb in VERBS:
        done = subprocess.run([tool, verb, "--help"], capture_output=True, text=True, check=True)
        told |= set(OPTION.findall(done.stdout))
        if f"*{verb}*" not in page:
            yield f"redlock.1: not there: {verb}"
    usage = subprocess.run([tool, "help"], capture_output=True, text=True, check=True).stdout
    for verb in set(re.findall(r"^  redlock (\w+)", usage, re.MULTILINE)) - set(VERBS):
        yield f"{verb}: a verb that {pathlib.Path(__file__).name} does not know"
    codes = set(re.findall(r"\b(\d\d\d?)   ", usage[usage.index("Exit codes:") :]))
    for code in codes:
        if f"*{code}*" not in page:
            yield f"redlock.1: not there: exit code {code}"
    for option in sorted(told - bold):
        yield f"redlock.1: not there: {option}"
    for option in sorted(bold - told - {"-vv"}):
        yield f"redlock.1: {option} is no option of the tool"


def show_faults(pages, scdoc):
    viewer = ["groff", "-ww", "-z", "-man", "-Tutf8", "-P-c"] if shutil.which("groff") else None
    if shutil.which("mandoc"):
        viewer = ["mandoc", "-Tlint", "-Wwarning"]
    if not scdoc:
        print("not made: scdoc is not installed")
        return
    for page, text in pages.text.items():
        made = subprocess.run([scdoc], input=text, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            yield f"{page}: {made.stderr}"
        elif viewer:
            env = {**os.environ, "LC_ALL": "C.UTF-8"}
            shown = subprocess.run(
                viewer, input=made.stdout, capture_output=True, text=True, env=env, check=False
            )
            for line in (shown.stdout + shown.stderr).splitlines():
                if HARMLESS not in line:
                    yield f"{page}: {line}"
    if viewer is None:
        print("not shown: neither mandoc nor groff is installed")


def main():
    root, scdoc = pathlib.Path(sys.argv[1]), sys.argv[2]
    pages = Pages(root / "docs/man")
    faults = [*link_faults(pages), *show_faults(pages, scdoc)]
    count = 0
    for name in HEADERS:
        header = (root / "include/redlock" / name).read_text(encoding="utf-8")
        count += len(list(functions(header)))
        faults += [*function_faults(pages, header), *member_faults(pages, header)]
    if len(sys.argv) > 3:
        faults += tool_faults(pages, sys.argv[3])
    print(*faults, sep="\n")
    print(f"{len(pages.text)} pages, {count} functions, {len(faults)} faults")
    sys.exit(1 if faults or not count else 0)


main()

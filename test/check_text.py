#!/usr/bin/env python3
"""What is in the tree reads as the project's own: nothing of one machine, nothing half done, and no
room too large to be seen at once.

usage: check_text.py SOURCE_ROOT
"""

import pathlib
import re
import subprocess
import sys

LINES_MAX = 400
FUNCTION_MAX = 60

# The first of each pair must not occur.
ANYWHERE = [
    (re.compile(r"/(work|root|home/\w+)/"), "a path of one machine"),
    (re.compile(r"(?<!\w)shared/"), "a path outside the tree"),
    (re.compile(r"\b(this|last|next|previous|earlier|another) session\b", re.I), "not our subject"),
    (re.compile(r"\b(TODO|FIXME|XXX)\b"), "half done"),
    (re.compile(r"[ \t]+$"), "blanks at the end"),
]
# Bytes, whatever they look like.
CORPUS = "test/fuzz/corpus"
DOCUMENT = re.compile(r"\b[\w-]+\.md\b")
SOURCE = [(re.compile(r"(^|[\s(])#\d+\b"), "the number of an issue")]


def tracked(root):
    """Files under version control, and those that would be; all sources where there is no git."""
    command = ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError):
        tops = [top for top in root.iterdir() if not top.name.startswith(("build", ".git"))]
        return sorted({path for top in tops for path in [top, *top.rglob("*")]})
    return sorted({root / name for name in listed.decode().split("\0") if name})


def long_functions(lines):
    """Functions start and end with a brace in the first column."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start is not None:
            if number - start - 1 > FUNCTION_MAX:
                yield start, f"a function of {number - start - 1} lines"
            start = None


def source_faults(path, lines):
    # The contract stays in one piece.
    if len(lines) > LINES_MAX and path.parent.name != "redlock":
        yield len(lines), f"more than {LINES_MAX} lines"
    yield from long_functions(lines)


def faults(path, text, documents):
    lines = text.split("\n")
    is_source = path.suffix in (".c", ".h", ".cc")
    for number, line in enumerate(lines, 1):
        for name in DOCUMENT.findall(line):
            if name not in documents:
                yield number, f"there is no {name}"
        for pattern, what in ANYWHERE + (SOURCE if is_source else []):
            if pattern.search(line):
                yield number, what
    if is_source:
        yield from source_faults(path, lines[:-1])
    if text and not text.endswith("\n"):
        yield len(lines), "the last line does not end"


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    paths = tracked(root)
    documents = {path.name for path in paths if path.suffix == ".md"}
    seen, found = 0, 0
    for path in paths:
        if not path.is_file() or path == pathlib.Path(__file__).resolve():
            continue
        if path.is_relative_to(root / CORPUS):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # A picture, say.
        seen += 1
        for number, what in faults(path, text, documents):
            found += 1
            print(f"{path.relative_to(root)}:{number}: {what}")
    print(f"{seen} files, {found} faults")
    sys.exit(1 if found or not seen else 0)


if __name__ == "__main__":
    main()

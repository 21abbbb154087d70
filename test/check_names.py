#!/usr/bin/env python3
"""What the papers name is there: files, tests, mutants, identifiers and figures.

usage: check_names.py SOURCE_ROOT

In the tables of docs/*.md the heading of a column says what the words in `backticks` below it are:
"Test" a test, or a file that is one, and each row has one; "Mutant" a mutant; "Where" a file.
Everywhere in them `name_with_underscores` is a word of the sources, `path/to/file` is there, and
`name = 123` is a default or a constant of that value. Every rule that a mutant breaks has its row
in docs/design.md.
"""

import pathlib
import re
import sys

SOURCES = ("include", "lib", "cli", "test", "examples", "bench", "tools")
SUFFIXES = (".c", ".h", ".cc", ".hpp", ".py", ".sh", ".pml", ".build")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
TICKED = re.compile(r"`([^`\n]+)`")
IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)+(\(\))?")
PATH = re.compile(r"[\w.-]+(/[\w.-]+)*\.(c|h|cc|py|sh|md|pml|yml)")
FIGURE = re.compile(r"(\w+) = (\d+)")
GIVEN = re.compile(r"^#define (\w+) (?:UINT64_C\()?(\d+)\b|^\s+\.(\w+) = (\d+),", re.MULTILINE)
COLUMNS = {"Test": "test", "Tests": "test", "Mutant": "mutant", "Mutants": "mutant", "Where": "file"}


def mutants(root):
    text = (root / "lib/core/mutant.h").read_text(encoding="utf-8")
    return set(re.findall(r'^\tX\((\w+), "', text, re.MULTILINE))


def rules(root):
    """Those that the mutants break, in the words of mutant.h."""
    text = (root / "lib/core/mutant.h").read_text(encoding="utf-8")
    return set(re.findall(r'^\tX\(\w+, "([^"]+)"', text, re.MULTILINE))


class Tree:
    def __init__(self, root):
        self.files, self.words, self.tests, self.figures = set(), set(), set(), set()
        tops = [root / top for top in (*SOURCES, "docs")]
        for path in (path for top in tops for path in sorted(top.rglob("*"))):
            if path.is_file():
                self.files.add(path.relative_to(root).as_posix())
                if path.suffix in SUFFIXES:
                    self.read(path.read_text(encoding="utf-8"))
        self.files |= {path.name for path in root.iterdir() if path.is_file()}
        self.mutants = mutants(root)

    def read(self, text):
        self.words |= set(re.findall(r"\w+", text))
        self.tests |= set(re.findall(r"^START_TEST\((\w+)\)", text, re.MULTILINE))
        self.figures |= {(a or c, b or d) for a, b, c, d in GIVEN.findall(text)}

    def has_file(self, name):
        return any(path == name or path.endswith("/" + name) for path in self.files)

    def lacks(self, kind, word):
        """What is wrong with a word of this kind, or None."""
        figure = FIGURE.fullmatch(word)
        if kind == "mutant":
            return None if word in self.mutants else "no such mutant"
        if PATH.fullmatch(word):
            return None if self.has_file(word) else "no such file"
        if kind == "test":
            return None if word in self.tests else "no such test"
        if kind == "file":
            return "not a file"
        if figure:
            return None if figure.groups() in self.figures else "not its value"
        if IDENTIFIER.fullmatch(word):
            return None if word.rstrip("()") in self.words else "not in the sources"
        return None


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def named(text):
    """Line number, kind and word of all that is named."""
    blank = FENCE.sub(lambda fence: "\n" * fence.group().count("\n"), text)
    kinds = None
    for number, line in enumerate(blank.split("\n"), 1):
        row = line.startswith("|")
        if row and kinds is None:
            kinds = [COLUMNS.get(heading) for heading in cells(line)]
        if not row:
            kinds = None
        for column, cell in enumerate(cells(line) if row else [line]):
            kind = kinds[column] if row and column < len(kinds) else None
            words = TICKED.findall(cell)
            if kind == "test" and not words and cell not in COLUMNS and set(cell) != {"-"}:
                words = [""]
            for word in words:
                yield number, kind, word


def unexplained(root):
    """Rules without a row of their own in the paper that has them all."""
    paper = (root / "docs/design.md").read_text(encoding="utf-8")
    return sorted(rule for rule in rules(root) if f"\n| {rule} | " not in paper)


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    tree, seen, found = Tree(root), 0, 0
    for path in sorted((root / "docs").rglob("*.md")):
        for number, kind, word in named(path.read_text(encoding="utf-8")):
            wrong = tree.lacks(kind, word)
            seen += 1
            if wrong is not None:
                found += 1
                print(f"{path.relative_to(root)}:{number}: {word}: {wrong}")
    for rule in unexplained(root):
        found += 1
        print(f"docs/design.md: rule '{rule}' has no row")
    print(f"{seen} names, {len(tree.tests)} tests, {len(tree.mutants)} mutants, {found} faults")
    sys.exit(1 if found or not seen or not tree.tests or not tree.mutants else 0)


main()

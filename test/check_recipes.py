#!/usr/bin/env python3
"""Each recipe of docs/recipes.md has code that is run, and says what it does not protect from.

usage: check_recipes.py SOURCE_ROOT

Code stands, line for line, in the last file of examples/ that is linked to before it, and that file
is named in examples/meson.build or in a test there. Code without such a link is run by
check_readme.py.
"""

import pathlib
import re
import sys

PIECE = re.compile(r"\]\(\.\./examples/([\w./]+)\)|^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def lines(text):
    return [line.strip() for line in text.strip().split("\n")]


def stands_in(code, text):
    code, text = lines(code), lines(text)
    return any(text[at : at + len(code)] == code for at in range(len(text)))


def is_tested(root, name):
    tests = [*(root / "examples").rglob("test_*"), root / "examples/meson.build"]
    stem = re.compile(rf"\b{re.escape(pathlib.Path(name).stem)}\b")
    return any(stem.search(test.read_text(encoding="utf-8")) for test in tests)


def faults(root, recipe):
    """What is wrong with one, and for each piece of code None."""
    source, codes = None, 0
    for name, language, code in PIECE.findall(recipe):
        if name:
            source = name
            continue
        codes += 1
        if source is None:
            if language != "sh" or "redlock run" not in code:
                yield "code that is from no file"
        elif not stands_in(code, (root / "examples" / source).read_text(encoding="utf-8")):
            yield f"code that does not stand in {source}: {lines(code)[0]}"
        elif not is_tested(root, source):
            yield f"{source} is not tested"
        yield None
    if codes == 0:
        yield "no code"
    if "\nNot protected: " not in recipe:
        yield "no word of what it does not protect from"


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    text = (root / "docs/recipes.md").read_text(encoding="utf-8")
    seen, found = 0, 0
    recipes = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    for recipe in recipes:
        for fault in faults(root, recipe):
            seen += fault is None
            found += fault is not None
            if fault is not None:
                print(f"{lines(recipe)[0]}: {fault}")
    print(f"{len(recipes)} recipes, {seen} pieces of code, {found} faults")
    sys.exit(1 if found or not recipes else 0)


main()

"""All measurements of docs/benchmarks.md, then its tables and pictures.

What was measured is kept in build/bench-report, a file for each step; a step that has its file is
not taken again. A quick report shows that everything works: it has a folder of its own, and leaves
the document as it is.
"""

import argparse
import pathlib
import sys

import markers
import pictures
from steps import STEPS, results, say, take
from tables import tables

DOCUMENT = pathlib.Path("docs/benchmarks.md")
PICTURES = pathlib.Path("docs/pictures")


def options():
    names = [step.name for step in STEPS]
    parser = argparse.ArgumentParser(
        prog="./dev bench report", description=__doc__.split("\n", maxsplit=1)[0]
    )
    parser.add_argument("--quick", action="store_true", help="a smoke run, not for the document")
    parser.add_argument("--again", action="store_true", help="take what there is already, too")
    parser.add_argument("--draw", action="store_true", help="only tables and pictures")
    parser.add_argument("--build", type=pathlib.Path, default="build", help="where it was built")
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"only these: {' '.join(names)}")
    asked = parser.parse_args()
    unknown = set(asked.steps) - set(names)
    if unknown:
        parser.error(f"there is no step {' '.join(sorted(unknown))}")
    return asked


def publish(told, document, folder):
    """Where something is missing, the document stays as it is."""
    text = DOCUMENT.read_text(encoding="utf-8")
    made = tables(told)
    document.write_text(markers.replace(text, made), encoding="utf-8")
    for name in markers.names(text):
        if name not in made:
            say(f"table {name}: nothing measured, left as it is")
    for path in pictures.draw(told, folder):
        say(f"picture {path}")


def main():
    asked = options()
    folder = asked.build / ("bench-report/quick" if asked.quick else "bench-report")
    chosen = [step for step in STEPS if step.name in (asked.steps or [each.name for each in STEPS])]
    fine = asked.draw or take(chosen, asked.build, folder, asked.quick, asked.again)
    told = results(folder)
    if asked.quick:
        publish(told, folder / "benchmarks.md", folder)
    else:
        PICTURES.mkdir(exist_ok=True)
        publish(told, DOCUMENT, PICTURES)
    sys.exit(0 if fine else 1)


main()

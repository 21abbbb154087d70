"""The report on figures that are kept beside this file: tables, markers, pictures, steps. Nothing is
timed, and no server is needed.

usage: test_report.py [--update], which writes expected.md anew
"""

import os
import pathlib
import shutil
import stat
import sys
import tempfile

import cells
import curves
import markers
import pictures
import steps
import tables

HERE = pathlib.Path(__file__).resolve().parent
EXPECTED = HERE / "expected.md"
LARGEST_BYTES = 60 * 1024
# Writes what it was asked for, unless its verb says that it cannot.
FAKE_DEV = """#!/bin/sh
echo "$*" >>asked
while [ "$1" != --json ]; do
	[ "$1" = growth ] && exit 1
	[ "$1" = timeline ] && echo "there is no Go" && exit 0
	shift
done
echo '{"rounds": 2}' >"$2"
exit 2
"""


def fixture():
    return steps.results(HERE / "fixture")


def test_figures_have_three_digits():
    assert [cells.micros(us) for us in (0.1234, 9.994, 12.34, 123.4, 999.4)] == [
        "0.12 µs",
        "9.99 µs",
        "12.3 µs",
        "123 µs",
        "999 µs",
    ]
    assert [cells.micros(us) for us in (999.6, 1234, 56789, 999600, 2e6)] == [
        "1.00 ms",
        "1.23 ms",
        "56.8 ms",
        "1.00 s",
        "2.00 s",
    ]
    assert cells.whole(31212.4) == "31,212" and cells.times(None) == cells.NONE
    assert cells.micros(float("nan")) == cells.NONE


def test_ratios_are_taken_within_rounds():
    assert cells.ratio([10, 40, None], [10, 10, 10]) == 2.5
    assert cells.ratio([10], []) is None


def test_markers_keep_what_is_not_theirs():
    one = "a\n<!-- begin table one -->\nold\n<!-- end -->\n"
    text = one + "b\n<!-- begin table two -->\n<!-- end -->\n"
    made = markers.replace(text, {"one": "new\n"})
    assert made == text.replace("old", "new"), made
    assert markers.replace(made, {"one": "new"}) == made
    assert markers.names(text) == ["one", "two"]


def test_markers_without_their_other_half_are_refused():
    begin, end = "<!-- begin table one -->\n", "<!-- end -->\n"
    for text in (begin, end, begin + end + begin, begin + end + begin + end):
        try:
            markers.replace(text, {})
        except ValueError:
            continue
        raise AssertionError(text)


def test_tables_are_as_expected():
    made = tables.tables(fixture())
    assert set(made) == {"machine", *tables.TABLES}, made.keys()
    document = "\n".join(f"<!-- begin table {name} -->\n<!-- end -->\n" for name in made)
    told = markers.replace(document, made)
    if "--update" in sys.argv:
        EXPECTED.write_text(told, encoding="utf-8")
    assert told == EXPECTED.read_text(encoding="utf-8"), told


def test_the_document_has_a_place_for_every_table():
    text = (HERE / "../../docs/benchmarks.md").read_text(encoding="utf-8")
    markers.check(text)
    assert set(markers.names(text)) == {"machine", *tables.TABLES}
    for name in pictures.DRAWN:
        assert f"(pictures/{name}.svg)" in text, name


def test_two_machines_are_told_apart():
    told = fixture()
    told["growth"]["machine"] = {**told["growth"]["machine"], "cpu": "Another CPU"}
    words = tables.machines(told)
    assert "- growth: on 4 processors of a virtual machine (Another CPU)" in words, words


def test_a_long_cycle_stands_until_its_end():
    intervals = [{"cycle_max_us": us} for us in (100, 150000, None, None, None, 100)]
    stands = list(curves.waits(intervals, 0.1))
    assert [point and point[1] for point in stands] == [100, 150000, 150000, 150000, None, 100]


def test_ranks_end_where_half_of_the_rounds_end():
    rounds = [[1, 2, 9, 10], [3, 4, 5, None], [None, None, None, None]]
    points = curves.ranks([{"acquire_ranks_us": values} for values in rounds])
    assert [value for _, value in points] == [3, 4, 9], points
    assert points[1][0] == 10 ** (1 / 8)


def test_without_peers_a_load_is_drawn():
    told = {"load": fixture()["load"]}
    assert set(curves.distributions(told, 1)) == {"floor", "libredlock", "PING"}
    assert pictures.shared(told) is None or not pictures.shared(told)


def test_pictures_are_small_and_always_the_same():
    if not shutil.which("gnuplot"):
        print("pictures are not drawn: there is no gnuplot")
        return
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        drawn = list(pictures.draw(fixture(), pathlib.Path(one)))
        list(pictures.draw(fixture(), pathlib.Path(other)))
        # Only one in flight is kept here.
        expected = [name for name in pictures.DRAWN if name != "latency-64"]
        assert [path.stem for path in drawn] == expected
        for path in drawn:
            svg = path.read_text(encoding="utf-8")
            assert path.stat().st_size < LARGEST_BYTES, path
            assert svg == (pathlib.Path(other) / path.name).read_text(encoding="utf-8")
            assert all(line == line.rstrip() and line for line in svg[:-1].split("\n")), path


def asked_of_dev():
    path = pathlib.Path("asked")
    asked = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return [line.split()[1] for line in asked]


def test_what_was_taken_is_not_taken_again():
    chosen = [step for step in steps.STEPS if step.name in ("load", "timeline")]
    folder = pathlib.Path("kept")
    assert steps.take(chosen, pathlib.Path("build"), folder, True, False)
    assert asked_of_dev() == ["load", "timeline"]
    # What was left out, for want of something, is tried again.
    assert steps.take(chosen, pathlib.Path("build"), folder, True, False)
    assert asked_of_dev() == ["timeline"]
    assert steps.take(chosen, pathlib.Path("build"), folder, True, True)
    assert asked_of_dev() == ["load", "timeline"]
    # Another command is another measurement.
    assert steps.take(chosen, pathlib.Path("build"), folder, False, False)
    assert asked_of_dev() == ["load", "timeline"]
    told = steps.results(folder)
    assert list(told) == ["load"] and told["load"]["result"] == {"rounds": 2}, told
    assert told["load"]["command"].startswith("./dev bench load --in-flight 1,64,1024"), told


def test_a_step_that_fails_is_told():
    chosen = [step for step in steps.STEPS if step.name in ("growth", "load")]
    folder = pathlib.Path("failed")
    assert not steps.take(chosen, pathlib.Path("build"), folder, True, False)
    assert list(steps.results(folder)) == ["load"]


def main():
    tests = [test for name, test in globals().items() if name.startswith("test_")]
    home = os.getcwd()
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        dev = pathlib.Path("dev")
        dev.write_text(FAKE_DEV, encoding="utf-8")
        dev.chmod(dev.stat().st_mode | stat.S_IXUSR)
        for test in tests:
            test()
            print(f"ok - {test.__name__.removeprefix('test_').replace('_', ' ')}")
        os.chdir(home)


main()

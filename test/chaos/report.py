#!/usr/bin/env python3
"""What a person reads of a run: README.md, and grants over time with the faults as grants.svg.

usage: report.py DIRECTORY
"""

import json
import pathlib
import sys

WIDTH, GRAPH, ROW, LEFT, TOP, BOTTOM = 960, 220, 12, 150, 10, 40
INK, LINE, MARK, HARM = "#7d8590", "#2f81f7", "#d4761c", "#e5534b"
BARS = 240


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]) + "\n"


def shown(found, limit=30):
    lines = [f"- {at_s:.3f} s: {text}" for at_s, text in found[:limit]]
    if len(found) > limit:
        lines.append(f"- ... and {len(found) - limit} more")
    return "\n".join(lines or ["None."]) + "\n"


def faults(verdict):
    kinds = sorted(verdict["injected"])
    rows = [(kind, verdict["injected"][kind], verdict["healed"].get(kind, 0)) for kind in kinds]
    return table(("Fault", "injected", "made good"), rows)


def numbers(verdict):
    wait = verdict["wait_ms"]
    writes = verdict["writes"]
    ways = ", ".join(f"{count} {way}" for way, count in verdict["ways"].items())
    refusals = ", ".join(f"{count} {name}" for name, count in verdict["refusals"].items())
    each = ", ".join(f"{name.split(':')[-1]} {ms:.0f} ms" for name, ms in verdict["stall_each_ms"].items())
    rows = [
        ("Seconds", f"{verdict['seconds']:.1f}"),
        ("Grants", f"{verdict['grants']} ({verdict['grants'] / verdict['seconds']:.1f} a second); {ways}"),
        ("Looks at a held lease, each with an act", verdict["acts"]),
        ("Leases that ran out while their client was stopped", verdict["slept"]),
        ("Attempts and waits that came to nothing", refusals or "none"),
        ("Waits", f"{verdict['waits']}; median {wait['median']:.1f} ms, 99 % {wait['p99']:.0f} ms, "
                  f"longest {wait['max']:.0f} ms"),
        ("A wait ended after its deadline by at most", f"{verdict['late_max_ms']:.0f} ms"),
        ("Longest time without a grant", f"{verdict['stall_ms']:.0f} ms; by resource: {each}"),
        ("Overlaps and other violations", len(verdict["violations"])),
        ("Overlaps that nodes which forgot explain", len(verdict["excused"])),
        ("Fencing tokens compared with the one before", verdict["tokens_compared"]),
        ("Writes of holders: taken, refused",
         f"{writes.get('holder ok', 0)}, {writes.get('holder refused', 0)}"),
        ("Stale writes: refused, taken (nobody newer had written)",
         f"{writes.get('stale refused', 0)}, {writes.get('stale ok', 0)}"),
        ("Keys left behind", f"{verdict['left']} ({verdict['quiet_s']} s after the last client)"),
        ("Client processes, restarts included", verdict["clients"]),
    ]
    return table(("What", ""), rows)


def markdown(verdict, conditions):
    planted = f" Planted: {conditions['plant']}." if conditions["plant"] else ""
    left_out = "".join(f"\n- left out: {kind} ({why})" for kind, why in conditions["missing"].items())
    return f"""# Chaos, {conditions['scenario']}: {'VIOLATED' if verdict['violations'] else 'held'}

{conditions['ground']}; seed {conditions['seed']}; {conditions['asked_s']} s asked for; {conditions['server']};
{conditions['client_processes']} client processes, {conditions['processors']} processors, load {conditions['load']:.1f} at the end.{planted}
{left_out}

![grants over time](grants.svg)

{numbers(verdict)}
## Violations

{shown(verdict['violations'])}
## Overlaps that nodes which forgot explain

Every node that voted for both leases had lost the first one's key, by a fault that no lease survives, before it voted for
the second.

{shown(verdict['excused'])}
## Faults

{faults(verdict)}"""


# ---- The picture ---------------------------------------------------------------------------------


def text(x, y, words, anchor="middle"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" fill="{INK}" font-size="11" font-family="Helvetica" '
            f'text-anchor="{anchor}">{words}</text>')


def line(x1, y1, x2, y2, colour, title=""):
    inner = f"<title>{title}</title>" if title else ""
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
            f'stroke-width="1">{inner}</line>')


def rates_of(verdict, length):
    """Grants a second, and how long each point stands for."""
    step = max(length / BARS, 0.25)
    bars = [0] * (int(length / step) + 1)
    for quarter, count in enumerate(verdict["grants_in_quarters"]):
        bars[min(int(quarter / 4 / step), len(bars) - 1)] += count
    return [count / step for count in bars[:-1]], step


def picture(verdict):
    """Above a row for each kind of fault, below the grants, on the same time."""
    length = max(verdict["seconds"], 1)
    rates, step = rates_of(verdict, length)
    most = max(rates + [1])
    rows = {kind: TOP + ROW * place for place, kind in enumerate(sorted(verdict["injected"]))}
    ceiling = TOP + ROW * len(rows) + 10
    floor = ceiling + GRAPH
    height = floor + BOTTOM

    def x(at_s):
        return LEFT + (WIDTH - LEFT - 10) * at_s / length

    def y(rate):
        return floor - GRAPH * rate / most

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}">']
    parts += [text(LEFT - 6, top + ROW - 2, kind, "end") for kind, top in rows.items()]
    for at_s, who, kind in verdict["marks"]:
        title = f"{at_s:.1f} s: {kind}, {who}"
        parts.append(line(x(at_s), rows[kind] + 1, x(at_s), rows[kind] + ROW - 1, MARK, title))
    for found, colour, title in ((verdict["excused"], MARK, "explained"), (verdict["violations"], HARM, "violation")):
        parts += [line(x(at_s), ceiling, x(at_s), floor, colour, title) for at_s, _ in found[:500]]
    points = " ".join(f"{x((i + 0.5) * step):.1f},{y(rate):.1f}" for i, rate in enumerate(rates))
    parts.append(f'<polyline fill="none" stroke="{LINE}" stroke-width="1.5" points="{points}"/>')
    parts.append(line(LEFT, floor, WIDTH - 10, floor, INK))
    for part in range(5):
        anchor = "end" if part == 4 else "middle"
        parts.append(text(x(length * part / 4), floor + 15, f"{length * part / 4:.0f} s", anchor))
        parts.append(text(LEFT - 6, y(most * part / 4) + 4, f"{most * part / 4:.0f}", "end"))
    words = f"grants a second (each {step:.2g} s); vertical lines: overlaps that are explained, violations (red)"
    parts.append(text((WIDTH + LEFT) / 2, height - 8, words))
    return "\n".join(parts + ["</svg>"]) + "\n"


def main():
    directory = pathlib.Path(sys.argv[1])
    verdict = json.loads((directory / "verdict.json").read_text(encoding="utf-8"))
    conditions = json.loads((directory / "conditions.json").read_text(encoding="utf-8"))
    (directory / "README.md").write_text(markdown(verdict, conditions), encoding="utf-8")
    (directory / "grants.svg").write_text(picture(verdict), encoding="utf-8")


main()

"""Pictures by gnuplot, from what the steps have measured.

No background, and colours of middle brightness: they are read on white as well as on black. The
same measurements make the same file.
"""

import re
import shutil
import subprocess
import sys

import curves

INK = "#7d8590"
# For each contender: colour, width, dash.
LOOKS = {
    "floor": ("#8b949e", 2, 2),
    "PING": ("#8b949e", 1.5, 3),
    "libredlock": ("#2f81f7", 3, 1),
    "redsync": ("#e5534b", 2, 1),
    "redsync-failfast": ("#d4761c", 2, 1),
    "rueidislock, one node": ("#a371f7", 2, 1),
}
LOOKS |= {
    "possible": ("#8b949e", 2, 2),
    "libredlock, 1 process": ("#2f81f7", 3, 4),
    "libredlock, 4 processes": ("#2f81f7", 3, 1),
    "polling, 1 process": ("#e5534b", 2, 4),
    "polling, 4 processes": ("#e5534b", 2, 1),
}
OTHER = ("#3fa45b", 2, 1)
FRAME = f"""set terminal svg size {{width}},{{height}} font "Helvetica,13" enhanced
set output
set border 3 lc rgb "{INK}"
set tics nomirror textcolor rgb "{INK}"
set grid lc rgb "#B07d8590" lt 1 lw 0.6
set key textcolor rgb "{INK}" outside bottom center horizontal maxrows 2
set bmargin 6.5
set title textcolor rgb "{INK}"
set xlabel textcolor rgb "{INK}"
set ylabel textcolor rgb "{INK}"
set datafile missing "?"
"""
MICROS = """set ytics ("1 µs" 1, "10 µs" 10, "100 µs" 100, "1 ms" 1e3, "10 ms" 1e4, "100 ms" 1e5, \\
  "1 s" 1e6, "10 s" 1e7)
"""


def frame(width=820, height=440):
    return FRAME.format(width=width, height=height)


def number(value):
    return "?" if value is None else f"{value:.5g}"


def block(name, points):
    lines = [" ".join(map(number, point)) if point else "" for point in points]
    return f"${name} << END\n" + "\n".join(lines) + "\nEND\n"


def plot(named, style="lines"):
    """Data and the plot command for some curves: who, and its points; None among them is a gap."""
    data, parts = "", []
    for place, (who, points) in enumerate(named.items()):
        colour, width, dash = LOOKS.get(who, OTHER)
        data += block(f"d{place}", points)
        look = f'lc rgb "{colour}" lw {width} dt {dash}'
        points_too = " pt 7 ps 0.5" if style == "linespoints" else ""
        parts.append(f'$d{place} with {style} {look}{points_too} title "{who}" noenhanced')
    return data + "plot " + ", \\\n  ".join(parts) + "\n"


# ---- One after the other -------------------------------------------------------------------------


def latency(told_all, level=1):
    """How long so many in a hundred took at most."""
    named = curves.distributions(told_all, level)
    axes = f"""set title "Acquire, {level} in flight: the share of them that took at most so long"
set logscale xy
set xrange [1:10000]
set xtics ("0 %%" 1, "50 %%" 2, "90 %%" 10, "99 %%" 100, "99.9 %%" 1000, "99.99 %%" 10000)
"""
    return named and frame() + axes + MICROS + plot(named)


def latency_of_many(told_all):
    return latency(told_all, 64)


def levels(named, title, xlabel):
    axes = f"""set title "{title}"
set xlabel "{xlabel}"
set logscale x 2
set logscale y
set format y "%.0f"
set ytics ("1" 1, "10" 10, "100" 100, "1,000" 1000, "10,000" 1e4, "100,000" 1e5, "1,000,000" 1e6)
"""
    return named and frame() + axes + plot(named, "linespoints")


def throughput(told_all):
    named = curves.over_levels(told_all.get("peers") or told_all.get("load"))
    title = "Cycles (acquire, then release) in a second, each on a resource of its own"
    return levels(named, title, "cycles in flight, one client process")


def shared(told_all):
    named = curves.over_levels(told_all.get("shared"))
    title = "Cycles in a second, all on the same resource"
    return levels(named, title, "contenders, one client process")


def handovers(told_all):
    """To that which is possible at most: who holds it keeps it for a while."""
    told = told_all.get("handovers")
    if not told:
        return None
    hold_ms = told["result"]["hold_ms"]
    axes = f"""set title "Handovers in a second; each one keeps it for {hold_ms} ms"
set xlabel "contenders in all processes"
set logscale x 2
set yrange [0:*]
"""
    return frame() + axes + plot(curves.handovers(told), "linespoints")


def timeline(told_all):
    """The slowest of each interval: what is between them was quicker."""
    told = told_all.get("timeline")
    if not told:
        return None
    named = curves.over_time(told)
    events = "".join(
        f'set arrow from {at:g}, graph 0 to {at:g}, graph 1 nohead lc rgb "{INK}" dt 3\n'
        f'set label "{words}" at {at:g}, graph 1.03 center tc rgb "{INK}" font ",11"\n'
        for at, words in curves.events(told)
    )
    title = f"Acquire and release: the slowest that began in each {curves.interval_ms(told)} ms"
    axes = f"""set title offset 0,0.8 "{title}"
set xlabel "seconds"
set xrange [0:{told["result"]["seconds"]:g}]
set logscale y
"""
    return frame() + axes + MICROS + events + plot(named)


DRAWN = {
    "latency": latency,
    "latency-64": latency_of_many,
    "throughput": throughput,
    "shared": shared,
    "handovers": handovers,
    "timeline": timeline,
}


def tidy(svg):
    """Without who made it, and without blanks at the ends of lines."""
    svg = re.sub(r"<desc>.*?</desc>\s*", "", svg, flags=re.DOTALL)
    lines = [line.rstrip() for line in svg.split("\n")]
    return "\n".join(line for line in lines if line) + "\n"


def drawn(script):
    done = subprocess.run(["gnuplot"], check=False, input=script, capture_output=True, text=True)
    if done.returncode != 0 or not done.stdout.startswith("<?xml"):
        raise RuntimeError(f"gnuplot: {done.stderr}")
    return done.stdout


def draw(told_all, folder):
    """The files that were written."""
    if not shutil.which("gnuplot"):
        print("pictures are left as they are: there is no gnuplot", file=sys.stderr)
        return
    for name, make in DRAWN.items():
        script = make(told_all)
        if script:
            path = folder / f"{name}.svg"
            path.write_text(tidy(drawn(script)), encoding="utf-8")
            yield path

"""The tables of docs/benchmarks.md, from what the steps have measured."""

from machine import in_words
from cells import count, mebibytes, median, micros, octets, percent, ratio, times, whole

WORDS = {"floor": "floor", "ours": "libredlock", "ping": "PING"}


def table(heading, rows):
    """Markdown. Cells are text."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def rounds_of(told):
    result = told["result"]
    if isinstance(result, list):
        return 1 + max(block["round"] for block in result)
    return result["rounds"]


def caption(told):
    """By what command, when and under which load. What it ran on is told once, in its own table."""
    return (
        f"`{told['command']}`: medians of {rounds_of(told)} rounds in turns; {told['date']}, "
        f"commit {told['machine']['commit']}, load {told['load_before']:.1f} before."
    )


def captioned(told, *parts):
    return "\n\n".join([*parts, caption(told)])


# ---- One machine ---------------------------------------------------------------------------------


def machines(told_all):
    """Distinct ones, each with what was measured on it."""
    found = {}
    for name, told in told_all.items():
        found.setdefault(in_words(told["machine"]), []).append(name)
    if len(found) == 1:
        return f"Measured on {next(iter(found))}; five servers without persistence on the same one."
    lines = [f"- {', '.join(names)}: on {words}" for words, names in found.items()]
    return "\n".join(lines) + "\n\nFive servers without persistence, on the same machine."


# ---- Ours beside the floor -----------------------------------------------------------------------

LOAD = [
    ("acquire p50", "acquire_p50_us", micros),
    ("acquire p99", "acquire_p99_us", micros),
    ("acquire p99.9", "acquire_p999_us", micros),
    ("release p50", "release_p50_us", micros),
    ("cycles a second", "cycles_per_s", whole),
    ("client CPU for a cycle", "client_cpu_us_per_cycle", micros),
    ("server CPU for a cycle", "server_cpu_us_per_cycle", micros),
    ("system calls in a cycle", "syscalls_per_cycle", count),
    ("memory", "rss_mib", mebibytes),
]


def load(told):
    """A row for each level and figure."""
    found = {(row["in_flight"], row["who"]): row["figures"] for row in told["result"]["results"]}
    rows = []
    for level in dict.fromkeys(level for level, _ in found):
        floor, ours, ping = (found[level, who] for who in ("floor", "ours", "ping"))
        for words, key, form in LOAD:
            first = str(level) if key == LOAD[0][1] else ""
            told_ping = form(ping[key]["median"]) if key in ping else ""
            values = [form(floor[key]["median"]), form(ours[key]["median"])]
            rows.append([first, words, *values, times(ours[key]["to_floor"]), told_ping])
    heading = ["In flight", "Figure", "Floor", "libredlock", "/ floor", "PING"]
    return captioned(told, table(heading, rows))


# ---- Nodes that are ill, or far away -------------------------------------------------------------

CONDITIONS = {
    "healthy": "all well",
    "hung1": "one hung (stopped)",
    "hung2": "two hung",
    "dead1": "one killed",
    "slow1": "one answers {slow_ms} ms late",
    "rtt": "{rtt} ms away",
}


def condition_words(name, result):
    rtt = ", ".join(f"{each:g}" for each in result.get("rtt_ms", []))
    return CONDITIONS.get(name, name).format(slow_ms=result.get("slow_ms"), rtt=rtt)


def condition_row(words, floor, ours):
    acquire, release = ours["acquire_p50_us"], ours["release_p50_us"]
    return [
        words,
        micros(floor["acquire_p50_us"]["median"]),
        micros(acquire["median"]),
        times(acquire["to_floor"]),
        times(acquire.get("to_healthy")),
        micros(floor["acquire_p99_us"]["median"]),
        micros(ours["acquire_p99_us"]["median"]),
        micros(release["median"]),
        times(release["to_floor"]),
    ]


def conditions(told):
    """A row for each condition, with one in flight."""
    result = told["result"]
    found = {(row["condition"], row["who"]): row["figures"] for row in result["results"]}
    rows = [
        condition_row(condition_words(name, result), found[name, "floor"], found[name, "ours"])
        for name in dict.fromkeys(name for name, _ in found)
    ]
    acquire = ["acquire p50: floor", "libredlock", "/ floor", "/ all well"]
    heading = ["Nodes", *acquire, "p99: floor", "libredlock", "release p50: libredlock", "/ floor"]
    return captioned(told, table(heading, rows))


STEPS = {
    "extend": "extend",
    "hand_over": "hand over in one client",
    "pass_on": "hand over to another process",
}


def step_row(first, step, floor, ours):
    """Handing over in a client has no floor of its own, but PING."""
    cells = []
    for key in ("p50_us", "p99_us"):
        cells += [floor[key]["median"], ours[key]["median"]]
    p50_floor, p50, p99_floor, p99 = map(micros, cells)
    ratios = [times(ours[key]["to_floor"]) for key in ("p50_us", "p99_us")]
    return [first, STEPS[step], p50_floor, p50, ratios[0], p99_floor, p99, ratios[1]]


def steps(told):
    """A row for each condition and step."""
    result = told["result"]
    found = {(row["condition"], row["step"], row["who"]): row for row in result["results"]}
    rows = []
    for condition in dict.fromkeys(condition for condition, *_ in found):
        ping = found[condition, "ping", "ping"]
        for step in STEPS:
            first = condition_words(condition, result) if step == "extend" else ""
            floor = found.get((condition, step, "floor"), ping)["figures"]
            rows.append(step_row(first, step, floor, found[condition, step, "ours"]["figures"]))
    figures = ["p50: floor", "libredlock", "/ floor", "p99: floor", "libredlock", "/ floor"]
    return captioned(told, table(["Nodes", "", *figures], rows))


# ---- Beside other libraries ----------------------------------------------------------------------

PEERS = [
    ("acquire p50", "acquire_p50_us", micros),
    ("p99", "acquire_p99_us", micros),
    ("p99.9", "acquire_p999_us", micros),
    ("cycles a second", "cycles_per_s", whole),
    ("client CPU", "client_cpu_us_per_cycle", micros),
    ("commands", "commands_per_cycle", count),
]
PEER_RATIOS = [("acquire p50 / ours", "acquire_p50_us"), ("cycles / ours", "cycles_per_s")]
PEER_LEVELS = (1, 64, 1024)
SHARED_LEVELS = (2, 32, 128)


def series(blocks, key):
    """A figure in the order of the rounds."""
    return [block["figures"].get(key) for block in sorted(blocks, key=lambda each: each["round"])]


def grouped(blocks):
    """By who and on how many nodes, in the order in which they were first met by number."""
    found = {}
    for block in blocks:
        found.setdefault((block["nodes"], block["who"]), []).append(block)
    order = ["floor", "ours"]
    place = {name: (-name[0], order.index(name[1]) if name[1] in order else 2) for name in found}
    return {name: found[name] for name in sorted(found, key=lambda name: (place[name], name[1]))}


def peer_row(first, name, mine, ours):
    nodes, who = name
    cells = [form(median(series(mine, key))) for _, key, form in PEERS]
    ratios = [times(ratio(series(mine, key), series(ours, key))) for _, key in PEER_RATIOS]
    where = "" if nodes > 1 else ", one node"
    return [first, WORDS.get(who, who) + where, *cells, *ratios]


def peers(told):
    """A row for each level and contender."""
    rows = []
    levels = dict.fromkeys(block["in_flight"] for block in told["result"])
    shown = [level for level in levels if level in PEER_LEVELS] or list(levels)
    for level in shown:
        found = grouped([block for block in told["result"] if block["in_flight"] == level])
        for place, (name, mine) in enumerate(found.items()):
            first = "" if place else str(level)
            rows.append(peer_row(first, name, mine, found.get((name[0], "ours"), [])))
    heading = ["In flight", "", *(words for words, *_ in [*PEERS, *PEER_RATIOS])]
    return captioned(told, table(heading, rows), versions(told))


def versions(told):
    found = {}
    for block in told["result"]:
        found.update(block.get("versions", {}))
    named = [f"{name} {each}" for name, each in sorted(found.items())]
    # "go go1.26", it would be.
    short = [each.removeprefix("github.com/").removeprefix("go ") for each in named]
    return "Built on " + ", ".join(short) + "." if short else ""


SHARED = [
    ("cycles a second", "cycles_per_s", whole),
    ("wait p99", "acquire_p99_us", micros),
    ("commands", "commands_per_cycle", count),
]


def shared(told):
    """A row for each level and contender, and how many of them got nothing."""
    rows = []
    levels = dict.fromkeys(block["in_flight"] for block in told["result"])
    for level in [level for level in levels if level in SHARED_LEVELS] or levels:
        found = grouped([block for block in told["result"] if block["in_flight"] == level])
        for place, (name, mine) in enumerate(found.items()):
            cells = [form(median(series(mine, key))) for _, key, form in SHARED]
            starved = median([block.get("starved") for block in mine])
            where = "" if name[0] > 1 else ", one node"
            who = WORDS.get(name[1], name[1]) + where
            rows.append(["" if place else str(level), who, *cells, whole(starved)])
    heading = ["Contenders", "", *(words for words, *_ in SHARED), "of them without a turn"]
    return captioned(told, table(heading, rows))


def longest_to_median(figures):
    """How much longer the longest wait was than the one in the middle, within each round."""
    longest, middle = figures.get("wait_max_ms"), figures.get("wait_p50_ms")
    if not longest or not middle:
        return None
    pairs = zip(longest["rounds"], middle["rounds"])
    return median([long / mid for long, mid in pairs if long and mid])


def handover_row(plain, ours):
    mine, other = ours["figures"], plain["figures"]
    rate = mine["handovers_per_s"]
    return [
        str(ours["processes"]),
        str(ours["waiters"]),
        whole(other["handovers_per_s"]["median"]),
        whole(rate["median"]),
        times(rate["to_plain"]),
        times(mine["to_ceiling"]["median"]),
        micros(1000 * other["wait_p99_ms"]["median"]),
        micros(1000 * mine["wait_p99_ms"]["median"]),
        times(longest_to_median(mine)),
        times(mine["jain"]["median"]),
        count(other["commands_per_handover"]["median"]),
        count(mine["commands_per_handover"]["median"]),
    ]


def handover_rows(told, condition):
    rows = [
        row
        for row in told["result"]["results"]
        if row.get("condition", "healthy") == condition
    ]
    found = {(row["processes"], row["waiters"], row["who"]): row for row in rows}
    return [
        handover_row(found[processes, waiters, "plain"], found[processes, waiters, "ours"])
        for processes, waiters, who in found
        if who == "ours"
    ]


HANDOVERS = [
    "Processes",
    "Contenders",
    "handovers a second: polling",
    "libredlock",
    "/ polling",
    "of the possible",
    "wait p99: polling",
    "libredlock",
    "longest wait / median",
    "fairness",
    "commands each: polling",
    "libredlock",
]


def handovers(told):
    """A row for each number of processes and waiters."""
    return captioned(told, table(HANDOVERS, handover_rows(told, "healthy")))


def far(told):
    """The same, on nodes that are far away."""
    return captioned(told, table(HANDOVERS, handover_rows(told, "rtt")))


# ---- Many locks ----------------------------------------------------------------------------------

GROWTH = [
    ("client CPU for a cycle, nothing else held", "alone_cycle_cpu_us", micros),
    ("... while they are held", "held_cycle_cpu_us", micros),
    ("... and one waits behind each of them", "line_cycle_cpu_us", micros),
    ("as many wait for others: client CPU for a cycle", "wait_cycle_cpu_us", micros),
    ("... or if nothing else is done, of a core", "wait_client_cpu_percent", percent),
    ("... of all servers together", "wait_server_cpu_percent", percent),
    ("commands of one of them to a node, to begin with", "wait_begin_commands_per_node", count),
    ("... and then, in a second", "wait_commands_per_node_s", count),
    ("heap of a held lock", "held_heap_bytes", octets),
    ("heap of a waiter behind one", "line_heap_bytes", octets),
    ("heap of a waiter for others", "wait_heap_bytes", octets),
    ("handing one over, client CPU", "hand_over_cpu_us", micros),
]


def growth_cell(figure, form):
    told = form(figure["median"])
    to_floor = figure["to_floor_cycle"]
    return told if to_floor is None else f"{told} ({times(to_floor)})"


def growth(told):
    """A column for each number of locks."""
    found = told["result"]["results"]
    rows = [
        [words, *(growth_cell(each["figures"][key], form) for each in found)]
        for words, key, form in GROWTH
    ]
    heading = ["Locks", *(f"{each['locks']:,}" for each in found)]
    return captioned(told, table(heading, rows))


# ---- All of them ---------------------------------------------------------------------------------

TABLES = {
    "load": load,
    "plain": load,
    "conditions": conditions,
    "steps": steps,
    "peers": peers,
    "shared": shared,
    "handovers": handovers,
    "far": far,
    "apart": far,
    "growth": growth,
}


def tables(told_all):
    """Those that there is something to tell in."""
    made = {name: make(told_all[name]) for name, make in TABLES.items() if name in told_all}
    if told_all:
        made["machine"] = machines(told_all)
    return made

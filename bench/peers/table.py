"""Blocks of figures as one table for each setting: medians over the rounds, and ratios to ours."""

import collections
import statistics

# Heading, figure, decimals.
COLUMNS = [
    ("acq p50", "acquire_p50_us", 1),
    ("p99", "acquire_p99_us", 0),
    ("rel p50", "release_p50_us", 1),
    ("cyc p50", "cycle_p50_us", 1),
    ("p99", "cycle_p99_us", 0),
    ("p99.9", "cycle_p999_us", 0),
    ("cycles/s", "cycles_per_s", 0),
    ("client", "client_cpu_us_per_cycle", 1),
    ("server", "server_cpu_us_per_cycle", 1),
    ("cmds", "commands_per_cycle", 1),
    ("MiB", "rss_mib", 1),
]
RATIOS = [
    ("acq /ours", "acquire_p50_us"),
    ("cyc/s", "cycles_per_s"),
    ("client", "client_cpu_us_per_cycle"),
]
LEGEND = """Latencies of acquire, release and cycle in µs; client and server: µs of processor time a cycle;
cmds: commands sent a cycle. Medians; ratios to ours on as many nodes, each taken within its round.
starved: workers without a cycle in a block, of all rounds; what they wait is in no percentile."""


def median(values):
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def number(value, decimals):
    return "-" if value is None else f"{value:.{decimals}f}"


def values(blocks, key):
    return [block["figures"].get(key) for block in blocks]


def ratio(mine, base, key):
    """Of two lists of blocks, both in the order of their rounds."""
    pairs = zip(values(mine, key), values(base, key))
    return median([one / other for one, other in pairs if one is not None and other])


def total(blocks, key):
    known = [block[key] for block in blocks if key in block]
    return str(sum(known)) if known else "-"


def row(who, nodes, mine, base):
    cells = [number(median(values(mine, key)), decimals) for _, key, decimals in COLUMNS]
    cells += [number(ratio(mine, base, key), 2) for _, key in RATIOS]
    return [who, str(nodes), *cells, total(mine, "errors"), total(mine, "starved")]


def print_rows(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    for line in rows:
        cells = [cell.rjust(width) for cell, width in zip(line, widths)]
        print("  ".join([line[0].ljust(widths[0]), *cells[1:]]))


def print_setting(in_flight, resources, blocks):
    where = "each on a resource of its own" if in_flight == resources else "all on one resource"
    print(f"\n{in_flight} in flight, {where}")
    found = collections.defaultdict(list)
    for block in blocks:
        found[block["nodes"], block["who"]].append(block)
    headings = [name for name, *_ in COLUMNS + RATIOS]
    rows = [["", "nodes", *headings, "errors", "starved"]]
    for nodes, who in sorted(found, key=lambda name: (-name[0], name[1])):
        rows.append(row(who, nodes, found[nodes, who], found.get((nodes, "ours"), [])))
    print_rows(rows)
    for block in blocks:
        if block["first_error"]:
            print(f"{block['who']}, round {block['round'] + 1}, first: {block['first_error']}")


def print_table(blocks):
    print(LEGEND)
    settings = collections.defaultdict(list)
    for block in blocks:
        settings[block["in_flight"], block["resources"]].append(block)
    for (in_flight, resources), those in settings.items():
        print_setting(in_flight, resources, those)

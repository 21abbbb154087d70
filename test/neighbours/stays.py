"""What the logs of all contenders say together: who was inside, when, and for how long they waited.

A line is entered, left, waited (ns, one clock for all) and "valid", "late" or "clash".
"""

import collections

Stay = collections.namedtuple("Stay", "entered left waited word who")


def read(path, who):
    """The last line may be half there while its process runs."""
    text = path.read_text(encoding="ascii") if path.exists() else ""
    for line in text[: text.rfind("\n") + 1].splitlines():
        entered, left, waited, word = line.split()
        yield Stay(int(entered), int(left), int(waited), word, who)


def overlaps(stays):
    """Pairs of stays, both inside their leases, one of which began before the other was over."""
    last = None
    for stay in sorted(stay for stay in stays if stay.word != "late"):
        if last is not None and stay.entered < last.left:
            yield last, stay
        if last is None or stay.left > last.left:
            last = stay


def longest_gap_s(stays):
    """In which nobody was inside."""
    most, last = 0, None
    for stay in sorted(stays):
        if last is not None:
            most = max(most, stay.entered - last)
        last = max(last or 0, stay.left)
    return most / 1e9


def quantile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else 0


def row(name, stays, total):
    waits = [stay.waited / 1e6 for stay in stays]
    share = 100 * len(stays) / max(1, total)
    middle, most = quantile(waits, 0.5), max(waits, default=0)
    return f"{name:<12} {len(stays):>7} {share:>6.1f} % {middle:>9.1f} {most:>10.1f}"


def table(stays):
    """How many grants each kind had, and how long its waits were: the median, and the longest."""
    kinds = sorted({stay.who for stay in stays})
    yield f"{'who':<12} {'grants':>7} {'share':>8} {'median ms':>9} {'longest ms':>10}"
    for kind in kinds:
        yield row(kind, [stay for stay in stays if stay.who == kind], len(stays))

"""Figures as people read them. What is not known is a dash."""

import math
import statistics

NONE = "–"


def is_known(value):
    return value is not None and math.isfinite(value)


def median(values):
    """Of those that are known; None if there are none."""
    known = [value for value in values if is_known(value)]
    return statistics.median(known) if known else None


def ratio(ones, others):
    """Median of the ratios within each round: both sides met the same foreign load there."""
    pairs = zip(ones, others)
    return median([one / other for one, other in pairs if is_known(one) and other])


def three_digits(value):
    """Two decimals at most."""
    decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:,.{decimals}f}"


def count(value):
    """A number of things, or of things in a second."""
    return three_digits(value) if is_known(value) else NONE


def whole(value):
    return f"{value:,.0f}" if is_known(value) else NONE


def micros(value):
    """Microseconds, in the unit that needs no more than three digits before the point."""
    if not is_known(value):
        return NONE
    for unit, size in (("µs", 1), ("ms", 1e3), ("s", 1e6)):
        if value < 999.5 * size or unit == "s":
            break
    return f"{three_digits(value / size)} {unit}"


def mebibytes(value):
    return f"{three_digits(value)} MiB" if is_known(value) else NONE


def octets(value):
    return f"{value:,.0f} bytes" if is_known(value) else NONE


def percent(value):
    return f"{three_digits(value)} %" if is_known(value) else NONE


def times(value):
    """A ratio."""
    return three_digits(value) if is_known(value) else NONE

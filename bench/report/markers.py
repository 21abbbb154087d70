"""Tables between marker comments in a document.

    <!-- begin table NAME -->
    anything: it is replaced
    <!-- end -->
"""

import re

BLOCK = re.compile(r"(<!-- begin table ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
MARKER = re.compile(r"<!-- (begin|end)\b")


def names(text):
    return [name for _, name, _ in BLOCK.findall(text)]


def check(text):
    """Each begin has its end, and each name is there once."""
    found = names(text)
    if len(MARKER.findall(text)) != 2 * len(found):
        raise ValueError("a marker lacks its other half")
    if len(set(found)) != len(found):
        raise ValueError("a table is there twice")


def replace(text, tables):
    """The text with the tables that there are; all others stay as they were."""
    check(text)

    def fill(match):
        begin, name, end = match.groups()
        return f"{begin}{tables[name].strip()}\n{end}" if name in tables else match.group()

    return BLOCK.sub(fill, text)

#!/usr/bin/env python3
"""Arrows between the rooms of the house point one way: walk every #include and check.

usage: check_includes.py SOURCE_ROOT
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)

# A room, and the rooms whose headers it may see. A file belongs to the longest prefix that fits.
ROOMS = {
    "include": {"include"},
    "lib/core": {"include", "lib/core"},
    "lib/redis": {"include", "lib/core", "lib/redis"},
    "lib": {"include", "lib/core", "lib/redis", "lib"},
    "cli": {"include", "cli"},
    "examples": {"include", "examples"},
    "bench": {"include", "bench"},
    "test": {"include", "lib", "lib/core", "lib/redis", "cli", "test"},
}

# Other people's headers, and the rooms that may see them.
HIREDIS = re.compile(r"^(hiredis/.*|hiredis\w*\.h|async\.h|sds\.h|read\.h|alloc\.h)$")
FOREIGN = [
    # An example is a user's program, and may have business of its own with a server.
    (HIREDIS, {"lib/redis", "examples", "test"}),
    (re.compile(r"^uv(/.*|\.h)$"), {"lib/redis", "lib", "cli", "examples", "bench", "test"}),
    (re.compile(r"^openssl/"), {"lib/redis", "test"}),
    (re.compile(r"^check\.h$"), {"test"}),
]

# The core has no clock, no system calls and no heap of its own: these headers, and no more.
CORE_SYSTEM = set(
    "assert inttypes limits stdarg stdatomic stdbool stddef stdint stdio string".split()
)
# What the public header may ask of its user's compiler.
PUBLIC_SYSTEM = set("stdbool stddef stdint".split())
PUBLIC_CPP = set("chrono initializer_list mutex stdexcept string utility vector".split())
# Pieces of the core that are arithmetic and bookkeeping alone, and know of no lock or node.
PURE = {"lease", "retry", "round", "timers"}
PURE_SEES = PURE | {"mutant", "ports"}


class House:
    def __init__(self, root):
        self.root = root
        self.faults = []
        self.quoted = {}  # File -> files of ours that it includes.

    def room(self, path):
        name = path.relative_to(self.root).as_posix()
        fits = [room for room in ROOMS if name.startswith(room + "/")]
        return max(fits, key=len)

    def files(self):
        for top in sorted({room.split("/")[0] for room in ROOMS}):
            for path in sorted((self.root / top).rglob("*")):
                if path.suffix in (".c", ".h", ".cc", ".hpp"):
                    yield path

    def fault(self, path, text):
        self.faults.append(f"{path.relative_to(self.root)}: {text}")

    def find(self, path, name):
        """The file of ours that an include means, or None."""
        places = [path.parent, self.root / "include"]
        if self.room(path) == "test":
            places += [self.root / "lib", self.root / "lib/core", self.root / "lib/redis"]
            places += [self.root / "cli", *(self.root / "test").iterdir()]
        for place in places:
            if (place / name).is_file():
                return (place / name).resolve()
        return None

    def check_ours(self, path, name, target):
        room = self.room(path)
        if self.room(target) not in ROOMS[room]:
            self.fault(path, f"{room}/ must not see {name} of {self.room(target)}/")
        if room == "lib/core" and path.stem in PURE and target.stem not in PURE_SEES:
            self.fault(path, f"is pure, and must not see {name}")
        if room in ("cli", "examples", "bench") and self.room(target) == "include":
            if not name.startswith("redlock/"):
                self.fault(path, f"must write <redlock/...> for {name}")

    def check_foreign(self, path, name):
        room = self.room(path)
        for pattern, rooms in FOREIGN:
            if pattern.match(name) and room not in rooms:
                self.fault(path, f"{room}/ must not see <{name}>")
        if room == "lib/core" and name.removesuffix(".h") not in CORE_SYSTEM:
            self.fault(path, f"the core must not see <{name}>")
        allowed = PUBLIC_CPP if path.suffix == ".hpp" else PUBLIC_SYSTEM
        if room == "include" and name.removesuffix(".h") not in allowed:
            self.fault(path, f"a public header must not see <{name}>")

    def check_file(self, path):
        for mark, name in INCLUDE.findall(path.read_text(encoding="utf-8")):
            target = self.find(path, name)
            if target is None and mark == '"':
                self.fault(path, f'"{name}" is not of this project: write <{name}>')
            elif target is None or (mark == "<" and not name.startswith("redlock/")):
                self.check_foreign(path, name)
            else:
                self.check_ours(path, name, target)
                self.quoted.setdefault(path, []).append(target)

    def check_circles(self):
        done = set()

        def walk(path, trail):
            if path in trail:
                circle = [step.name for step in trail[trail.index(path) :]] + [path.name]
                self.fault(path, "includes itself: " + " -> ".join(circle))
            elif path not in done:
                done.add(path)
                for target in self.quoted.get(path, []):
                    walk(target, trail + [path])

        for path in list(self.quoted):
            walk(path, [])


def main():
    house = House(pathlib.Path(sys.argv[1]).resolve())
    count = 0
    for path in house.files():
        house.check_file(path)
        count += 1
    house.check_circles()
    print(f"{count} files, {len(house.faults)} wrong arrows")
    print("\n".join(house.faults))
    sys.exit(1 if house.faults or count == 0 else 0)


main()

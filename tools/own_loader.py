#!/usr/bin/env python3
"""own_loader.py PROGRAM LOADER - let a program of another system be started by that system's loader.

The kernel reads the loader's name where the program header says. A longer name has no room there, so it
goes to the end of the file, and the header is made to point to it. Started like this, a server has its
own name and title, as if it were installed; run by the loader, it would have the loader's.
"""

import struct
import sys

PT_INTERP = 3


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    path, loader = sys.argv[1:]
    with open(path, "r+b") as file:
        elf = bytearray(file.read())
        if elf[:5] != b"\x7fELF\x02":
            sys.exit(f"{path} is no 64-bit program")
        order = "<" if elf[5] == 1 else ">"
        (table,) = struct.unpack_from(order + "Q", elf, 0x20)
        size, count = struct.unpack_from(order + "HH", elf, 0x36)
        for at in range(table, table + size * count, size):
            if struct.unpack_from(order + "I", elf, at)[0] == PT_INTERP:
                break
        else:
            sys.exit(f"{path} asks for no loader")
        name = loader.encode() + b"\0"
        struct.pack_into(order + "Q", elf, at + 8, len(elf))  # Where in the file...
        struct.pack_into(order + "Q", elf, at + 32, len(name))  # ...and how long.
        file.seek(0)
        file.write(elf + name)


main()

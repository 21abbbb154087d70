"""Ports on loopback that nobody uses."""

import os
import socket

PORTS = range(22100, 22990, 5)


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count):
    """The first of so many. Where to look first: not where others do."""
    start = os.getpid() % len(PORTS)
    for first in [*PORTS[start:], *PORTS[:start]]:
        if all(is_free(first + node) for node in range(count)):
            return first
    raise OSError("no free ports")

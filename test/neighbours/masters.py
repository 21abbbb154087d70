"""Five masters of their own for the contenders, and what is left on them."""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench/peers"))
import local_servers  # pylint: disable=wrong-import-position

COUNT = 5


def ask(server, *words):
    command = ["redis-cli", "-p", str(server.port), "--raw", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def field(server, section, name):
    for line in ask(server, "INFO", section).splitlines():
        if line.startswith(name + ":"):
            return line.split(":", 1)[1]
    return ""


def make_old(server, key_format="%s"):
    """As if it had been up for longer than any lease: its vote is not withheld."""
    key = key_format.replace("%s", "redlock:incarnation")
    ask(server, "SET", key, f"{field(server, 'server', 'run_id')}:1:0")


def started(first_port):
    return local_servers.local_servers(COUNT, first_port)


def left_over(servers, resource):
    """Keys of the lock that are still there, each with its node and value."""
    for server in servers:
        for key in (resource, resource + ":line"):
            if ask(server, "EXISTS", key) != "0":
                kind = ask(server, "TYPE", key)
                yield server.port, key, ask(server, "GET", key) if kind == "string" else kind

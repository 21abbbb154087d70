"""Five servers, and what can be done to them, wherever they run. Nodes are numbered from 0."""

import os
import time

from common import ServerError, Words, write_clock

NODES = 5
START_S = 30


class Ground:
    """What all grounds have in common. A ground says in `missing` which kinds of fault it has not
    got, and why."""

    missing = {}

    def __init__(self, out, programs):
        self.out = str(out)
        self.programs = programs

    def room(self, node):
        """The node's own directory: its control socket, and its clock."""
        return f"{self.out}/node{node}"

    def make_rooms(self):
        for node in range(NODES):
            os.makedirs(self.room(node), exist_ok=True)
            write_clock(f"{self.room(node)}/clock", 0)

    def clock(self, node, ahead_s):
        write_clock(f"{self.room(node)}/clock", ahead_s)

    def words(self, node):
        return Words(f"{self.room(node)}/socket")

    def ask(self, node, *command):
        words = self.words(node)
        try:
            return words.ask(*command)
        finally:
            words.close()

    def wait_up(self, node):
        """Until it answers, and is not loading."""
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            try:
                if self.ask(node, "PING") == "PONG":
                    return
            except (OSError, ServerError):
                pass
            time.sleep(0.02)
        raise RuntimeError(f"node {node} does not answer")

    def product(self):
        """Such as redis 7.0.15."""
        facts = dict(line.split(":", 1) for line in self.ask(0, "INFO", "server").splitlines() if ":" in line)
        name = facts.get("server_name", "redis")
        return f"{name} {facts.get(name + '_version', facts['redis_version'])}"

    def leftovers(self, node):
        """Keys of locks and lines: (key, type, ms it has to live)."""
        words = self.words(node)
        found, cursor = [], "0"
        try:
            while True:
                cursor, keys = words.ask("SCAN", cursor, "COUNT", 1000)
                for key in keys:
                    if not key.endswith(":fence") and key != "redlock:incarnation":
                        ttl_ms = words.ask("PTTL", key)
                        if ttl_ms != -2:
                            found.append((key, words.ask("TYPE", key), ttl_ms))
                if cursor == "0":
                    return found
        finally:
            words.close()

    # What a ground has to add.
    def up(self): ...
    def down(self): ...
    def address(self, node): ...
    def kill(self, node): ...
    def restart(self, node, keep): ...
    def pause(self, node): ...
    def unpause(self, node): ...
    def disconnect(self, node): ...
    def reconnect(self, node): ...
    def drop_requests(self, node): ...
    def drop_answers(self, node): ...
    def reject(self, node): ...
    def heal_network(self, node): ...
    def reset(self, node): ...

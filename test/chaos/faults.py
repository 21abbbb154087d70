"""Every kind of fault: how it is done to a node, and how it is made good.

A kind that makes a node forget, or break its word, says so in the journal, from when until when:
the judge has to know. No lease survives that on all of the nodes that two quorums share.
"""

import contextlib
import time

from common import now_us

CLOCK_S = 3  # More than the longest TTL.
BALLAST = 6000


class Hurt:
    """One fault under way."""

    def __init__(self, stage, node):
        self.stage = stage
        self.ground = stage.ground
        self.proxy = stage.proxy
        self.node = node

    @contextlib.contextmanager
    def forgetting(self):
        from_us = now_us()
        try:
            yield
        finally:
            self.stage.journal.say(f"forget node={self.node} from={from_us} to={now_us()}")

    def ask(self, *command):
        return self.ground.ask(self.node, *command)

    def heal(self):
        pass


class KillKeep(Hurt):
    def inject(self):
        self.ground.kill(self.node)

    def heal(self):
        self.ground.restart(self.node, True)


class KillEmpty(Hurt):
    """With the restart guard it does not vote before it can do no harm."""

    def inject(self):
        if self.stage.guard:
            self.ground.kill(self.node)
        else:
            with self.forgetting():
                self.ground.kill(self.node)

    def heal(self):
        if self.stage.guard:
            self.ground.restart(self.node, False)
        else:
            with self.forgetting():
                self.ground.restart(self.node, False)


class Pause(Hurt):
    def inject(self):
        self.ground.pause(self.node)

    def heal(self):
        self.ground.unpause(self.node)


class Disconnect(Hurt):
    def inject(self):
        self.ground.disconnect(self.node)

    def heal(self):
        self.ground.reconnect(self.node)


class Packets(Hurt):
    def heal(self):
        self.ground.heal_network(self.node)


class DropRequests(Packets):
    def inject(self):
        self.ground.drop_requests(self.node)


class DropAnswers(Packets):
    def inject(self):
        self.ground.drop_answers(self.node)


class Reject(Packets):
    def inject(self):
        self.ground.reject(self.node)


class Reset(Hurt):
    def inject(self):
        self.ground.reset(self.node)
        self.proxy.say(f"cut {self.node}")


class Delay(Hurt):
    def inject(self):
        self.proxy.say(f"delay {self.node} 30 60")

    def heal(self):
        self.proxy.say(f"delay {self.node} 0 0")


class HoldRequests(Hurt):
    """Bytes stay in the proxy, and arrive later."""

    def inject(self):
        self.proxy.say(f"hold {self.node} 0 1")

    def heal(self):
        self.proxy.say(f"hold {self.node} 0 0")


class HoldAnswers(Hurt):
    def inject(self):
        self.proxy.say(f"hold {self.node} 1 1")

    def heal(self):
        self.proxy.say(f"hold {self.node} 1 0")


class HangUp(Hurt):
    def inject(self):
        self.proxy.say(f"refuse {self.node} 1")
        self.proxy.say(f"cut {self.node}")

    def heal(self):
        self.proxy.say(f"refuse {self.node} 0")


class ClockForward(Hurt):
    """Its keys die before their time."""

    def inject(self):
        with self.forgetting():
            self.ground.clock(self.node, CLOCK_S)
            self.ask("PING")

    def heal(self):
        self.ground.clock(self.node, 0)


class ClockBack(Hurt):
    """Its keys live longer; when it is put right, those that were set meanwhile die too early."""

    def inject(self):
        self.ground.clock(self.node, -CLOCK_S)

    def heal(self):
        with self.forgetting():
            self.ground.clock(self.node, 0)
            self.ask("PING")


class OutOfMemory(Hurt):
    def inject(self):
        self.ask("CONFIG", "SET", "maxmemory", "1")

    def heal(self):
        self.ask("CONFIG", "SET", "maxmemory", "0")


class ReadOnly(Hurt):
    """A replica, of a master that does not answer."""

    def inject(self):
        self.ask("REPLICAOF", "127.0.0.1", "1")

    def heal(self):
        self.ask("REPLICAOF", "NO", "ONE")


class Loading(Hurt):
    """It reads its append-only file again, slowly, and has forgotten nothing."""

    def rewrite(self, words):
        """What it has written in hours would take it minutes."""
        words.ask("BGREWRITEAOF")
        while any(f"aof_rewrite_{word}:1" in words.ask("INFO", "persistence") for word in ("in_progress", "scheduled")):
            time.sleep(0.02)

    def inject(self):
        words = self.ground.words(self.node)
        try:
            self.rewrite(words)
            words.ask("SELECT", 1)
            words.socket.sendall(b"".join(words.send("SET", f"b{i}", i) for i in range(BALLAST)))
            for _ in range(BALLAST):
                words.reply()
            words.ask("CONFIG", "SET", "key-load-delay", 20)
            words.socket.settimeout(30)
            words.ask("DEBUG", "LOADAOF")
            words.ask("CONFIG", "SET", "key-load-delay", 0)
            words.ask("FLUSHDB")
        finally:
            words.close()


class FlushAll(Hurt):
    def inject(self):
        with self.forgetting():
            self.ask("FLUSHALL")


class ScriptFlush(Hurt):
    def inject(self):
        self.ask("SCRIPT", "FLUSH")


class ClientKill(Hurt):
    def inject(self):
        for kind in ("normal", "pubsub"):
            self.ask("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")


KINDS = {
    "kill": KillKeep,
    "kill and lose the data": KillEmpty,
    "freeze": Pause,
    "disconnect": Disconnect,
    "drop requests": DropRequests,
    "drop answers": DropAnswers,
    "reject": Reject,
    "reset": Reset,
    "delay and jitter": Delay,
    "clock forward": ClockForward,
    "clock back": ClockBack,
    "OOM": OutOfMemory,
    "READONLY": ReadOnly,
    "LOADING": Loading,
    "FLUSHALL": FlushAll,
    "SCRIPT FLUSH": ScriptFlush,
    "CLIENT KILL": ClientKill,
}

# Where there is no root: the same through the proxy, as far as that goes.
WITHOUT_ROOT = {
    "hold requests": HoldRequests,
    "hold answers": HoldAnswers,
    "hang up": HangUp,
}
NEEDS_ROOT = ("disconnect", "drop requests", "drop answers", "reject")

# These hit a minority within the longest TTL, and the guard does not help against them.
FORGETFUL = {"clock forward", "clock back", "FLUSHALL"}
INSTANT = {"reset", "LOADING", "FLUSHALL", "SCRIPT FLUSH", "CLIENT KILL"}

"""What the parts of the chaos share: the clock, journals, child processes, words to a server."""

import os
import socket
import subprocess
import threading
import time


def now_us():
    """The clock of the clients' journals."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000


class Journal:
    """Lines with a time, from any thread."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8", buffering=1)
        self.lock = threading.Lock()

    def say(self, text, at_us=None):
        with self.lock:
            self.file.write(f"{at_us or now_us()} {text}\n")


def start(command, **options):
    """A process that does not outlive the thread that starts it, and does not hear of a Ctrl-C."""
    command = ["setpriv", "--pdeathsig", "KILL", *command]
    return subprocess.Popen(command, start_new_session=True, **options)


def run(*command, check=True):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def write_clock(path, ahead_s):
    """See wall_clock.c; in place, since it is mapped."""
    with open(path, "r+b" if os.path.exists(path) else "w+b") as file:
        file.write(int(ahead_s * 1_000_000).to_bytes(8, "little", signed=True))


class ServerError(Exception):
    pass


class Words:
    """One connection to a server, through its unix socket: no fault of a network reaches it."""

    def __init__(self, path, timeout_s=5):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout_s)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, *words):
        parts = [str(word).encode() for word in words]
        head = b"*%d\r\n" % len(parts)
        return head + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)

    def ask(self, *words):
        self.socket.sendall(self.send(*words))
        return self.reply()

    def reply(self):
        line = self.file.readline()
        if not line:
            raise ConnectionError("the server hung up")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise ServerError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2].decode("latin-1")
        return None if rest == b"-1" else [self.reply() for _ in range(int(rest))]

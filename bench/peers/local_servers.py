"""Redis servers of our own on loopback, without persistence, as long as a `with` block lasts."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time

PATIENCE_S = 20


def program():
    """REDIS_SERVER, redis-server or valkey-server; None where there is none."""
    names = [os.environ.get("REDIS_SERVER", ""), "redis-server", "valkey-server"]
    return next((found for found in map(shutil.which, filter(None, names)) if found), None)


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Server:
    def __init__(self, port):
        self.port, self.address = port, f"127.0.0.1:{port}"
        options = f"--port {port} --bind 127.0.0.1 --appendonly no --daemonize no".split()
        command = [program(), *options, "--save", ""]
        null = subprocess.DEVNULL
        self.process = subprocess.Popen(command, stdin=null, stdout=null)

    def answers(self):
        """The process that we started, that is, and not a stranger."""
        with contextlib.suppress(OSError):
            with socket.create_connection(("127.0.0.1", self.port), 2) as connection:
                connection.sendall(b"INFO server\r\n")
                return f"process_id:{self.process.pid}\r" in connection.recv(8192).decode()
        return False

    def wait_for(self):
        until = time.monotonic() + PATIENCE_S
        while not self.answers():
            if time.monotonic() > until or self.process.poll() is not None:
                raise RuntimeError(f"no server of ours answers on port {self.port}")
            time.sleep(0.02)

    def hang(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def end(self):
        self.process.kill()
        self.process.wait()


def on_signal(number, _frame):
    raise SystemExit(128 + number)


@contextlib.contextmanager
def local_servers(count, first_port):
    """Start them on free ports from @first_port up."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    ports = [port for port in range(first_port, first_port + 400) if is_free(port)][:count]
    servers = []
    try:
        for port in ports:
            servers.append(Server(port))
        for server in servers:
            server.wait_for()
        yield servers
    finally:
        for server in servers:
            server.end()

"""The ground without Docker: redis-server processes, each in a network namespace of its own behind
a bridge; without root, plain processes on loopback, and only what a proxy and signals can do."""

import os
import shutil
import signal
import socket
import time

from common import run, start, write_clock
from ground import NODES, Ground

SEED = "*3\r\n$3\r\nSET\r\n$19\r\nredlock:incarnation\r\n$8\r\nseed:1:1\r\n"
PORT = 6379
SERVER = os.environ.get("REDLOCK_TEST_SERVER", "redis-server")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Processes(Ground):
    """What needs no root."""

    name = "local, without root (or ip, nft, nsenter, ss)"
    missing = {
        "drop": "packets are lost by a rule of the kernel's; the proxy holds bytes back instead",
        "reject": "as above; the proxy hangs up instead",
        "disconnect": "an interface is taken down; the proxy holds both ways instead",
        "reset": "connections are broken by the kernel; the proxy breaks them instead",
    }

    def __init__(self, *args):
        super().__init__(*args)
        self.servers, self.holders = [None] * NODES, []

    def up(self):
        self.make_rooms()
        self.prepare()
        for node in range(NODES):
            os.makedirs(f"{self.room(node)}/data")
            # It is made just now, and has forgotten nothing.
            with open(f"{self.room(node)}/data/appendonly.aof", "w", encoding="ascii") as file:
                file.write(SEED)
            self.launch(node)
        for node in range(NODES):
            self.wait_up(node)

    def prepare(self):
        self.ports = [free_port() for _ in range(NODES)]

    def address(self, node):
        return "127.0.0.1", self.ports[node]

    def entrance(self, _node):
        """What stands before the server's command line."""
        return []

    def listens(self, node):
        return ["--bind", "127.0.0.1", "--port", str(self.ports[node])]

    def launch(self, node):
        room = self.room(node)
        clock = {"LD_PRELOAD": self.programs["clock"], "CHAOS_CLOCK": f"{room}/clock"}
        command = [*self.entrance(node), "env", *(f"{k}={v}" for k, v in clock.items())]
        command += [SERVER, *self.listens(node)]
        command += ["--unixsocket", f"{room}/socket", "--dir", f"{room}/data", "--save", ""]
        command += ["--appendonly", "yes", "--appendfsync", "always", "--protected-mode", "no"]
        command += ["--enable-debug-command", "yes", "--loading-process-events-interval-bytes", "1024"]
        with open(f"{room}/log", "ab") as log:
            self.servers[node] = start(command, stdout=log, stderr=log)

    def down(self):
        for server in self.servers:
            if server:
                server.kill()
                server.wait()

    def kill(self, node):
        self.servers[node].kill()
        self.servers[node].wait()

    def restart(self, node, keep):
        if not keep:
            shutil.rmtree(f"{self.room(node)}/data")
            os.makedirs(f"{self.room(node)}/data")
        self.launch(node)
        self.wait_up(node)

    def pause(self, node):
        self.servers[node].send_signal(signal.SIGSTOP)

    def unpause(self, node):
        self.servers[node].send_signal(signal.SIGCONT)


class Namespaces(Processes):
    """With root. This process is in a namespace of its own already: nothing is left behind."""

    name = "local, network namespaces"
    missing = {}

    def prepare(self):
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "br0", "type", "bridge")
        run("ip", "address", "add", "10.83.65.1/24", "dev", "br0")
        run("ip", "link", "set", "br0", "up")
        run("nft", "add table inet chaos")
        run("nft", "add chain inet chaos input { type filter hook input priority 0; }")
        self.holders = [start(["unshare", "-n", "sleep", "infinity"]) for _ in range(NODES)]
        time.sleep(0.3)
        for node, holder in enumerate(self.holders):
            self.join(node, holder.pid)

    def join(self, node, pid):
        run("ip", "link", "add", f"n{node}", "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        run("ip", "link", "set", f"n{node}", "master", "br0", "up")
        self.inside(node, "ip", "address", "add", f"{self.address(node)[0]}/24", "dev", "eth0")
        self.inside(node, "ip", "link", "set", "lo", "up")
        self.inside(node, "ip", "link", "set", "eth0", "up")
        self.inside(node, "nft", "add table inet chaos")
        self.inside(node, "nft", "add chain inet chaos input { type filter hook input priority 0; }")

    def entrance(self, node):
        return ["nsenter", f"--net=/proc/{self.holders[node].pid}/ns/net"]

    def inside(self, node, *command):
        return run(*self.entrance(node), *command)

    def listens(self, node):
        return ["--bind", self.address(node)[0], "--port", str(PORT)]

    def address(self, node):
        return f"10.83.65.{11 + node}", PORT

    def down(self):
        super().down()
        for holder in self.holders:
            holder.kill()
            holder.wait()

    def disconnect(self, node):
        run("ip", "link", "set", f"n{node}", "down")

    def reconnect(self, node):
        run("ip", "link", "set", f"n{node}", "up")

    def drop_requests(self, node):
        self.inside(node, "nft", f"add rule inet chaos input tcp dport {PORT} drop")

    def drop_answers(self, node):
        run("nft", f"add rule inet chaos input ip saddr {self.address(node)[0]} tcp sport {PORT} drop")

    def reject(self, node):
        self.inside(node, "nft", f"add rule inet chaos input tcp dport {PORT} reject with tcp reset")

    def heal_network(self, node):
        self.inside(node, "nft", "flush chain inet chaos input")
        self.flush_answers(node)

    def flush_answers(self, node):
        """Rules for other nodes stay."""
        rules = run("nft", "-a", "list", "chain", "inet", "chaos", "input")
        for line in rules.splitlines():
            if f" {self.address(node)[0]} " in line:
                run("nft", f"delete rule inet chaos input handle {line.split()[-1]}", check=False)

    def reset(self, node):
        run("ss", "-K", "dst", self.address(node)[0], check=False)

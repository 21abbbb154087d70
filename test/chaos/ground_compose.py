"""The ground of docker-compose.yml: five containers, which ./dev soak has started with a room of
each mounted at /chaos. Faults go through Docker, and through the containers' network namespaces."""

import os
import shutil
import time

from common import run
from ground import NODES
from ground_local import PORT, Namespaces

NETWORK = "libredlock-nodes"


class Compose(Namespaces):
    name = "compose, five containers"

    def container(self, node):
        return f"libredlock-node{node + 1}"

    def address(self, node):
        return f"{os.environ.get('REDLOCK_SUBNET', '10.83.64')}.{11 + node}", PORT

    def up(self):
        run("nft", "add table inet chaos")
        run("nft", "add chain inet chaos input { type filter hook input priority 0; }")
        self.pids = [None] * NODES
        for node in range(NODES):
            self.enter(node)
        for node in range(NODES):
            self.wait_up(node)

    def enter(self, node):
        """Rules live in the container's network namespace, which a restart makes anew."""
        self.pids[node] = run("docker", "inspect", "-f", "{{.State.Pid}}", self.container(node)).strip()
        self.inside(node, "nft", "add table inet chaos")
        self.inside(node, "nft", "add chain inet chaos input { type filter hook input priority 0; }")

    def entrance(self, node):
        return ["nsenter", f"--net=/proc/{self.pids[node]}/ns/net"]

    def down(self):
        run("nft", "delete table inet chaos", check=False)

    def kill(self, node):
        run("docker", "kill", self.container(node))

    def restart(self, node, keep):
        if not keep:
            form = "{{range .Mounts}}{{if eq .Destination \"/data\"}}{{.Source}}{{end}}{{end}}"
            data = run("docker", "inspect", "-f", form, self.container(node)).strip()
            for name in os.listdir(data):
                path = os.path.join(data, name)
                shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
            # Else its command would take it for a node that is made just now.
            os.makedirs(os.path.join(data, "appendonlydir"))
        run("docker", "start", self.container(node))
        self.enter(node)
        self.wait_up(node)

    def pause(self, node):
        run("docker", "pause", self.container(node))

    def unpause(self, node):
        run("docker", "unpause", self.container(node))

    def disconnect(self, node):
        run("docker", "network", "disconnect", NETWORK, self.container(node))

    def reconnect(self, node):
        address = self.address(node)[0]
        run("docker", "network", "connect", "--ip", address, NETWORK, self.container(node))
        time.sleep(0.05)

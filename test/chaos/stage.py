"""What runs: the ground, the proxy, the store, the clients; and the lanes in which faults come."""

import contextlib
import os
import signal
import subprocess
import threading
import time

import faults
from common import Journal, now_us, start, write_clock
from ground import NODES

CLIENTS = 6
# Seconds by which their wall clocks are wrong; they need them to propose fencing tokens alone.
SKEWS_S = (0, -20, 15, 0, 5, -30)
PAUSING = 4  # This one waits in pauses, not in line; where the library is broken, all do, and often try at once.
APART_S = 2.5  # Longer than any TTL.
LATE_S = 20  # A client that has not ended by then does not end.


class Proxy:
    def __init__(self, program, ground):
        targets = ["%s:%d" % ground.address(node) for node in range(NODES)]
        self.process = start([program, *targets], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ports = [int(self.process.stdout.readline()) for _ in range(NODES)]
        self.lock = threading.Lock()

    def say(self, line):
        with self.lock:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()


class Stage:
    def __init__(self, options, ground, room):
        self.options, self.ground, self.room = options, ground, room
        self.out = options.out
        self.journal = Journal(self.out / "faults.log")
        self.guard = options.scenario != "majority"
        self.prefix = f"chaos:{options.seed}:"
        self.over = threading.Event()  # The lanes end; what they started ends with them.
        self.enough = threading.Event()
        self.healed = threading.Semaphore(0)  # Once for each lane that has made good what it did.
        self.clients, self.lives = [None] * CLIENTS, [0] * CLIENTS
        # On a busy machine a lane comes late, and must not meet the other one at the same node.
        self.nodes = [threading.Lock() for _ in range(NODES)]
        self.broken_word, self.broken_s = threading.Lock(), 0.0
        self.threads = []
        self.proxy = self.store = self.server = None

    # ---- What is there ---------------------------------------------------------------------------

    def up(self):
        self.ground.up()
        self.proxy = Proxy(self.options.programs["proxy"], self.ground)
        store = [os.path.dirname(__file__) + "/store.py", f"{self.room}/store", str(self.out / "store.log")]
        self.store = start(["python3", *store])
        while not os.path.exists(f"{self.room}/store"):
            time.sleep(0.02)
        for client in range(CLIENTS):
            self.launch(client)
        self.journal.say("begin")

    def urls(self, client):
        if client % 2 or "reset" in self.ground.missing:
            return [f"redis://127.0.0.1:{port}" for port in self.proxy.ports]
        return ["redis://%s:%d" % self.ground.address(node) for node in range(NODES)]

    def name(self, client):
        return f"client{client}-{self.lives[client]}"

    def launch(self, client):
        """In one who dies with this thread."""
        options = self.options
        self.lives[client] += 1
        majority = options.scenario == "majority"
        clock = f"{self.room}/clock{client}"
        write_clock(clock, 0 if majority else SKEWS_S[client])
        planted = options.plant not in (None, "overstay")
        command = [options.programs["mutant" if planted else "client"]]
        command += ["--log", str(self.out / f"{self.name(client)}.log"), "--store", f"{self.room}/store"]
        command += ["--prefix", self.prefix, "--max-ttl", "2000"]
        command += ["--seed", str(options.seed * 1000 + self.lives[client] * CLIENTS + client)]
        command += ["--pauses"] if client == PAUSING or planted else []
        command += ["--slow", "--guard-off"] if majority else []
        command += ["--overstay"] if options.plant == "overstay" and client == 0 else []
        env = dict(os.environ, LD_PRELOAD=options.programs["clock"], CHAOS_CLOCK=clock)
        if planted:
            env["SIM_MUTANT"] = options.plant
        with open(self.out / "clients.stderr", "ab") as errors:
            self.clients[client] = start([*command, *self.urls(client)], env=env, stderr=errors)

    # ---- Faults ----------------------------------------------------------------------------------

    def stop_client(self, client, hold_s):
        name = self.name(client)
        self.journal.say(f"stop {name}")
        self.clients[client].send_signal(signal.SIGSTOP)
        time.sleep(hold_s)
        self.clients[client].send_signal(signal.SIGCONT)
        self.journal.say(f"continue {name}")

    def kill_client(self, client, hold_s):
        self.journal.say(f"kill {self.name(client)}")
        self.clients[client].kill()
        self.clients[client].wait()
        time.sleep(hold_s)
        self.launch(client)

    def hurt_nodes(self, event):
        kind = (faults.KINDS | faults.WITHOUT_ROOT)[event.kind]
        hurts = [kind(self, node) for node in event.targets]
        with contextlib.ExitStack() as kept:
            if event.kind in faults.FORGETFUL and self.guard:
                kept.enter_context(self.alone())
            for node in sorted(event.targets):
                kept.enter_context(self.nodes[node])
            try:
                for hurt in hurts:
                    hurt.inject()
                time.sleep(event.hold_s)
            finally:
                for hurt in hurts:
                    hurt.heal()

    @contextlib.contextmanager
    def alone(self):
        """No two nodes break their word within the longest TTL."""
        with self.broken_word:
            time.sleep(max(0, self.broken_s + APART_S - time.monotonic()))
            try:
                yield
            finally:
                self.broken_s = time.monotonic()

    def play(self, event):
        who = ",".join(map(str, event.targets))
        self.journal.say(f"inject {'client' if event.lane == 2 else 'node'}:{who} {event.kind}")
        if event.kind == "stop a client":
            self.stop_client(event.targets[0], event.hold_s)
        elif event.kind == "kill a client":
            self.kill_client(event.targets[0], event.hold_s)
        else:
            self.hurt_nodes(event)
        self.journal.say(f"heal {who} {event.kind}")

    def run_lane(self, events, begin):
        for event in events:
            if self.enough.wait(max(0, begin + event.at_s - time.monotonic())):
                break
            try:
                self.play(event)
            except Exception as problem:  # To be told by the judge, not lost with the thread.
                self.journal.say(f"failed {event.kind}: {problem!r}")
        self.healed.release()
        self.over.wait()

    def run(self, events, duration_s):
        """Until the time is over, or somebody has had enough."""
        begin = time.monotonic()
        for lane in (0, 1, 2):
            mine = [event for event in events if event.lane == lane]
            thread = threading.Thread(target=self.run_lane, args=(mine, begin), daemon=True)
            thread.start()
            self.threads.append(thread)
        try:
            time.sleep(duration_s)
        except KeyboardInterrupt:
            print("what is hurt is made good; once more to leave at once", flush=True)
        self.enough.set()
        for _ in self.threads:
            self.healed.acquire()
        for node in range(NODES):
            self.ground.wait_up(node)

    # ---- The end ---------------------------------------------------------------------------------

    def end_clients(self):
        self.journal.say("end")
        for client in self.clients:
            client.terminate()
        end = time.monotonic() + LATE_S
        for number, client in enumerate(self.clients):
            try:
                code = client.wait(max(0.1, end - time.monotonic()))
                if code != 0:
                    self.journal.say(f"failed {self.name(number)} ended with {code}")
            except subprocess.TimeoutExpired:
                self.journal.say(f"failed {self.name(number)} does not end")
                client.kill()

    def leftovers(self, deadline_s):
        """Keys of locks and lines when all is over, or has had the time to be."""
        begin = time.monotonic()
        while True:
            left = [[node, *key] for node in range(NODES) for key in self.ground.leftovers(node)]
            left = [each for each in left if each[1].startswith(self.prefix)]
            waited_s = time.monotonic() - begin
            if not left or waited_s > deadline_s or any(ttl_ms == -1 for *_, ttl_ms in left):
                return {"left": left, "waited_s": round(waited_s, 1), "at_us": now_us()}
            time.sleep(0.2)

    def down(self):
        self.over.set()
        for thread in self.threads:
            thread.join()
        for process in filter(None, (self.store, self.proxy and self.proxy.process, *self.clients)):
            process.kill()
            process.wait()
        self.ground.down()



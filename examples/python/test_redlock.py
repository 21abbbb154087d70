"""test_redlock.py - the Python bindings, on the servers in REDLOCK_NODES: see test_python.sh."""

import asyncio
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

import aredlock
import redlock

URLS = os.environ["REDLOCK_NODES"].split(",")
NOBODY = ["redis://127.0.0.1:1", "redis://127.0.0.1:2", "redis://127.0.0.1:3"]


def begin_wait(lock):
    """In a thread; returns it and a list for what becomes of it."""
    ends = []

    def wait():
        try:
            ends.append(lock.acquire())
        except redlock.Error as trouble:
            ends.append(trouble)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread, ends


def count_up(path, turns):
    """Without the lock, some of the counts would get lost."""
    with redlock.Client(URLS) as nodes:
        for _ in range(turns):
            with nodes.lock("counter", wait=60) as lock:
                with open(path, encoding="ascii") as file:
                    count = int(file.read())
                time.sleep(0.002)
                assert lock.held
                with open(path, "w", encoding="ascii") as file:
                    file.write(f"{count + 1}\n")


class Threads(unittest.TestCase):
    def setUp(self):
        self.nodes = redlock.Client(URLS)
        self.addCleanup(self.nodes.close)

    def test_a_lock_is_held_inside_with(self):
        with self.nodes.lock("a", wait=5, fence=True) as lock:
            self.assertTrue(lock.held)
            self.assertGreater(lock.validity, 0)
            first = lock.fence
            lock.extend()
            with self.assertRaises(redlock.Held) as caught:
                self.nodes.lock("a", wait=0).acquire()
            self.assertEqual(caught.exception.status, -4)
            self.assertIn(": held", str(caught.exception))
            with self.assertRaises(redlock.Held) as caught:
                self.nodes.lock("a", wait=0.05).acquire()
            self.assertEqual(caught.exception.status, -6)
        self.assertFalse(lock.held)
        self.assertEqual(lock.validity, 0)
        with self.nodes.lock("a", wait=5, fence=True) as lock:
            self.assertGreater(lock.fence, first)

    def test_what_is_dropped_is_given_back(self):
        self.nodes.lock("dropped").acquire()
        with self.nodes.lock("dropped", wait=60) as lock:
            self.assertTrue(lock.held)

    def test_processes_exclude_each_other(self):
        path = os.environ["TEST_DIR"] + "/counter"
        with open(path, "w", encoding="ascii") as file:
            file.write("0\n")
        context = multiprocessing.get_context("spawn")
        processes = [context.Process(target=count_up, args=(path, 25)) for _ in range(3)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        self.assertEqual([process.exitcode for process in processes], [0, 0, 0])
        with open(path, encoding="ascii") as file:
            self.assertEqual(int(file.read()), 75)

    def test_other_threads_run_on_while_one_waits(self):
        with self.nodes.lock("threads", wait=5):
            waiter = self.nodes.lock("threads")
            thread, ends = begin_wait(waiter)
            # The wait has begun if it can be cancelled; that we get here at all shows the rest.
            while not waiter.cancel():
                time.sleep(0.001)
            thread.join()
            self.assertIsInstance(ends[0], redlock.Cancelled)

    def test_a_wait_gets_its_turn(self):
        with self.nodes.lock("turn", wait=5):
            waiter = self.nodes.lock("turn")
            thread, ends = begin_wait(waiter)
            self.assertEqual(ends, [])
        thread.join()
        self.assertEqual(ends, [None])
        self.assertTrue(waiter.held)
        waiter.release()

    def test_ctrl_c_ends_a_wait(self):
        with self.nodes.lock("ctrl-c", wait=5):
            timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
            timer.start()
            with self.assertRaises(KeyboardInterrupt):
                self.nodes.lock("ctrl-c").acquire()

    def test_a_lost_lease_is_seen(self):
        with self.assertRaises(redlock.Lost):
            with self.nodes.lock("lost", wait=5, ttl=0.5) as lock:
                while lock.held:
                    time.sleep(0.01)
                with self.assertRaises(redlock.Lost):
                    lock.extend()
        with self.assertRaises(ZeroDivisionError):  # The first trouble is told.
            with self.nodes.lock("lost", wait=5, ttl=0.5) as lock:
                while lock.held:
                    time.sleep(0.01)
                1 // 0

    def test_a_renewed_lease_outlives_its_ttl(self):
        with self.nodes.lock("renewed", wait=5, ttl=2, renew=True) as lock:
            time.sleep(3)
            self.assertTrue(lock.held)

    def test_trouble_names_the_nodes(self):
        with redlock.Client(NOBODY) as nobody:
            with self.assertRaises(redlock.NoQuorum) as caught:
                nobody.lock("a", wait=0).acquire()
        self.assertEqual(caught.exception.status, -5)
        for port in (1, 2, 3):
            self.assertIn(f"127.0.0.1:{port}: unreachable", str(caught.exception))
        with self.assertRaisesRegex(redlock.Error, "URL of node 1: scheme"):
            redlock.Client(["http://127.0.0.1"])
        with self.assertRaises(redlock.Error):
            self.nodes.lock("")

    def test_a_closed_client_holds_nothing(self):
        nodes = redlock.Client(URLS)
        lock, waiter = nodes.lock("closed", wait=5), nodes.lock("closed")
        lock.acquire()
        thread, ends = begin_wait(waiter)
        nodes.close()
        thread.join()
        self.assertEqual(ends[0].status, -10)
        self.assertFalse(lock.held)
        with self.assertRaises(redlock.Cancelled):
            lock.release()
        with self.assertRaises(redlock.Error):
            nodes.lock("closed")
        nodes.close()


class Loop(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.nodes = await aredlock.Client(URLS).__aenter__()

    async def asyncTearDown(self):
        await self.nodes.__aexit__()

    async def test_the_loop_goes_on_while_many_wait(self):
        counts = {"now": 0, "most": 0, "all": 0}

        async def one():
            async with self.nodes.lock("many", wait=60) as lock:
                counts["now"] += 1
                counts["most"] = max(counts["most"], counts["now"])
                await asyncio.sleep(0.005)
                self.assertTrue(lock.held)
                counts["now"] -= 1
                counts["all"] += 1

        # More of them than the loop's own pool has threads.
        await asyncio.gather(*(one() for _ in range(50)))
        self.assertEqual(counts, {"now": 0, "most": 1, "all": 50})

    async def test_a_cancelled_task_does_not_wait_on(self):
        async def take():
            async with self.nodes.lock("cancelled"):
                self.fail("it is held by another one")

        async with self.nodes.lock("cancelled", wait=5):
            for pause in (0, 0.001, 0.1):
                task = asyncio.create_task(take())
                await asyncio.sleep(pause)
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(take(), 0.1)
        async with self.nodes.lock("cancelled", wait=60) as lock:  # Nobody else has got it.
            self.assertTrue(lock.held)

    async def test_what_comes_too_late_for_a_cancelled_task_is_given_back(self):
        for _ in range(20):
            task = asyncio.create_task(self.nodes.lock("late").__aenter__())
            await asyncio.sleep(0.001)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if not task.cancelled():
                task.result().release()
            async with self.nodes.lock("late", wait=5) as lock:
                self.assertTrue(lock.held)

    async def test_a_lost_lease_is_told(self):
        with self.assertRaises(redlock.Lost):
            async with self.nodes.lock("told", wait=5, ttl=2) as lock:
                await lock.prolong()
                await lock.lost()
                self.assertFalse(lock.held)


class Programs(unittest.TestCase):
    """Each as its first lines say."""

    def play(self, name, *arguments, **surroundings):
        return subprocess.Popen(
            [sys.executable, f"{os.environ['PROGRAMS']}/{name}", *arguments],
            env={**os.environ, **surroundings}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def test_accounts_that_are_locked_are_skipped(self):
        with redlock.Client(URLS) as nodes:
            with nodes.lock("account:bob", wait=5):
                worker = self.play("accounts.py", "alice", "bob", "carol")
                said, complained = worker.communicate()
            self.assertEqual((said, worker.returncode), ("alice\ncarol\n", 1))
            self.assertEqual(complained, "with others: bob\n")
        worker = self.play("accounts.py", "alice", "bob")
        self.assertEqual(worker.communicate(), ("alice\nbob\n", ""))
        self.assertEqual(worker.returncode, 0)

    def test_the_job_ends_or_says_why_it_cannot(self):
        job = self.play("nightly.py", "3")
        self.assertEqual(job.communicate(), ("step 1\nstep 2\nstep 3\n", ""))
        self.assertEqual(job.returncode, 0)
        job = self.play("nightly.py", REDLOCK_NODES=",".join(NOBODY))
        self.assertIn("127.0.0.1:2: unreachable", job.communicate()[1])
        self.assertEqual(job.returncode, 69)

    def test_the_job_stops_when_its_lock_is_lost(self):
        job = self.play("nightly.py", "100000")
        self.assertEqual(job.stdout.readline(), "step 1\n")
        # Somebody takes it away behind our back.
        for url in URLS:
            with socket.create_connection(("127.0.0.1", url.rsplit(":", 1)[1])) as server:
                server.sendall(b"SET nightly-report thief\r\n")
                self.assertEqual(server.recv(16), b"+OK\r\n")
        self.assertNotIn("step 99999\n", job.communicate()[0])
        self.assertEqual(job.returncode, 79)


if __name__ == "__main__":
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""nightly.py - a long job in asyncio: its lease is renewed, and it stops when the lock is lost.

    REDLOCK_NODES=redis://a,redis://b,redis://c ./nightly.py [STEPS]

Ends with 0 when the job is done, 75 if another machine has it, 69 if too few nodes can vote, and 79
if the lock was lost on the way.
"""

import asyncio
import os
import sys

import aredlock
import redlock


async def job(lock, steps):
    for step in range(1, steps + 1):
        await asyncio.sleep(0.1)  # Stands for work that others do meanwhile, such as a database.
        if not lock.held:
            break
        print("step", step, flush=True)


async def while_held(lock, work):
    """Work, but not for longer than the lock is ours; then `async with` says that it is lost."""
    work, lost = asyncio.ensure_future(work), asyncio.ensure_future(lock.lost())
    try:
        await asyncio.wait([work, lost], return_when=asyncio.FIRST_COMPLETED)
        return work.result() if work.done() else None
    finally:
        work.cancel()
        lost.cancel()
        await asyncio.gather(work, lost, return_exceptions=True)


async def main(steps):
    async with aredlock.Client(os.environ["REDLOCK_NODES"].split(","), ttl=2) as nodes:
        async with nodes.lock("nightly-report", wait=5, renew=True) as lock:
            await while_held(lock, job(lock, steps))


if __name__ == "__main__":
    try:
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
    except (redlock.Held, redlock.NoQuorum, redlock.Lost) as trouble:
        print(f"nightly.py: {trouble}", file=sys.stderr)
        codes = {redlock.Held: 75, redlock.NoQuorum: 69, redlock.Lost: 79}
        sys.exit(codes[type(trouble)])

"""aredlock.py - redlock.py for asyncio: each call in a thread, while the loop goes on.

    async with aredlock.Client(["redis://a", "redis://b", "redis://c"]) as nodes:
        async with nodes.lock("jobs:42", wait=5) as lock:
            ...                          # as long as lock.held

Copy it beside redlock.py. A task that is cancelled, as by asyncio.timeout(), does not wait on.
"""

import asyncio

import redlock


async def _in_thread(call):
    """To its end, even if the task that asks for it is cancelled."""
    return await asyncio.shield(asyncio.wrap_future(redlock.start(call)))


class Lock(redlock.Lock):
    async def __aenter__(self):
        waiting = redlock.start(self.acquire)
        told = asyncio.wrap_future(waiting)
        told.add_done_callback(asyncio.Future.exception)  # Even if nobody is there to hear it.
        try:
            await asyncio.wait([told])
        except asyncio.CancelledError:
            await _in_thread(lambda: self.abandon(waiting))
            raise
        told.result()
        return self

    async def __aexit__(self, *exception):
        await _in_thread(lambda: self.__exit__(*exception))

    async def lost(self):
        """Returns when the lease is over."""
        while self.held:
            await asyncio.sleep(self.validity)

    async def prolong(self):
        """extend(), without blocking the loop."""
        await _in_thread(self.extend)


class Client(redlock.Client):
    def lock(self, resource, wait=None, **options):
        return Lock(self, resource, wait, **options)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        await _in_thread(self.close)

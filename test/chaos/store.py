#!/usr/bin/env python3
"""The guarded store: it takes a write under a fencing token, and refuses one that is older than the
newest it has seen for that resource.

usage: store.py SOCKET LOG

A line for each question, "RESOURCE TOKEN WHO", and one for its answer: "ok", or "refused HIGHEST".
"""

import asyncio
import contextlib
import sys

from common import Journal

highest = {}


async def serve(journal, reader, writer):
    """Until the client hangs up, or is killed."""
    with contextlib.suppress(ConnectionError):
        await answer_all(journal, reader, writer)
    writer.close()


async def answer_all(journal, reader, writer):
    while line := await reader.readline():
        resource, token, who = line.decode().split()
        seen = highest.get(resource, 0)
        if int(token) < seen:
            answer = f"refused {seen}"
        else:
            highest[resource] = int(token)
            answer = "ok"
        if answer != "ok" or int(token) > seen:
            journal.say(f"{resource} {token} {who} {answer}")
        writer.write(answer.encode() + b"\n")


async def main():
    path, log = sys.argv[1:]
    journal = Journal(log)
    server = await asyncio.start_unix_server(lambda r, w: serve(journal, r, w), path)
    async with server:
        await server.serve_forever()


asyncio.run(main())

#!/usr/bin/env python3
"""accounts.py - work through accounts with many workers: who finds one locked takes the next.

    REDLOCK_NODES=redis://a,redis://b,redis://c ./accounts.py NAME...

Run as many of it at once as you like, on as many machines: each account is worked on by one of them
at a time. Ends with 0 when each was worked on, by whomever, or with 1 if some are still with others.
"""

import os
import sys
import time

import redlock


def work_on(account, lock):
    for _ in range(5):
        if not lock.held:
            return  # `with` says what is wrong.
        time.sleep(0.02)  # Stands for a step of the work.
    print(account, flush=True)


def one_round(nodes, accounts):
    """Returns those that somebody else is at."""
    left = []
    for account in accounts:
        try:
            with nodes.lock(f"account:{account}", wait=0, renew=True) as lock:
                work_on(account, lock)
        except redlock.Held:
            left.append(account)
    return left


def main():
    with redlock.Client(os.environ["REDLOCK_NODES"].split(",")) as nodes:
        left = one_round(nodes, sys.argv[1:])
    if left:
        print("with others:", *left, file=sys.stderr)
    sys.exit(1 if left else 0)


main()

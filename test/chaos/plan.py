"""When which fault hits whom: the same for the same seed, whatever happens.

Time is cut into slots. In each, two nodes that the slot before has left alone are hurt, each in one
way, and made good again; one client is stopped for longer than any lease, or killed. Every kind is
drawn once before any comes again.

A node that breaks its word is one of the two that were hurt last, and nobody else is hurt in that slot:
so fewer nodes than a quorum are hurt in any way within the longest TTL.
"""

import random
from dataclasses import dataclass

from faults import FORGETFUL, INSTANT
from ground import NODES

SLOT_S = 5.0
CALM_S = 3.0  # At the beginning, and before the end.


@dataclass(frozen=True)
class Event:
    at_s: float
    lane: int  # 0 and 1: nodes; 2: clients.
    kind: str
    targets: tuple
    hold_s: float


class Bag:
    """All of them in a random order, again and again."""

    def __init__(self, dice, things):
        self.dice, self.things, self.left = dice, list(things), []

    def draw(self, unwanted=frozenset()):
        """None, if they are all unwanted."""
        if unwanted.issuperset(self.things):
            return None
        if not any(thing not in unwanted for thing in self.left):
            fresh = self.things[:]
            self.dice.shuffle(fresh)
            self.left = fresh + self.left
        place = max(i for i, thing in enumerate(self.left) if thing not in unwanted)
        return self.left.pop(place)


def minority(seed, duration_s, kinds, clients):
    dice = random.Random(seed)
    bag = Bag(dice, kinds)
    harms = Bag(dice, ["stop a client", "kill a client"])
    events, before, unwanted, at_s = [], [], set(), CALM_S
    while at_s + SLOT_S <= duration_s - CALM_S or not events:
        first = bag.draw(unwanted)
        if first in FORGETFUL:
            hurt = [(first, dice.choice(before or range(NODES)))]
        else:
            before = dice.sample([node for node in range(NODES) if node not in before], 2)
            hurt = [(first, before[0]), (bag.draw(FORGETFUL), before[1])]
        unwanted = FORGETFUL if first in FORGETFUL else set()
        for lane, (kind, node) in enumerate(hurt):
            if kind is None:
                continue
            hold_s = 0.0 if kind in INSTANT else dice.uniform(0.8, 2.0)
            when_s = at_s + dice.uniform(0, 0.3) + 0.5 * lane
            events.append(Event(when_s, lane, kind, (node,), hold_s))
        harm = harms.draw()
        hold_s = 2.5 if harm == "stop a client" else 0.2
        events.append(Event(at_s + dice.uniform(0, 1.5), 2, harm, (dice.randrange(clients),), hold_s))
        at_s += SLOT_S
    return sorted(events, key=lambda event: (event.at_s, event.lane))


def majority(seed, duration_s, kinds, _clients):
    """Three nodes at once forget."""
    dice = random.Random(seed)
    bag = Bag(dice, kinds)
    events, at_s = [], CALM_S
    while at_s + SLOT_S <= duration_s - CALM_S or not events:
        kind = bag.draw()
        nodes = tuple(dice.sample(range(NODES), 3))
        hold_s = 0.0 if kind in INSTANT else 1.5 if kind == "clock forward" else 0.2
        events.append(Event(at_s + dice.uniform(0, 1.0), 0, kind, nodes, hold_s))
        at_s += SLOT_S
    return events

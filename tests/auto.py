"""Automatic trading with nobody at the desk: the parents that come one after another, and what came of them."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from engine import messages as m
from engine.domain import Instrument, Kind, Side

ALGORITHMS: tuple[m.Algorithm, ...] = ("adaptive", "adaptive", "twap", "vwap", "pov", "almgren_chriss")
BASELINES: tuple[m.Baseline, ...] = ("twap", "vwap", "pov", "almgren_chriss")


def drawn(dice: random.Random, instrument: Instrument, bid: int, ask: int, minutes: tuple[float, float]) -> m.Verb:
    """An automatic parent of either side and any algorithm. Its limit is near the market: some are reached at once,
    some never."""
    side = dice.choice(list(Side))
    far = ask if side is Side.BUY else bid
    limit = instrument.step(far, side.sign * dice.choice((-2, 0, 1, 3, 5)))
    return m.SubmitParent(
        instrument=instrument.name, side=side, limit=instrument.price(limit), minutes=round(dice.uniform(*minutes), 2),
        quantity=dice.choice((2.0, 6.0, 15.0)) if instrument.kind is Kind.OPTION else dice.choice((5e3, 2e4, 5e4)),
        algorithm=dice.choice(ALGORITHMS), baseline=dice.choice(BASELINES), urgency=dice.randrange(11), dial="auto",
        rate=0.3, participation=dice.choice((0.0, 0.0, 0.0, 0.3)), leave=dice.random() < 0.3,
        random_time=dice.choice((0.0, 0.4)), random_size=dice.choice((0.0, 0.3)),
    )  # fmt: skip


def told(facts: Iterable[m.Fact]) -> dict[str, Any]:
    """What a journal says of its parents and of whatever was refused: each with its reason, numbers left out."""
    orders: dict[str, m.ParentAccepted] = {}
    filled, children = Counter[str](), dict[str, str]()
    rest, refused, by_venue, kinds = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    open_, complete = dict[str, str](), 0
    for fact in facts:
        kinds[type(fact).__name__] += 1
        match fact:
            case m.ParentAccepted():
                orders[fact.id], open_[fact.id] = fact, "it is working still"
            case m.ParentPaused():
                open_[fact.parent] = fact.reason
            case m.ParentResumed():
                open_[fact.parent] = "it is working still"
            case m.ParentEnded():
                del open_[fact.parent]
                complete += fact.outcome == "done"
                if fact.outcome != "done":
                    rest[plain(fact.reason or fact.by)] += 1
            case m.OrderRequested():
                children[fact.child] = fact.parent
            case m.Filled(child=child) if child:
                filled[children[child]] += fact.quantity
            case m.Refused() | m.AmendRefused():
                refused[plain(fact.reason)] += 1
            case m.OrderEnded(state="rejected" | "lapsed"):
                by_venue[plain(fact.reason)] += 1
    rest.update(plain(reason) for reason in open_.values())
    whole = sum(filled[name] == order.quantity for name, order in orders.items())
    return {
        "parents": len(orders), "complete": complete, "filled whole": whole, "rest explained": dict(rest.most_common()),
        "unexplained": rest[""] + refused[""] + by_venue[""], "refused": dict(refused.most_common()),
        "orders rejected or lapsed": dict(by_venue.most_common()), "orders": kinds["OrderRequested"],
        "amends": kinds["AmendRequested"], "fills": kinds["Filled"], "reconciled": kinds["Reconciled"],
    }  # fmt: skip


def plain(reason: str) -> str:
    """A reason without its numbers, so that alike ones count together."""
    return re.sub(r"[\d][\d.,:%]*", "#", re.sub(r"\b[A-Z]+-[\w-]+", "…", reason))

"""Hands on the desk: every verb that a person has, with values that two drawn numbers choose."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from engine import messages as m
from engine.domain import Kind, Side
from engine.execution import risk
from tests.link import World

T = TypeVar("T")
ALGORITHMS: tuple[m.Algorithm, ...] = ("adaptive", "twap", "adaptive", "vwap", "pov", "almgren_chriss")
CONTRACTS = (0.1, 1.0, 2.5, 5.0, 11.0)
PARENTS = (2.0, 11.0, 60.0)
NOBODY = "nobody"


class Hands:
    """`k` picks what is meant (instrument, parent, order), `j` the values."""

    def __init__(self, world: World, names: tuple[str, ...], k: int, j: int) -> None:
        self.world, self.desk, self.k, self.j = world, world.desk, k, j
        self.name = names[k % len(names)]
        self.side = (Side.BUY, Side.SELL)[j % 2]
        self.parent = newest(self.desk.parents, k)
        self.child = newest(self.desk.children, k)

    def one(self, values: tuple[T, ...], shift: int = 0) -> T:
        return values[(self.j // 2 + shift) % len(values)]

    def amount(self, contracts: float, name: str = "") -> float:
        instrument = self.world.instrument(name or self.name)
        return contracts if instrument.kind is Kind.OPTION else 1000.0 * contracts

    def price(self, name: str = "", ticks: tuple[int, ...] = (-2, -1, 0, 1, 2, 3)) -> float:
        """Of an order of this side: so many ticks from its own touch towards the other, or somewhere without one."""
        name = name or self.name
        instrument, book = self.world.instrument(name), self.world.core.market.venue.books.get(name)
        best = next((units for units, _ in book.levels(self.side, 1)), 0) if book else 0
        return instrument.price(instrument.step(best or instrument.floor_tick(330), self.side.sign * self.one(ticks)))

    def submit(self) -> m.Verb:
        return m.SubmitParent(
            instrument=self.name, side=self.side, quantity=self.amount(self.one(PARENTS)),
            limit=self.price(ticks=(0, 2, 3)), minutes=self.one((0.1, 0.4, 5.0)), algorithm=self.one(ALGORITHMS),
            baseline=self.one(("twap", "pov", "almgren_chriss")), urgency=self.one((0, 5, 10)),
            dial=self.one(("auto", "manual", "auto", "semi")), leave=self.j % 3 == 0, rate=0.5,
            participation=self.one((0.0, 0.0, 0.2)), would=self.price(ticks=(0, 1)) if self.j % 5 == 0 else None,
            random_time=self.one((0.0, 0.5)), random_size=self.one((0.0, 0.3)),
        )  # fmt: skip

    def edit(self) -> m.Verb:
        name = self.desk.parents[self.parent].order.instrument if self.desk.parents else self.name
        changes: tuple[dict[str, Any], ...] = (
            {"quantity": self.amount(self.one((1.0, 9.0, 30.0)), name)}, {"limit": self.price(name)},
            {"minutes": self.one((0.05, 2.0))}, {"algorithm": self.one(ALGORITHMS)}, {"leave": True, "max_child": 2.0},
            {"limit": self.price(name), "quantity": self.amount(20.0, name), "urgency": 9, "would": 0.0},
        )  # fmt: skip
        return m.EditParent(parent=self.parent, pull=self.j % 3 == 0, **changes[self.j % len(changes)])

    def approve(self) -> m.Verb:
        """What stands, or stood: at its newest revision or an old one, as it is or with an edit."""
        live = self.desk.live_proposals
        proposal = live[self.k % len(live)] if live else next(reversed(self.desk.proposals.values()), None)
        if proposal is None:
            return m.Approve(proposal=NOBODY, revision=1)
        revision = max(proposal.revision - self.one((0, 0, 0, 1, 9)), 1)
        worst = self.price() if self.j % 5 == 0 else None
        quantity = self.one((None, None, 1.0, 11.0))
        return m.Approve(proposal=proposal.born.id, revision=revision, quantity=quantity, worst=worst)

    def lift(self) -> m.Verb:
        """Both steps, one after the other."""
        if asked := [key for key, lift in self.desk.lifts.items() if lift.state == "asked"]:
            return m.GrantLift(lift=asked[0])
        return m.AskLift(block=self.one(risk.LIFTABLE), instrument=self.name, reason="it is meant")

    def send(self) -> m.Verb:
        return m.SendOrder(instrument=self.name, side=self.side, quantity=self.amount(self.one(CONTRACTS)),
                           price=self.price(), post_only=self.j % 3 > 0)  # fmt: skip

    def amend(self) -> m.Verb:
        """Another size, another price, or both, of what works."""
        child = self.desk.children.get(self.child)
        name = child.request.instrument if child else self.name
        self.side = child.request.side if child else self.side
        price = self.one((None, self.price(name, ticks=(-3, -1, 0)), self.price(name)))
        return m.EditChild(
            child=self.child, price=price, quantity=self.one((self.amount(0.5, name), None, self.amount(3.0, name)))
        )

    def view(self) -> m.Verb:
        return m.SetView(parent=self.parent, up=self.one((0.9, 0.0)), down=self.one((0.0, 0.8)), seconds=20.0)


def newest(known: Mapping[str, Any], k: int) -> str:
    """One of the newest ids, counted from the end."""
    return list(known)[-1 - k % len(known)] if known else NOBODY


def never(hands: Hands) -> m.Verb:
    """What nobody can mean: refused, whatever the desk is about."""
    good, name, parent = hands.amount(1.0), hands.name, hands.parent
    asked: tuple[m.Verb, ...] = (
        m.SubmitParent(instrument=name, side=Side.BUY, quantity=hands.one((0.0, -1.0, math.nan)), limit=0.033),
        m.SubmitParent(instrument=name, side=Side.BUY, quantity=good, limit=0.033, minutes=0.0),
        m.SubmitParent(instrument=name, side=Side.BUY, quantity=good, limit=0.033, max_child=math.nan),
        m.SubmitParent(instrument="nonsense", side=Side.SELL, quantity=good, limit=0.03),
        m.SendOrder(instrument=name, side=Side.SELL, quantity=hands.one((0.05, math.inf, 1e9, 0.0)), price=0.034),
        m.SendOrder(instrument=name, side=Side.BUY, quantity=good, price=hands.one((0.0, -0.03, 0.03251, math.nan))),
        m.Approve(proposal=NOBODY, revision=1), m.Pause(parent=NOBODY), m.CancelChild(child=NOBODY),
        m.EditParent(parent=parent), m.EditParent(parent=parent, quantity=math.inf), m.GrantLift(lift=NOBODY),
        m.Press(parent=parent, quantity=-1.0), m.SetView(parent=parent, up=2.0), m.Rearm(reason=" "),
        m.AskLift(block="desk", instrument=name, reason="I want to"),
    )  # fmt: skip
    return hands.one(asked)


DOES: dict[str, Callable[[Hands], m.Verb]] = {
    "submit": Hands.submit,
    "send": Hands.send,
    "approve": Hands.approve,
    "approve again": Hands.approve,
    "edit": Hands.edit,
    "lift": Hands.lift,
    "lift again": Hands.lift,
    "view": Hands.view,
    "reject": lambda h: m.Reject(proposal=newest({p.born.id: p for p in h.desk.live_proposals}, h.k), reason="no"),
    "press": lambda h: m.Press(parent=h.parent, quantity=h.amount(h.one((0.5, 3.0, 12.0)))),
    "pause": lambda h: m.Pause(parent=h.parent, leave=h.one((None, True, False))),
    "resume": lambda h: m.Resume(parent=h.parent),
    "resume again": lambda h: m.Resume(parent=h.parent),
    "cancel": lambda h: m.CancelParent(parent=h.parent, leave=h.j % 3 == 0),
    "dial": lambda h: m.SetDial(parent=h.parent, dial=h.one(("auto", "manual", "semi"))),
    "cancel order": lambda h: m.CancelChild(child=h.child),
    "amend": Hands.amend,
    "amend again": Hands.amend,
    "pull": lambda h: m.Pull(instrument=h.one(("", h.name)), side=h.one((None, h.side))),
    "flatten": lambda h: m.Flatten(instrument=h.one(("", h.name))),
    "hedge": lambda h: m.SetHedge(
        on=h.j % 5 > 0, dial=h.one(("auto", "manual", "semi")), target=h.one((0.0, None, 1.0))
    ),
    "hedge dial": lambda h: m.SetHedgeDial(parent=h.parent, dial=h.one(("auto", "off", "manual"))),
    "repeats": lambda h: m.RearmRepeats(instrument=h.name, reason="it is meant"),
}

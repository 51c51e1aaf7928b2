"""Hard blocks: checked before every order, by policy or by hand, against the market as it is now.

Pure functions that answer with a reason, or with nothing. `blocks.py` has each of them; here they are put together with
the lifts that let one order of one person pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from engine.domain import Instrument, Kind
from engine.execution.blocks import BLOCKS, LIFTABLE, Wanted, named
from engine.execution.desk import Desk
from engine.execution.picture import Picture, touch
from engine.execution.sound import closed, unsound

__all__ = [
    "LIFTABLE", "Refusal", "Wanted", "blocked", "closed", "judged", "largest", "lifted", "price_inside", "stopped",
    "unsound",
]  # fmt: skip


class Refusal(msgspec.Struct, frozen=True):
    """Which block holds an order back, and why."""

    block: str
    reason: str

    @property
    def movable(self) -> str:
        """The block's name, if a person can lift it once or re-arm it; else empty."""
        return self.block if self.block in (*LIFTABLE, "repeats") else ""


def blocked(desk: Desk, picture: Picture, order: Wanted) -> str:
    """Why this order must not go out now, in a sentence; empty if it may."""
    stop = stopped(desk, picture, order)
    return stop.reason if stop else ""


def stopped(desk: Desk, picture: Picture, order: Wanted) -> Refusal | None:
    """The first block that holds this order back and is not lifted."""
    return next((refusal for refusal, lift in judged(desk, picture, order) if not lift), None)


def lifted(desk: Desk, picture: Picture, order: Wanted) -> tuple[str, ...]:
    """The lifts that an order needs and uses up; ask `blocked` first."""
    return tuple(lift for _, lift in judged(desk, picture, order) if lift)


def judged(desk: Desk, picture: Picture, order: Wanted) -> Iterator[tuple[Refusal, str]]:
    """Every block that holds this order back, each with the lift that lets it pass, empty for none."""
    for name, check, liftable in BLOCKS:
        if reason := check(desk, picture, order):
            yield Refusal(name, reason), _lift(desk, picture, order, name) if liftable else ""


def _lift(desk: Desk, picture: Picture, order: Wanted, block: str) -> str:
    for key, lift in desk.lifts.items():
        fits = (lift.block, lift.instrument, lift.by) == (block, order.instrument.name, order.by)
        if fits and lift.state == "granted" and picture.now < lift.until:
            return key
    return ""


def largest(desk: Desk, instrument: Instrument) -> int:
    """Lots that a single order may have at most."""
    limits = desk.config.limits
    most = limits.order_contracts if instrument.kind is Kind.OPTION else limits.future_usd
    for bounds in (limits.parent, named(limits.instruments, instrument.name)):
        if bounds is not None and bounds.order_contracts is not None:
            most = min(most, bounds.order_contracts * instrument.contract)
    return math.floor(most / instrument.lot + 1e-9)


def price_inside(picture: Picture, order: Wanted) -> str:
    """For a post-only order: why it would not rest, empty if it would."""
    far = touch(picture, order.instrument, order.side.other)
    if order.post_only and far is not None and order.side.sign * (order.price - far) >= 0:
        return f"a post-only {order.side} at {order.instrument.price(order.price):.12g} would cross"
    return ""

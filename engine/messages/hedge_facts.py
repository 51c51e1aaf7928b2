"""Facts of hedging: how it goes about, and what holds it back. Its proposals and orders are facts like any others,
marked as hedges."""

from __future__ import annotations

from engine.messages.happened import Happened
from engine.messages.verbs import Dial, HedgeDial


class HedgeSet(Happened, frozen=True, kw_only=True, tag="hedge"):
    """How the book is hedged from now on, whatever the settings say. `target` is coin of delta."""

    by: str
    on: bool
    dial: Dial
    target: float


class ParentHedgeSet(Happened, frozen=True, kw_only=True, tag="parent_hedge"):
    parent: str
    by: str
    dial: HedgeDial


class HedgeRested(Happened, frozen=True, kw_only=True, tag="hedge_rested"):
    """The venue refused a hedge: no other is proposed before `until`."""

    until: int
    reason: str

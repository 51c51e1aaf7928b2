"""Smiles as they were: what a change since an earlier moment is measured from. Bounded, whatever the session's length.

A moment is kept every quarter of a minute, sixteen minutes of them, and the first of the session for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.domain import MINUTE_NS, NS
from engine.surface.surface import Surface
from engine.surface.svi import Slice

EVERY_NS = 15 * NS
KEPT = 65


class Shape(msgspec.Struct, frozen=True, array_like=True):
    """One expiry's smile: the highest of its slices, in total variance over `years`, at log-moneyness of `forward`."""

    coin: str
    expiry: int
    forward: float
    years: float
    slices: tuple[Slice, ...]


class Moment(msgspec.Struct, frozen=True, array_like=True):
    """All smiles of a time, ns."""

    t: int
    shapes: tuple[Shape, ...]


class Past:
    def __init__(self) -> None:
        self.first: Moment | None = None
        self.recent: list[Moment] = []
        self.due = 0

    def keep(self, t: int, surfaces: Mapping[str, Surface]) -> None:
        """Remember the smiles of time `t` if it is time to. The first are those of a quarter of a minute after the
        start: by then every expiry has been fitted once. Where they come one by one, as in a recorded sweep, they are
        those of the moment after which no other came for a minute."""
        if not self.due or t < self.due - EVERY_NS:
            self.due = t + EVERY_NS
        if t < self.due:
            return
        self.due = t + EVERY_NS
        shapes = tuple(
            Shape(coin, expiry, fit.forward, fit.years, fit.pieces())
            for coin, surface in sorted(surfaces.items())
            for expiry, fit in sorted(surface.fits.items())
            if fit.slice is not None and expiry > t
        )
        if shapes:
            moment = Moment(t, shapes)
            if self.first is None or (len(shapes) > len(self.first.shapes) and t - self.first.t <= MINUTE_NS):
                self.first = moment
            self.recent = [*self.recent, moment][-KEPT:]

    def at(self, t: int) -> Moment | None:
        """The newest moment that is no later than `t`; None if none that old is kept."""
        return next((moment for moment in reversed(self.recent) if moment.t <= t), None)

    def dump(self) -> Any:
        return {"first": msgspec.to_builtins(self.first), "recent": msgspec.to_builtins(self.recent), "due": self.due}

    @classmethod
    def load(cls, value: Any) -> Past:
        self = cls()
        self.first = msgspec.convert(value["first"], Moment | None)
        self.recent = msgspec.convert(value["recent"], list[Moment])
        self.due = value["due"]
        return self

"""A venue where nobody trades: what is told of it is told again each second, as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.domain import NS
from engine.paper.floor.exchange import Exchange

USUAL_IV = 0.5  # of options nobody has spoken of yet


class Nobody:
    """Has a crowd's interface. Whoever runs the venue moves the marks by telling them."""

    def __init__(self, exchanges: Mapping[str, Exchange], start_ns: int) -> None:
        self.exchanges, self.next = dict(exchanges), start_ns + NS
        for exchange in exchanges.values():
            marks = exchange.marks
            marks.tell(start_ns, marks.index, {}, marks.iv[marks.options] + USUAL_IV)

    def turn(self) -> None:
        t, self.next = self.next, self.next + NS
        for exchange in self.exchanges.values():
            marks = exchange.marks
            ivs = marks.iv[marks.options]  # what is new is worth what everything was in the beginning
            marks.tell(t, marks.index, {}, np.where(ivs > 0.0, ivs, USUAL_IV), marks.perpetual)

    def listed(self, coin: str) -> None:
        """It is told of at the next turn."""

    def advance(self, to: int) -> None:
        while self.next <= to:
            self.turn()

    def reseed(self, fresh: int) -> None:
        """There are no dice."""

    def dump(self) -> Any:
        return self.next

    def load(self, value: Any) -> None:
        self.next = value

"""What happens in a market, said in one way whoever recorded it.

Times are ns UTC by the receiver's clock and never fall within a recording. Prices and sizes are decimals as the venue
writes them, so that equal ones are equal floats; sizes are in the venue's own unit (coin, or contracts of an inverse
future).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

from engine.research.imports.found import BadLine

Levels: TypeAlias = tuple[tuple[float, float], ...]  # (price, size)


class Level2(NamedTuple):
    """Levels and their new absolute sizes; a size of 0 deletes. A snapshot replaces the whole book; one without
    levels says that the book is not known from here on (a gap), until the next."""

    t: int
    snapshot: bool
    bids: Levels
    asks: Levels


class Best(NamedTuple):
    t: int
    bid: float
    bid_size: float
    ask: float
    ask_size: float


class Printed(NamedTuple):
    """One trade; `sign` is +1 where the buyer was the aggressor, -1 where the seller was."""

    t: int
    price: float
    size: float
    sign: int


Event: TypeAlias = Level2 | Best | Printed


class Checks(NamedTuple):
    """How often a rebuilt book was held against the best prices and sizes that the venue sent beside it."""

    same_id: int = 0  # both carry the same number
    same_id_off: int = 0  # of them: disagreements
    between: int = 0  # the venue's last best before the update
    between_off: int = 0

    @property
    def made(self) -> int:
        return self.same_id + self.between

    @property
    def off(self) -> int:
        return self.same_id_off + self.between_off


class EventRecording(Protocol):
    """One instrument's market. Iterating yields its events in order of time, and can be done again."""

    paths: tuple[Path, ...]
    format: str
    symbol: str
    inverse: bool  # sizes are contracts of a fixed worth in USD
    tick: float  # the greatest step that all prices are multiples of
    lot: float
    events: int
    counts: Mapping[str, int]  # by kind of line
    gaps: int  # breaks in the chain of updates
    checks: Checks
    first_t: int
    last_t: int
    notes: tuple[str, ...]
    bad: tuple[BadLine, ...]  # the first thousand
    bad_count: int

    def __iter__(self) -> Iterator[Event]: ...

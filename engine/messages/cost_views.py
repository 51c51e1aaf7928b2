"""Views of what trading cost: each parent's shortfall by term, its fills, markouts, the override scorecard.

Prices are decimals, costs positive, ticks for each contract; terms stand under their names (`engine.execution.cost`).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.domain import Side


class BenchmarkRow(msgspec.Struct, frozen=True, kw_only=True):
    """A price of the same time, and how many ticks dearer the fills were on average."""

    name: str
    price: float | None
    ticks: float | None
    note: str = ""


class CostRow(msgspec.Struct, frozen=True, kw_only=True):
    """One parent's shortfall against the price at its decision: `ticks` and `vol` for each contract of the order,
    `coin` and `usd` altogether, each with its `total`. `unknown` says of which share of the lots a term is not known;
    what it may hold is in `timing`."""

    id: str
    instrument: str
    side: Side
    user: str
    algorithm: str
    state: str
    amount: float
    filled: float
    edits: int
    decision: float | None
    arrival: float | None
    average: float | None
    digits: int
    start_ms: float
    end_ms: float
    ticks: dict[str, float] | None
    vol: dict[str, float] | None
    coin: dict[str, float] | None
    usd: dict[str, float] | None
    unknown: dict[str, float]
    benchmarks: tuple[BenchmarkRow, ...]
    final: float | None = None


class FillCost(msgspec.Struct, frozen=True, kw_only=True):
    """One fill: its terms against the market on arrival in ticks for each of its contracts, and its markouts in ticks
    by seconds: the market gone our way is above zero, None where it was not seen."""

    trade: str
    child: str
    t_ms: float
    amount: float
    price: float
    maker: bool
    fee: float
    ticks: dict[str, float]
    unknown: tuple[str, ...]
    markouts: dict[str, float | None]
    micro: float | None


class ChildCost(msgspec.Struct, frozen=True, kw_only=True):
    """One child, of what was filled of it, against the price at which it was proposed. `predicted` and `realised` are
    slippage beyond the touch in ticks, of one that crossed, by the model that foretold it."""

    id: str
    parent: str
    instrument: str
    side: Side
    by: str
    t_ms: float
    amount: float
    filled: float
    average: float | None
    crossed: bool
    ticks: dict[str, float] | None
    coin: dict[str, float] | None
    usd: dict[str, float] | None
    unknown: dict[str, float]
    row: str = ""
    model: str = ""
    predicted: float | None = None
    realised: float | None = None


class PricePoint(msgspec.Struct, frozen=True, kw_only=True):
    """The market as it was seen while the parent lived; `traded` by others since the point before, `due` and `done` of
    the order by then."""

    t_ms: float
    micro: float
    bid: float
    ask: float
    fair: float | None
    traded: float
    due: float | None
    done: float


class CallRow(msgspec.Struct, frozen=True, kw_only=True):
    """One decision: prices estimated for the suggestion and really paid, and what deciding so earned, ticks a contract;
    `why` it is not scored."""

    t_ms: float
    kind: str
    parent: str
    by: str
    side: Side
    amount: float
    suggested: float | None
    paid: float | None
    earned_ticks: float | None
    earned_coin: float | None
    reason: str
    why: str


class MeanRow(msgspec.Struct, frozen=True, kw_only=True):
    n: int
    mean: float | None
    lo: float | None
    hi: float | None


class TallyRow(msgspec.Struct, frozen=True, kw_only=True):
    """All decisions of one kind; `earned` is ticks a contract with its 90 % interval. `said`: why no verdict."""

    kind: str
    n: int
    earned: MeanRow
    coin: float
    said: str


class MarkoutRow(msgspec.Struct, frozen=True, kw_only=True):
    maker: bool
    seconds: int
    ticks: MeanRow
    missing: int


class PredictedRow(msgspec.Struct, frozen=True, kw_only=True):
    """Slippage beyond the touch, ticks: foretold by this model, and as it came; the share inside its 80 % band."""

    model: str
    predicted: MeanRow
    realised: MeanRow
    error: MeanRow
    inside: float


class CostsView(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="costs"):
    """Every parent of late, newest first, and what all decisions and fills together came to."""

    parents: tuple[CostRow, ...]
    tally: tuple[TallyRow, ...]
    markouts: tuple[MarkoutRow, ...]
    predicted: tuple[PredictedRow, ...]
    reasons: tuple[tuple[str, int], ...]
    more: int  # older parents that are not in the list


class CostDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One parent in full."""

    parent: CostRow
    fills: tuple[FillCost, ...]
    children: tuple[ChildCost, ...]
    points: tuple[PricePoint, ...]
    calls: tuple[CallRow, ...]
    markouts: tuple[MarkoutRow, ...]


class AskCost(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="cost"):
    """One parent's cost in full, as it stands, or a report of these parents (of all, without any) as a file."""

    id: str
    form: Literal["json", "html", "csv", "parquet"]
    parents: tuple[str, ...] = ()


class Costed(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="costed"):
    """A `CostDetail` as JSON, or a file and what to call it; else in words why there is none."""

    id: str = ""
    name: str = ""
    data: bytes = b""
    reason: str = ""

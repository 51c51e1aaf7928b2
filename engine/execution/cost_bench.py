"""What an order's price is held against: benchmarks, markouts, and the slippage that was predicted. Pure.

Benchmarks are prices of the same time: a cost against one says what another way of trading would have saved, without
fees.
A markout is how far the market had gone our way so long after a fill, against the price of the fill: a taker's spread
shows as a loss at first, a maker's as a gain, and what is left after a minute is what the fill was worth.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from engine import messages as m
from engine.domain import instrument_of
from engine.execution.cost import arrived_at
from engine.execution.cost_story import Ledger, Story, Work
from engine.execution.estimate import at_size
from engine.execution.markout import AFTER_S

Z90 = 1.6449  # standard normal, 95 %: both sides of a 90 % interval


class Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    """A price in units, and how much dearer the fills were on average, in ticks; None where it is not known."""

    name: str
    price: float | None
    ticks: float | None
    note: str = ""


class Mean(msgspec.Struct, frozen=True, kw_only=True):
    """A mean weighted by lots, with its 90 % interval where there is more than one."""

    n: int
    mean: float | None = None
    lo: float | None = None
    hi: float | None = None


class Markout(msgspec.Struct, frozen=True, kw_only=True):
    """Ticks that the market had gone our way; `missing` fills were not seen then."""

    maker: bool
    seconds: int
    ticks: Mean
    missing: int


class Predicted(msgspec.Struct, frozen=True, kw_only=True):
    """Slippage beyond the touch of orders that crossed, ticks: as `model` foretold it, and as it came. `inside` is the
    share that fell into the forecast's 80 % band."""

    model: str
    predicted: Mean
    realised: Mean
    error: Mean
    inside: float


def benchmarks(story: Story, now: m.Mark | None = None, t: int = 0) -> tuple[Benchmark, ...]:
    """Arrival, the market's average over the order's life, what others paid meanwhile, and crossing it all at once on
    arrival. Of an order that lives, up to `now` at `t`, or to when the market was last seen."""
    first, order = story.seen[0].mark if story.seen else story.decided.mark, story.order
    at_once, note = (first.take, "") if first else (None, "")
    if first and first.taken < story.decided.quantity:
        lot = instrument_of(order.instrument).lot
        note = f"the book held {first.taken * lot:g} of {story.decided.quantity * lot:g}"
    lots = sum(seen.lots for seen in story.seen)
    vwap = sum(seen.turnover for seen in story.seen) / lots if lots else None
    return (
        _against(story, "arrival", arrived_at(story)),
        _against(story, "TWAP", _twap(story, now, t)),
        _against(story, "VWAP", vwap, "" if lots else "nobody else traded"),
        _against(story, "at once", at_once, note),
    )


def markouts(ledger: Ledger, works: Iterable[Work]) -> tuple[Markout, ...]:
    """Of the fills of these children, makers' and takers' apart, at each time after."""
    fills = [fill for work in works for fill in work.fills]
    return tuple(_markout(ledger, fills, maker, seconds) for maker in (True, False) for seconds in AFTER_S)


def markout_ticks(ledger: Ledger, fill: m.Filled, seconds: int) -> float | None:
    """Of one fill; None where it was not seen, or is not due yet."""
    mark = ledger.after.get(fill.trade, {}).get(seconds)
    if mark is None:
        return None
    return fill.side.sign * (mark.micro - fill.price) / instrument_of(fill.instrument).tick_units(fill.price)


def predicted(works: Iterable[Work]) -> tuple[Predicted, ...]:
    """By the model that foretold it."""
    rows: dict[str, list[tuple[int, float, float, bool]]] = {}
    for work in works:
        if (row := slippage(work)) is not None and work.forecast is not None:
            rows.setdefault(work.forecast.source, []).append(row)
    return tuple(_compared(model, found) for model, found in sorted(rows.items()))


def slippage(work: Work) -> tuple[int, float, float, bool] | None:
    """Lots, ticks beyond the touch foretold and realised, and whether inside the band; None for what did not cross, was
    not filled, or stood on no forecast. It is foretold for the size that was filled."""
    request, said = work.request, work.forecast
    if request.post_only or not work.filled or said is None or request.mark is None:
        return None
    instrument, buyer = instrument_of(request.instrument), request.side.sign > 0
    touch = request.mark.ask if buyer else request.mark.bid
    average = sum(fill.quantity * fill.price for fill in work.fills) / work.filled
    came = request.side.sign * (average - touch) / instrument.tick_units(touch)
    contracts = work.filled * instrument.lot / instrument.contract
    lo, mid, hi = at_size(said.slip_buy if buyer else said.slip_sell, contracts)
    return work.filled, mid, came, lo <= came <= hi


def mean(values: Sequence[float], weights: Sequence[float]) -> Mean:
    """Weighted, with a 90 % interval that takes them for independent."""
    whole = math.fsum(weights)
    if not values or not whole:
        return Mean(n=len(values))
    centre = math.fsum(v * w for v, w in zip(values, weights, strict=True)) / whole
    if len(values) < 2:
        return Mean(n=len(values), mean=centre)
    spread = math.sqrt(math.fsum((w * (v - centre)) ** 2 for v, w in zip(values, weights, strict=True))) / whole
    reach = Z90 * spread * math.sqrt(len(values) / (len(values) - 1))
    return Mean(n=len(values), mean=centre, lo=centre - reach, hi=centre + reach)


def _against(story: Story, name: str, price: float | None, note: str = "") -> Benchmark:
    if price is None or not story.filled:
        return Benchmark(name=name, price=price, ticks=None, note=note)
    average = sum(fill.quantity * fill.price for fill in story.fills) / story.filled
    tick = instrument_of(story.order.instrument).tick_units(price)
    return Benchmark(name=name, price=price, ticks=story.order.side.sign * (average - price) / tick, note=note)


def _twap(story: Story, now: m.Mark | None, t: int) -> float | None:
    """Each stretch between two looks counts at the mean of both."""
    points = [(seen.t, seen.mark.micro) for seen in story.seen]
    if story.ended is not None and story.ended.mark is not None:
        points.append((story.ended.t, story.ended.mark.micro))
    elif story.ended is None and now is not None and t:
        points.append((t, now.micro))
    if not points:
        return None
    span = points[-1][0] - points[0][0]
    if span <= 0:
        return points[0][1]
    return math.fsum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(points)) / span


def _markout(ledger: Ledger, fills: Sequence[m.Filled], maker: bool, seconds: int) -> Markout:
    mine = [fill for fill in fills if fill.maker == maker and seconds in ledger.after.get(fill.trade, {})]
    told = [(value, fill.quantity) for fill in mine if (value := markout_ticks(ledger, fill, seconds)) is not None]
    return Markout(
        maker=maker, seconds=seconds, ticks=mean([v for v, _ in told], [w for _, w in told]),
        missing=len(mine) - len(told),
    )  # fmt: skip


def _compared(model: str, rows: Sequence[tuple[int, float, float, bool]]) -> Predicted:
    lots = [float(row[0]) for row in rows]
    return Predicted(
        model=model, predicted=mean([row[1] for row in rows], lots), realised=mean([row[2] for row in rows], lots),
        error=mean([row[2] - row[1] for row in rows], lots), inside=sum(row[3] for row in rows) / len(rows),
    )  # fmt: skip

"""What became of each moment: labels from a stretch.

The definitions are those of `forecast/labels.py`, written here over whole arrays. A label is unknown (NaN) where its
horizon runs past the stretch's end.
"""

from __future__ import annotations

import msgspec
import numpy as np

from engine.config import STEP_NS, WARM_STEPS
from engine.forecast.labels import DIRECTIONS, DOWN, HORIZON_NS, MIN_PRINT, STABLE, UP, to_ten
from engine.research.dataset import AT, SIZES, Floats, Stretch

AHEAD = {head: max(1, ns // STEP_NS) for head, ns in HORIZON_NS.items()}  # steps
EMBARGO = AHEAD["volatility"] + WARM_STEPS  # the longest horizon and the warm-up
BUY_COLUMNS = slice(AT["buy_0"], AT["buy_0"] + SIZES)
SELL_COLUMNS = slice(AT["sell_0"], AT["sell_0"] + SIZES)


class Labels(msgspec.Struct, frozen=True):
    """Of one stretch, (T,) or (T, k): `move` ticks of the fair micro-price in 1 s, `move_10` and `move_60` in 10 and
    60 s; `cost` (T, 10) ticks beyond the
    touch one step later, buys then sells, and `walked` (T, 10) as the book stood; `push` (T, 2) mechanical and
    `impact` (T, 2) realised, scaled to ten contracts, known only after prints; `fill` (T, 2) of bid and ask, 0 or 1;
    `iv` per cent in 60 s; `spread` and `depth` ln-changes in 10 s."""

    move: Floats
    move_10: Floats
    move_60: Floats
    cost: Floats
    walked: Floats
    push: Floats
    impact: Floats
    fill: Floats
    iv: Floats
    spread: Floats
    depth: Floats

    def moved(self, head: str) -> Floats:
        """Of a direction's head."""
        found: Floats = getattr(self, head.replace("direction", "move"))
        return found


def labels_of(stretch: Stretch) -> Labels:
    now = stretch.now
    column = {name: now[:, k] for name, k in AT.items()}
    tick = column["tick"]
    moves = [_moves(column, AHEAD[head]) for head in DIRECTIONS]
    wide = (column["ask"] - column["bid"]) / tick
    later = (_ahead(column["ask"], AHEAD["spread"]) - _ahead(column["bid"], AHEAD["spread"])) / tick
    iv = column["iv"]
    return _without_ours(stretch.own, Labels(
        move=moves[0],
        move_10=moves[1],
        move_60=moves[2],
        cost=_costs(now),
        walked=now[:, AT["buy_0"] : AT["sell_0"] + SIZES],
        push=now[:, [AT["push_buy"], AT["push_sell"]]],
        impact=_impacts(stretch),
        fill=_fills(stretch),
        iv=100.0 * (_ahead(iv, AHEAD["volatility"]) / iv - 1.0),
        spread=np.log1p(later) - np.log1p(wide),
        depth=np.log(_ahead(column["depth"], AHEAD["spread"]) / column["depth"]),
    ))  # fmt: skip


def _without_ours(own: Floats, labels: Labels) -> Labels:
    """Where a fill of ours came before a label was due, the label is partly our doing: unknown."""
    due = {"move": "direction", "move_10": "direction_10", "move_60": "direction_60", "cost": "slippage",
           "impact": "impact", "fill": "fill", "iv": "volatility", "spread": "spread", "depth": "spread"}  # fmt: skip
    for step in own.astype(int):
        for name, head in due.items():
            getattr(labels, name)[max(step - AHEAD[head], 0) : step] = np.nan
    return labels


def _moves(column: dict[str, Floats], ahead: int) -> Floats:
    """Ticks by which the fair micro-price moves; unknown where the surface had a say in it at one end only."""
    move: Floats = (_ahead(column["place"], ahead) - column["place"]) / column["tick"]
    move[_ahead(column["placed"], ahead) != column["placed"]] = np.nan
    return move


def _ahead(values: Floats, steps: int) -> Floats:
    """values[t + steps] at t; NaN past the end."""
    out = np.full_like(values, np.nan)
    if steps < len(values):
        out[:-steps] = values[steps:]
    return out


def _costs(now: Floats) -> Floats:
    later = _ahead(now, AHEAD["slippage"])
    tick = now[:, AT["tick"], None]
    buy = later[:, AT["ask"], None] - now[:, AT["ask"], None] + later[:, BUY_COLUMNS] * later[:, AT["tick"], None]
    sell = now[:, AT["bid"], None] - later[:, AT["bid"], None] + later[:, SELL_COLUMNS] * later[:, AT["tick"], None]
    return np.concatenate([buy, sell], axis=1) / tick


def _fills(stretch: Stretch) -> Floats:
    """(T, 2): would an order at the back of the bid's, the ask's queue have filled in the next 5 s?

    Yes if more than the queue ahead traded at its price, if a print was beyond it, or if the other side came to it.
    Where a probe was sent, what became of it is known better.
    """
    now, ahead = stretch.now, AHEAD["fill"]
    steps = len(now)
    out = np.zeros((steps, 2))
    for k, (price, queue, other, sign) in enumerate((("bid", "bid_lots", "ask", -1), ("ask", "ask_lots", "bid", 1))):
        left, through = now[:, AT[queue]].copy(), np.zeros(steps, dtype=bool)
        for step, side, units, lots, _ in stretch.prints:
            if side != sign:
                continue
            window = slice(max(int(step) - ahead, 0), int(step))  # moments before the step that saw it
            at = now[window, AT[price]]
            left[window] -= lots * (units == at)
            through[window] |= (units - at) * sign > 0
        reach = _reach(now[:, AT[other]] * sign, ahead)  # the furthest the other side comes towards the price
        out[:, k] = (left < 0) | through | (reach >= now[:, AT[price]] * sign)
    out[np.isnan(now[:, AT["bid"]])] = np.nan
    out[max(steps - ahead, 0) :] = np.nan
    for step, sign, taker, _, filled in stretch.probes:
        if not taker and not np.isnan(out[int(step), 0]):
            out[int(step), 0 if sign > 0 else 1] = filled > 0
    return out


def _reach(values: Floats, ahead: int) -> Floats:
    """The largest of the next `ahead` values at each moment; −∞ where there are none known."""
    padded = np.concatenate([np.nan_to_num(values[1:], nan=-np.inf), np.full(ahead, -np.inf)])
    out: Floats = np.lib.stride_tricks.sliding_window_view(padded, ahead)[: len(values)].max(axis=1)
    return out


def _impacts(stretch: Stretch) -> Floats:
    """(T, 2): the micro-price's push 5 s later, as of ten contracts: by the takers sent by lot, against the session
    without them; where there are none, by the prints of the next step, against the present."""
    now, ahead = stretch.now, AHEAD["impact"]
    out = np.full((len(now), 2), np.nan)
    for step, sign, taker, size, then in stretch.probes:
        at = int(step)
        if taker and size >= MIN_PRINT and at + ahead < len(now):
            out[at, 0 if sign > 0 else 1] = (
                sign * (then - now[at + ahead, AT["micro"]]) / now[at, AT["tick"]] * to_ten(size)
            )
    if len(stretch.probes):
        return out
    sizes: dict[tuple[int, int], float] = {}
    for step, side, _, _, size in stretch.prints:
        sizes[int(step), int(side)] = sizes.get((int(step), int(side)), 0.0) + float(size)
    for (step, side), size in sizes.items():
        before = step - 1
        if size >= MIN_PRINT and before >= 0 and before + ahead < len(now):
            moved = now[before + ahead, AT["micro"]] - now[before, AT["micro"]]
            out[before, 0 if side > 0 else 1] = side * moved / now[before, AT["tick"]] * to_ten(size)
    return out


class Part(msgspec.Struct, frozen=True):
    """A run of steps of a stretch, with its labels: what one fold may see."""

    stretch: Stretch
    labels: Labels
    begin: int
    end: int

    @property
    def span(self) -> slice:
        return slice(self.begin, self.end)


def classes(moves: Floats, threshold: float) -> Floats:
    """0 up, 1 down, 2 stable; NaN where unknown."""
    out = np.where(moves > threshold, UP, np.where(moves < -threshold, DOWN, STABLE)).astype(np.float64)
    out[np.isnan(moves)] = np.nan
    return out

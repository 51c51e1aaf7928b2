"""The policy: a table of rows, read against the market, gives advice for one child.

Protective rows are constraints that combine (the tightest wins); the first opportunistic row that fires acts within
them. Rows are data (`config.Row`): a row names readings, and a reading that is missing cannot make its row fire.

Readings, written for a buyer (a seller's is the mirror; ticks are ticks at the touch; the direction's horizon is 1 s
unless the settings say 10 or 60):

| reading | what |
| --- | --- |
| p_against, p_for, p_stable | P(the fair micro-price moves against the order, for it, less than the threshold) |
| edge_over_cost_ticks | adverse move expected until the next passive fill + edge to fair − half spread − extra fee |
| slippage_10_ticks | expected cost beyond the touch of taking 10 contracts now |
| impact_ticks | expected push of taking 10, 5 s |
| fill | P(a passive order at the own touch fills), 5 s |
| iv_move_against_pct, iv_move_against_ticks | expected 60 s IV move against the order: per cent; ticks of premium |
| spread_ticks | the spread as it stands |

A forecast without skill has no say: direction readings need their horizon's verdict "edge", volatility readings the
volatility's. Slippage, impact and fill are there even so, since their baselines say something too: without an edge,
or while the model warms up, the book walked as it stands and the base rates are read instead.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping

import msgspec

from engine.config import Action, Row
from engine.domain import OPTION_FEE_CAP, Instrument, Kind, Side
from engine.execution.picture import Picture, touch
from engine.messages import SIZES, Forecast

_OPS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
HEAD = {1: "direction", 10: "direction_10", 60: "direction_60"}  # the verdict that a horizon needs
_WAIT_S = 3.0  # a one-second forecast is not carried further than this when a passive fill is slow to come


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """What the table says now: the tightest protection, and the row that acts within it ("schedule" if none)."""

    fired: tuple[str, ...]
    halt_s: float
    halt_row: str
    max_child: float | None  # contracts
    row: str
    action: Action


def readings(picture: Picture, instrument: Instrument, side: Side, seconds: int = 1) -> dict[str, float]:
    """Every reading that is known now, the direction's of this horizon. Missing ones are absent, never invented."""
    out: dict[str, float] = {}
    bid, ask = touch(picture, instrument, Side.BUY), touch(picture, instrument, Side.SELL)
    forecast = picture.forecasts.get(instrument.name)
    if bid is None or ask is None:
        return out
    tick = instrument.tick_units(ask if side is Side.BUY else bid)
    out["spread_ticks"] = (ask - bid) / tick
    buyer = side is Side.BUY
    if said := _or_baseline(picture, forecast, instrument.name, "slippage"):
        out["slippage_10_ticks"] = (said.slip_buy if buyer else said.slip_sell)[SIZES.index(10.0)][1]
    if said := _or_baseline(picture, forecast, instrument.name, "impact"):
        out["impact_ticks"] = said.impact_buy if buyer else said.impact_sell
    if said := _or_baseline(picture, forecast, instrument.name, "fill"):
        out["fill"] = said.fill_bid if buyer else said.fill_ask
    odds = None if forecast is None else forecast.odds(seconds)
    if forecast is not None and odds is not None and _trusted(picture, forecast, HEAD[seconds]):
        out["p_against"], out["p_for"] = (odds.up, odds.down) if buyer else (odds.down, odds.up)
        out["p_stable"] = odds.stable
        if "fill" in out:
            out["edge_over_cost_ticks"] = _edge(picture, instrument, side, forecast, out["fill"], bid, ask, tick)
    if forecast is not None and _trusted(picture, forecast, "volatility"):
        out |= _volatility(picture, instrument, side, forecast)
    return out


def advise(rows: tuple[Row, ...], values: Mapping[str, float]) -> Advice:
    """Evaluate the table. Pure: the same readings give the same advice."""
    fired = [row for row in rows if all(_holds(c.reading, c.op, c.value, values) for c in row.when)]
    protective = [row for row in fired if row.kind == "protective"]
    halting = max(protective, key=lambda row: row.action.halt_s, default=None)
    caps = [row.action.max_child for row in protective if row.action.max_child is not None]
    acting = next((row for row in fired if row.kind == "opportunistic"), None)
    return Advice(
        fired=tuple(row.name for row in fired),
        halt_s=halting.action.halt_s if halting else 0.0,
        halt_row=halting.name if halting and halting.action.halt_s else "",
        max_child=min(caps, default=None),
        row=acting.name if acting else "schedule",
        action=acting.action if acting else Action(),
    )


def _holds(reading: str, op: str, value: float, values: Mapping[str, float]) -> bool:
    return reading in values and bool(_OPS[op](values[reading], value))


def _trusted(picture: Picture, forecast: Forecast, head: str) -> bool:
    verdict = picture.verdicts.get(head)
    return forecast.warm and forecast.familiar and verdict is not None and verdict.verdict == "edge"


def _or_baseline(picture: Picture, forecast: Forecast | None, name: str, head: str) -> Forecast | None:
    """The model's word where it has an edge, else its baseline's."""
    if forecast is not None and _trusted(picture, forecast, head):
        return forecast
    return picture.baselines.get(name)


def _edge(
    picture: Picture, instrument: Instrument, side: Side, forecast: Forecast, fill: float, bid: int, ask: int, tick: int
) -> float:
    wait = min(5.0 / max(fill, 0.05), _WAIT_S)
    adverse = side.sign * forecast.drift_ticks * wait
    fair = picture.fair(instrument.name)
    to_fair = 0.0 if fair is None else side.sign * (fair - (bid + ask) / 2) / tick
    return adverse + to_fair - (ask - bid) / 2 / tick - _extra_fee(instrument, ask if side is Side.BUY else bid) / tick


def _extra_fee(instrument: Instrument, units: int) -> float:
    """What taking costs in fees beyond resting, in units: coin a contract for options, a share of the price else."""
    if instrument.kind is not Kind.OPTION:
        return (instrument.taker_fee - instrument.maker_fee) * units
    cap = OPTION_FEE_CAP * units * instrument.tick
    return (min(instrument.taker_fee, cap) - min(instrument.maker_fee, cap)) / instrument.tick


def _volatility(picture: Picture, instrument: Instrument, side: Side, forecast: Forecast) -> dict[str, float]:
    move = side.sign * forecast.iv_move[1]
    out = {"iv_move_against_pct": move}
    vega, quote = picture.vega_ticks(instrument.name), picture.venue.quotes.get(instrument.name)
    if vega is not None and quote is not None and quote.mark_iv is not None:
        out["iv_move_against_ticks"] = move * quote.mark_iv * vega  # 1 % of IV is mark_iv vol points of 1/100
    return out

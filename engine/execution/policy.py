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
| spread_ticks, spread_over_median_ticks | the spread as it stands; how far over its median of about ten minutes |
| iv_band_pct | the larger end of the 60 s IV forecast's band, either way: how far it may well move |
| saving_ticks | what crossing now saves against what it usually costs, see `_saving` |
| near_depth_contracts | what others have at the own touch |

A condition on a reading in ticks may be set in vol points or as a share of the premium: it is turned into ticks by the
option's vega and by its price, and fires nothing where those are not known.

A forecast without skill has no say: direction readings need their horizon's verdict "edge", volatility readings the
volatility's. Slippage, impact and fill are there even so, since their baselines say something too: without an edge,
or while the model warms up, the book walked as it stands and the base rates are read instead.

The edge reads the same horizon as the direction. Over a second the expected move is the drift head's; over a longer
one nothing forecasts a size, so it is taken as its threshold × (P(up) − P(down)), which is less than what is to be
expected, since a move that counts is larger than the threshold. A trader's own view is pooled with the direction
(`belief.py`).
"""

from __future__ import annotations

import operator
from collections.abc import Mapping

import msgspec

from engine.config import Action, Condition, Row
from engine.domain import OPTION_FEE_CAP, Instrument, Kind, Side
from engine.execution.belief import pooled
from engine.execution.picture import Picture, resting, touch
from engine.messages import SIZES, Forecast, Odds, TraderView

_OPS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
HEAD = {1: "direction", 10: "direction_10", 60: "direction_60"}  # the verdict that a horizon needs
_WAIT_S = 3.0  # a one-second forecast is not carried further than this when a passive fill is slow to come
_UNITS = {"vol_points": "vol_point_ticks", "premium_share": "premium_ticks"}  # what one of it is, in ticks
FAIR_COMES = 0.3  # of the edge to fair, within half a minute: 0.27 by least squares over 151 options on paper markets
SCHEDULE = "schedule"  # said where no row acts
FILL_SAID = "fill_said"  # the fill forecast where it has an edge: only then is it waited for


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """What the table says now: the tightest protection, and the row that acts within it ("schedule" if none).

    `fired` are the rows whose conditions hold; one without any is among them only while it acts.
    """

    fired: tuple[str, ...]
    halt_s: float
    halt_row: str
    max_child: float | None  # contracts
    row: str
    action: Action
    passive: bool = False  # a protective row lets children rest only

    @property
    def style(self) -> str:
        """The side of the spread within the protection."""
        return "post" if self.passive and self.action.style == "cross" else self.action.style

    @property
    def neutral(self) -> bool:
        """Whether the schedule alone decides: when, and whether it is late."""
        return self.action.times_base is None


PLAIN = Advice(fired=(), halt_s=0.0, halt_row="", max_child=None, row=SCHEDULE, action=Action())


def readings(
    picture: Picture, instrument: Instrument, side: Side, seconds: int = 1, view: TraderView | None = None
) -> dict[str, float]:
    """Every reading that is known now, the direction's of this horizon, and what vol points and premium are in ticks.
    Missing ones are absent, never invented."""
    out: dict[str, float] = {}
    bid, ask = touch(picture, instrument, Side.BUY), touch(picture, instrument, Side.SELL)
    forecast = picture.forecasts.get(instrument.name)
    if bid is None or ask is None:
        return out
    tick = instrument.tick_units(ask if side is Side.BUY else bid)
    buyer = side is Side.BUY
    out |= _book(picture, instrument, bid, ask, tick)
    out["near_depth_contracts"] = resting(picture, instrument, side, bid if buyer else ask)
    saving = _saving(picture, instrument, side, bid, ask, tick)
    if said := or_baseline(picture, forecast, instrument.name, "slippage"):
        out["slippage_10_ticks"] = (said.slip_buy if buyer else said.slip_sell)[SIZES.index(10.0)][1]
    if said := or_baseline(picture, forecast, instrument.name, "impact"):
        out["impact_ticks"] = said.impact_buy if buyer else said.impact_sell
    if said := or_baseline(picture, forecast, instrument.name, "fill"):
        out["fill"] = said.fill_bid if buyer else said.fill_ask
        if forecast is not None and _trusted(picture, forecast, "fill"):
            out[FILL_SAID] = out["fill"]
    if forecast is not None and (odds := believed(picture, instrument.name, seconds, view)) is not None:
        out["p_against"], out["p_for"] = (odds.up, odds.down) if buyer else (odds.down, odds.up)
        out["p_stable"] = odds.stable
        drift = _drift(picture, forecast, instrument.name, odds)
        if "fill" in out and drift is not None:
            adverse = side.sign * drift * _carried(out["fill"], seconds)
            out["edge_over_cost_ticks"] = adverse + _edge(picture, instrument, side, bid, ask, tick)
            saving = None if saving is None else saving + adverse
    if saving is not None:
        out["saving_ticks"] = saving
    if forecast is not None and _trusted(picture, forecast, "volatility"):
        out |= _volatility(picture, instrument, side, forecast)
    return out


def believed(picture: Picture, name: str, seconds: int, view: TraderView | None = None) -> Odds | None:
    """The direction as the policy reads it: the model's, weighed with the trader's own view. None without an edge."""
    forecast = picture.forecasts.get(name)
    odds = None if forecast is None else forecast.odds(seconds)
    if forecast is None or odds is None or not _trusted(picture, forecast, HEAD[seconds]):
        return None
    return pooled(odds, view, picture.now)


def plain(_: tuple[Row, ...], __: Mapping[str, float]) -> Advice:
    """The schedule, and nothing else."""
    return PLAIN


def advise(rows: tuple[Row, ...], values: Mapping[str, float]) -> Advice:
    """Evaluate the table. Pure: the same readings give the same advice."""
    fired = [row for row in rows if all(_holds(condition, values) for condition in row.when)]
    protective = [row for row in fired if row.kind == "protective"]
    halting = max(protective, key=lambda row: row.action.halt_s, default=None)
    caps = [row.action.max_child for row in protective if row.action.max_child is not None]
    acting = next((row for row in fired if row.kind == "opportunistic"), None)
    return Advice(
        fired=tuple(row.name for row in fired if row.when or row is acting),
        halt_s=halting.action.halt_s if halting else 0.0,
        halt_row=halting.name if halting and halting.action.halt_s else "",
        max_child=min(caps, default=None),
        row=acting.name if acting else SCHEDULE,
        action=acting.action if acting else Action(),
        passive=any(row.action.passive for row in protective),
    )


def _holds(condition: Condition, values: Mapping[str, float]) -> bool:
    own = condition.unit == "own" or not condition.reading.endswith("_ticks")
    one = 1.0 if own else values.get(_UNITS[condition.unit])
    if condition.reading not in values or one is None:
        return False
    return bool(_OPS[condition.op](values[condition.reading], condition.value * one))


def _trusted(picture: Picture, forecast: Forecast, head: str) -> bool:
    verdict = picture.verdicts.get(head)
    return forecast.warm and forecast.familiar and verdict is not None and verdict.verdict == "edge"


def or_baseline(picture: Picture, forecast: Forecast | None, name: str, head: str) -> Forecast | None:
    """The model's word where it has an edge, else its baseline's."""
    if forecast is not None and _trusted(picture, forecast, head):
        return forecast
    return picture.baselines.get(name)


def _book(picture: Picture, instrument: Instrument, bid: int, ask: int, tick: int) -> dict[str, float]:
    """The spread, as it is and against the usual; a vol point and the premium in ticks."""
    out = {"spread_ticks": (ask - bid) / tick, "premium_ticks": (bid + ask) / 2 / tick}
    usual, vega = picture.usual_spread(instrument.name), picture.vega_ticks(instrument.name)
    if usual is not None:
        out["spread_over_median_ticks"] = out["spread_ticks"] - usual
    if vega is not None:
        out["vol_point_ticks"] = vega
    return out


def _drift(picture: Picture, forecast: Forecast, name: str, odds: Odds) -> float | None:
    """Ticks that the price is expected to move over the horizon of these odds, those of the trader's view in them."""
    said, threshold = forecast.odds(odds.seconds), picture.stable_ticks(name, odds.seconds)
    if said is None or (threshold is None and (odds.seconds > 1 or odds != said)):
        return None
    if odds.seconds > 1:
        return (threshold or 0.0) * (odds.up - odds.down)
    return forecast.drift_ticks + (threshold or 0.0) * ((odds.up - odds.down) - (said.up - said.down))


def _carried(fill: float, seconds: int) -> float:
    """Horizons that pass until the next passive fill, as far as a forecast of one is carried."""
    return min(5.0 / max(fill, 0.05), max(_WAIT_S, seconds)) / seconds


def _edge(picture: Picture, instrument: Instrument, side: Side, bid: int, ask: int, tick: int) -> float:
    """What crossing now is worth beside the expected move: the edge to fair, less half the spread and the extra fee."""
    to_fair = _to_fair(picture, instrument, side, bid, ask, tick)
    return to_fair - (ask - bid) / 2 / tick - extra_fee(instrument, ask if side is Side.BUY else bid) / tick


def _saving(picture: Picture, instrument: Instrument, side: Side, bid: int, ask: int, tick: int) -> float | None:
    """How much cheaper it is to cross now than it usually is: by half of what the spread is under its median, and by
    the part of the edge to fair that comes. An expected move against the order is added where one has an edge."""
    usual = picture.usual_spread(instrument.name)
    if usual is None:
        return None
    narrower = (usual - (ask - bid) / tick) / 2
    return narrower + FAIR_COMES * _to_fair(picture, instrument, side, bid, ask, tick)


def _to_fair(picture: Picture, instrument: Instrument, side: Side, bid: int, ask: int, tick: int) -> float:
    """Ticks from the middle to the surface's price, on this side's favour; 0 where that is not known."""
    fair = picture.fair(instrument.name)
    return 0.0 if fair is None else side.sign * (fair - (bid + ask) / 2) / tick


def extra_fee(instrument: Instrument, units: int) -> float:
    """What taking costs in fees beyond resting, in units: coin a contract for options, a share of the price else."""
    if instrument.kind is not Kind.OPTION:
        return (instrument.taker_fee - instrument.maker_fee) * units
    cap = OPTION_FEE_CAP * units * instrument.tick
    return (min(instrument.taker_fee, cap) - min(instrument.maker_fee, cap)) / instrument.tick


def _volatility(picture: Picture, instrument: Instrument, side: Side, forecast: Forecast) -> dict[str, float]:
    move = side.sign * forecast.iv_move[1]
    lo, _, hi = forecast.iv_move
    out = {"iv_move_against_pct": move, "iv_band_pct": max(abs(lo), abs(hi))}
    vega, quote = picture.vega_ticks(instrument.name), picture.venue.quotes.get(instrument.name)
    if vega is not None and quote is not None and quote.mark_iv is not None:
        out["iv_move_against_ticks"] = move * quote.mark_iv * vega  # 1 % of IV is mark_iv vol points of 1/100
    return out

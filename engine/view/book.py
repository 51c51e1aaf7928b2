"""One instrument on the screen: its ladder and its gauges."""

from __future__ import annotations

from engine import messages as m
from engine.config import Row
from engine.core import Core
from engine.domain import MS, Instrument, Kind, Side
from engine.execution.lifecycle import LIVE_CHILD
from engine.execution.risk import unsound
from engine.forecast.labels import DIRECTIONS
from engine.forecast.stream import Forecaster

DEPTH = 40
_UNKNOWN = m.Skill(verdict="unknown yet")


def ladder(core: Core, name: str) -> m.LadderView | None:
    """The book of one instrument, its marks and our orders in it. None for what is not listed."""
    market, venue = core.market, core.market.venue
    instrument = venue.instruments.get(name)
    if instrument is None:
        return None
    book, quote = venue.books.get(name), venue.quotes.get(name)
    option = instrument.kind is Kind.OPTION
    mark = quote.mark if quote else None
    return m.LadderView(
        instrument=name,
        unit=instrument.tick,
        digits=digits(instrument),
        steps=tuple((round(above / instrument.tick), round(tick / instrument.tick))
                    for above, tick in instrument.tick_steps),
        lot=instrument.lot,
        contract_label=instrument.coin if option else "USD",
        t_ms=(book.t if book else market.now) / MS,
        stale=unsound(market, name, core.desk.config.limits.silence_s),
        state=venue.state_of(name),
        bids=_levels(instrument, core, name, Side.BUY),
        asks=_levels(instrument, core, name, Side.SELL),
        own=_own(core, instrument),
        micro=market.micro(name),
        fair=market.fair(name),
        mark=None if mark is None else mark / instrument.tick,
        forward=market.forward(instrument) if option else None,
        mark_iv=percent(quote.mark_iv) if quote else None,
        fair_iv=_fair_iv(core, instrument),
        bid_iv=percent(quote.bid_iv) if quote else None,
        ask_iv=percent(quote.ask_iv) if quote else None,
        delta=quote.delta if quote else None,
        coin_delta=market.delta(name),
        trades=tuple((row.t / MS, row.units, instrument.amount(row.lots), str(row.side))
                     for row in venue.prints.get(name, ())),
    )  # fmt: skip


def gauges(core: Core, name: str) -> m.GaugesView | None:
    """The forecasts of one instrument, with what they are worth and what they would set off."""
    market = core.market
    instrument = market.venue.instruments.get(name)
    if instrument is None:
        return None
    forecast, features = market.forecasts.get(name), market.features.get(name)
    under, own = _sources(core, instrument, forecast)
    return m.GaugesView(
        instrument=name,
        t_ms=market.now / MS,
        forecast=forecast,
        warm=market.forecaster.warmth(name),
        note=_note(core, name, forecast),
        underlying_ticks=under,
        own_ticks=own,
        move_threshold_ticks=_threshold(market.forecaster, instrument.kind),
        later_thresholds_ticks=_later(market.forecaster, instrument.kind),
        direction_s=core.desk.config.execution.direction_s,
        skill={head: market.verdicts.get(head, _UNKNOWN) for head in _HEADS},
        thresholds=thresholds(core.desk.config.policy),
        firing=_firing(core),
        fragility=features.fragility() if features else None,
        fragility_ofi=features.ofi()[1] if features else None,
    )  # fmt: skip


def _firing(core: Core) -> dict[str, float]:
    market = core.market
    if not market.looks:
        return {}
    return {row.name: market.fired.get(row.name, 0) / market.looks for row in core.desk.config.policy}


def thresholds(rows: tuple[Row, ...]) -> dict[str, float]:
    """The policy's thresholds by reading: the first row that names it."""
    out: dict[str, float] = {}
    for row in rows:
        for condition in row.when:
            if condition.unit == "own":
                out.setdefault(condition.reading, condition.value)
    return out


def digits(instrument: Instrument) -> int:
    """Decimals that a price of this instrument is shown with."""
    text = f"{instrument.tick:.8f}".rstrip("0")
    return len(text.partition(".")[2])


def percent(fraction: float | None) -> float | None:
    return None if fraction is None else 100 * fraction


_HEADS = ("direction", "direction_10", "direction_60", "slippage", "volatility", "fill", "impact", "spread")


def _levels(instrument: Instrument, core: Core, name: str, side: Side) -> tuple[tuple[int, float], ...]:
    book = core.market.venue.books.get(name)
    if book is None:
        return ()
    return tuple((units, instrument.amount(lots)) for units, lots in book.levels(side, DEPTH))


def _own(core: Core, instrument: Instrument) -> tuple[m.OwnOrder, ...]:
    return tuple(
        m.OwnOrder(child=child.request.child, side=child.request.side, units=child.price,
                   remaining=instrument.amount(child.remaining), state=child.state)
        for child in core.desk.children.values()
        if child.request.instrument == instrument.name and child.state in LIVE_CHILD
    )  # fmt: skip


def _fair_iv(core: Core, instrument: Instrument) -> float | None:
    forward = core.market.forward(instrument)
    if instrument.kind is not Kind.OPTION or forward is None:
        return None
    return percent(core.market.surface(instrument.coin).iv(instrument.expiry, instrument.strike, forward))


def _sources(core: Core, instrument: Instrument, forecast: m.Forecast | None) -> tuple[float | None, float | None]:
    """Expected 1 s move: the underlying's × coin delta in ticks of the option, and what is left."""
    market = core.market
    under = market.forecasts.get(market.venue.perpetual)
    perpetual = market.venue.instruments.get(market.venue.perpetual)
    delta, quote = market.delta(instrument.name), market.venue.quotes.get(instrument.name)
    if forecast is None or under is None or perpetual is None or delta is None or quote is None or not quote.mark:
        return None, None
    if instrument.kind is not Kind.OPTION or not quote.forward:
        return None, forecast.drift_ticks
    usd = under.drift_ticks * perpetual.tick
    units = usd / quote.forward * delta / instrument.tick
    ticks = units / instrument.tick_units(quote.mark / instrument.tick)
    return ticks, forecast.drift_ticks - ticks


def _note(core: Core, name: str, forecast: m.Forecast | None) -> str:
    if reason := unsound(core.market, name, core.desk.config.limits.silence_s):
        return reason
    if forecast is None:
        return "no two-sided book to forecast"
    if forecast.source == "baseline":
        return "no model in use: baseline only"
    if not forecast.familiar:
        return "unlike what the model was trained on"
    return ""


def _threshold(forecaster: Forecaster, kind: Kind) -> float | None:
    """The move, in ticks, that "stable" stays below; frozen at training."""
    weights = forecaster.weights
    return None if weights is None else weights.header.threshold(kind)


def _later(forecaster: Forecaster, kind: Kind) -> dict[str, float]:
    """Those of the longer horizons, by head."""
    weights = forecaster.weights
    return {} if weights is None else {head: weights.header.threshold(kind, head) for head in DIRECTIONS[1:]}

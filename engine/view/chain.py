"""The whole chain on the screen: what can be looked at, and the surface."""

from __future__ import annotations

import math

from engine import messages as m
from engine.core import Core
from engine.domain import MS, YEAR_NS, Instrument, Kind, expiry_code
from engine.market.told import Quote
from engine.surface import arbitrage
from engine.view.book import percent

CURVE_POINTS = 41


def chain(core: Core) -> m.ChainView:
    """Every listed instrument: options by expiry and strike, after the perpetual and the futures."""
    order = {Kind.PERPETUAL: 0, Kind.FUTURE: 1, Kind.OPTION: 2}
    rows = sorted(
        core.market.venue.instruments.values(), key=lambda i: (order[i.kind], i.coin, i.expiry, i.strike, i.call)
    )
    return m.ChainView(instruments=tuple((i.name, str(i.kind), i.expiry / MS, i.strike) for i in rows))


def surface(core: Core) -> m.SurfaceView:
    """Quotes and fits of every expiry. A cell is the out-of-the-money option of its strike; None where no quote is."""
    venue = core.market.venue
    coins = venue.coins()
    listed = [(coin, expiry) for coin in coins for expiry in venue.expiries(coin) if expiry > core.market.now]
    smiles = tuple(_smile(core, coin, expiry, named=len(coins) > 1) for coin, expiry in listed)
    strikes = tuple(sorted({i.strike for i in venue.instruments.values() if i.kind is Kind.OPTION}))
    return m.SurfaceView(
        coin=" ".join(coins) or venue.coin,
        t_ms=core.market.now / MS,
        strikes=strikes,
        smiles=smiles,
        grid=tuple(_quoted(smile, strikes) for smile in smiles),
        fitted=tuple(
            _fitted(core, coin, expiry, smile, strikes) for (coin, expiry), smile in zip(listed, smiles, strict=True)
        ),
        flags=tuple(flag for coin in coins for flag in arbitrage.flags(core.market.surface(coin))),
    )


def _smile(core: Core, coin: str, expiry: int, *, named: bool) -> m.Smile:
    """`named`: the coin stands before the expiry, since more than one is on the screen."""
    venue, fitted = core.market.venue, core.market.surface(coin)
    forward = venue.forward(expiry, coin) or 0.0
    options = sorted(venue.options_of(expiry, coin), key=lambda i: (i.strike, i.call))
    fit = fitted.fit(expiry)
    strikes = _curve([i.strike for i in options]) if fit is not None and fit.slice is not None and forward else ()
    curve = [fitted.iv(expiry, strike, forward) for strike in strikes]
    return m.Smile(
        expiry_ms=expiry / MS,
        code=f"{coin} {expiry_code(expiry)}" if named else expiry_code(expiry),
        forward=forward,
        years=max(expiry - core.market.now, 0) / YEAR_NS,
        points=tuple(_point(i, venue.quotes.get(i.name)) for i in _carriers(options, forward)),
        curve_strikes=tuple(k for k, iv in zip(strikes, curve, strict=True) if iv is not None),
        curve_iv=tuple(100 * iv for iv in curve if iv is not None),
        atm_iv=percent(fit.atm_iv) if fit else None,
        skew=percent(fit.skew) if fit else None,
        rms_bp=fit.rms_bp if fit else None,
        note=fit.note if fit else "no quotes yet",
    )


def _curve(strikes: list[float]) -> tuple[float, ...]:
    if strikes[0] == strikes[-1]:
        return (strikes[0],)
    low, high = math.log(strikes[0]), math.log(strikes[-1])
    return tuple(math.exp(low + (high - low) * i / (CURVE_POINTS - 1)) for i in range(CURVE_POINTS))


def _carriers(options: list[Instrument], forward: float) -> list[Instrument]:
    """One option a strike carries the smile: the one out of the money, or the only one there is."""
    by_strike: dict[float, Instrument] = {}
    for option in options:
        outside = option.call == (option.strike >= forward)
        if outside or option.strike not in by_strike:
            by_strike[option.strike] = option
    return list(by_strike.values())


def _point(instrument: Instrument, quote: Quote | None) -> m.SmilePoint:
    quote = quote or Quote(t=0)
    bid, ask = percent(quote.bid_iv), percent(quote.ask_iv)
    return m.SmilePoint(
        instrument=instrument.name,
        strike=instrument.strike,
        call=instrument.call,
        bid_iv=bid,
        ask_iv=ask,
        mid_iv=(bid + ask) / 2 if bid is not None and ask is not None else None,
        mark_iv=percent(quote.mark_iv),
    )


def _quoted(smile: m.Smile, strikes: tuple[float, ...]) -> tuple[float | None, ...]:
    by_strike = {point.strike: point.mid_iv for point in smile.points}
    return tuple(by_strike.get(strike) for strike in strikes)


def _fitted(core: Core, coin: str, expiry: int, smile: m.Smile, strikes: tuple[float, ...]) -> tuple[float | None, ...]:
    listed = {point.strike for point in smile.points}
    fitted = core.market.surface(coin)
    return tuple(
        percent(fitted.iv(expiry, strike, smile.forward)) if strike in listed and smile.forward else None
        for strike in strikes
    )

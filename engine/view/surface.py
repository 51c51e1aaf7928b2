"""The volatility surface on the screen: quotes and fits of every expiry, and the fits of earlier moments."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from engine import messages as m
from engine.core import Core, quoted
from engine.domain import MS, NS, YEAR_NS, Instrument, Kind, expiry_code
from engine.market.told import Quote
from engine.surface import arbitrage, doubt
from engine.surface.past import Moment
from engine.surface.surface import Fit
from engine.surface.surface import Quote as SmileQuote
from engine.surface.svi import Floats, Slice
from engine.view import factors as numbers
from engine.view.book import percent

CURVE_POINTS = 41
AGO_MIN = (1, 5, 15)
DIGITS = 4  # of IVs and strikes on the wire: a hundredth of a basis point


def surface(core: Core) -> m.SurfaceView:
    """Quotes and fits of every expiry; a strike is carried by its out-of-the-money option."""
    venue = core.market.venue
    coins = venue.coins()
    named = len(coins) > 1
    chains = _chains(core)
    smiles = tuple(_smile(core, coin, expiry, options, named) for (coin, expiry), options in chains.items())
    strikes = tuple(sorted({option.strike for options in chains.values() for option in options}))
    return m.SurfaceView(
        coin=" ".join(coins) or venue.coin,
        t_ms=core.market.now / MS,
        strikes=strikes,
        smiles=smiles,
        flags=tuple(flag for coin in coins for flag in arbitrage.flags(core.market.surface(coin))),
        past=_past(core, named),
        forwards=numbers.forwards(core, lambda coin, expiry: code_of(coin, expiry, named)),
        factors=numbers.rows(core, lambda coin, expiry: code_of(coin, expiry, named)),
    )


def code_of(coin: str, expiry: int, named: bool) -> str:
    """`named`: the coin stands before the expiry, since more than one is on the screen."""
    return f"{coin} {expiry_code(expiry)}" if named else expiry_code(expiry)


def _chains(core: Core) -> dict[tuple[str, int], list[Instrument]]:
    """Options that are not over by coin (the desk's own first) and expiry, each chain by strike."""
    chains: dict[tuple[str, int], list[Instrument]] = {}
    for option in core.market.venue.instruments.values():
        if option.kind is Kind.OPTION and option.expiry > core.market.now:
            chains.setdefault((option.coin, option.expiry), []).append(option)
    own = core.market.venue.coin
    order = sorted(chains, key=lambda key: (key[0] != own, *key))
    return {key: sorted(chains[key], key=lambda i: (i.strike, i.call)) for key in order}


def _smile(core: Core, coin: str, expiry: int, options: list[Instrument], named: bool) -> m.Smile:
    fit = core.market.surface(coin).fit(expiry)
    forward = _forward(core, options) or (fit.forward if fit else 0.0)
    code = code_of(coin, expiry, named)
    known = fit is not None and fit.slice is not None and forward > 0.0
    strikes = _curve([i.strike for i in options]) if known else np.empty(0)
    curve = fit.ivs(np.log(strikes / forward)) if fit is not None and known else strikes
    carriers = _carriers(options, forward)
    at = np.array([i.strike for i in carriers])
    fitted = fit.ivs(np.log(at / forward)) if fit is not None and known else [None] * len(at)
    vols = _vols(core, carriers, forward)
    return m.Smile(
        expiry_ms=expiry / MS,
        code=code,
        forward=forward,
        years=max(expiry - core.market.now, 0) / YEAR_NS,
        points=tuple(_point(core, i, vols.get(i.name), iv) for i, iv in zip(carriers, fitted, strict=True)),
        curve_strikes=_rounded(strikes),
        curve_iv=_rounded(100.0 * curve),
        curve_error=_error(fit, strikes, forward) if fit is not None and known else (),
        atm_iv=percent(fit.atm_iv) if fit else None,
        skew=percent(fit.skew) if fit else None,
        curvature=percent(fit.curvature) if fit else None,
        rms_bp=fit.rms_bp if fit else None,
        source=fit.source if fit else "none",
        shape=m.Shape(code=code, forward=forward, years=fit.years, slices=_slices(fit.pieces()))
        if fit is not None and known
        else None,
        note=fit.note if fit else "no quotes yet",
    )


def _forward(core: Core, options: list[Instrument]) -> float | None:
    """As the chain's newest ticker has it."""
    quotes = core.market.venue.quotes
    told = (quote for option in options if (quote := quotes.get(option.name)) is not None and quote.forward)
    newest = max(told, key=lambda quote: quote.t, default=None)
    return newest.forward if newest else None


def _curve(strikes: list[float]) -> Floats:
    if strikes[0] == strikes[-1]:
        return np.array(strikes[:1])
    return np.geomspace(strikes[0], strikes[-1], CURVE_POINTS)


def _error(fit: Fit, strikes: Floats, forward: float) -> tuple[float, ...]:
    """Vol points. Nothing for a stand-in: what is not fitted to quotes has no error that could be said."""
    if fit.slice is None or not fit.doubt or fit.source != "quotes":
        return ()
    return _rounded(100.0 * np.minimum(doubt.along(fit.doubt, fit.slice, np.log(strikes / forward), fit.years), 9.0))


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(round(value, DIGITS) for value in values.tolist())


def _slices(pieces: tuple[Slice, ...]) -> tuple[m.Seven, ...]:
    return tuple(msgspec.structs.astuple(one) for one in pieces)


def _carriers(options: list[Instrument], forward: float) -> list[Instrument]:
    """One option a strike carries the smile: the one out of the money, or the only one there is."""
    by_strike: dict[float, Instrument] = {}
    for option in options:
        outside = option.call == (option.strike >= forward)
        if outside or option.strike not in by_strike:
            by_strike[option.strike] = option
    return list(by_strike.values())


def _vols(core: Core, carriers: list[Instrument], forward: float) -> dict[str, SmileQuote]:
    """The IVs of each option that was told of, of the kind that the smile is fitted to."""
    quotes = core.market.venue.quotes
    told = [(option, quotes[option.name]) for option in carriers if option.name in quotes]
    found = quoted.as_fitted(told, forward or math.nan, core.market.now)
    return {option.name: vols for (option, _), vols in zip(told, found, strict=True)}


def _point(core: Core, instrument: Instrument, vols: SmileQuote | None, fitted: float | None) -> m.SmilePoint:
    quote = core.market.venue.quotes.get(instrument.name) or Quote(t=0)
    bid, ask, mark = (None, None, None) if vols is None else map(percent, (vols.bid_iv, vols.ask_iv, vols.mark_iv))
    said = core.market.venue.state_of(instrument.name)
    return m.SmilePoint(
        instrument=instrument.name,
        strike=instrument.strike,
        call=instrument.call,
        bid_iv=bid,
        ask_iv=ask,
        mid_iv=(bid + ask) / 2 if bid is not None and ask is not None else None,
        mark_iv=mark,
        fit_iv=None if fitted is None else round(100.0 * float(fitted), DIGITS),
        t_ms=quote.t / MS if quote.t else None,
        state=quote.state if said == "open" else said,
    )


# ---------------------------------------------------------------- earlier moments


def _past(core: Core, named: bool) -> tuple[m.Earlier, ...]:
    """The moments a change can be measured from: so many minutes ago, where the session is that old, and its start."""
    past, now = core.market.past, core.market.now
    asked = [(minutes, past.at(now - minutes * 60 * NS)) for minutes in AGO_MIN] + [(0, past.first)]
    return tuple(_earlier(minutes, moment, named) for minutes, moment in asked if moment is not None)


def _earlier(minutes: int, moment: Moment, named: bool) -> m.Earlier:
    shapes = tuple(
        m.Shape(
            code=code_of(shape.coin, shape.expiry, named),
            forward=shape.forward,
            years=shape.years,
            slices=_slices(shape.slices),
        )
        for shape in moment.shapes
    )
    return m.Earlier(minutes=minutes, t_ms=moment.t / MS, shapes=shapes)

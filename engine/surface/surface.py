"""The volatility surface: one smile an expiry, refitted one at a time, read at the present forward.

**Sticky moneyness**: between two fits a smile moves along with its forward. IV is a function of k = ln(K/F) with F as
it is now, so at one strike it changes when the forward does; as time passes IV stays and total variance runs off.

A smile is only ever as good as its `Fit.note`: empty, or in words why the quotes did not carry it, and what stands in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import numpy as np

from engine import black
from engine.domain import NS, YEAR_NS, Instrument, Kind
from engine.surface import fitting
from engine.surface.fitting import Points
from engine.surface.svi import Slice, flat

ENOUGH = 5  # two-sided strikes, as many as SVI has parameters
KEEP_NS = 600 * NS  # an older fit is no longer kept in place of a new one
NO_VALUE = 9.9  # the venue writes 999 % for an ask it cannot invert
LEAST_SCALE = 0.0005  # half-spreads are taken as at least 5 vol bp: nobody is that sure
ONE_SIDED_SCALE = 0.005


class Quote(msgspec.Struct, frozen=True):
    """One option's IVs, fractions; None, 0, NaN and 999 % all mean no value. `forward` is the one they were made with,
    if it is not the expiry's present one."""

    strike: float
    call: bool
    bid_iv: float | None
    ask_iv: float | None
    mark_iv: float | None
    forward: float | None = None


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """A smile as fitted at `t` (ns) with `forward` and `years` of then; `slice` is None where nothing is known.

    `source`: what carries it: enough two-sided quotes (now or, see `note`, a while ago), the venue's marks, or nothing
    but a level. `rms_bp`: against the mids it was fitted to, vol basis points. `inside`: share of those whose bid and
    ask hold it. `quotes`: how many.
    """

    expiry: int
    slice: Slice | None
    forward: float
    years: float
    t: int
    source: Literal["quotes", "marks", "flat", "none"] = "none"
    rms_bp: float | None = None
    inside: float | None = None
    quotes: int = 0
    lowest_k: float = 0.0  # the quoted range of log-moneyness; outside it is extrapolation
    highest_k: float = 0.0
    note: str = ""

    def iv(self, k: float) -> float | None:
        """IV at log-moneyness `k`, a fraction."""
        return None if self.slice is None else self.slice.iv(k, self.years)

    @property
    def atm_iv(self) -> float | None:
        """IV at the forward."""
        return self.iv(0.0)

    @property
    def skew(self) -> float | None:
        """Slope of IV at the forward, per 10 % of log-moneyness: −0.02 is two vol points less at k = 0.1."""
        return None if self.slice is None else 0.1 * self._slope(self.slice)

    @property
    def curvature(self) -> float | None:
        """Second derivative of IV at the forward, per (10 % of log-moneyness)²."""
        if self.slice is None:
            return None
        deviation = math.sqrt(max(self.slice.w(0.0), 1e-12) * self.years)
        slope = self._slope(self.slice)
        return 0.01 * (self.slice.bend(0.0) / 2.0 - self.years * slope * slope) / deviation

    def _slope(self, piece: Slice) -> float:
        return piece.slope(0.0) / (2.0 * math.sqrt(max(piece.w(0.0), 1e-12) * self.years))


class Surface:
    """Smiles by expiry (ns UTC). Everything it knows is in its fits; the next fit starts from the last."""

    def __init__(self) -> None:
        self.fits: dict[int, Fit] = {}

    def refit(self, expiry: int, forward: float, quotes: Sequence[Quote], t: int) -> Fit:
        """Fit one expiry anew from its quotes; about a millisecond. Never raises: what is wrong is in the note.

        Without enough two-sided strikes the last fit stays for ten minutes; then the venue's marks are fitted, if there
        are enough of those; then a flat smile at the median IV stands in; then nothing.
        """
        years = (expiry - t) / YEAR_NS
        blank = Fit(expiry=expiry, slice=None, forward=forward, years=max(years, 0.0), t=t)
        if years <= 0.0:
            fit = msgspec.structs.replace(blank, note="expired")
        elif not (math.isfinite(forward) and forward > 0.0):
            fit = msgspec.structs.replace(blank, forward=0.0, note="no forward")
        else:
            fit = self._fitted(blank, quotes)
        self.fits[expiry] = fit
        return fit

    def fit(self, expiry: int) -> Fit | None:
        return self.fits.get(expiry)

    def forget(self, expiry: int) -> None:
        """An expiry that is over, or no longer listed."""
        self.fits.pop(expiry, None)

    def iv(self, expiry: int, strike: float, forward: float) -> float | None:
        """IV of a strike at the present forward, a fraction; None where no smile is known."""
        fit = self.fits.get(expiry)
        if fit is None or fit.slice is None or not (forward > 0.0 and strike > 0.0):
            return None
        return fit.slice.iv(math.log(strike / forward), fit.years)

    def fair(self, instrument: Instrument, forward: float, t: int) -> float | None:
        """Coin price of an option at the present forward and time; a few microseconds.

        None for anything else, after expiry, and where the expiry has no smile: a flat stand-in gives IVs, but the
        price it puts on a strike away from its own quotes would be taken for a value.
        """
        years, fit = (instrument.expiry - t) / YEAR_NS, self.fits.get(instrument.expiry)
        if fit is None or fit.source == "flat" or years <= 0.0 or instrument.kind is not Kind.OPTION:
            return None
        vol = self.iv(instrument.expiry, instrument.strike, forward)
        return None if vol is None else black.price(forward, instrument.strike, years, vol, instrument.call)

    def dump(self) -> Any:
        return [msgspec.to_builtins(self.fits[expiry]) for expiry in sorted(self.fits)]

    @classmethod
    def load(cls, value: Any) -> Surface:
        self = cls()
        self.fits = {fit.expiry: fit for fit in msgspec.convert(value, list[Fit])}
        return self

    def _fitted(self, blank: Fit, quotes: Sequence[Quote]) -> Fit:
        points = points_of(quotes, blank.forward)
        mids = int(np.isfinite(points.mid).sum())
        last = self.fits.get(blank.expiry)
        known = last if last is not None and last.source == "quotes" else None
        if mids >= ENOUGH:
            return _measured(blank, fitting.fit(points, blank.years, known.slice if known else None), points)
        few = f"too few quotes ({mids} two-sided)"
        if known is not None and blank.t - known.t <= KEEP_NS:
            return msgspec.structs.replace(known, note=f"{few}: the fit of {(blank.t - known.t) / NS:.0f} s ago")
        marks = _marks(quotes, blank.forward)
        if len(marks.k) >= ENOUGH:
            return msgspec.structs.replace(
                _measured(blank, fitting.fit(marks, blank.years), marks),
                source="marks", rms_bp=None, inside=None, quotes=mids, note=f"{few}: fitted to the venue's marks",
            )  # fmt: skip
        source, of = (points, "mid") if mids else (marks, "mark")
        levels = source.mid[np.isfinite(source.mid)]
        if not len(levels):
            return msgspec.structs.replace(blank, note=f"{few}, and no marks")
        level = float(np.median(levels))
        return msgspec.structs.replace(
            _ranged(blank, source), slice=flat(level * level * blank.years), source="flat", quotes=mids,
            note=f"{few}: flat at the median {of} IV",
        )  # fmt: skip


def points_of(quotes: Sequence[Quote], forward: float) -> Points:
    """What a fit is made to: one point a strike, sorted by strike.

    The out-of-the-money option if it is quoted on both sides, else the other one if that is, else the out-of-the-money
    one's single side. Crossed quotes count as none.
    """
    chosen: dict[float, tuple[int, Quote, float, float]] = {}
    for quote in quotes:
        low, high = _value(quote.bid_iv), _value(quote.ask_iv)
        two, none = low <= high, math.isnan(low) and math.isnan(high)
        outside = quote.call == (quote.strike >= (quote.forward or forward))
        rank = 0 if none or low > high or quote.strike <= 0.0 else 2 * two + outside
        if rank and (quote.strike not in chosen or rank > chosen[quote.strike][0]):
            chosen[quote.strike] = rank, quote, low, high
    rows = [chosen[strike] for strike in sorted(chosen)]
    k = np.array([math.log(quote.strike / (quote.forward or forward)) for _, quote, _, _ in rows])
    bid, ask = (np.array([row[n] for row in rows], dtype=np.float64) for n in (2, 3))
    half = (ask - bid) / 2.0
    typical = float(np.median(half[np.isfinite(half)])) if np.isfinite(half).any() else 0.0
    scale = np.where(np.isnan(half), max(typical, ONE_SIDED_SCALE), np.maximum(half, LEAST_SCALE))
    missing_bid, missing_ask = np.where(np.isnan(bid), -np.inf, bid), np.where(np.isnan(ask), np.inf, ask)
    return Points(k=k, mid=(bid + ask) / 2.0, low=missing_bid, high=missing_ask, scale=scale)


def _marks(quotes: Sequence[Quote], forward: float) -> Points:
    """The venue's mark IVs, one a strike, all trusted alike."""
    levels = {quote.strike: _value(quote.mark_iv) for quote in quotes if quote.strike > 0.0}
    rows = [(math.log(strike / forward), level) for strike, level in sorted(levels.items()) if not math.isnan(level)]
    k, mid = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    return Points(k=k, mid=mid, low=mid, high=mid, scale=np.full(len(rows), ONE_SIDED_SCALE))


def _measured(blank: Fit, piece: Slice, points: Points) -> Fit:
    """The slice and how well it holds the two-sided quotes."""
    two = np.isfinite(points.mid)
    iv = np.sqrt(np.maximum(piece.ws(points.k[two]), 0.0) / blank.years)
    return msgspec.structs.replace(
        _ranged(blank, points),
        slice=piece,
        source="quotes",
        rms_bp=float(np.sqrt(np.mean((iv - points.mid[two]) ** 2))) * 1e4,
        inside=float(np.mean((points.low[two] <= iv) & (iv <= points.high[two]))),
        quotes=int(two.sum()),
    )


def _ranged(blank: Fit, points: Points) -> Fit:
    k = points.k[np.isfinite(points.mid)]
    return msgspec.structs.replace(blank, lowest_k=float(k.min()), highest_k=float(k.max()))


def _value(iv: float | None) -> float:
    """NaN for everything that means there is none."""
    return iv if iv is not None and 0.0 < iv < NO_VALUE else math.nan

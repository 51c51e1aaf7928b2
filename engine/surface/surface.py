"""The volatility surface: one smile an expiry, refitted one at a time, read at the present forward.

**Sticky moneyness**: between two fits a smile moves along with its forward. IV is a function of k = ln(K/F) with F as
it is now, so at one strike it changes when the forward does; as time passes IV stays and total variance runs off.

Smiles fitted to quotes or to the venue's marks make the surface: they have no butterflies, and do not cross (see
`calendar`), between expiries neither (see `between`). A flat stand-in says a level and stays outside of that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from engine import black
from engine.domain import NS, YEAR_NS, Instrument, Kind
from engine.surface import between, calendar, delivery, fitting
from engine.surface.between import Rung
from engine.surface.fitting import Points
from engine.surface.quotes import Quote, marks_of, points_of
from engine.surface.smile import Above, Fit, measured, ranged
from engine.surface.svi import Slice, flat

__all__ = ["Fit", "Quote", "Surface", "points_of"]

ENOUGH = 5  # two-sided strikes, as many as SVI has parameters
KEEP_NS = 600 * NS  # an older fit is no longer kept in place of a new one


class Surface:
    """Smiles by expiry (ns UTC). Everything it knows is in its fits; the next fit starts from the last. `missed`: see
    `fitting`."""

    def __init__(self, missed: float = 0.0) -> None:
        self.fits: dict[int, Fit] = {}
        self.missed = missed

    def refit(
        self, expiry: int, forward: float, quotes: Sequence[Quote], t: int, why: str = "", so_far: float = math.nan
    ) -> Fit:
        """Fit one expiry anew from its quotes; about half a millisecond. Never raises: what is wrong is in the note.

        Without enough two-sided strikes (`why`, if it is known) the last fit stays for ten minutes; then the venue's
        marks are fitted, if there are enough of those; then a flat smile at the median IV stands in; then nothing. In
        the last half hour marks are none: rounded, they are worth any volatility away from the money; with the average
        of the index so far (USD) the smile has no butterfly on that average either.
        """
        years = (expiry - t) / YEAR_NS
        blank = Fit(expiry=expiry, slice=None, forward=forward, years=max(years, 0.0), t=t)
        if years <= 0.0:
            fit = msgspec.structs.replace(blank, note="expired")
        elif not (math.isfinite(forward) and forward > 0.0):
            fit = msgspec.structs.replace(blank, forward=0.0, note="no forward")
        else:
            fit = self._fitted(blank, quotes, why, so_far)
            if not fit.note and delivery.begun(expiry, t):
                fit = msgspec.structs.replace(fit, note="delivery is being averaged")
        self.fits[expiry] = fit
        self._uncross(expiry, t)
        return self.fits[expiry]

    def fit(self, expiry: int) -> Fit | None:
        return self.fits.get(expiry)

    def hold(self, expiry: int, t: int, why: str, keep: int = KEEP_NS) -> None:
        """No fit can be made now, and `why`: the last one stands for so long (ns), and says so; then nothing does."""
        fit = self.fits.get(expiry)
        if fit is not None and fit.slice is not None and t - fit.t <= keep:
            self.fits[expiry] = msgspec.structs.replace(fit, note=f"{why}: the fit of {(t - fit.t) / NS:.0f} s ago")
            return
        forward, years = fit.forward if fit is not None else 0.0, max(expiry - t, 0) / YEAR_NS
        since = fit.t if fit is not None and fit.slice is None else t  # nothing has been known for so long
        self.fits[expiry] = Fit(expiry=expiry, slice=None, forward=forward, years=years, t=since, note=why)
        if fit is not None and fit.slice is not None:
            self._uncross(expiry, t)

    def forget(self, expiry: int) -> None:
        """An expiry that is over, or no longer listed."""
        if self.fits.pop(expiry, None) is not None:
            for later in self.fits:
                self._put_above(later, expiry, None)

    def iv(self, expiry: int, strike: float, forward: float) -> float | None:
        """IV of a strike at the present forward, a fraction; None where no smile is known."""
        fit = self.fits.get(expiry)
        return fit.iv(math.log(strike / forward)) if fit is not None and forward > 0.0 and strike > 0.0 else None

    def error(self, expiry: int, strike: float, forward: float) -> float | None:
        """Standard error of that IV, a fraction; None where nothing is known of it."""
        fit = self.fits.get(expiry)
        return fit.error(math.log(strike / forward)) if fit is not None and forward > 0.0 and strike > 0.0 else None

    def fair(self, instrument: Instrument, forward: float, t: int, so_far: float = math.nan) -> float | None:
        """Coin price of an option at the present forward and time; a few microseconds. With the average of the index
        so far (USD), in the last half hour, that of an option on the average (see `delivery`).

        None for anything else, after expiry, and where the expiry has no smile: a flat stand-in gives IVs, but the
        price it puts on a strike away from its own quotes would be taken for a value.
        """
        years, fit = (instrument.expiry - t) / YEAR_NS, self.fits.get(instrument.expiry)
        if fit is None or fit.source == "flat" or years <= 0.0 or instrument.kind is not Kind.OPTION:
            return None
        vol = self.iv(instrument.expiry, instrument.strike, forward)
        if vol is not None and delivery.begun(instrument.expiry, t) and so_far > 0.0:
            return delivery.fair(forward, instrument.strike, instrument.expiry - t, vol, instrument.call, so_far)
        return None if vol is None else black.price(forward, instrument.strike, years, vol, instrument.call)

    def greeks(
        self, expiry: int, strikes: ArrayLike, calls: ArrayLike, forward: float, t: int, so_far: float = math.nan
    ) -> black.Greeks:
        """Coin prices and greeks of many strikes of one expiry, at the present forward and time; NaN where no smile is
        known. With the average of the index so far (USD), in the last half hour, those of options on the average."""
        k, fit, left = np.asarray(strikes, dtype=np.float64), self.fits.get(expiry), max(expiry - t, 0)
        vols = np.full(k.shape, math.nan) if fit is None else fit.ivs(np.log(k / forward))
        if delivery.begun(expiry, t) and so_far > 0.0:
            return delivery.greeks(forward, k, left, vols, calls, so_far)
        return black.greeks(forward, k, left / YEAR_NS, vols, calls)

    # ------------------------------------------------------------ any time

    def rungs(self, t: int) -> list[Rung]:
        """The smiles of the surface as they are at `t`, by expiry. (`Fit.above` has the nearer slices as they were when
        the fit was made: since then they have run off a little more, and here they have.)"""
        return [self._rung(fit, t) for expiry, fit in sorted(self.fits.items()) if expiry > t and joined(fit)]

    def total_variance(self, k: float, until: int, t: int) -> float | None:
        """From `t` to `until` (ns), at forward-moneyness `k` = ln(K / forward of `until`), without arbitrage between
        the expiries. None where no smile is known."""
        fit = self.fits.get(until)
        if fit is not None and joined(fit) and until > t:
            return self._rung(fit, t).w(k)
        return between.total_variance(self.rungs(t), k, (until - t) / YEAR_NS)

    def _rung(self, fit: Fit, t: int) -> Rung:
        nearer = (self.fits[each.expiry] for each in fit.above if t < each.expiry and each.expiry in self.fits)
        slices = tuple(each.slice.scaled(calendar.left(each, t)) for each in (fit, *nearer) if each.slice is not None)
        return Rung((fit.expiry - t) / YEAR_NS, slices)

    def local_variance(self, k: float, until: int, t: int) -> float | None:
        """Dupire's, a year, at forward-moneyness `k` and time `until`, seen from `t`."""
        return between.local_variance(self.rungs(t), k, (until - t) / YEAR_NS)

    def fair_at(self, strike: float, call: bool, forward: float, until: int, t: int) -> float | None:
        """Coin price of an option of any strike and any time, `forward` being that of `until`; see `fair`."""
        w = self.total_variance(math.log(strike / forward), until, t) if forward > 0.0 and strike > 0.0 else None
        return None if w is None else black.price(forward, strike, 1.0, math.sqrt(w), call)

    def dump(self) -> Any:
        return [msgspec.to_builtins(self.fits[expiry]) for expiry in sorted(self.fits)]

    @classmethod
    def load(cls, value: Any, missed: float = 0.0) -> Surface:
        """`missed` is a setting, and no part of the dump."""
        self = cls(missed)
        self.fits = {fit.expiry: fit for fit in msgspec.convert(value, list[Fit])}
        return self

    def _fitted(self, blank: Fit, quotes: Sequence[Quote], why: str, so_far: float) -> Fit:
        points = points_of(quotes, blank.forward)
        mids = int(np.isfinite(points.mid).sum())
        last = self.fits.get(blank.expiry)
        known = last if last is not None and last.source == "quotes" else None
        if mids >= ENOUGH:
            fit = self._drawn(blank, points, known.slice if known else None)
            return _of_average(blank, fit, points, so_far) if so_far > 0.0 else fit
        few = f"too few quotes ({mids} two-sided{'; ' + why if why else ''})"
        if known is not None and blank.t - known.t <= KEEP_NS:
            return msgspec.structs.replace(known, note=f"{few}: the fit of {(blank.t - known.t) / NS:.0f} s ago")
        marks = marks_of(() if delivery.begun(blank.expiry, blank.t) else quotes, blank.forward)
        if len(marks.k) >= ENOUGH:
            return msgspec.structs.replace(
                measured(blank, fitting.fit(marks, blank.years), marks),
                source="marks", rms_bp=None, inside=None, quotes=mids, note=f"{few}: fitted to the venue's marks",
            )  # fmt: skip
        source, of = (points, "mid") if mids else (marks, "mark")
        levels = source.mid[np.isfinite(source.mid)]
        if not len(levels):
            return msgspec.structs.replace(blank, note=f"{few}, and no marks")
        level = float(np.median(levels))
        return msgspec.structs.replace(
            ranged(blank, source), slice=flat(level * level * blank.years), source="flat", quotes=mids,
            note=f"{few}: flat at the median {of} IV",
        )  # fmt: skip

    def _drawn(self, blank: Fit, points: Points, last: Slice | None) -> Fit:
        """Fitted; once more, where it crosses its neighbours, with them as one-sided quotes."""
        fit = measured(blank, fitting.fit(points, blank.years, last, self.missed), points)
        walled = calendar.between_walls(points, fit, *self._neighbours(fit))
        if walled is None:
            return fit
        return measured(blank, fitting.fit(walled, blank.years, fit.slice, self.missed), points)

    def _neighbours(self, fit: Fit) -> tuple[Fit | None, Fit | None]:
        """The expiries of the surface before and after."""
        known = {expiry: other for expiry, other in self.fits.items() if joined(other)}
        near = max((expiry for expiry in known if expiry < fit.expiry), default=0)
        far = min((expiry for expiry in known if expiry > fit.expiry), default=0)
        return known.get(near), known.get(far)

    def _uncross(self, expiry: int, t: int) -> None:
        """After a fit: what may lie above it, and what it may lie above, is noted anew."""
        fit = msgspec.structs.replace(self.fits[expiry], above=())
        self.fits[expiry] = fit
        if not joined(fit):
            for later in self.fits:
                self._put_above(later, expiry, None)
            return
        pairs = [
            (near, far) for other in sorted(self.fits)
            if other != expiry and joined(self.fits[other])
            for near, far in [(min(other, expiry), max(other, expiry))]
        ]  # fmt: skip
        seen = [calendar.seen_from(self.fits[near], self.fits[far], t) for near, far in pairs]
        there = [(near, far, piece, self.fits[far].slice) for (near, far), piece in zip(pairs, seen, strict=True)]
        for near, far, piece, _ in there:
            if piece is None:
                self._put_above(far, near, None)
        live = [(near, far, piece, own) for near, far, piece, own in there if piece is not None and own is not None]
        found = calendar.may_rise_above([row[2] for row in live], [row[3] for row in live])
        for (near, far, piece, _), rises in zip(live, found, strict=True):
            self._put_above(far, near, piece if rises else None)

    def _put_above(self, far: int, near: int, piece: Slice | None) -> None:
        fit = self.fits[far]
        rest = tuple(each for each in fit.above if each.expiry != near)
        if piece is not None or len(rest) != len(fit.above):
            above = rest if piece is None else tuple(sorted((*rest, Above(near, piece)), key=lambda each: each.expiry))
            self.fits[far] = msgspec.structs.replace(fit, above=above)


def _of_average(blank: Fit, fit: Fit, points: Points, so_far: float) -> Fit:
    """Without a butterfly among options on the average."""
    if fit.slice is None or not delivery.begun(fit.expiry, fit.t):
        return fit
    piece = delivery.tamed(fit.slice, fit.forward, fit.expiry - fit.t, so_far)
    return fit if piece is fit.slice else measured(blank, piece, points)


def joined(fit: Fit) -> bool:
    """Whether it is a smile of the surface, not a stand-in."""
    return fit.slice is not None and fit.source in ("quotes", "marks")

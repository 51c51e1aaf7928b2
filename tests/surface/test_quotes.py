"""What a fit is made to: the choice of one quote a strike, against plain code, and of anything at all."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain import NS, YEAR_NS
from engine.surface.quotes import LEAST_SCALE, ONE_SIDED_SCALE, Quote, marks_of, points_of
from engine.surface.surface import Surface
from engine.surface.svi import least_g

FORWARD = 60_000.0
IVS = st.one_of(st.none(), st.floats(0.01, 5.0), st.sampled_from([0.0, math.nan, 9.99]))
STRIKES = st.sampled_from([50_000.0, 55_000.0, 60_000.0, 65_000.0])
QUOTES = st.lists(
    st.builds(Quote, STRIKES, st.booleans(), IVS, IVS, IVS, st.sampled_from([None, FORWARD, 58_000.0])), max_size=16
)
ANY = st.one_of(st.none(), st.floats(), st.floats(1e-6, 12.0))
WHATEVER = st.lists(st.builds(Quote, st.floats(), st.booleans(), ANY, ANY, ANY, ANY), max_size=12)


def known(iv: float | None) -> float | None:
    return iv if iv is not None and 1e-4 <= iv < 9.9 else None


def plain(quotes: list[Quote]) -> list[tuple[float, ...]]:
    """k, mid, low, high and scale of each strike, the slow way."""
    best: dict[float, tuple[int, Quote]] = {}
    for quote in quotes:
        bid, ask = known(quote.bid_iv), known(quote.ask_iv)
        if (bid is None and ask is None) or (bid is not None and ask is not None and bid > ask):
            continue
        two = bid is not None and ask is not None
        rank = 2 * two + (quote.call == (quote.strike >= (quote.forward or FORWARD)))
        if rank and rank > best.get(quote.strike, (0, quote))[0]:
            best[quote.strike] = rank, quote
    halves = sorted(
        (quote.ask_iv - quote.bid_iv) / 2
        for _, quote in best.values()
        if known(quote.bid_iv) and known(quote.ask_iv) and quote.ask_iv is not None and quote.bid_iv is not None
    )
    typical = max(halves[len(halves) // 2] if halves else 0.0, ONE_SIDED_SCALE)
    out: list[tuple[float, ...]] = []
    for strike in sorted(best):
        quote = best[strike][1]
        bid, ask = known(quote.bid_iv), known(quote.ask_iv)
        k = math.log(strike / (quote.forward or FORWARD))
        if bid is None or ask is None:
            out.append((k, math.nan, -math.inf if bid is None else bid, math.inf if ask is None else ask, typical))
        else:
            out.append((k, (bid + ask) / 2, bid, ask, max((ask - bid) / 2, LEAST_SCALE)))
    return out


@given(QUOTES)
def test_the_choice_is_that_of_plain_code(quotes: list[Quote]) -> None:
    points = points_of(quotes, FORWARD)
    found = np.stack([points.k, points.mid, points.low, points.high, points.scale], axis=1)
    np.testing.assert_allclose(found, np.array(plain(quotes)).reshape(-1, 5), rtol=1e-12, atol=1e-15)


def test_marks_are_one_a_strike() -> None:
    quotes = [Quote(strike, call, None, None, 0.6) for strike in (70_000.0, 50_000.0) for call in (True, False)]
    marks = marks_of([*quotes, Quote(60_000.0, True, None, None, None)], FORWARD)
    assert marks.k.tolist() == pytest.approx([math.log(5 / 6), math.log(7 / 6)])
    assert marks.mid.tolist() == [0.6, 0.6]


@settings(deadline=None)
@given(WHATEVER, st.floats(), st.integers(1, 10 * YEAR_NS))
def test_whatever_is_quoted_nothing_raises_and_what_is_fitted_is_sound(
    quotes: list[Quote], forward: float, left: int
) -> None:
    t = 1_790_000_000 * NS
    for asked in (forward, FORWARD):
        fit = Surface().refit(t + left, asked, quotes, t)
        assert fit.slice is None or np.isfinite(fit.slice.numbers()).all()
        assert fit.slice is None or least_g(fit.slice) >= 0.0
        assert fit.iv(0.0) is None or math.isfinite(fit.iv(0.0) or 0.0)
        assert fit.slice is None or fit.error(0.0) is None or math.isfinite(fit.error(0.0) or 0.0)

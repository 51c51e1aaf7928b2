"""What happens to chains in real life: last minutes, new expiries, halts, nothing, one quote, crossed quotes."""

from __future__ import annotations

import math

import msgspec
import pytest

from engine.domain import NS, YEAR_NS, instrument_of
from engine.surface import arbitrage
from engine.surface.factors import factors, index
from engine.surface.surface import KEEP_NS, Surface
from engine.surface.svi import flat, least_g
from tests.surface.slices import chain

OPTION = instrument_of("BTC-27MAR26-60000-C")
EXPIRY, FORWARD, MINUTE = OPTION.expiry, 60_000.0, 60 * NS
STRIKES = [59_000.0 + 100.0 * n for n in range(21)]
WIDE = [40_000.0 + 2_000.0 * n for n in range(21)]


def whole(t: int) -> Surface:
    """A surface of two expiries at `t`; the nearer one is about to end."""
    surface = Surface()
    for expiry, strikes in ((EXPIRY, STRIKES), (EXPIRY + YEAR_NS // 12, WIDE)):
        years = (expiry - t) / YEAR_NS
        surface.refit(expiry, FORWARD, chain(flat(0.36 * years), years, FORWARD, strikes), t)
    return surface


@pytest.mark.parametrize("left", [30 * MINUTE, MINUTE, NS])
def test_the_last_minutes_of_an_expiry(left: int) -> None:
    surface = whole(EXPIRY - left)
    fit = surface.fits[EXPIRY]
    assert fit.slice is not None
    assert least_g(fit.slice) >= 0.0
    assert surface.iv(EXPIRY, 60_000.0, FORWARD) == pytest.approx(0.6, abs=0.01)
    fair = surface.fair(OPTION, FORWARD, EXPIRY - left)
    assert fair is not None
    assert 0.0 <= fair < 0.01
    assert surface.local_variance(0.0, EXPIRY + YEAR_NS // 24, EXPIRY - left) == pytest.approx(0.36, rel=0.05)


def test_an_expiry_that_is_over_takes_no_part() -> None:
    surface = whole(EXPIRY - MINUTE)
    now = EXPIRY + MINUTE
    assert [rung.years * YEAR_NS for rung in surface.rungs(now)] == pytest.approx([YEAR_NS // 12 - MINUTE])
    assert surface.fair(OPTION, FORWARD, now) is None
    assert surface.total_variance(0.0, EXPIRY, now) is None
    assert [each.expiry for each in factors(surface, now)] == [EXPIRY + YEAR_NS // 12]
    assert index(surface, now) == pytest.approx(60.0, abs=0.5)
    assert surface.refit(EXPIRY, FORWARD, chain(flat(0.01), 0.1, FORWARD, STRIKES), now).note == "expired"
    assert arbitrage.flags(surface) == []


def test_a_newly_listed_expiry_is_first_unknown_and_then_part_of_it() -> None:
    t, new = EXPIRY - YEAR_NS // 10, EXPIRY + YEAR_NS // 50
    surface = whole(t)
    before = surface.total_variance(0.0, new, t)
    assert surface.refit(new, FORWARD, [], t).source == "none"
    assert surface.total_variance(0.0, new, t) == before  # what lies around it still says
    years = (new - t) / YEAR_NS
    fit = surface.refit(new, FORWARD, chain(flat(0.49 * years), years, FORWARD, WIDE), t + MINUTE)
    assert fit.source == "quotes"
    assert len(surface.rungs(t + MINUTE)) == 3
    assert surface.total_variance(0.0, new, t) == pytest.approx(0.49 * years, rel=1e-2)


def test_a_halted_expiry_keeps_its_smile_for_a_while_and_says_so() -> None:
    t = EXPIRY - YEAR_NS // 10
    surface = whole(t)
    kept = surface.refit(EXPIRY, FORWARD, [], t + 5 * MINUTE)
    assert "the fit of 300 s ago" in kept.note
    assert len(surface.rungs(t + 5 * MINUTE)) == 2
    gone = surface.refit(EXPIRY, FORWARD, [], t + KEEP_NS + NS)
    assert (gone.slice, gone.source) == (None, "none")
    assert len(surface.rungs(t + KEEP_NS + NS)) == 1
    assert surface.error(EXPIRY, 60_000.0, FORWARD) is None


def test_nothing_one_quote_and_crossed_quotes() -> None:
    t, surface = EXPIRY - YEAR_NS // 10, Surface()
    assert (surface.rungs(t), factors(surface, t), index(surface, t)) == ([], [], None)
    assert surface.fair_at(60_000.0, True, FORWARD, EXPIRY, t) is None
    one = chain(flat(0.036), 0.1, FORWARD, [60_000.0])[:1]
    assert surface.refit(EXPIRY, FORWARD, one, t).source == "flat"
    assert surface.rungs(t) == []
    crossed = [
        msgspec.structs.replace(quote, bid_iv=quote.ask_iv, ask_iv=quote.bid_iv)
        for quote in chain(flat(0.036), 0.1, FORWARD, WIDE)
    ]
    fit = surface.refit(EXPIRY, FORWARD, crossed, t)
    assert (fit.source, fit.quotes) == ("marks", 0)
    assert fit.error(0.0) is not None
    assert not math.isnan(fit.atm_iv or math.nan)

"""Calendars hold wherever what they say they need is so, and are not reported where today's basis leaves no room."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import black
from engine.domain import Side, expiry_of, instrument_of
from engine.surface.executable import Arbitrage, Quoted
from engine.surface.locked import Delivery
from engine.surface.time_spread import CARRY, calendars
from tests.surface.packages import CAP, FUTURE_FEE, OPTION_FEE

NEAR, FAR = expiry_of("27MAR26"), expiry_of("24APR26")
FORWARDS = {NEAR: 60_000.0, FAR: 60_300.0}
STRIKES = (50_000, 56_000, 60_000, 61_000, 66_000, 80_000)
FEES = Delivery()


def quoted(code: str, strike: int, call: bool, bid: float, ask: float, size: float = 5.0) -> Quoted:
    return Quoted(instrument_of(f"BTC-{code}-{strike}-{'C' if call else 'P'}"), bid, ask, size, size)


def chains(**moved: float) -> list[Quoted]:
    """Two sound expiries; `moved` shifts quotes of the later one by their name's end."""
    out = []
    for code, forward, years in (("27MAR26", FORWARDS[NEAR], 0.1), ("24APR26", FORWARDS[FAR], 0.18)):
        for strike in STRIKES:
            for call in (True, False):
                mid = black.price(forward, strike, years, 0.6, call)
                mid += moved.get(f"{'C' if call else 'P'}{strike}", 0.0) if code == "24APR26" else 0.0
                out.append(quoted(code, strike, call, max(mid - 0.001, 0.0), mid + 0.001))
    return out


def worst(found: Arbitrage) -> float:
    """Coin, over delivery prices of the earlier expiry, later forwards just at what is needed, and final prices."""
    far, near = found.legs
    call = near.instrument.call
    bound = float(found.needs.split()[4])
    s, last = np.meshgrid(np.geomspace(100.0, 1e7, 300), np.geomspace(1.0, 1e9, 201), indexing="ij")
    forward = s * bound
    sign = 1.0 if call else -1.0
    pays = np.maximum(sign * (1.0 - near.instrument.strike / s), 0.0)
    money = near.size * (near.price - min(OPTION_FEE, CAP * near.price) - pays - np.minimum(FEES.option, CAP * pays))
    money -= far.size * (far.price + min(OPTION_FEE, CAP * far.price))
    paid = np.maximum(sign * (1.0 - far.instrument.strike / last), 0.0)
    money += far.size * (paid - np.minimum(FEES.option, CAP * paid))
    usd = np.where(pays > 0.0, far.size * far.instrument.strike, 0.0)  # of the later future, sold for a call
    money += sign * usd * (1.0 / last - 1.0 / forward) - FUTURE_FEE * usd / forward
    return float((money - FEES.future * usd / forward).min())


def test_sound_expiries_have_none() -> None:
    assert calendars(chains(), FORWARDS, NEAR) == []
    assert calendars([], FORWARDS, NEAR) == []


@pytest.mark.parametrize(
    ("moved", "strike", "bound"), [({"C60000": -0.05}, 60_000, 60 / 61), ({"P61000": -0.05}, 61_000, 61 / 60)]
)
def test_a_later_option_for_less_is_found_with_what_it_needs(
    moved: dict[str, float], strike: int, bound: float
) -> None:
    """A call needs the later forward not to fall behind, a put not to run ahead."""
    found = calendars(chains(**moved), FORWARDS, NEAR)[0]
    assert (found.kind, found.expiry) == ("calendar", NEAR)
    assert [(leg.side, leg.instrument.expiry) for leg in found.legs] == [(Side.BUY, FAR), (Side.SELL, NEAR)]
    assert found.legs[0].instrument.strike == strike
    assert float(found.needs.split()[4]) == pytest.approx(bound, abs=1e-3)
    assert found.needs.endswith("now 1.0050")
    assert found.profit > 0.0
    assert worst(found) >= found.profit - 1e-9


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from(STRIKES), st.booleans(), st.floats(-0.06, 0.0)), max_size=5),
    st.floats(55_000.0, 66_000.0),
)
def test_each_one_pays_wherever_its_need_is_met_and_no_offer_is_used_twice(
    moved: list[tuple[int, bool, float]], later: float
) -> None:
    quotes = chains(**{f"{'C' if call else 'P'}{strike}": off for strike, call, off in moved})
    forwards = FORWARDS | {FAR: later}
    found = calendars(quotes, forwards, NEAR)
    for each in found:
        bound, basis, call = float(each.needs.split()[4]), later / 60_000.0, each.legs[0].instrument.call
        assert basis * (1 - CARRY) >= bound - 1e-4 if call else basis * (1 + CARRY) <= bound + 1e-4
        assert worst(each) >= each.profit - 1e-9
    names = [leg.instrument.name for each in found for leg in each.legs]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("broken", [0.0, math.nan, math.inf])
def test_no_offer_no_calendar(broken: float) -> None:
    bait = [quoted("27MAR26", 60_000, True, 0.08, 0.09), quoted("24APR26", 60_000, True, 0.03, 0.04, broken)]
    assert calendars(bait, FORWARDS, NEAR) == []
    bait = [quoted("27MAR26", 60_000, True, 0.08, 0.09, broken), quoted("24APR26", 60_000, True, 0.03, 0.04)]
    assert calendars(bait, FORWARDS, NEAR) == []


def test_without_both_forwards_nothing_is_said() -> None:
    assert calendars(chains(C60000=-0.05), {NEAR: 60_000.0}, NEAR) == []

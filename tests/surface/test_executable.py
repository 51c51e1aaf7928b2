"""Packages that are reported profit at every delivery price, fees and all; and those that are there are found."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import black
from engine.domain import Instrument, Kind, Side, instrument_of
from engine.surface.executable import Arbitrage, Delivery, Leg, Quoted, executable, least

STRIKES = (50_000, 55_000, 58_000, 60_000, 62_500, 70_000)
FORWARD = 60_000.0
FREE = Delivery(0.0, 0.0)
PRICES = np.concatenate([np.geomspace(1.0, 1e9, 4001), np.array(STRIKES, dtype=float)])


def chain(half: float = 0.002, size: float = 5.0, **moved: float) -> list[Quoted]:
    """A sound chain and its future; `moved` shifts the quotes of one option, by the name's end (C60000=0.02)."""
    out = [Quoted(instrument_of("BTC-27MAR26"), FORWARD - 5.0, FORWARD + 5.0, 1e6, 1e6)]
    for strike in STRIKES:
        for call in (True, False):
            name = f"{'C' if call else 'P'}{strike}"
            mid = black.price(FORWARD, strike, 0.1, 0.6, call) + moved.get(name, 0.0)
            option = instrument_of(f"BTC-27MAR26-{strike}-{name[0]}")
            out.append(Quoted(option, max(mid - half, 0.0), mid + half, size, size))
    return out


def delivered(legs: Sequence[Leg], fees: Delivery) -> np.ndarray:
    """What the legs bring at each delivery price, as an accountant would add it up."""
    total = np.zeros_like(PRICES)
    for leg in legs:
        sign, one = 1.0 if leg.side is Side.BUY else -1.0, leg.instrument
        if one.kind is Kind.FUTURE:
            total += sign * leg.size * (1 / leg.price - 1 / PRICES) - 0.0005 * leg.size / leg.price
            total -= fees.future * leg.size / PRICES
            continue
        usd = np.maximum(PRICES - one.strike if one.call else one.strike - PRICES, 0.0)
        worth = usd / PRICES
        total += sign * leg.size * (worth - leg.price)
        total -= leg.size * (min(0.0003, 0.125 * leg.price) + np.minimum(fees.option, 0.125 * worth))
    return total


def kinds(found: Sequence[Arbitrage]) -> set[str]:
    return {each.kind for each in found}


def test_a_sound_chain_has_none() -> None:
    assert executable(chain()) == []
    assert executable([]) == []


@pytest.mark.parametrize(
    ("moved", "kind"),
    [
        ({"C60000": 0.03}, "butterfly"),
        ({"P58000": 0.03}, "butterfly"),
        ({"C62500": 0.05}, "vertical"),
        ({"C60000": -0.03, "P60000": 0.03}, "parity"),
        ({"C60000": 0.02, "P60000": -0.02}, "box"),
    ],
)
def test_what_is_there_is_found(moved: dict[str, float], kind: str) -> None:
    found = executable(chain(**moved))
    assert kind in kinds(found)
    assert found == sorted(found, key=lambda each: -each.profit)


def test_an_unequal_butterfly_has_its_ratio() -> None:
    """55,000 – 58,000 – 60,000: two of the lower wing to three of the upper, five of the body."""
    quotes = [q for q in chain(0.0005, C58000=0.02) if q.instrument.call and q.instrument.strike in (55e3, 58e3, 60e3)]
    (found,) = [each for each in executable(quotes) if each.kind == "butterfly"]
    assert {(leg.instrument.strike, leg.side, leg.size) for leg in found.legs} == {
        (55e3, Side.BUY, 2.0),
        (58e3, Side.SELL, 5.0),
        (60e3, Side.BUY, 3.0),
    }


def test_what_fees_or_sizes_eat_is_not_reported() -> None:
    # worth 0.0005 a contract before fees of 0.0003 a leg
    quotes = [q for q in chain(0.0, C60000=0.0) if q.instrument.call]
    body = next(q for q in quotes if q.instrument.strike == 60_000)
    wing = [q for q in quotes if q.instrument.strike in (58_000, 62_500)]
    hull = wing[0].ask * 5 / 9 + wing[1].ask * 4 / 9
    near = msgspec.structs.replace(body, bid=hull + 0.0005, ask=hull + 0.01)
    assert executable([*wing, near], FREE) == []
    dear = msgspec.structs.replace(body, bid=hull + 0.0008, ask=hull + 0.01)
    assert kinds(executable([*wing, dear], FREE)) == {"butterfly"}
    thin = msgspec.structs.replace(dear, bid_size=0.8)  # less than the nine tenths that the ratio wants
    assert executable([*wing, thin], FREE) == []


def test_a_delivery_fee_on_futures_leaves_no_parity_for_certain() -> None:
    """As the price falls to nothing a future's worth in coin has no bound, nor has a share of it."""
    quotes = chain(C60000=-0.03, P60000=0.03)
    assert "parity" in kinds(executable(quotes))
    assert "parity" not in kinds(executable(quotes, Delivery(future=0.00025)))


SIZE = st.floats(0.0, 50.0)
PRICE = st.floats(0.0001, 0.5).map(lambda value: round(value, 4))


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.sampled_from(STRIKES), st.booleans(), PRICE, PRICE, SIZE, SIZE), max_size=14),
    st.floats(30_000.0, 90_000.0),
)  # fmt: skip
def test_every_package_profits_at_every_delivery_price(
    rows: list[tuple[int, bool, float, float, float, float]], future: float
) -> None:
    """Random quotes, crossed ones among them, are full of arbitrage: each one reported is simulated."""
    quotes = {(k, c): Quoted(option(k, c), bid, ask, bs, size) for k, c, bid, ask, bs, size in rows}
    every = [Quoted(instrument_of("BTC-27MAR26"), future, future + 5.0, 1e7, 1e7), *quotes.values()]
    for found in executable(every):
        worst = float(delivered(found.legs, Delivery()).min())
        assert worst >= found.profit - 1e-9
        assert found.profit > 0.0
        for leg in found.legs:
            (quoted,) = [q for q in every if q.instrument == leg.instrument]
            price, size = (quoted.ask, quoted.ask_size) if leg.side is Side.BUY else (quoted.bid, quoted.bid_size)
            assert leg.price == price
            assert 0.0 < leg.size <= size + 1e-9
            assert abs(leg.size / leg.instrument.lot - round(leg.size / leg.instrument.lot)) < 1e-6


def option(strike: int, call: bool) -> Instrument:
    return instrument_of(f"BTC-27MAR26-{strike}-{'C' if call else 'P'}")


def test_the_worst_case_is_at_a_kink_or_has_no_bound() -> None:
    call = Leg(option(60_000, True), Side.SELL, 1.0, 0.05)
    assert least([call], FREE) == pytest.approx(0.05 - 1.0 - 0.0003)
    put = Leg(option(60_000, False), Side.SELL, 1.0, 0.05)
    assert least([put], FREE) == -math.inf

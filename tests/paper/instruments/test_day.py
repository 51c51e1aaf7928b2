"""The rolling statistics, against the plain sums over all trades of the window."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.paper.instruments.day import SLOT_NS, SLOTS, Day

trades = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 50), st.integers(1, 9)), min_size=1, max_size=60)


@given(trades, st.integers(0, 2 * SLOTS))
def test_the_window_is_what_was_traded_in_it(steps: list[tuple[int, int, int]], later: int) -> None:
    day, t, told = Day(), 0, []
    for step, price, lots in steps:
        t += step * SLOT_NS // 3
        day.trade(t, price, lots, lots / price, float(lots))
        told.append((t // SLOT_NS, price, lots))
    now = t // SLOT_NS + later
    window = [(price, lots) for slot, price, lots in told if slot > now - SLOTS]
    total = day.over(now * SLOT_NS)
    assert total.lots == sum(lots for _, lots in window)
    assert total.usd == pytest.approx(total.lots)
    assert total.coin == pytest.approx(sum(lots / price for price, lots in window))
    if window:
        prices = [price for price, _ in window]
        assert (total.first, total.last, total.high, total.low) == (prices[0], prices[-1], max(prices), min(prices))
        assert total.change == pytest.approx(100.0 * (prices[-1] / prices[0] - 1.0))
    else:
        assert (total.first, total.high, total.low, total.change) == (0, 0, 0, 0.0)


def test_it_goes_on_from_what_was_dumped() -> None:
    day, twin = Day(), Day()
    for k in range(50):
        day.trade(k * SLOT_NS, 100 + k, 1, 0.1, 1.0)
    twin.load(msgspec.msgpack.decode(msgspec.msgpack.encode(day.dump())))
    for each in (day, twin):
        each.trade(120 * SLOT_NS, 7, 2, 0.3, 4.0)
    assert twin.dump() == day.dump()

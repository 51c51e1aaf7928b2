"""What an order is said to cost before it is sent: in its units, and the way each thing moves it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import messages as m
from engine.domain import NS, Side
from engine.execution.algorithms import ALGORITHMS
from engine.execution.desk import Desk
from engine.execution.estimate import AT_ONCE, Estimate, estimates
from tests.execution.still import CALL, NAME, NOW, Still, forecast, mirrored, slippage

SAID = forecast(fill_bid=0.3, slip_buy=slippage(3.0), impact_buy=0.5)


def asked(side: Side = Side.BUY, said: m.Forecast = SAID, fragility: float = 0.0, sigma: float = 0.09,
          traded: int = 1200, **fields: object) -> dict[str, Estimate]:  # fmt: skip
    picture = Still()
    picture.baselines[NAME] = said if side is Side.BUY else mirrored(said)
    picture.sigmas[NAME] = sigma
    picture.volume = [(NOW - 100 * NS, traded)]
    order = m.ParentAccepted(
        id="P1", user="ann", instrument=NAME, side=side, quantity=1000, limit=340, start=NOW, end=NOW + 600 * NS,
        algorithm="twap", urgency=5, min_child=0, max_child=100, dial="auto", auto_limit=30, arrival=330.0, rate=0.25,
    )  # fmt: skip
    found = estimates(Desk(), picture, CALL, msgspec.structs.replace(order, **fields), fragility)
    return {each.algorithm: each for each in found}


def test_each_algorithm_and_taking_it_at_once_are_quoted() -> None:
    found = asked()
    assert set(found) == {*ALGORITHMS, AT_ONCE}
    once = found[AT_ONCE]
    assert once.cost == pytest.approx(1.0 + 0.3 * 100)  # half a spread of two ticks, 0.3 ticks a contract
    assert (once.seconds, once.passive, once.done) == (0.0, 0.0, 1.0)
    twap = found["twap"]
    assert twap.passive == pytest.approx(1 - 0.7**12)  # a tenth of 600 s of patience
    crossing = 1.0 + 1.5  # and a child of five slips by 1.5
    assert twap.cost == pytest.approx((1 - twap.passive) * (crossing + 0.05 * 100 / 2) - twap.passive, abs=1e-9)
    assert twap.high - twap.cost == pytest.approx(1.2816 * 0.09 * (600 / 3) ** 0.5, rel=0.02)


def test_participation_lasts_as_long_as_the_others_take() -> None:
    assert asked()["pov"].done == pytest.approx(0.3)  # a quarter of 0.2 contracts a second, for ten minutes
    quick = asked(traded=12_000)["pov"]
    assert (quick.seconds, quick.done) == pytest.approx((200.0, 1.0))
    assert (asked(traded=0)["pov"].done, asked(traded=0)["pov"].seconds) == (0.0, 600.0)


def test_almgren_chriss_wanders_less_than_twap_when_urgent_and_alike_when_not() -> None:
    def width(found: Estimate) -> float:
        return found.high - found.low

    urgent, calm = asked(urgency=9), asked(urgency=0)
    assert width(urgent["almgren_chriss"]) < width(urgent["twap"])
    assert width(calm["almgren_chriss"]) == pytest.approx(width(calm["twap"]))


@settings(max_examples=25)
@given(st.floats(0, 1), st.floats(0.0, 0.99), st.floats(0, 20), st.integers(0, 10))
def test_dearer_books_cost_more_and_a_seller_pays_what_a_buyer_does(
    fragility: float, fill: float, slip: float, urgency: int
) -> None:
    said = forecast(fill_bid=fill, slip_buy=slippage(slip))
    found = asked(said=said, fragility=fragility, urgency=urgency)
    for name, sound in asked(said=said, urgency=urgency).items():
        assert sound.low <= sound.cost <= sound.high
        assert found[name].cost >= sound.cost - 1e-9
    dear = asked(said=forecast(fill_bid=fill, slip_buy=slippage(slip + 1.0)), fragility=fragility, urgency=urgency)
    assert all(dear[name].cost >= each.cost - 1e-9 for name, each in found.items())
    for name, mirror in asked(Side.SELL, said, fragility, urgency=urgency, limit=320).items():
        assert (mirror.cost, mirror.low) == pytest.approx((found[name].cost, found[name].low))


def test_without_a_book_nothing_is_said() -> None:
    picture = Still((), ())
    picture.baselines[NAME] = SAID
    order = msgspec.convert({
        "id": "P1", "user": "ann", "instrument": NAME, "side": "buy", "quantity": 1000, "limit": 340, "start": NOW,
        "end": NOW + NS, "algorithm": "twap", "urgency": 5, "min_child": 0, "max_child": 100, "dial": "auto",
        "auto_limit": 30, "arrival": None, "fact": "parent",
    }, m.ParentAccepted)  # fmt: skip
    assert estimates(Desk(), picture, CALL, order) == ()

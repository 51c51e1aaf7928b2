"""Where the book's delta stands and how wide its band is: by hand, and what is not known is said."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import messages as m
from engine.config import Config, Execution, Hedging
from engine.domain import NS, Side, instrument_of
from engine.execution import hedge, hedging
from engine.execution.desk import Desk
from engine.execution.evolve import evolve
from engine.execution.exposure import Unknown
from engine.execution.picture import Greeks
from engine.market.told import Quote
from tests.execution.desks import desk_of, filled, parent_of, request
from tests.execution.still import CALL, NAME, NOW, Still

PERPETUAL = instrument_of("BTC-PERPETUAL")
FUTURE = instrument_of("BTC-27MAR26")
BOOK = ((79_990.0, 500_000.0),), ((80_010.0, 500_000.0),)
MARK = 80_000.0


def market(*, delta: float = 0.5, mark: float = 0.03, gamma: float = 4e-5, vega: float = 70.0) -> Still:
    """The perpetual's book at 79,990 / 80,010, and greeks of the call."""
    picture = Still(*BOOK, instrument=PERPETUAL)
    picture.ticker(mark_price=MARK)
    picture.sensitive = {
        PERPETUAL.name: Greeks(1 / MARK, 1 / MARK, 0.0, 0.0), FUTURE.name: Greeks(1 / MARK, 1 / MARK, 0.0, 0.0),
        NAME: Greeks(delta, delta - mark, gamma, vega),
    }  # fmt: skip
    for each in (CALL, FUTURE):
        picture.venue.instruments[each.name] = each
        picture.venue.quotes[each.name] = Quote(t=NOW, mark=mark if each is CALL else MARK, gamma=gamma, vega=vega)
    picture.deltas = {name: each.coin_delta for name, each in picture.sensitive.items()}
    picture.micros[PERPETUAL.name] = MARK / PERPETUAL.tick
    return picture


def parent(k: int, dial: m.HedgeDial = "manual", side: Side = Side.BUY) -> m.ParentAccepted:
    return msgspec.structs.replace(parent_of(), id=f"P{k}", hedge=dial, side=side)


def child(k: int, of: str = "", **fields: object) -> list[m.Fact]:
    """An order of a parent that is filled: 10 lots, a contract, unless said."""
    asked = request(k, parent=of, **fields)
    fill = filled(k, asked.side, asked.quantity, child=asked.child, instrument=asked.instrument, price=asked.price)
    return [asked, fill, m.OrderEnded(child=asked.child, state="filled", reason="")]


def held(*facts: m.Fact, **settings: object) -> Desk:
    hedging = Hedging(**settings)  # type: ignore[arg-type]
    return desk_of(*facts, config=Config(hedging=hedging, execution=Execution(settled_s=0.0)))  # it is 08:00 here


# ---------------------------------------------------------------- Whalley–Wilmott


@pytest.mark.parametrize(
    ("friction", "spot", "gamma", "aversion", "half"),
    [  # (3/2 · λ · S Γ² / γ)^(1/3), with a pocket calculator
        (0.0005, 80_000.0, 1e-3, 1e-4, 0.8434326653),  # ³√0.6
        (0.0005, 80_000.0, -1e-3, 1e-4, 0.8434326653),
        (0.001, 100_000.0, 2e-3, 6e-4, 1.0),
        (0.001, 100_000.0, 2e-3, 7.5e-5, 2.0),  # an eighth of the aversion
        (0.008, 100_000.0, 2e-3, 6e-4, 2.0),  # eight times the friction
        (0.0005, 80_000.0, 0.0, 1e-4, 0.0),
    ],
)
def test_the_half_band_is_whalleys_and_wilmotts(
    friction: float, spot: float, gamma: float, aversion: float, half: float
) -> None:
    assert hedge.half_band(friction, spot, gamma, aversion) == pytest.approx(half, rel=1e-9)


def test_friction_is_half_the_spread_the_fee_and_what_the_flow_pushes_against_the_hedge() -> None:
    picture, desk = market(), held(beta=0.001)
    picture.flows[PERPETUAL.name] = 0.8  # buyers push
    buy, sell = (hedge.band(desk, picture, PERPETUAL, side, 1e-3) for side in Side)
    assert (buy.half_spread, buy.fee, buy.ofi) == (10 / 80_000, 0.0005, 0.8)
    assert buy.friction == pytest.approx(10 / 80_000 + 0.0005 + 0.0008)
    assert (sell.ofi, sell.fragility) == (0.0, 0.0)
    assert buy.half == pytest.approx(math.cbrt(1.5 * buy.friction * MARK * 1e-6 / 1e-4))
    assert buy.half > sell.half


def test_a_flow_that_is_not_known_yet_widens_nothing() -> None:
    band = hedge.band(held(), market(), PERPETUAL, Side.BUY, 1e-3)
    assert (band.ofi, band.fragility) == (None, 0.0)


@pytest.mark.parametrize(("gamma", "half"), [(0.0, 0.05), (1e-3, 0.908560), (1.0, 5.0)])
def test_the_band_has_a_least_and_a_cap(gamma: float, half: float) -> None:
    assert hedge.band(held(), market(), PERPETUAL, Side.BUY, gamma).half == pytest.approx(half, rel=1e-5)


def test_no_band_is_finer_than_a_lot() -> None:
    picture = market()
    assert hedge.band(held(band_least=0.0), picture, PERPETUAL, Side.BUY, 0.0).half == pytest.approx(10 / MARK)


# ---------------------------------------------------------------- what is held


def test_the_book_is_all_that_is_held_in_coin_delta() -> None:
    sold = child(3, instrument=PERPETUAL.name, side=Side.SELL, quantity=800, price=160_000, hedge=True)
    desk = held(parent(1), *child(1, "P1"), *child(2, side=Side.SELL, quantity=4), *sold)
    stand = hedge.standing(desk, market())
    assert stand.shares == pytest.approx({"P1": 0.47, "": -0.4 * 0.47, "hedges": -8000 / MARK})
    assert stand.delta == pytest.approx(0.6 * 0.47 - 0.1)
    assert (stand.gamma, stand.vega) == pytest.approx((0.6 * 4e-5, 0.6 * 70.0))
    assert stand.expiries == pytest.approx({CALL.expiry: 0.6 * 0.47, 0: -0.1})


def test_black_scholes_delta_is_a_setting() -> None:
    desk = held(*child(1), delta="black_scholes")
    assert hedge.standing(desk, market()).delta == pytest.approx(0.5)


def test_the_target_is_the_settings_until_it_is_set() -> None:
    desk = held(*child(1), target=0.2)
    assert hedge.standing(desk, market()).away == pytest.approx(0.27)
    evolve(desk, m.HedgeSet(n=desk.facts + 1, t=NOW, by="ann", on=True, dial="semi", target=-0.1))
    assert hedge.standing(desk, market()).away == pytest.approx(0.57)
    assert hedge.terms_of(desk) == hedge.Terms(on=True, dial="semi", target=-0.1)


def test_what_hedges_on_their_way_will_add_counts_as_done() -> None:
    asked = request(9, instrument=PERPETUAL.name, side=Side.SELL, quantity=1600, price=160_000, hedge=True)
    desk = held(*child(1), asked)
    assert hedge.standing(desk, market()).away == pytest.approx(0.47 - 0.2)
    evolve(desk, filled(9, Side.SELL, 600, child="s-9", instrument=PERPETUAL.name, price=160_000, n=desk.facts + 1))
    assert hedge.standing(desk, market()).away == pytest.approx(0.47 - 0.2)


@pytest.mark.parametrize(
    ("others", "by_hand", "wanted"),
    [(0, 0, 10), (-4, 0, 10), (-10, 0, 10), (0, -3, 7), (0, -10, 0), (0, -15, 0), (0, 5, 10), (7, -3, 7)],
)
def test_the_delta_of_a_parent_that_is_off_is_wanted_unless_it_was_closed_by_hand(
    others: int, by_hand: int, wanted: int
) -> None:
    facts = child(1, "P1")
    for k, (of, lots) in enumerate((("P2", others), ("", by_hand)), start=2):
        facts += child(k, of, side=Side.BUY if lots > 0 else Side.SELL, quantity=abs(lots)) if lots else []
    desk = held(parent(1, "off"), parent(2), *facts)
    stand = hedge.standing(desk, market())
    assert stand.wanted == pytest.approx(wanted * 0.1 * 0.47)
    assert stand.away == pytest.approx((10 + others + by_hand - wanted) * 0.1 * 0.47)


@pytest.mark.parametrize(
    ("parents", "by_hand", "book", "dial"),
    [
        ((), False, "auto", "auto"),
        (("auto",), False, "manual", "auto"),  # the book's own dial speaks for what is nobody's
        (("auto",), True, "manual", "manual"),
        (("auto", "semi"), False, "manual", "semi"),
        (("auto", "manual"), False, "auto", "manual"),
        (("auto", "off"), False, "manual", "auto"),
        (("off",), False, "auto", "auto"),
    ],
)
def test_a_hedge_goes_as_the_most_careful_of_those_says_whose_delta_it_is(
    parents: tuple[m.HedgeDial, ...], by_hand: bool, book: m.Dial, dial: m.Dial
) -> None:
    facts: list[m.Fact] = [parent(k, each) for k, each in enumerate(parents)]
    for k in range(len(parents)):
        facts += child(k, f"P{k}")
    facts += child(20) if by_hand else []
    facts += child(21, instrument=PERPETUAL.name, side=Side.SELL, quantity=80, price=160_000, hedge=True)
    assert hedge.standing(held(*facts, dial=book), market()).dial == dial


def test_a_parents_hedge_dial_is_set_also_when_it_has_ended() -> None:
    desk = held(parent(1), *child(1, "P1"), m.ParentEnded(parent="P1", outcome="cancelled", by="ann"))
    evolve(desk, m.ParentHedgeSet(n=desk.facts + 1, t=NOW, parent="P1", by="ann", dial="auto"))
    assert hedge.standing(desk, market()).dial == "auto"


def test_after_a_new_start_every_hedge_is_asked_for() -> None:
    begun = m.Began(session="later", config=Config(hedging=Hedging(dial="auto")), code="", model="")
    desk = held(*child(1), begun)
    assert hedge.standing(desk, market()).dial == "manual"
    evolve(desk, m.HedgeSet(n=desk.facts + 1, t=NOW, by="ann", on=True, dial="auto", target=0.0))
    assert hedge.standing(desk, market()).dial == "auto"
    resuming = msgspec.structs.replace(
        begun, config=Config(hedging=Hedging(dial="auto"), resume_after_recovery=True), n=desk.facts + 1
    )
    evolve(desk, resuming)
    assert hedge.standing(desk, market()).dial == "auto"


def test_what_has_expired_has_no_delta() -> None:
    picture, desk = market(), held(*child(1))
    picture.now = CALL.expiry
    assert hedge.standing(desk, picture).delta == 0.0


def test_what_was_delivered_is_not_missed_once_it_is_listed_no_more() -> None:
    facts = [parent(1), *child(1, "P1"), m.PositionSet(instrument=NAME, size=0, reason="delivered")]
    picture = market()
    del picture.venue.instruments[NAME], picture.venue.quotes[NAME]
    assert hedge.standing(held(*facts), picture).away == 0.0


# ---------------------------------------------------------------- what is not known


def no_quote(picture: Still) -> None:
    del picture.venue.quotes[NAME]


def old_quote(picture: Still) -> None:
    picture.venue.quotes[NAME].t -= 61 * NS


def no_greeks(picture: Still) -> None:
    del picture.sensitive[NAME]


def unlisted(picture: Still) -> None:
    del picture.venue.instruments[NAME]


def stale(picture: Still) -> None:
    picture.venue.books[PERPETUAL.name].drop("a gap")


def one_sided(picture: Still) -> None:
    picture.book((), BOOK[1])


def no_mark(picture: Still) -> None:
    picture.venue.quotes[PERPETUAL.name].mark = None


def no_perpetual(picture: Still) -> None:
    del picture.venue.instruments[PERPETUAL.name]


@pytest.mark.parametrize(
    ("breaks", "sentence"),
    [
        (no_quote, f"there is no quote of {NAME}"),
        (old_quote, f"the quote of {NAME} is 61 s old"),
        (no_greeks, f"the greeks of {NAME} are not known"),
        (unlisted, f"the venue has not listed {NAME}, which is held"),
        (stale, "the book of BTC-PERPETUAL is stale: a gap"),
        (one_sided, "the book of BTC-PERPETUAL is one-sided"),
        (no_mark, "there is no mark price of BTC-PERPETUAL"),
        (no_perpetual, "the venue lists no perpetual to hedge with"),
    ],
)
def test_what_is_not_known_is_no_zero_and_nothing_is_hedged(breaks: object, sentence: str) -> None:
    picture, desk = market(), held(*child(1))
    breaks(picture)  # type: ignore[operator]
    with pytest.raises(Unknown, match=sentence.replace("(", r"\(")):
        hedging.moment_of(desk, picture)
    assert list(hedging.work(desk, picture)) == []


# ---------------------------------------------------------------- what is hedged with


def test_the_future_of_the_expiry_that_has_most_to_hedge() -> None:
    picture, desk = market(), held(*child(1), instrument="future")
    stand = hedge.standing(desk, picture)
    assert hedge.instrument_of(desk, picture, stand) == FUTURE
    picture.now = CALL.expiry - 9 * 60 * NS  # nothing new in it any more
    assert hedge.instrument_of(desk, picture, stand) == PERPETUAL
    assert hedge.instrument_of(held(*child(1)), picture, stand) == PERPETUAL


@given(
    lots=st.integers(-150, 150).filter(bool), target=st.floats(-3, 3), flow=st.floats(-3, 3),
    back_to=st.sampled_from(["edge", "target"]), gamma=st.floats(0, 1e-3),
)  # fmt: skip
def test_a_filled_hedge_leaves_the_delta_inside_the_band(
    lots: int, target: float, flow: float, back_to: str, gamma: float
) -> None:
    picture = market(gamma=gamma)
    picture.flows[PERPETUAL.name] = flow
    side = Side.BUY if lots > 0 else Side.SELL
    desk = held(*child(1, side=side, quantity=abs(lots)), target=target, back_to=back_to, dial="auto",
                largest_usd=1e7)  # fmt: skip
    before = hedging.moment_of(desk, picture)
    facts = []
    for bare in hedging.work(desk, picture):
        fact = msgspec.structs.replace(bare, n=desk.facts + 1, t=NOW)
        facts.append(fact)
        evolve(desk, fact)
    asked = [fact for fact in facts if isinstance(fact, m.OrderRequested)]
    if abs(before.stand.away) <= before.band.half:
        assert facts == []
        return
    (order,) = asked
    assert order.side.sign * before.stand.away < 0
    assert list(hedging.work(desk, picture)) == []  # what is on its way is not hedged again
    evolve(desk, filled(99, order.side, order.quantity, child=order.child, instrument=order.instrument,
                        price=order.price, n=desk.facts + 1))  # fmt: skip
    after = hedge.standing(desk, picture)
    assert abs(after.away) <= before.band.half
    assert order.side.sign * after.away <= hedging.moment_of(desk, picture).each / 2 + 1e-9  # never past the target

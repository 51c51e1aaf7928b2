"""What a screen is told of hedging: deltas that sum, the band's terms, the state in a word and a sentence, advice."""

from __future__ import annotations

import msgspec
import pytest

from engine import messages as m
from engine import view
from engine.config import Config, Hedging
from engine.domain import Side
from engine.execution.desk import Proposal
from tests.link import World, ready, submit

PERPETUAL = "BTC-PERPETUAL"


def held(**settings: object) -> tuple[World, str, str]:
    """Four calls of a parent, and one bought by hand."""
    world, name = ready(config=Config(hedging=Hedging(**settings)))  # type: ignore[arg-type]
    world.do(m.SendOrder(instrument=name, side=Side.BUY, quantity=1.0, price=world.touch(name)[1], post_only=False))
    parent = submit(world, name, quantity=4.0, dial="auto", minutes=0.1, limit=0.04)
    world.until(lambda: parent not in world.desk.live, 20)
    world.run(0.2)
    return world, name, parent


def asked(world: World) -> Proposal:
    proposal = world.desk.hedge_proposal
    assert proposal is not None
    return proposal


def test_a_flat_book_is_inside_a_band_of_the_least() -> None:
    world, _ = ready(config=Config())
    said = view.hedged(world.core)
    assert (said.state, said.why, said.rows) == ("inside", "the delta is inside its band", ())
    assert (said.delta, said.band, said.dial, said.on) == (0.0, 0.05, "manual", True)
    assert msgspec.json.decode(msgspec.json.encode(said), type=m.HedgeView) == said


def test_deltas_by_holder_sum_to_the_books_and_the_band_says_what_it_is_made_of() -> None:
    world, name, parent = held()
    said = view.hedged(world.core)
    assert [(row.parent, row.what, row.dial) for row in said.rows] == [
        (parent, name, "manual"), ("", "by hand or elsewhere", None),
    ]  # fmt: skip
    assert said.delta == pytest.approx(sum(row.delta for row in said.rows))
    assert said.usd == pytest.approx(sum(row.usd or 0.0 for row in said.rows))
    assert said.state == "asked"
    assert said.proposal == asked(world).born.id
    assert said.why == asked(world).reason
    assert said.terms is not None
    assert said.terms.friction == said.terms.half_spread + said.terms.fee + said.terms.fragility
    assert said.band == said.terms.whalley


def test_each_state_has_its_word() -> None:
    world, _, _ = held()
    world.do(m.Approve(proposal=asked(world).born.id, revision=1, quantity=100.0, worst=99_900.0))
    words = {view.hedged(world.core).state}
    world.run(2)
    world.do(m.Reject(proposal=asked(world).born.id))
    said = view.hedged(world.core)
    assert (said.state, said.why) == ("blocked", "rejected by the trader")
    assert [row.what for row in said.rows][-1] == "hedges"
    world.do(m.SetHedge(on=False))
    words.add(view.hedged(world.core).state)
    world.do(m.SetHedge(on=True))
    world.core.market.venue.books[PERPETUAL].drop("a gap")
    said = view.hedged(world.core)
    assert (said.state, said.why) == ("unknown", "the book of BTC-PERPETUAL is stale: a gap")
    assert said.delta is not None
    assert words == {"outside", "off"}


def test_advice_is_of_whole_lots_no_larger_than_shown_and_proposes_nothing() -> None:
    world, _, _ = held(gamma_within=1e-5, vega_within=100.0)
    said = view.hedged(world.core).advice
    assert said.text.startswith("brings gamma and vega inside what is wanted: ")
    assert abs(said.gamma or 1.0) <= 1e-5 + 1e-9
    assert abs(said.vega or 1e9) <= 100.0 + 1e-3
    assert said.cost == pytest.approx(sum(leg.cost for leg in said.legs))
    for leg in said.legs:
        quote = world.core.market.venue.quotes[leg.instrument]
        assert leg.price == (quote.ask if leg.side is Side.BUY else quote.bid)
        if leg.instrument != PERPETUAL:
            assert leg.size <= ((quote.ask_size if leg.side is Side.BUY else quote.bid_size) or 0.0)
    assert all(proposal.born.hedge for proposal in world.desk.live_proposals)


def test_without_a_wish_there_is_no_advice_and_inside_it_says_so() -> None:
    world, _ = ready()
    assert view.hedged(world.core).advice == m.HedgeAdvice(text="")
    world, _ = ready(config=Config(hedging=Hedging(vega_within=100.0)))
    assert view.hedged(world.core).advice.text == "gamma and vega are inside what is wanted"

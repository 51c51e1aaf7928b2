"""The book's hedges on the paper venue: asked for, approved, on their way, filled; never twice, and never blindly."""

from __future__ import annotations

import msgspec
import pytest

from engine import messages as m
from engine.config import Config, Execution, Hedging
from engine.core import Core
from engine.domain import DAY_NS, NS, Side
from engine.execution import hedge, hedging
from engine.execution.desk import Desk
from engine.execution.evolve import evolve
from engine.execution.exposure import Unknown
from engine.execution.suspend import SETTLEMENT_NS
from tests.execution.scenes import accounted, agree, kinds, recovered
from tests.link import World, ready, submit

PERPETUAL = "BTC-PERPETUAL"


def world_of(**settings: object) -> tuple[World, str]:
    return ready(config=Config(hedging=Hedging(**settings)))  # type: ignore[arg-type]


def bought(world: World, name: str, amount: float = 4.0, **fields: object) -> str:
    """A parent that has taken so many calls; its id."""
    parent = submit(world, name, quantity=amount, dial="auto", minutes=0.1, limit=0.04, **fields)
    world.until(lambda: parent not in world.desk.live, 20)
    assert world.desk.parents[parent].filled == world.instrument(name).lots(amount)
    return parent


def asked(world: World, name: str, amount: float = 4.0, **fields: object) -> str:
    """The proposal of a hedge of so many calls."""
    bought(world, name, amount, **fields)
    world.until(lambda: world.desk.hedge_proposal)
    proposal = world.desk.hedge_proposal
    assert proposal is not None
    return proposal.born.id


def approve(world: World, proposal: str, **edit: float) -> list[m.Fact]:
    return world.do(m.Approve(proposal=proposal, revision=world.desk.proposals[proposal].revision, **edit))


def moment(world: World) -> hedging.Moment:
    return hedging.moment_of(world.desk, world.core.market)


def hedges(world: World) -> list[m.OrderRequested]:
    return [fact for fact in world.of(m.OrderRequested) if fact.hedge]


def test_a_fill_is_hedged_once_the_trader_says_so() -> None:
    world, name = world_of()
    parent = bought(world, name)
    world.until(lambda: world.desk.hedge_proposal)
    proposal = world.proposal()
    assert (proposal.born.parent, proposal.born.instrument, proposal.born.side) == ("", PERPETUAL, Side.SELL)
    assert proposal.reason == (
        "Delta +1.97 BTC is outside the band of ±0.31: sell 172,200 USD of the perpetual at 99,997.5 or better"
    )
    world.run(3)
    assert hedges(world) == []
    facts = approve(world, proposal.born.id)
    assert kinds(facts)[:2] == ["Approved", "OrderRequested"]
    request = world.child().request
    assert (request.hedge, request.parent, request.by, request.post_only) == (True, "", "trader", False)
    world.run(0.1)
    now = moment(world)
    assert abs(now.stand.away) <= now.band.half
    assert world.desk.holders == {name: {parent: 40}, PERPETUAL: {"hedges": -request.quantity}}
    assert world.desk.parents[parent].filled == 40
    agree(world)
    n = len(world.facts)
    world.run(5)
    assert not [fact for fact in world.since(n) if isinstance(fact, m.Proposed)]


def test_small_excess_rests_first_and_is_thought_over() -> None:
    world, name = world_of(dial="auto", largest_usd=150_000.0)
    bought(world, name, hedge="auto")
    world.until(lambda: len(hedges(world)) == 2)
    first, second = hedges(world)
    assert (first.post_only, second.post_only) == (False, True)
    assert second.t - first.t >= NS
    world.run(18)
    assert len(hedges(world)) == 2
    world.until(lambda: len(hedges(world)) == 3, 10)
    assert world.desk.children[second.child].reason == "rested long enough; thinking again"
    assert len(world.desk.hedge_children) == 1


def test_a_resting_hedge_is_pulled_once_the_delta_is_back_inside() -> None:
    world, name = world_of(dial="auto", largest_usd=150_000.0)
    bought(world, name, hedge="auto")
    world.until(lambda: len(hedges(world)) == 2)
    world.run(1)
    world.ask("private/sell", {"instrument_name": PERPETUAL, "amount": 40_000.0, "type": "market"})
    world.until(lambda: not world.desk.hedge_children, 5)
    assert world.child().reason == "the delta is back inside its band"
    world.run(5)
    assert len(hedges(world)) == 2
    agree(world)


# ---------------------------------------------------------------- dials


@pytest.mark.parametrize(
    ("book", "own", "limit", "sent"),
    [
        ("manual", "manual", 1e6, False),
        ("auto", "manual", 1e6, False),
        ("manual", "semi", 1e6, True),
        ("manual", "semi", 100_000.0, False),
        ("manual", "auto", 0.0, True),
    ],
)
def test_a_parents_dial_says_whether_its_hedges_are_asked_for(
    book: m.Dial, own: m.HedgeDial, limit: float, sent: bool
) -> None:
    world, name = world_of(dial=book, auto_usd=limit)
    bought(world, name, hedge=own)
    world.run(1)
    assert bool(hedges(world)) is sent
    assert (world.desk.hedge_proposal is None) is sent


def test_a_parent_that_is_off_is_left_unhedged_until_its_dial_is_turned() -> None:
    world, name = world_of()
    parent = bought(world, name, hedge="off")
    world.run(2)
    assert world.desk.hedge_proposal is None
    (fact,) = world.do(m.SetHedgeDial(parent=parent, dial="auto"))
    assert isinstance(fact, m.ParentHedgeSet)
    world.run(0.2)
    assert len(hedges(world)) == 1


def test_an_edit_may_turn_the_hedge_dial_too() -> None:
    world, name = world_of()
    parent = submit(world, name)
    world.do(m.EditParent(parent=parent, hedge="semi"))
    assert world.desk.parents[parent].order.hedge == "semi"


def test_switched_off_means_nothing_and_a_target_means_that_much() -> None:
    world, name = world_of()
    proposal = asked(world, name)
    world.do(m.SetHedge(on=False))
    world.run(0.1)
    assert world.desk.proposals[proposal].reason == "hedging is switched off"
    world.run(2)
    assert world.desk.hedge_proposal is None
    world.do(m.SetHedge(on=True, target=2.0))
    world.run(2)
    assert world.desk.hedge_proposal is None
    world.do(m.SetHedge(target=3.0))
    world.run(0.2)
    assert world.proposal().born.side is Side.BUY
    assert world.proposal().reason.startswith("Delta +1.97 BTC is outside +3.00 ± 0.31: buy ")


def test_what_cannot_be_said_of_hedging_is_refused() -> None:
    world, _ = world_of()
    assert world.refused(m.SetHedge(target=float("nan"))) == "a target of nan BTC is none"
    assert world.refused(m.SetHedgeDial(parent="P1", dial="auto")) == "there is no parent P1"
    assert world.refused(m.SetHedge(on=False), user="eve", role="viewer") == "eve may look, not trade"


# ---------------------------------------------------------------- answers


def test_a_rejected_hedge_is_quiet_for_a_while() -> None:
    world, name = world_of()
    proposal = asked(world, name)
    world.do(m.Reject(proposal=proposal, reason="I wait for the print"))
    n = len(world.facts)
    world.run(9.8)
    assert [fact for fact in world.since(n) if isinstance(fact, m.Proposed)] == []
    world.run(0.4)
    assert world.desk.hedge_proposal is not None


def test_nobody_answers_and_it_is_asked_again() -> None:
    world, name = world_of()
    proposal = asked(world, name)
    world.run(20.3)
    assert world.desk.proposals[proposal].reason == "nobody answered in time"
    assert world.desk.hedge_proposal is not None
    assert world.desk.hedge_proposal.born.id != proposal


def test_edit_and_approve_goes_no_further_than_the_target() -> None:
    world, name = world_of()
    proposal = asked(world, name)
    assert approve(world, proposal, quantity=300_000.0)[0] == m.Refused(
        command=f"c{world.n - 1}", user="trader", reason="it is more than brings the delta to its target",
        n=world.desk.facts, t=world.now, cause=world.n,
    )  # fmt: skip
    approve(world, proposal, quantity=100_000.0, worst=99_990.0)
    assert world.positions()[PERPETUAL] == -10_000


def test_a_delta_that_is_back_inside_makes_the_answer_void() -> None:
    world, name = world_of()
    proposal = asked(world, name)
    world.ask("private/sell", {"instrument_name": PERPETUAL, "amount": 190_000.0, "type": "market"})
    assert world.refused(m.Approve(proposal=proposal, revision=1)) == "the delta is back inside its band"
    world.run(0.1)
    assert world.desk.proposals[proposal].reason == "the delta is inside its band"


# ---------------------------------------------------------------- never twice, never blindly


def test_while_one_is_on_its_way_no_other_goes() -> None:
    world, name = world_of(dial="auto")
    world.lose = lambda data: b'"order-' in data or (b"BTC-PERPETUAL" in data and b"user.changes" in data)
    parent = submit(world, name, quantity=4.0, dial="auto", minutes=0.1, hedge="auto")
    world.until(lambda: hedges(world), 20)
    world.run(2)
    assert len(hedges(world)) == 1
    world.lose = lambda _: False
    world.until(lambda: not world.desk.hedge_children, 20)
    world.run(3)
    assert world.desk.parents[parent].filled == 40
    assert world.positions() == world.venue_positions()
    now = moment(world)
    assert abs(now.stand.away) <= now.band.half


def test_a_stale_book_takes_the_proposal_away_and_says_why() -> None:
    world, name = world_of()
    proposal = asked(world, name)
    world.lose = lambda data: b"book.BTC-PERPETUAL" in data
    world.core.market.venue.books[PERPETUAL].drop("a gap")
    world.run(0.1)
    assert world.desk.proposals[proposal].reason == "the book of BTC-PERPETUAL is stale: a gap"
    assert world.desk.hedge_proposal is None


def test_a_venue_that_refuses_a_hedge_gives_it_a_rest() -> None:
    world, name = world_of(dial="auto")
    world.bend = lambda data: data.replace(b'"type":"limit"', b'"type":"nonsense"') if b"PERPETUAL" in data else data
    bought(world, name, hedge="auto")
    world.run(5)
    assert len(hedges(world)) == 1
    (rested,) = world.of(m.HedgeRested)
    assert rested.until - rested.t == 60 * NS
    assert rested.reason.startswith("the venue refused: ")
    assert world.desk.hedge.reason == rested.reason


def test_pulling_everything_gives_hedging_a_rest_and_flattening_ends_in_nothing_held() -> None:
    world, name = world_of(dial="auto", largest_usd=150_000.0)
    bought(world, name, hedge="auto")
    world.until(lambda: len(hedges(world)) == 2)
    world.do(m.Pull())
    world.run(5)
    assert (len(hedges(world)), world.desk.hedge_children) == (2, [])
    world.do(m.Flatten())
    world.run(0.1)
    world.until(lambda: not world.desk.flattening, 20)
    world.run(12)
    assert (len(hedges(world)), world.positions()) == (2, {})
    agree(world)


def test_pulling_everything_lapses_a_hedge_that_is_asked_for() -> None:
    world, name = world_of()
    proposal = asked(world, name)
    assert not world.desk.live_children
    world.do(m.Pull(side=Side.BUY))
    assert world.desk.proposals[proposal].state == "live"  # it would sell
    world.do(m.Pull(), user="ann")
    assert (world.desk.proposals[proposal].state, world.desk.hedge.reason) == ("lapsed", "pulled by ann")
    world.run(5)
    assert world.desk.hedge_proposal is None


def test_around_the_settlement_nothing_is_hedged() -> None:
    world, name = world_of(old_s=1e6)
    bought(world, name)
    world.until(lambda: world.desk.hedge_proposal)
    proposal = world.desk.hedge_proposal
    assert proposal is not None
    picture = world.core.market
    picture.now = (picture.now // DAY_NS) * DAY_NS + SETTLEMENT_NS - NS
    with pytest.raises(Unknown, match="the settlement at 08:00 UTC"):
        hedging.moment_of(world.desk, picture)


# ---------------------------------------------------------------- kill


def killed(**settings: object) -> World:
    """A desk that holds calls and their hedge, then the kill, then the calls are gone."""
    world, name = world_of(dial="auto", **settings)
    bought(world, name, hedge="auto")
    world.until(lambda: hedges(world))
    world.run(2)
    world.do(m.Kill())
    world.run(1)
    assert world.desk.killed
    assert world.desk.killed.took
    world.ask("private/sell", {"instrument_name": name, "amount": 4.0, "type": "market"})
    world.run(3)
    return world


def test_killed_means_no_hedge_either() -> None:
    world = killed()
    assert [fact for fact in hedges(world) if fact.reduce_only] == []
    assert world.desk.hedge_proposal is None


def test_reducing_hedges_may_be_left_to_go_while_killed_and_the_venue_is_told() -> None:
    world = killed(while_killed=True)
    reducing = [fact for fact in hedges(world) if fact.reduce_only]
    assert [fact.side for fact in reducing] == [Side.BUY] * len(reducing)
    assert reducing
    told = {call.child: call.params.get("reduce_only") for call in world.sent if call.child}
    assert [told[fact.child] for fact in hedges(world)] == [fact.reduce_only or None for fact in hedges(world)]
    world.run(20)
    now = moment(world)
    assert abs(now.stand.away) <= now.band.half
    assert world.desk.positions[PERPETUAL] <= 0


def test_while_killed_no_hedge_opens_a_position() -> None:
    world, name = world_of(dial="auto", while_killed=True)
    world.do(m.Kill())
    world.run(1)
    world.ask("private/buy", {"instrument_name": name, "amount": 4.0, "type": "market"})
    world.run(2)
    assert hedges(world) == []
    why = hedging.want(world.desk, world.core.market, moment(world))
    assert why == "while killed a hedge may only reduce a position, and this would not"


# ---------------------------------------------------------------- kept, and recovered


def test_a_desk_goes_on_from_its_dump_with_a_hedge_asked_for() -> None:
    world, name = world_of()
    proposal = asked(world, name)
    world.do(m.SetHedge(dial="semi", target=0.1))
    value = msgspec.msgpack.decode(msgspec.msgpack.encode(world.core.dump()))
    again = Core.load(value, None)
    assert again.digest() == world.core.digest()
    assert again.desk.hedge == world.desk.hedge
    assert again.desk.hedge_proposal == world.desk.proposals[proposal]
    folded = Desk()
    for fact in world.facts:
        evolve(folded, m.unpack_fact(m.pack(fact)))
    assert folded == world.desk


@pytest.mark.parametrize("reaches", [True, False])
def test_a_hedge_without_an_answer_at_death_is_reconciled_like_any_order(reaches: bool) -> None:
    config = Config(
        hedging=Hedging(), execution=Execution(order_ttl_s=1.0, ask_after_s=0.5), cancel_on_disconnect=False
    )
    world, name = ready(config=config)
    proposal = asked(world, name)
    world.cut_requests, world.hold_requests = not reaches, reaches
    approve(world, proposal)
    if reaches:
        world.arrive()
    before, sent = len(world.facts), len(world.sent)
    world.die(noticed=False)
    world.run(0.3)
    world.rise()
    recovered(world, before, sent)
    assert (PERPETUAL in world.positions()) is reaches
    world.run(1)
    assert (world.desk.hedge_proposal is None) is reaches  # asked for anew where it never got there
    accounted(world)


def test_a_lost_link_takes_the_proposal_away() -> None:
    world, name = world_of()
    proposal = asked(world, name)
    world.disconnect()
    assert world.desk.proposals[proposal].reason == "the connection was lost"
    world.run(1)
    world.connect()
    world.until(lambda: world.desk.hedge_proposal, 20)


def test_an_expirys_future_hedges_it_where_that_is_set() -> None:
    world, name = world_of(instrument="future", dial="auto")
    future = f"BTC-{name.split('-')[1]}"
    assert hedging.instrument_wanted(world.desk, world.core.market) == PERPETUAL  # nothing is held yet
    bought(world, name, hedge="auto")
    assert hedging.instrument_wanted(world.desk, world.core.market) == future
    world.look(name, future)
    world.until(lambda: hedges(world), 20)
    assert hedges(world)[0].instrument == future


def test_terms_stand_where_nothing_was_set() -> None:
    assert hedge.terms_of(Desk()) == hedge.Terms(on=True, dial="manual", target=0.0)

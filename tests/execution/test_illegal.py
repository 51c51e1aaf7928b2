"""Every state meets every person's word and every word of the venue: taken, or refused in a sentence; never a crash."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any, get_args

import msgspec
import pytest

from engine import messages as m
from engine.core.decide import decide
from engine.domain import NS, Side
from engine.execution import command, lifecycle, router
from engine.execution.desk import Desk
from engine.execution.evolve import evolve
from engine.market.deribit import wire
from tests.execution.desks import desk_of, parent_of, picture_of, request
from tests.execution.still import NAME, NOW, Still

CHILD, PARENT, PROPOSAL = "s-9", "P1", "R1"


def take(desk: Desk, facts: Iterable[m.Fact]) -> list[m.Fact]:
    """As the core does: each fact is evolved before the next is asked for."""
    out = []
    for fact in facts:
        out.append(msgspec.structs.replace(fact, n=desk.facts + 1, t=fact.t or NOW))
        evolve(desk, out[-1])
    return out


def ended(state: m.OrderState) -> m.OrderEnded:
    return m.OrderEnded(child=CHILD, state=state, reason="")


OPENED = m.OrderOpened(child=CHILD, order="v-9", price=325)
PROPOSED = m.Proposed(
    id=PROPOSAL, parent=PARENT, instrument=NAME, side=Side.BUY, quantity=10, worst=325, cross=False, row="schedule",
    reason="", until=NOW + 20 * NS, forecast=None, cost_ticks=None, wait_ticks=None,
)  # fmt: skip
APPROVED = m.Approved(proposal=PROPOSAL, revision=1, by="ann", quantity=10, worst=325, edited=False)
AMEND = m.AmendRequested(
    child=CHILD, call="amend-9", by="ann", reason="", quantity=12, price=330, valid_until=NOW + 3 * NS, mid=None
)  # fmt: skip
PARENTS: dict[str, list[m.Fact]] = {
    "working": [],
    "paused": [m.ParentPaused(parent=PARENT, by="ann", reason="paused by ann")],
    "done": [m.ParentEnded(parent=PARENT, outcome="done", by="fills")],
    "cancelled": [m.ParentEnded(parent=PARENT, outcome="cancelled", by="ann")],
    "expired": [m.ParentEnded(parent=PARENT, outcome="expired", by="schedule")],
}
PROPOSALS: dict[str, list[m.Fact]] = {
    "live": [],
    "approved": [APPROVED],
    "rejected": [m.Rejected(proposal=PROPOSAL, by="ann", reason="")],
    "lapsed": [m.Lapsed(proposal=PROPOSAL, reason="on schedule")],
}
CHILDREN: dict[str, list[m.Fact]] = {
    "requested": [],
    "sent": [m.OrderSent(child=CHILD)],
    "open": [OPENED],
    "amending": [OPENED, AMEND],
    "filled": [OPENED, ended("filled")],
    "cancelled": [OPENED, ended("cancelled")],
    "rejected": [ended("rejected")],
    "lapsed": [ended("lapsed")],
}


def test_every_state_is_here() -> None:
    assert set(PARENTS) == set(get_args(lifecycle.ParentState))
    assert set(PROPOSALS) == set(get_args(lifecycle.ProposalState))
    assert set(CHILDREN) == set(get_args(lifecycle.ChildState))


def asked(desk: Desk, picture: Still, verb: m.Verb) -> list[m.Fact]:
    return take(desk, command.handle(desk, picture, m.Command(n=1, t=NOW, id="c", user="ann", role="admin", verb=verb)))


def is_refused(facts: list[m.Fact]) -> bool:
    """Refused in a sentence, and nothing else; or taken, with something to show."""
    assert facts
    refused = [fact for fact in facts if isinstance(fact, m.Refused)]
    assert not refused or (len(facts) == 1 and refused[0].reason)
    return bool(refused)


STEERING: dict[str, m.Verb] = {
    "pause": m.Pause(parent=PARENT),
    "pause and leave": m.Pause(parent=PARENT, leave=True),
    "resume": m.Resume(parent=PARENT),
    "cancel": m.CancelParent(parent=PARENT),
    "cancel and leave": m.CancelParent(parent=PARENT, leave=True),
    "dial": m.SetDial(parent=PARENT, dial="auto"),
}


@pytest.mark.parametrize(("state", "what"), [*product([*PARENTS, "nobody"], STEERING)])
def test_a_parent_in_any_state_is_steered_or_refuses(state: str, what: str) -> None:
    known = [] if state == "nobody" else [parent_of(), *PARENTS[state]]
    desk = desk_of(*known)
    refused = is_refused(asked(desk, picture_of(), STEERING[what]))
    live = state == "working" or (state == "paused" and not what.startswith("pause"))
    assert refused is not live
    if refused and known:
        assert desk.parents[PARENT].state == state


ANSWERS = ("approve", "edit", "reject", "unseen")


@pytest.mark.parametrize(("state", "what"), [*product([*PROPOSALS, "nobody"], ANSWERS)])
def test_a_proposal_in_any_state_is_answered_or_refuses(state: str, what: str) -> None:
    known = [] if state == "nobody" else [parent_of(), PROPOSED, *PROPOSALS[state]]
    verbs: dict[str, m.Verb] = {
        "approve": m.Approve(proposal=PROPOSAL, revision=1),
        "edit": m.Approve(proposal=PROPOSAL, revision=1, quantity=0.5, worst=0.032),
        "reject": m.Reject(proposal=PROPOSAL, reason="no"),
        "unseen": m.Approve(proposal=PROPOSAL, revision=7),
    }
    desk = desk_of(*known)
    facts = asked(desk, picture_of(), verbs[what])
    assert is_refused(facts) is (state != "live" or what == "unseen")
    requests = [fact for fact in facts if isinstance(fact, m.OrderRequested)]
    assert len(requests) == (state == "live" and what in ("approve", "edit"))


@pytest.mark.parametrize("state", [*CHILDREN, "nobody"])
def test_a_child_in_any_state_is_pulled_or_refuses(state: str) -> None:
    desk = desk_of(*([] if state == "nobody" else [request(9), *CHILDREN[state]]))
    assert is_refused(asked(desk, picture_of(), m.CancelChild(child=CHILD))) is (state not in lifecycle.LIVE_CHILD)


@pytest.mark.parametrize("state", [*CHILDREN, "nobody"])
def test_a_child_in_any_state_is_edited_or_refuses(state: str) -> None:
    desk = desk_of(*([] if state == "nobody" else [request(9), *CHILDREN[state]]))
    facts = asked(desk, picture_of(), m.EditChild(child=CHILD, price=0.032))
    assert is_refused(facts) is (state != "open")
    assert state == "nobody" or desk.children[CHILD].state == (state if state != "open" else "amending")


# ---------------------------------------------------------------- the venue


def order_of(state: str, filled: float) -> wire.OrderData:
    return wire.OrderData(
        order_id="v-9", order_state=state, order_type="limit", time_in_force="good_til_cancelled",
        creation_timestamp=NOW // wire.MS, last_update_timestamp=NOW // wire.MS, instrument_name=NAME,
        direction="buy", price=0.0325, amount=1.0, filled_amount=filled, label=CHILD,
    )  # fmt: skip


def trade_of(lots: int) -> wire.UserTradeData:
    return wire.UserTradeData(
        trade_id="t-1", trade_seq=1, instrument_name=NAME, timestamp=NOW // wire.MS, order_id="v-9", direction="buy",
        price=0.0325, amount=lots / 10, fee=0.0, fee_currency="BTC", liquidity="M", state="open", label=CHILD,
    )  # fmt: skip


STATES = ("open", "filled", "cancelled", "rejected", "untriggered", "unheard of")
SAID = [*product(CHILDREN, PARENTS, STATES, [0, 4, 10])]


@pytest.mark.parametrize(("child", "parent", "said", "lots"), SAID)
def test_whatever_the_venue_says_of_a_child_is_taken(child: str, parent: str, said: str, lots: int) -> None:
    """Out of order, twice, or against all that it has said before: a fill counts once, and nothing crashes."""
    desk, picture = desk_of(parent_of(), request(9, parent=PARENT), *PARENTS[parent], *CHILDREN[child]), picture_of()
    trades = [trade_of(lots)] if lots else []
    for _ in range(2):
        take(desk, router.take(desk, picture, [order_of(said, lots / 10)], trades))
    assert desk.children[CHILD].filled == desk.parents[PARENT].filled == desk.positions.get(NAME, 0) == lots
    before, after = child in lifecycle.LIVE_CHILD, desk.children[CHILD].state in lifecycle.LIVE_CHILD
    assert before or not after  # what has ended does not come back
    assert (CHILD in desk.live) is after


@pytest.mark.parametrize(("state", "kind"), [*product(CHILDREN, [m.Sent, m.Failed])])
def test_what_the_shell_says_of_a_call_is_taken(state: str, kind: Any) -> None:
    desk = desk_of(request(9), *CHILDREN[state])
    more = {"reason": "the link is down"} if kind is m.Failed else {}
    facts = take(desk, decide(desk, picture_of(), kind(n=1, t=NOW, call="order-9", **more)))
    assert bool(facts) is (state == "requested")
    assert desk.children[CHILD].state == (state if not facts else "sent" if kind is m.Sent else "lapsed")


@pytest.mark.parametrize("state", CHILDREN)
@pytest.mark.parametrize("code", [None, 10009, 10004, 11008, 11044, 13888])
def test_the_answer_to_an_amend_of_a_child_in_any_state_is_taken(state: str, code: int | None) -> None:
    desk, picture = desk_of(parent_of(), request(9, parent=PARENT), *CHILDREN[state]), picture_of()
    picture.venue.awaiting["amend-9"] = "private/edit"
    now_open = msgspec.structs.replace(order_of("open", 0.0), amount=1.2, price=0.033)
    said = {"result": {"order": now_open, "trades": []}} if code is None else {"error": {"code": code, "message": "no"}}
    picture.see(m.Frame, data=msgspec.json.encode({"jsonrpc": "2.0", "id": "amend-9"} | said))
    take(desk, router.learn(desk, picture))
    child, unsure = desk.children[CHILD], code == 13888
    assert child.state == ("open" if state == "amending" and not unsure else state)
    if state == "amending":
        assert (child.quantity, child.price) == ((12, 330) if code is None else (10, 325))
        assert bool(child.ask_call) is (code in (10004, 11008, 11044, 13888))
        assert (child.amend is not None) is unsure


@pytest.mark.parametrize("state", CHILDREN)
@pytest.mark.parametrize("code", [10009, 10041, 11054, 13888])
def test_a_refusal_of_a_child_in_any_state_is_taken(state: str, code: int) -> None:
    desk, picture = desk_of(parent_of(), request(9, parent=PARENT), *CHILDREN[state]), picture_of()
    picture.venue.awaiting["order-9"] = "private/buy"
    error = {"code": code, "message": "no"}
    picture.see(m.Frame, data=msgspec.json.encode({"jsonrpc": "2.0", "id": "order-9", "error": error}))
    take(desk, router.learn(desk, picture))
    expected = {"requested": "rejected", "sent": "rejected"}.get(state, state)
    assert desk.children[CHILD].state == (state if code == 13888 else expected)

"""The life of one line at the venue's side: heartbeats, credits, and what happens when it is gone."""

from __future__ import annotations

import pytest

from engine.domain import NS
from engine.market.deribit import wire
from engine.market.deribit.credits import Credits
from tests.market.venue import T0, Exchange, Link, server, tokens

# ------------------------------------------------------------ heartbeat


def beats(link: Link) -> list[wire.Event]:
    assert link.venue.next_beat is not None
    link.now = link.venue.next_beat
    return [wire.decode(frame) for frame in link.venue.beat(link.now)]


def test_a_silent_client_is_tested_and_one_that_answers_stays() -> None:
    link = Link()
    assert link.venue.next_beat is None
    assert link.result("public/set_heartbeat", interval=10) == "ok"
    assert link.venue.next_beat == T0 + 10 * NS
    assert link.venue.beat(T0 + 9 * NS) == []
    for _ in range(3):
        assert beats(link) == [wire.Heartbeat(False), wire.Heartbeat(True)]
        link.ask("public/test")
    assert link.venue.closing == ""


def test_a_client_that_talks_is_not_tested() -> None:
    link = Link()
    link.ask("public/set_heartbeat", interval=10)
    link.now += 5 * NS
    link.ask("public/get_time")
    assert beats(link) == [wire.Heartbeat(False)]
    assert beats(link) == [wire.Heartbeat(False), wire.Heartbeat(True)]


def test_a_test_request_must_be_answered_by_test() -> None:
    link = Link()
    link.ask("public/set_heartbeat", interval=10)
    assert wire.Heartbeat(True) in beats(link)
    link.ask("public/get_time")
    assert beats(link) == []
    assert link.venue.closing == "a test_request was not answered"
    assert link.ask("public/test") == []


def test_a_disabled_heartbeat_is_silent() -> None:
    link = Link()
    link.ask("public/set_heartbeat", interval=10)
    assert link.result("public/disable_heartbeat") == "ok"
    assert link.venue.next_beat is None
    assert link.venue.beat(T0 + 1000 * NS) == []


# ------------------------------------------------------------ credits


def test_credits_run_out_and_end_the_line() -> None:
    link = Link()
    answers = [link.ask("public/test")[0] for _ in range(101)]
    codes = [answer.error.code if isinstance(answer, wire.Reply) and answer.error else 0 for answer in answers]
    assert codes == [0] * 100 + [10028]
    assert isinstance(answers[-1], wire.Reply)
    assert answers[-1].id == 101
    assert link.venue.closing == "too many requests"
    assert link.ask("public/test") == []


def test_credits_come_back_with_time_up_to_the_limit() -> None:
    pool = Credits(T0)
    assert all(pool.spend(T0) for _ in range(100))
    assert not pool.spend(T0)
    assert pool.spend(T0 + NS // 20)  # 500 at 10,000 a second
    assert not pool.spend(T0 + NS // 20)
    assert sum(pool.spend(T0 + 3600 * NS) for _ in range(200)) == 100
    assert not pool.spend(T0), "time that goes back gives nothing"


# ------------------------------------------------------------ cancel on disconnect


def test_orders_are_cancelled_on_disconnect_where_that_is_asked() -> None:
    link = Link()
    link.login()
    assert link.result("private/get_cancel_on_disconnect") == {"scope": "connection", "enabled": False}
    link.ask("private/enable_cancel_on_disconnect", scope="connection")
    assert link.result("private/get_cancel_on_disconnect") == {"scope": "connection", "enabled": True}
    link.venue.lost(T0 + 7)
    assert [(gone.account, gone.connection, gone.now) for gone in link.exchange.gone] == [("paper", 1, T0 + 7)]
    link.venue.lost(T0 + 8)
    assert len(link.exchange.gone) == 1, "once"


@pytest.mark.parametrize("after", ["disable", "never"])
def test_and_are_not_where_it_is_not(after: str) -> None:
    link = Link()
    link.login()
    if after == "disable":
        link.ask("private/enable_cancel_on_disconnect")
        link.ask("private/disable_cancel_on_disconnect")
    link.venue.lost(T0)
    assert link.exchange.gone == []


def test_a_line_that_is_nobodys_cancels_for_the_account_of_the_token() -> None:
    exchange, shared = Exchange(), tokens()
    token = Link(server(exchange, shared)).login()["access_token"]
    link = Link(server(exchange, shared))
    link.ask("private/enable_cancel_on_disconnect", access_token=token)
    link.venue.lost(T0)
    assert [gone.account for gone in exchange.gone] == ["paper"]


def test_the_accounts_scope_is_what_later_lines_begin_with() -> None:
    exchange, shared = Exchange(), tokens()
    first = Link(server(exchange, shared))
    first.login()
    first.ask("private/enable_cancel_on_disconnect", scope="account")
    later = Link(server(exchange, shared))
    later.login()
    assert later.result("private/get_cancel_on_disconnect", scope="account") == {"scope": "account", "enabled": True}
    later.venue.lost(T0)
    assert len(exchange.gone) == 1

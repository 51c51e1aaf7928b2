"""Clicks as commands: understood and put whole, or refused in a sentence a person can act on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.door import User, visitor
from components.link import Drive, Misput, drive_of, job_of, order_of, put, verb_of
from components.relay import Relay
from engine import client
from engine import messages as m
from engine.domain import Side
from tests.components.desk import NAME, SUBMIT, SUBMITTED

UNDERSTOOD: list[tuple[dict[str, Any], m.Verb]] = [
    (SUBMIT, SUBMITTED),
    ({"do": "approve", "proposal": "i-1", "revision": 3}, m.Approve(proposal="i-1", revision=3)),
    (
        {"do": "approve", "proposal": "i-1", "revision": 3, "quantity": 2.5, "worst": 0.05},
        m.Approve(proposal="i-1", revision=3, quantity=2.5, worst=0.05),
    ),
    ({"do": "reject", "proposal": "i-1"}, m.Reject(proposal="i-1")),
    (
        {"do": "order", "instrument": NAME, "side": "sell", "quantity": 1, "price": 0.05, "post_only": False},
        m.SendOrder(instrument=NAME, side=Side.SELL, quantity=1.0, price=0.05, post_only=False),
    ),
    ({"do": "dial", "parent": "p", "dial": "auto"}, m.SetDial(parent="p", dial="auto")),
    ({"do": "pause", "parent": "p"}, m.Pause(parent="p")),
    ({"do": "cancel", "child": "c"}, m.CancelChild(child="c")),
    ({"do": "kill"}, m.Kill()),
    ({"do": "rearm", "reason": "drill over"}, m.Rearm(reason="drill over")),
]

MISPUT: list[tuple[object, str]] = [
    (None, "that is not a command"),
    ("kill", "that is not a command"),
    ({}, "that is not a command"),
    ({"do": "dance"}, "'dance' is not a command of this desk"),
    ({"do": None}, "'None' is not a command of this desk"),
    ({"do": "reject"}, "the proposal is missing"),
    (SUBMIT | {"limit": None}, "the limit is missing"),
    (SUBMIT | {"quantity": "ten"}, "the quantity cannot be 'ten'"),
    (SUBMIT | {"quantity": 0}, "the quantity must be above zero"),
    (SUBMIT | {"quantity": -5}, "the quantity must be above zero"),
    (SUBMIT | {"minutes": 0}, "the minutes must be above zero"),
    (SUBMIT | {"side": "up"}, "the side cannot be 'up'"),
    (SUBMIT | {"urgency": 2.5}, "the urgency cannot be '2.5'"),
    ({"do": "approve", "proposal": "i", "revision": "x"}, "the revision cannot be 'x'"),
    ({"do": "approve", "proposal": "i", "revision": 10**30}, "that holds a number or a letter that cannot be sent"),
    ({"do": "pause", "parent": "\ud800"}, "that holds a number or a letter that cannot be sent"),
    ({"do": "reject", "proposal": "i", "reason": "x" * 5000}, "that is too long for a command"),
]


@pytest.mark.parametrize(("said", "verb"), UNDERSTOOD)
def test_a_command_is_understood(said: dict[str, Any], verb: m.Verb) -> None:
    assert verb_of(said) == verb


@pytest.mark.parametrize(("said", "sentence"), MISPUT)
def test_a_command_that_cannot_be_meant_is_refused_in_a_sentence(said: object, sentence: str) -> None:
    with pytest.raises(Misput) as refused:
        verb_of(said)
    assert str(refused.value) == sentence


def test_only_an_order_is_estimated() -> None:
    assert order_of(SUBMIT) == SUBMITTED
    with pytest.raises(Misput) as refused:
        order_of({"do": "kill"})
    assert str(refused.value) == "only an order can be estimated"


@pytest.mark.parametrize(
    ("said", "drive"),
    [({"do": "play"}, Drive("play")), ({"do": "seek", "value": 1e12}, Drive("seek", 1e12)),
     ({"do": "speed", "value": 10}, Drive("speed", 10.0))],
)  # fmt: skip
def test_a_replay_is_driven(said: dict[str, Any], drive: Drive) -> None:
    assert drive_of(said) == drive


@pytest.mark.parametrize(
    ("said", "sentence"),
    [({"do": "rewind"}, "'rewind' is not a command of this desk"), ({"do": "play", "to": 1}, "a command has no 'to'"),
     ({"do": "seek", "value": "noon"}, "the value cannot be 'noon'"), (None, "that is not a command")],
)  # fmt: skip
def test_a_drive_that_cannot_be_meant_is_refused_in_a_sentence(said: object, sentence: str) -> None:
    with pytest.raises(Misput) as refused:
        drive_of(said)
    assert str(refused.value) == sentence


TRAIN = {"do": "train", "sessions": 16, "minutes": 8}
COMPARE = {"do": "compare", "first": "lstm-a", "second": "lstm-b", "sessions": 3, "minutes": 10}


@pytest.mark.parametrize(
    ("said", "job"),
    [(TRAIN, m.Train(sessions=16, minutes=8.0)), ({"do": "end"}, m.EndJob()),
     (COMPARE, m.Compare(first="lstm-a", second="lstm-b", sessions=3, minutes=10.0))],
)  # fmt: skip
def test_a_long_command_is_understood(said: object, job: m.Job) -> None:
    assert job_of(said) == job


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (None, "that is not a command"),
        ({"do": "dream"}, "'dream' is not a command of this desk"),
        (TRAIN | {"sessions": 0}, "the sessions cannot be '0'"),
        (TRAIN | {"minutes": 1e9}, "the minutes cannot be '1000000000.0'"),
        (TRAIN | {"out": "/etc/passwd"}, "a command has no 'out'"),
        (COMPARE | {"first": "--data"}, "the first cannot be '--data'"),
        (COMPARE | {"second": "a b"}, "the second cannot be 'a b'"),
        ({"do": "compare", "first": "a", "sessions": 1, "minutes": 1}, "the second is missing"),
    ],
)
def test_a_long_command_that_cannot_be_meant_is_refused_in_a_sentence(said: object, sentence: str) -> None:
    with pytest.raises(Misput) as refused:
        job_of(said)
    assert str(refused.value) == sentence


SCRAPS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(SCRAPS | st.builds(lambda scrap, field: SUBMIT | {field: scrap}, SCRAPS, st.sampled_from(sorted(SUBMIT))))
def test_no_scrap_of_json_breaks_the_door_of_commands(said: object) -> None:
    try:
        sentence = "" if verb_of(said) else "?"
    except Misput as refused:
        sentence = str(refused)
    assert "`" not in sentence or "`" in str(said)  # a decoder's own words put names in backquotes


def answered(said: Mapping[str, Any], user: User | None) -> m.Answer:
    relay = Relay("ws://127.0.0.1:9/?token=nobody", client.attach, "paper")

    async def asked() -> m.Answer:
        visitor.set(user)
        return await put(said, relay)

    return asyncio.run(asked())


@pytest.mark.parametrize("user", [None, User("anna", "viewer")])
def test_who_may_only_look_trades_nothing(user: User | None) -> None:
    assert answered({"work": TRAIN}, user).ok is False
    answer = answered({"verb": SUBMIT}, user)
    assert (answer.ok, answer.text) == (False, "you may look, but not trade")


def test_without_an_engine_nothing_is_sent_and_the_kill_says_what_else_to_do() -> None:
    trader = User("anna", "trader")
    assert answered({"verb": SUBMIT}, trader).text == "the engine does not answer; nothing was sent"
    assert "python -m engine kill" in answered({"verb": {"do": "kill"}}, trader).text
    assert answered({"drive": {"do": "play"}}, trader).ok is False

"""Whatever bytes come, the venue's side answers and nothing raises."""

from __future__ import annotations

import json
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.market.deribit import wire
from engine.market.deribit.methods import METHODS
from tests.market.venue import NAME, Link

BOOK = f"book.{NAME}.100ms"
RAW = f"book.{NAME}.raw"


NAMES = [
    "instrument_name", "amount", "channels", "currency", "interval", "label", "order_id", "grant_type", "client_id",
    "client_secret", "refresh_token", "access_token", "count",
]  # fmt: skip
WHOLE = [
    wire.request(1, "public/auth", {"grant_type": "client_credentials", "client_id": "paper", "client_secret": "x"}),
    wire.request("a", "private/buy", {"instrument_name": NAME, "amount": 0.1, "price": 0.05, "post_only": True}),
    wire.request(2, "public/subscribe", {"channels": [BOOK, RAW]}),
    wire.request(3, "public/set_heartbeat", {"interval": 30}),
    wire.request(4, "private/get_user_trades_by_currency", {"currency": "BTC", "count": 10, "sorting": "desc"}),
]


def _calls() -> st.SearchStrategy[bytes]:
    values = st.recursive(
        st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=12),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
        max_leaves=6,
    )
    names = st.sampled_from(NAMES)
    return st.builds(
        lambda id_, method, params: json.dumps({"id": id_, "method": method, "params": params}).encode(),
        values,
        st.sampled_from([*METHODS, "public/x", ""]),
        st.dictionaries(names, values | st.lists(st.text(max_size=30), max_size=3), max_size=4) | values,
    )


def test_damaged_calls_are_answered() -> None:
    """20,000 real calls with bytes cut, put in or overwritten, on lines with a login."""
    dice = random.Random(20_000)
    link = Link()
    for n in range(20_000):
        if n % 50 == 0 or link.venue.closing:
            link = Link()
            link.login()
        frame = bytearray(dice.choice(WHOLE))
        for _ in range(dice.randint(1, 3)):
            at, size = dice.randrange(len(frame) + 1), dice.choice([0, 0, 1, 1, 4, 60])
            frame[at : at + size] = dice.randbytes(dice.choice([0, 1, 1, 3]))
        answers = link.venue.receive(bytes(frame), link.now)
        assert answers or link.venue.closing == "logged out"
        assert not any(isinstance(wire.decode(answer), wire.Garbage) for answer in answers)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=200), _calls()), min_size=1, max_size=4), st.booleans())
def test_every_frame_of_noise_is_answered_and_nothing_raises(frames: list[bytes], logged_in: bool) -> None:
    link = Link()
    if logged_in:
        link.login()
    for frame in frames:
        closed = bool(link.venue.closing)
        answers = link.venue.receive(frame, link.now)
        if not closed and link.venue.closing != "logged out":
            assert answers
        for answer in answers:
            assert not isinstance(wire.decode(answer), wire.Garbage)

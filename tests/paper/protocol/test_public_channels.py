"""Every public channel: whoever subscribes hears it, and each push has all it must."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.paper.client import PERPETUAL, Client
from tests.paper.desk import Desk, lived
from tests.paper.protocol.shapes import CHANNELS
from tests.paper.published import Interface, faults

UNSERVED = {
    "block_trade_confirmations": "there are no block trades between clients",
    "block_trade_confirmations.(currency)": "there are no block trades between clients",
    "block_rfq.maker.(currency)": "there are no requests for quotes",
    "block_rfq.taker.(currency)": "there are no requests for quotes",
    "block_rfq.maker.quotes.(currency)": "there are no requests for quotes",
    "block_rfq.trades.(currency)": "there are no requests for quotes",
}


@pytest.fixture(scope="module")
def desk() -> Desk:
    return lived()


def everything_happens(desk: Desk) -> None:
    """One of each thing that some public channel tells of."""
    for name in (PERPETUAL, desk.option):
        desk.trade(name=name)
        desk.rest(name=name)
    for state in ("halted", "open"):
        for body in ({"state": state, "instrument_name": desk.option}, {"state": state}):
            status, _ = desk.venue.command("state", msgspec.json.encode(body), desk.venue.now)
            assert status == 200
    for allowed in (b"false", b"true"):
        desk.venue.command("public_methods", b'{"allowed": ' + allowed + b"}", desk.venue.now)
    desk.venue.command("announce", b'{"title": "b", "body": "c"}', desk.venue.now)
    desk.wait(2.0)
    desk.call("private/cancel_all")


@pytest.fixture(scope="module")
def heard(desk: Desk) -> dict[str, list[Any]]:
    """What was said on every channel of the table while everything happened."""
    wanted = [c.replace("OPTION", desk.option) for channels, _ in CHANNELS.values() for c in channels]
    line = Client(desk.venue)
    assert line.call("private/subscribe", channels=wanted) == wanted
    everything_happens(desk)
    line.wait(0.0)
    said: dict[str, list[Any]] = {channel: [] for channel in wanted}
    for push in line.pushed:
        said[push.channel].append(msgspec.json.decode(msgspec.json.encode(push.data)))
    line.call("private/unsubscribe_all")
    return said


@pytest.mark.parametrize("family", sorted(CHANNELS))
def test_a_channel_as_published(desk: Desk, heard: dict[str, list[Any]], interface: Interface, family: str) -> None:
    channels, schema = CHANNELS[family]
    for channel in channels:
        said = heard[channel.replace("OPTION", desk.option)]
        assert said, f"{channel} says nothing"
        assert [fault for data in said for fault in faults(interface.schemas, schema, data, family)] == []


def test_every_published_channel_is_served_or_dropped(desk: Desk, interface: Interface) -> None:
    public_ones = {name for name in interface.channels if not name.startswith("user.")}
    assert public_ones == set(CHANNELS) | set(UNSERVED)
    names = [name.replace("(currency)", "BTC") for name in UNSERVED]
    assert desk.call("private/subscribe", channels=names) == []


def test_raw_channels_are_for_those_who_are_known(desk: Desk) -> None:
    stranger = Client(desk.venue, login=False)
    for family in ("book", "ticker", "trades", "perpetual"):
        assert stranger.refused("public/subscribe", channels=[f"{family}.BTC-PERPETUAL.raw"]) == 13778
        assert stranger.call("public/subscribe", channels=[f"{family}.BTC-PERPETUAL.100ms"])

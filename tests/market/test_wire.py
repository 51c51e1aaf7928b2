"""Decoding: every family by both ways, what is odd but allowed, what is garbage; and what a venue writes of it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain import Instrument, Kind, expiry_of
from engine.market.deribit import wire
from engine.market.deribit.frames import notification
from tests.market.spec import Spec

MS0 = 1_770_000_000_000
NAME = "BTC-27MAR26-80000-C"

ORDER = wire.OrderData(
    order_id="7", order_state="open", order_type="limit", time_in_force="good_til_cancelled", creation_timestamp=MS0,
    last_update_timestamp=MS0, instrument_name=NAME, direction="buy", price=0.05, amount=1.0, label="c1",
)  # fmt: skip
FILL = wire.UserTradeData(
    trade_id="t1", trade_seq=1, instrument_name=NAME, timestamp=MS0, order_id="7", direction="buy", price=0.05,
    amount=0.1, fee=0.00003, fee_currency="BTC", liquidity="T", state="filled", index_price=80_000.0, mark_price=0.051,
    matching_id="m",
)  # fmt: skip
POSITION = wire.PositionData(
    instrument_name=NAME, kind="option", size=0.1, direction="buy", average_price=0.05, mark_price=0.051,
    index_price=80_000.0, delta=0.04,
)  # fmt: skip
TRADE = wire.TradeData(
    trade_seq=1, trade_id="t1", timestamp=MS0, instrument_name=NAME, price=0.05, amount=0.1, direction="sell",
    index_price=80_000.0, mark_price=0.051, iv=52.3,
)  # fmt: skip
CHANGE = wire.BookData(
    type="change", timestamp=MS0, instrument_name=NAME, change_id=2, prev_change_id=1, bids=[("new", 0.05, 1.0)],
    asks=[("delete", 0.1, 0.0)],
)  # fmt: skip
WINDOW = wire.WindowData(timestamp=MS0, instrument_name=NAME, change_id=2, bids=[(0.05, 1.0)], asks=[])
TICKER = wire.TickerData(instrument_name=NAME, timestamp=MS0, mark_iv=52.0, greeks=wire.Greeks(delta=0.4))
CHANGES = wire.ChangesData(instrument_name=NAME, orders=[ORDER], trades=[FILL], positions=[POSITION])
PUSHES: list[tuple[str, str, Any]] = [
    ("book", f"book.{NAME}.raw", CHANGE),
    ("window", f"book.{NAME}.none.10.100ms", WINDOW),
    ("ticker", f"ticker.{NAME}.100ms", TICKER),
    ("trades", f"trades.{NAME}.raw", [TRADE]),
    ("trades", "trades.option.BTC.100ms", [TRADE, TRADE]),
    ("markprice", "markprice.options.btc_usd", [wire.MarkPrice(instrument_name=NAME, mark_price=0.05, iv=0.52)]),
    ("index", "deribit_price_index.btc_usd", wire.IndexData(index_name="btc_usd", price=80_000.5, timestamp=MS0)),
    ("dvol", "deribit_volatility_index.btc_usd", wire.DvolData(index_name="btc_usd", volatility=48.2, timestamp=MS0)),
    ("perpetual", "perpetual.BTC-PERPETUAL.raw", wire.PerpetualData(interest=0.0001, timestamp=MS0, index_price=8e4)),
    ("state", "instrument.state.option.BTC", wire.StateData(instrument_name=NAME, state="created", timestamp=MS0)),
    ("orders", f"user.orders.{NAME}.raw", ORDER),
    ("orders", "user.orders.option.BTC.100ms", [ORDER]),
    ("user_trades", f"user.trades.{NAME}.raw", [FILL]),
    ("changes", f"user.changes.{NAME}.raw", CHANGES),
    ("changes", "user.changes.any.any.raw", wire.ChangesData(instrument_name=NAME, orders=[], trades=[], positions=[])),
    ("portfolio", "user.portfolio.btc", wire.AccountData(currency="BTC", equity=10.0, balance=9.9)),
]
EVENTS = (wire.Push, wire.Reply, wire.Heartbeat, wire.Garbage)
EACH_PUSH = pytest.mark.parametrize(("family", "channel", "data"), PUSHES, ids=[channel for _, channel, _ in PUSHES])


@EACH_PUSH
def test_what_a_venue_writes_is_read_back_by_both_ways(family: str, channel: str, data: Any) -> None:
    frame = notification(channel, data)
    spaced = json.dumps(json.loads(frame), indent=1).encode()  # not as the peek expects it
    for event in (wire.decode(frame), wire.decode(spaced)):
        assert isinstance(event, wire.Push)
        assert (event.channel, event.family, event.data) == (channel, family, data)


@EACH_PUSH
def test_fields_that_the_venue_adds_are_tolerated(family: str, channel: str, data: Any) -> None:
    plain = json.loads(notification(channel, data))
    inner = plain["params"]["data"]
    for one in inner if isinstance(inner, list) else [inner]:
        one["new_field"] = {"deep": [1, None]}
    plain |= {"usOut": 1, "another": [{}]}
    event = wire.decode(json.dumps(plain, separators=(",", ":")).encode())
    assert isinstance(event, wire.Push)
    assert event.data == data


# the published types of two flags that are booleans wherever an order carries them
MISPRINTS = ("user_trade.post_only: False is no string", "user_trade.reduce_only: False is no string")


def test_every_family_is_shown() -> None:
    assert {family for family, _, _ in PUSHES} == set(wire.FAMILIES)


@pytest.mark.parametrize(
    ("schema", "value"),
    [("order", ORDER), ("user_trade", FILL), ("position", POSITION), ("public_trade", TRADE)],
)
def test_what_is_written_is_as_published(shared_spec: Path, schema: str, value: Any) -> None:
    spec = Spec(shared_spec)
    written = msgspec.json.decode(msgspec.json.encode(value))
    assert [p for p in spec.problems(spec.schemas[schema], written, schema) if p not in MISPRINTS] == []


def test_a_snapshot_is_written_without_prev_change_id_and_a_change_with() -> None:
    snapshot = msgspec.structs.replace(CHANGE, type="snapshot", prev_change_id=None)
    assert b"prev_change_id" in notification("book.X.raw", CHANGE)
    assert b"prev_change_id" not in notification("book.X.raw", snapshot)


def test_an_old_ticker_with_nulls_is_read() -> None:
    frame = (
        b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"ticker.ETH-7MAY21-2100-C.raw","data":{'
        b'"underlying_price":2426.68,"underlying_index":"SYN.ETH-7MAY21","timestamp":1618677848563,'
        b'"stats":{"volume":null,"price_change":null,"low":null,"high":null},"state":"open","last_price":null,'
        b'"mark_price":0.151031,"mark_iv":71.72,"instrument_name":"ETH-7MAY21-2100-C","bid_iv":0.0,"ask_iv":0.0,'
        b'"best_bid_price":0.0,"best_bid_amount":0.0,"best_ask_price":0.0,"best_ask_amount":0.0}}}'
    )
    event = wire.decode(frame)
    assert isinstance(event, wire.Push)
    assert event.data.stats == wire.Stats()
    assert event.data.last_price is None
    assert event.data.mark_iv == 71.72


def test_numbers_may_carry_exponents() -> None:
    frame = (
        b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.X.raw","data":{"type":"change",'
        b'"timestamp":1.77e12,"instrument_name":"X","change_id":4.5E+1,"prev_change_id":44,'
        b'"bids":[["new",1e-4,1E2]],"asks":[]}}}'
    )
    event = wire.decode(frame)
    assert isinstance(event, wire.Push)
    assert (event.data.timestamp, event.data.change_id) == (1_770_000_000_000, 45)
    assert event.data.bids == [("new", 0.0001, 100.0)]


def test_of_two_channels_in_one_frame_the_typed_way_does_not_believe_the_first() -> None:
    frame = (
        b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"deribit_price_index.btc_usd",'
        b'"data":{"index_name":"a","price":1.0,"volatility":2.0,"timestamp":1},"channel":"deribit_volatility_index.x"}}'
    )
    event = wire.decode(frame)
    assert isinstance(event, wire.Push)
    assert isinstance(event.data, wire.DvolData)


def test_an_unknown_channel_keeps_its_bytes() -> None:
    event = wire.decode(notification("announcements", {"body": "x"}))
    assert isinstance(event, wire.Push)
    assert event.family == ""
    assert bytes(event.data) == b'{"body":"x"}'


@pytest.mark.parametrize(
    ("frame", "reply"),
    [
        (
            b'{"jsonrpc":"2.0","id":1,"result":"ok","usIn":5,"usOut":7,"usDiff":2,"testnet":true}',
            (1, b'"ok"', None, 5, 7),
        ),
        (b'{"id":"c-1","result":null}', ("c-1", b"null", None, None, None)),
        (b'{"usDiff":1,"id":"5","error":{"message":"order_not_found","code":10004}}', ("5", None, 10004, None, None)),
        (b'{"error":{"code":11050,"message":"bad_request","data":{"x":1}}}', (None, None, 11050, None, None)),
    ],
)
def test_replies(frame: bytes, reply: tuple[Any, ...]) -> None:
    event = wire.decode(frame)
    assert isinstance(event, wire.Reply)
    result = None if event.result is None else bytes(event.result)
    code = None if event.error is None else event.error.code
    assert (event.id, result, code, event.us_in, event.us_out) == reply


@pytest.mark.parametrize(("kind", "expected"), [("heartbeat", False), ("test_request", True)])
def test_heartbeats(kind: str, expected: bool) -> None:
    frame = json.dumps({"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": kind}}).encode()
    assert wire.decode(frame) == wire.Heartbeat(expected)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"text"',
        b"\xff\xfe\x00",
        b'{"id":1}',
        b'{"id":1,"result":"\xff"}',
        b'{"method":"subscription"}',
        b'{"method":"subscription","params":{"channel":"book.X.raw"}}',
        b'{"method":"heartbeat","params":{"type":"other"}}',
        b'{"method":"dance","params":{}}',
        b'{"id":1,"error":{"code":"x"}}',
        b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.X.raw","data":{"type":"change"}}}',
        b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.X.raw',
        b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"\xc3.X"}}',
        b"[" * 100_000,
        b'{"a":' * 20_000,
    ],
)
def test_garbage_has_a_reason(frame: bytes) -> None:
    event = wire.decode(frame)
    assert isinstance(event, wire.Garbage)
    assert event.reason


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_no_noise_raises(frame: bytes) -> None:
    assert isinstance(wire.decode(frame), EVENTS)


def test_no_damaged_frame_raises() -> None:
    """30,000 real frames with bytes cut, put in or overwritten: nearer to the code than noise is."""
    dice = random.Random(30_000)
    whole = [notification(channel, data) for _, channel, data in PUSHES]
    whole += [b'{"jsonrpc":"2.0","id":1,"result":{"a":"b"},"usIn":5,"usOut":7,"testnet":true}']
    kinds: dict[type, int] = {}
    for _ in range(30_000):
        frame = bytearray(dice.choice(whole))
        for _ in range(dice.randint(1, 3)):
            at, size = dice.randrange(len(frame) + 1), dice.choice([0, 0, 1, 1, 4, 80])
            frame[at : at + size] = dice.randbytes(dice.choice([0, 1, 1, 3]))
        event = wire.decode(bytes(frame))
        assert isinstance(event, EVENTS)
        kinds[type(event)] = kinds.get(type(event), 0) + 1
    assert kinds[wire.Garbage] > 1000
    assert sum(kinds.values()) - kinds[wire.Garbage] > 1000


def test_a_request_is_as_the_venue_wants_it() -> None:
    assert json.loads(wire.request("c-1", "private/cancel", {"order_id": "7"})) == {
        "jsonrpc": "2.0", "id": "c-1", "method": "private/cancel", "params": {"order_id": "7"},
    }  # fmt: skip


LISTED = {
    "tick_size": 0.0001, "tick_size_steps": [{"above_price": 0.005, "tick_size": 0.0005}], "taker_commission": 0.0003,
    "maker_commission": 0.0003, "strike": 80000.0, "settlement_period": "month", "quote_currency": "BTC",
    "option_type": "call", "min_trade_amount": 0.1, "kind": "option", "is_active": True, "instrument_name": NAME,
    "expiration_timestamp": 1774598400000, "creation_timestamp": MS0, "contract_size": 1, "base_currency": "BTC",
    "instrument_type": "reversed", "instrument_id": 5, "rfq": False,
}  # fmt: skip


def _listed(**changes: Any) -> Instrument:
    return wire.instrument_of(msgspec.convert(LISTED | changes, wire.InstrumentData))


def test_an_option_of_the_list() -> None:
    assert _listed() == Instrument(
        name=NAME, kind=Kind.OPTION, coin="BTC", tick=0.0001, lot=0.1, contract=1.0, tick_steps=((0.005, 0.0005),),
        expiry=expiry_of("27MAR26"), strike=80_000.0, call=True, maker_fee=0.0003, taker_fee=0.0003,
    )  # fmt: skip


def test_a_perpetual_of_the_list() -> None:
    perpetual = _listed(
        instrument_name="BTC-PERPETUAL", kind="future", settlement_period="perpetual", quote_currency="USD",
        tick_size=0.5, tick_size_steps=[], min_trade_amount=10.0, contract_size=10.0, strike=None, option_type=None,
        expiration_timestamp=32503708800000, maker_commission=0.0, taker_commission=0.0005,
    )  # fmt: skip
    assert perpetual == Instrument(
        name="BTC-PERPETUAL", kind=Kind.PERPETUAL, coin="BTC", tick=0.5, lot=10.0, contract=10.0, maker_fee=0.0,
        taker_fee=0.0005,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": "spot"}, "is a spot, which the desk does not trade"),
        ({"kind": "option_combo"}, "is a option_combo"),
        ({"instrument_type": "linear"}, "is linear"),
        ({"quote_currency": "USDC"}, "is linear"),
    ],
)
def test_what_the_desk_does_not_trade_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        _listed(**changes)


def test_the_list_of_2021_is_read(shared_data: Path) -> None:
    line = (shared_data / "deribit_frames" / "2021-04-17.http.txt").read_bytes().splitlines()[0]
    listed = msgspec.json.decode(line.split(b": ", 1)[1])["result"]
    instruments = [wire.instrument_of(msgspec.convert(one, wire.InstrumentData)) for one in listed]
    assert len(instruments) > 300
    assert {i.kind for i in instruments} == {Kind.OPTION, Kind.FUTURE, Kind.PERPETUAL}
    assert all(i.expiry == expiry_of(i.name.split("-")[1]) for i in instruments if i.kind is not Kind.PERPETUAL)

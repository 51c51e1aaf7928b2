"""What the venue tells, taken in: introductions, subscriptions, broken books, our own orders."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import messages as m
from engine.config import Config
from engine.domain import NS, Kind, Side, instrument_of
from engine.market.deribit import wire
from engine.market.state import Venue
from engine.market.told import Answered, Changes
from engine.paper.simulation import Simulation

T0 = 1_772_436_600 * NS
NAME = "BTC-27MAR26-80000-C"
SUMMARY = {"currency": "BTC", "equity": 100.0, "balance": 100.0}
LISTED = (instrument_of("BTC-PERPETUAL"), instrument_of(NAME), instrument_of("BTC-27MAR26-90000-P"))


class Told:
    """A venue's state, fed by hand; `calls` are what it wants sent."""

    def __init__(self, *, authenticated: bool = True, up: bool = True, listed: bool = True) -> None:
        self.venue = Venue("BTC")
        self.t = T0
        self.n = 0
        self.calls: list[m.Call] = []
        if listed:
            self.take(m.Started, config=Config(), code="", model="", seed=1, session="s", instruments=LISTED)
        if up:
            self.take(m.Link, up=True, authenticated=authenticated)

    def take(self, kind: Any, **fields: Any) -> list[m.Call]:
        self.n += 1
        made = [
            effect for effect in self.venue.observe(kind(n=self.n, t=self.t, **fields)) if isinstance(effect, m.Call)
        ]
        self.calls += made
        return made

    def say(self, frame: dict[str, Any]) -> list[m.Call]:
        return self.take(m.Frame, data=json.dumps({"jsonrpc": "2.0", **frame}).encode())

    def push(self, channel: str, data: Any) -> list[m.Call]:
        return self.say({"method": "subscription", "params": {"channel": channel, "data": data}})

    def answer(self, method: str, result: Any) -> list[m.Call]:
        return self.say({"id": self.last(method).id, "result": result})

    def last(self, method: str) -> m.Call:
        return next(call for call in reversed(self.calls) if call.method == method)

    def asked(self, method: str) -> list[str]:
        return [channel for call in self.calls if call.method == method for channel in call.params["channels"]]

    def book(self, name: str = NAME, prev: int | None = None, change: int = 1, **fields: Any) -> list[m.Call]:
        data: dict[str, Any] = {
            "type": "snapshot" if prev is None else "change", "timestamp": self.t // wire.MS, "instrument_name": name,
            "change_id": change, "bids": [["new", 0.03, 5.0]] if prev is None else [],
            "asks": [["new", 0.04, 5.0]] if prev is None else [], **fields,
        }  # fmt: skip
        if prev is not None:
            data["prev_change_id"] = prev
        return self.push(f"book.{name}.raw", data)


def methods(calls: list[m.Call]) -> list[str]:
    return [call.method for call in calls]


def listening() -> Told:
    """Connected, with one option and the perpetual in focus."""
    told = Told()
    told.answer("private/subscribe", ["user.changes.any.BTC.raw", "user.portfolio.btc"])
    told.answer("private/get_account_summary", SUMMARY)
    told.answer("public/get_instruments", [])
    told.take(m.Focus, instruments=(NAME,))
    return told


# ---------------------------------------------------------------- introductions


def test_a_desk_introduces_itself() -> None:
    told = Told()
    assert methods(told.calls) == [
        "public/hello", "public/set_heartbeat", "public/get_instruments", "private/enable_cancel_on_disconnect",
        "private/subscribe", "private/get_account_summary",
    ]  # fmt: skip
    assert told.last("private/subscribe").params == {"channels": ["user.changes.any.BTC.raw", "user.portfolio.btc"]}
    assert told.last("private/enable_cancel_on_disconnect").params == {"scope": "connection"}


def test_one_that_only_looks_asks_for_nothing_private() -> None:
    told = Told(authenticated=False)
    told.answer("public/get_instruments", [])
    told.take(m.Focus, instruments=(NAME,))
    assert not [call for call in told.calls if call.method.startswith("private/")]
    assert {f"book.{NAME}.100ms", f"trades.{NAME}.100ms"} <= set(told.asked("public/subscribe"))
    told.t += 10 * NS
    assert told.take(m.Tick) == []


def test_cancel_on_disconnect_is_a_setting() -> None:
    venue = Venue("BTC", cancel_on_disconnect=False)
    made = venue.observe(m.Link(n=1, t=T0, up=True, authenticated=True))
    assert "private/enable_cancel_on_disconnect" not in [call.method for call in made if isinstance(call, m.Call)]


def test_what_is_not_answered_is_asked_again_and_no_more_than_that() -> None:
    told = Told()
    told.t += 3 * NS - 1
    assert told.take(m.Tick) == []
    told.t += 1
    assert "public/get_instruments" in methods(told.take(m.Tick))
    assert told.take(m.Tick) == []
    told.answer("public/get_instruments", [])
    told.t += 3 * NS
    assert methods(told.take(m.Tick)) == ["private/subscribe", "private/get_account_summary"]
    told.answer("private/subscribe", ["user.portfolio.btc"])
    assert not told.venue.listening
    told.answer("private/get_account_summary", SUMMARY)
    assert told.venue.account["equity"] == 100.0
    told.t += 3 * NS
    assert methods(told.take(m.Tick))[:1] == ["private/subscribe"]
    told.answer("private/subscribe", ["user.changes.any.BTC.raw"])
    assert told.venue.listening
    told.book("BTC-PERPETUAL", bids=[["new", 80_000.0, 10.0]], asks=[["new", 80_001.0, 10.0]])
    told.t += 30 * NS
    assert told.take(m.Tick) == []


def test_the_instruments_are_those_that_this_desk_trades() -> None:
    told = Told(listed=False)
    simulation = Simulation(1, T0)
    rows = msgspec.json.decode(simulation.request(wire.request(1, "public/get_instruments", {"currency": "BTC"}))[0])
    spot = rows["result"][0] | {"instrument_name": "BTC_USDC", "kind": "spot"}
    told.answer("public/get_instruments", [*rows["result"], spot])
    assert told.venue.instruments == {i.name: i for i in simulation.instruments}
    assert told.venue.expiries() == sorted({i.expiry for i in simulation.instruments if i.kind is Kind.OPTION})


def test_the_epoch_is_read_where_one_is_stated() -> None:
    told = Told()
    told.answer("public/hello", {"version": "1.2.26 paper epoch=abc-1 more"})
    assert told.venue.epoch == "abc-1"
    unstated: list[Any] = [{"version": "1.2.26"}, {"version": 3}, "ok", [], {}]
    for version in unstated:
        other = Told()
        other.answer("public/hello", version)
        assert other.venue.epoch == ""


def test_a_test_request_is_answered() -> None:
    told = Told()
    assert methods(told.say({"method": "heartbeat", "params": {"type": "test_request"}})) == ["public/test"]
    assert told.say({"method": "heartbeat", "params": {"type": "heartbeat"}}) == []


# ---------------------------------------------------------------- subscriptions


def test_the_whole_chain_and_the_books_in_focus_are_subscribed() -> None:
    told = listening()
    asked = set(told.asked("private/subscribe"))
    assert {f"ticker.{i.name}.100ms" for i in LISTED} <= asked
    assert {f"book.{NAME}.raw", f"trades.{NAME}.raw", "book.BTC-PERPETUAL.raw", "trades.BTC-PERPETUAL.raw"} <= asked
    assert {"markprice.options.btc_usd", "deribit_price_index.btc_usd", "deribit_volatility_index.btc_usd"} <= asked
    assert "book.BTC-27MAR26-90000-P.raw" not in asked


def test_what_leaves_the_focus_is_left_and_its_book_forgotten() -> None:
    told = listening()
    told.book()
    (leave, join) = told.take(m.Focus, instruments=("BTC-27MAR26-90000-P",))
    assert set(leave.params["channels"]) == {f"book.{NAME}.raw", f"trades.{NAME}.raw"}
    assert set(join.params["channels"]) == {"book.BTC-27MAR26-90000-P.raw", "trades.BTC-27MAR26-90000-P.raw"}
    assert NAME not in told.venue.books
    assert told.book(prev=1, change=2) == []  # it was still on its way
    assert NAME not in told.venue.books


def test_the_same_focus_again_asks_for_nothing() -> None:
    told = listening()
    assert told.take(m.Focus, instruments=(NAME,)) == []
    assert told.take(m.Focus, instruments=(NAME, "BTC-1JAN30-5-C")) == []


def test_a_request_for_a_large_chain_stays_within_the_frame_limit() -> None:
    told = Told(listed=False)
    simulation = Simulation(1, T0)
    rows = msgspec.json.decode(simulation.request(wire.request(1, "public/get_instruments", {"currency": "BTC"}))[0])
    many = [row | {"instrument_name": f"BTC-{day}MAR26-{k}-C"} for day in range(10, 20) for k in range(60)
            for row in rows["result"][-1:]]  # fmt: skip
    made = told.answer("public/get_instruments", many)
    assert len(made) > 2
    assert all(len(wire.request(call.id, call.method, call.params)) < 32 * 1024 for call in made)


def test_what_is_newly_listed_is_asked_about_once_and_subscribed() -> None:
    told = listening()
    new = [f"BTC-28MAR26-80000-{letter}" for letter in "CP"]
    made: list[m.Call] = []
    for name in (*new, NAME, "BTC-CS-27MAR26-80000_90000", "BTC-FS-27MAR26_PERP"):
        state = {"instrument_name": name, "state": "created", "timestamp": 1}
        made += told.push("instrument.state.any.BTC", state)
    assert methods(made) == ["public/get_instruments"]
    rows = msgspec.json.decode(
        Simulation(1, T0).request(wire.request(1, "public/get_instruments", {"currency": "BTC"}))[0]
    )
    listed = [{**rows["result"][-1], "instrument_name": name} for name in new]
    (join,) = told.say({"id": made[0].id, "result": listed})
    assert join.params["channels"] == [f"ticker.{name}.100ms" for name in new]
    assert set(new) <= set(told.venue.instruments)


# ---------------------------------------------------------------- books


def test_a_gap_drops_the_book_and_asks_for_a_fresh_one_once() -> None:
    told = listening()
    told.book()
    assert told.venue.followed.touched == [NAME]
    made = told.book(prev=7, change=8)
    assert methods(made) == ["private/unsubscribe", "private/subscribe"]
    assert made[1].params == {"channels": [f"book.{NAME}.raw"]}
    assert (told.venue.followed.dropped, told.venue.followed.gaps) == ([NAME], 1)
    assert "missing" in told.venue.books[NAME].stale
    assert told.book(prev=8, change=9) == []
    assert told.venue.followed.dropped == []
    told.book(change=20)
    assert (told.venue.books[NAME].stale, told.venue.followed.touched) == ("", [NAME])


def test_a_snapshot_that_does_not_come_is_asked_for_again() -> None:
    told = listening()
    told.book()
    assert told.take(m.Tick) == []
    assert told.venue.books["BTC-PERPETUAL"].stale == "no snapshot yet"
    told.t += 3 * NS - 1
    assert told.take(m.Tick) == []
    told.t += 1
    (leave, join) = told.take(m.Tick)
    assert (leave.method, join.method) == ("private/unsubscribe", "private/subscribe")
    assert join.params == {"channels": ["book.BTC-PERPETUAL.raw"]}
    told.book("BTC-PERPETUAL", bids=[["new", 80_000.0, 10.0]], asks=[["new", 80_001.0, 10.0]])
    told.t += 10 * NS
    assert told.take(m.Tick) == []


def test_a_lost_line_makes_every_book_stale() -> None:
    told = listening()
    told.book()
    told.take(m.Link, up=False, reason="cut")
    assert told.venue.books[NAME].stale == "the connection was lost"
    assert (set(told.venue.followed.dropped), told.venue.listening) == ({NAME, "BTC-PERPETUAL"}, False)
    assert told.venue.talk.down_reason == "cut"
    told.t += 10 * NS
    assert told.take(m.Tick) == []
    told.take(m.Link, up=True, authenticated=True)
    assert told.venue.books[NAME].stale == "no snapshot yet"


def test_a_book_of_what_is_not_listed_is_garbage() -> None:
    told = Told(up=False)
    told.book("BTC-27MAR26-70000-C")
    assert (told.venue.garbage, told.venue.books) == (1, {})


def test_a_recording_has_no_line_and_is_read_all_the_same() -> None:
    told = Told(up=False)
    assert told.book() == []
    assert told.venue.books[NAME].stale == ""
    assert told.book(prev=5, change=6) == []  # nobody to ask
    assert told.venue.books[NAME].stale


# ---------------------------------------------------------------- quotes and prints


def test_a_ticker_is_taken_in_fractions_and_none_where_there_is_none() -> None:
    told = listening()
    told.push(f"ticker.{NAME}.100ms", {
        "instrument_name": NAME, "timestamp": T0 // wire.MS, "state": "open", "best_bid_price": 0.03,
        "best_bid_amount": 1.0, "best_ask_price": 0.0, "best_ask_amount": 0.0, "mark_price": 0.033, "mark_iv": 45.0,
        "bid_iv": 44.0, "ask_iv": 0.0, "underlying_price": 80_100.0, "index_price": 80_000.0,
        "greeks": {"delta": 0.5, "gamma": 1e-5, "vega": 60.0, "theta": -1.0, "rho": 0.0},
    })  # fmt: skip
    quote = told.venue.quotes[NAME]
    assert (quote.bid, quote.ask, quote.mark_iv, quote.bid_iv, quote.ask_iv) == (0.03, None, 0.45, 0.44, None)
    assert (quote.forward, quote.delta, quote.vega) == (80_100.0, 0.5, 60.0)
    assert told.venue.forward(instrument_of(NAME).expiry) == 80_100.0
    told.push("markprice.options.btc_usd", [{"instrument_name": NAME, "mark_price": 0.034, "iv": 0.46}])
    assert (quote.mark, quote.mark_iv) == (0.034, 0.46)


@pytest.mark.parametrize(
    ("told_state", "state"), [("closed", "halted"), ("started", "open"), ("settled", "settlement")]
)
def test_a_halt_is_heard_before_the_next_ticker(told_state: str, state: str) -> None:
    told = listening()
    told.push("instrument.state.any.BTC", {"instrument_name": NAME, "state": told_state, "timestamp": 1})
    assert told.venue.state_of(NAME) == state


def test_prints_are_kept_and_ours_are_no_flow() -> None:
    told = listening()
    usual = {"trade_seq": 1, "timestamp": T0 // wire.MS, "instrument_name": NAME, "price": 0.033, "amount": 1.0,
             "direction": "buy", "tick_direction": 0}  # fmt: skip
    told.push(
        "user.changes.any.BTC.raw", {"instrument_name": NAME, "orders": [], "positions": [], "trades": [fill("1")]}
    )
    kinds: list[dict[str, Any]] = [
        {"trade_id": "1"}, {"block_trade_id": "b"}, {"liquidation": "M"}, {"price": 0.03333}, {"combo_id": "c"},
    ]  # fmt: skip
    told.push(f"trades.{NAME}.raw", [{**usual, "trade_id": f"public-{k}", **more} for k, more in enumerate(kinds)])
    assert [(row.plain, row.liquidation) for _, row in told.venue.printed] == [
        (False, False),
        (True, True),
        (False, False),
    ]
    assert len(told.venue.prints[NAME]) == 4  # ours is seen, though it is no flow
    assert told.venue.garbage == 1
    told.take(m.Tick)
    assert told.venue.printed == []


def test_the_lag_is_smoothed_from_the_venues_stamps() -> None:
    told = listening()
    told.t += 40_000_000
    told.book(timestamp=T0 // wire.MS)
    assert told.venue.lag is None  # a snapshot is stamped when its book last changed
    told.book(prev=1, change=2, timestamp=T0 // wire.MS)
    assert told.venue.lag == 40_000_000
    told.book(prev=2, change=3, timestamp=told.t // wire.MS)
    assert told.venue.lag == pytest.approx(0.95 * 40_000_000)


# ---------------------------------------------------------------- our orders


def order(order_id: str = "7", state: str = "open", **fields: Any) -> dict[str, Any]:
    return {
        "order_id": order_id, "order_state": state, "order_type": "limit", "time_in_force": "good_til_cancelled",
        "creation_timestamp": 1, "last_update_timestamp": 1, "instrument_name": NAME, "direction": "buy", "price": 0.03,
        "amount": 5.0, "filled_amount": 0.0, "label": "s-1", **fields,
    }  # fmt: skip


def fill(trade_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "trade_id": trade_id, "trade_seq": 1, "instrument_name": NAME, "timestamp": 1, "order_id": "7",
        "direction": "buy", "price": 0.03, "amount": 1.0, "fee": 0.0003, "fee_currency": "BTC", "liquidity": "M",
        "state": "open", "label": "s-1", **fields,
    }  # fmt: skip


def changes(told: Told, *orders: dict[str, Any], trades: tuple[dict[str, Any], ...] = ()) -> None:
    told.push("user.changes.any.BTC.raw",
              {"instrument_name": NAME, "orders": list(orders), "trades": list(trades), "positions": []})  # fmt: skip


def test_our_resting_lots_are_known_by_side_and_price() -> None:
    told = listening()
    changes(told, order("7"), order("8", direction="sell", price=0.04), order("9", filled_amount=2.0))
    assert told.venue.own_lots(NAME) == {(Side.BUY, 300): 80, (Side.SELL, 400): 50}
    assert told.venue.own_lots("BTC-PERPETUAL") == {}
    (news,) = told.venue.news
    assert isinstance(news, Changes)
    changes(told, order("7", "cancelled"), order("9", "filled", filled_amount=5.0))
    assert told.venue.own_lots(NAME) == {(Side.SELL, 400): 50}


def test_older_news_of_an_order_that_ended_does_not_bring_it_back() -> None:
    told = listening()
    changes(told, order("7", "filled", filled_amount=5.0))
    changes(told, order("7"))
    assert told.venue.own_lots(NAME) == {}


def test_an_order_off_the_grid_is_garbage_and_no_traceback() -> None:
    told = listening()
    changes(told, order("7", price=0.03333), order("8", amount=0.123), order("9", price="market_price"))
    assert told.venue.own_lots(NAME) == {}
    assert told.venue.garbage == 2


def test_the_list_of_open_orders_replaces_what_was_believed() -> None:
    told = listening()
    changes(told, order("7"))
    told.venue.expect(m.Call(id="recon-orders", method="private/get_open_orders_by_currency", params={}))
    told.say({"id": "recon-orders", "result": [order("8", direction="sell", price=0.04)]})
    assert told.venue.own_lots(NAME) == {(Side.SELL, 400): 50}


def test_an_answer_is_news_once_and_only_if_it_was_asked_for() -> None:
    told = listening()
    told.venue.expect(m.Call(id="order-5", method="private/buy", params={}))
    told.say({"id": "order-5", "result": {"order": order(), "trades": []}})
    (news,) = told.venue.news
    assert isinstance(news, Answered)
    assert (news.call, news.method, news.error) == ("order-5", "private/buy", None)
    assert told.venue.own_lots(NAME) == {(Side.BUY, 300): 50}
    told.say({"id": "order-5", "result": {"order": order("9"), "trades": []}})
    assert told.venue.news == []
    told.say({"id": "never asked", "result": []})
    assert told.venue.news == []


def test_an_answer_of_the_wrong_shape_reads_as_none() -> None:
    news = Answered("a", "private/cancel", b'{"order_id": 7}', None)
    assert news.read(wire.OrderData) is None
    assert Answered("a", "m", None, None).read(wire.OrderData) is None
    assert Answered("a", "m", b"[]", None).read(list[wire.OrderData]) == []


def test_a_call_that_was_not_sent_is_not_waited_for() -> None:
    told = listening()
    told.venue.expect(m.Call(id="order-5", method="private/buy", params={}))
    told.take(m.Failed, call="order-5", reason="the link is down")
    assert "order-5" not in told.venue.awaiting


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_no_bytes_raise(data: bytes) -> None:
    told = listening()
    told.take(m.Frame, data=data)
    assert told.venue.heard == told.t


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**40) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([NAME, "open", "buy", "7", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["instrument_name", "orders", "trades", "price", "amount", "order_state", "type", "bids",
                         "timestamp", "change_id", "state", "version", "order", "label"]), inner, max_size=5),
    max_leaves=8,
)  # fmt: skip
CHANNELS = st.sampled_from([
    f"book.{NAME}.raw", f"ticker.{NAME}.100ms", "user.changes.any.BTC.raw", "user.portfolio.btc", f"trades.{NAME}.raw",
    "markprice.options.btc_usd", "instrument.state.any.BTC", "x.y",
])  # fmt: skip
METHODS = st.sampled_from([
    "private/buy", "private/cancel", "private/subscribe", "public/hello", "public/get_instruments",
    "private/get_open_orders_by_currency",
])  # fmt: skip


@given(JSON, CHANNELS, METHODS)
def test_no_shape_of_json_raises(value: Any, channel: str, method: str) -> None:
    told = listening()
    told.push(channel, value)
    told.venue.expect(m.Call(id="q", method=method, params={}))
    told.say({"id": "q", "result": value})
    told.venue.expect(m.Call(id="q", method=method, params={}))
    told.say({"id": "q", "error": {"code": 10041, "message": "settlement_in_progress"}})
    loaded = Venue.load(told.venue.dump())
    assert loaded.dump() == told.venue.dump()

"""Channels: which there are, and that what they say adds up to what is so, at every pace."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine.domain import NS
from engine.market.deribit.data import BookData
from engine.market.deribit.wire import Push
from engine.paper.orders.terms import Rules
from engine.paper.protocol.channels import DEPTHS, GROUPS, PACES
from tests.paper.client import PERPETUAL, Client
from tests.paper.desk import TWO, Desk

Sides = dict[str, dict[float, float]]


HURRIED = msgspec.structs.replace(TWO, rules=Rules(order_rate=0.0, sweep_rate=0.0))


@pytest.fixture
def desk() -> Desk:
    """Where one may send as many orders as one likes."""
    return Desk(HURRIED)


def hear(desk: Desk, *channels: str) -> Client:
    """Another line on the first account, subscribed."""
    line = Client(desk.venue)
    assert line.call("private/subscribe", channels=list(channels)) == list(channels)
    return line


def said(line: Client, channel: str) -> list[Any]:
    line.wait(0.0)
    told = [push.data for push in line.pushed if push.channel == channel]
    return [msgspec.json.decode(data) if isinstance(data, msgspec.Raw) else data for data in told]


def stir(desk: Desk, seconds: float = 3.0) -> None:
    """Orders come and go, some trade, over a while."""
    for k in range(round(seconds / 0.05)):
        desk.rest("buy" if k % 2 else "sell", ticks=(-1) ** k * (3 + k * k % 17), amount=10.0 + 10 * (k % 3))
        if k % 5 == 4:
            desk.trade("buy" if k % 2 else "sell", amount=20.0)
        if k % 11 == 10:
            desk.call("private/cancel_all")
            desk.other.call("private/cancel_all")
        desk.wait(0.05)


@pytest.mark.parametrize(
    "name",
    [
        "book.NOPE.raw", "book.BTC-PERPETUAL", "book.BTC-PERPETUAL.10s", "book.BTC-PERPETUAL.none.5.100ms",
        "book.BTC-PERPETUAL.3.10.100ms", "ticker.any.any.raw", "perpetual.OPTION.100ms", "quote.any",
        "trades.option.XRP.raw", "trades.stock.BTC.raw", "deribit_price_index.btc_usdc", "chart.trades.BTC-PERPETUAL.2",
        "chart.trades.1", "markprice.futures.btc_usd", "instrument.state.any", "announcements.all", "platform_state.x",
        "user", "user.orders.raw", "user.nothing.any.any.raw", "", ".", "book", "x" * 1000,
    ],
)  # fmt: skip
def test_names_that_are_no_channel_are_dropped_without_a_word(desk: Desk, name: str) -> None:
    assert desk.call("private/subscribe", channels=[name.replace("OPTION", desk.option)]) == []


def test_every_group_depth_and_pace_of_windows_is_offered(desk: Desk) -> None:
    names = [f"book.{desk.option}.{g}.{d}.{p}" for g in GROUPS for d in DEPTHS for p in PACES]
    assert len(desk.call("private/subscribe", channels=names)) == 8 * 3 * 3


def rebuild(changes: list[BookData]) -> list[tuple[int, Sides]]:
    """The book after each change, the chain of ids checked."""
    book: Sides = {"bids": {}, "asks": {}}
    last, states = 0, []
    for k, data in enumerate(changes):
        assert (data.type == "snapshot") == (k == 0)
        if k:
            assert data.prev_change_id == last
        last = data.change_id
        for side, rows in (("bids", data.bids), ("asks", data.asks)):
            for action, price, amount in rows:
                assert (action == "new") == (price not in book[side])
                assert (action == "delete") == (amount == 0.0)
                book[side].pop(price, None)
                if amount:
                    book[side][price] = amount
        states.append((last, {side: dict(rows) for side, rows in book.items()}))
    return states


def test_books_of_every_pace_keep_the_chain_and_are_the_same_book(desk: Desk) -> None:
    names = [f"book.{PERPETUAL}.{pace}" for pace in PACES]
    line = hear(desk, *names)
    stir(desk)
    desk.wait(1.0)
    raw, fast, slow = (rebuild(said(line, name)) for name in names)
    assert len(raw) > len(fast) > len(slow) > 2
    by_id = dict(raw)
    for states in (fast, slow):
        assert states[-1] == raw[-1]
        for change_id, book in states:
            assert by_id[change_id] == book, "a paced book is the raw one at its id"
    shown = desk.call("public/get_order_book", instrument_name=PERPETUAL, depth=1000)
    assert {tuple(row) for row in shown["bids"]} == set(raw[-1][1]["bids"].items())


@pytest.mark.parametrize("name", ["BTC-PERPETUAL", "ETH-PERPETUAL", "OPTION"])
@pytest.mark.parametrize("group", ["none", "1", "5", "25"])
def test_a_window_is_the_book_put_together(desk: Desk, name: str, group: str) -> None:
    name = desk.option if name == "OPTION" else name
    line = hear(desk, f"book.{name}.{group}.10.100ms")
    for k in range(1, 30):
        desk.rest("buy", name, ticks=-k)
        desk.rest("sell", name, ticks=k)
    desk.wait(0.2)
    window = said(line, f"book.{name}.{group}.10.100ms")[-1]
    shown = desk.call("public/get_order_book", instrument_name=name, depth=1000)
    unit = {"BTC-PERPETUAL": 1.0, "ETH-PERPETUAL": 0.01}.get(name, 0.0001)
    step = 0.0 if group == "none" else int(group) * unit
    for side, sign in (("bids", 1), ("asks", -1)):
        assert getattr(window, side) == grouped(shown[side], sign, step)[:10]


def grouped(rows: list[list[float]], sign: int, step: float) -> list[tuple[float, float]]:
    """Bids down and asks up to multiples of the step, best first."""
    sums: dict[float, float] = {}
    for price, amount in rows:
        key = price if not step else round(sign * (sign * round(price / step, 6) // 1) * step, 6)
        sums[key] = round(sums.get(key, 0.0) + amount, 6)
    return list(sums.items())


def test_windows_and_quotes_are_said_only_when_they_change(desk: Desk) -> None:
    names = [f"book.{PERPETUAL}.none.1.100ms", f"quote.{PERPETUAL}"]
    line = hear(desk, *names)
    desk.rest(ticks=-5)
    desk.wait(1.0)
    desk.rest(ticks=-9)  # not the best
    desk.wait(1.0)
    assert [len(said(line, name)) for name in names] == [2, 2], "the opening, and one change"


def test_an_incremental_ticker_adds_up_to_the_ticker(desk: Desk) -> None:
    channel = f"incremental_ticker.{desk.option}"
    line, late = hear(desk, channel), Client(desk.venue)
    desk.trade(name=desk.option)
    desk.wait(0.3)
    late.call("public/subscribe", channels=[channel])
    desk.rest(name=desk.option, ticks=-7)
    desk.exchange.marks.tell(desk.venue.now, 101_000.0, {}, desk.exchange.marks.iv[desk.exchange.marks.options] + 0.1)
    desk.wait(0.95)  # before the marks are told again
    desk.exchange.marks.tell(desk.venue.now, 101_000.0, {}, desk.exchange.marks.iv[desk.exchange.marks.options])
    desk.wait(0.1)
    for client in (line, late):
        rows = said(client, channel)
        assert [row["type"] for row in rows][:2] == ["snapshot", "change"]
        built: dict[str, Any] = {}
        for row in rows:
            assert row["type"] == "snapshot" or row.keys() - {"type", "timestamp", "instrument_name"}
            built |= row
        ticker = desk.call("public/ticker", instrument_name=desk.option)
        for moment in ("type", "timestamp"):
            built.pop(moment, None)
            ticker.pop(moment, None)
        assert built == ticker


def test_prints_are_told_once_at_every_pace_to_one_and_to_many(desk: Desk) -> None:
    names = [f"trades.{what}.{pace}" for what in (PERPETUAL, "future.BTC", "any.any") for pace in PACES]
    line = hear(desk, *names)
    for k in range(7):
        desk.trade("buy" if k % 2 else "sell")
        desk.wait(0.07)
    desk.trade(name="ETH-PERPETUAL")
    desk.wait(1.0)
    raw = [row.trade_id for rows in said(line, names[0]) for row in rows]
    assert len(raw) == 7
    for name in names:
        told = [row.trade_id for rows in said(line, name) for row in rows]
        assert told == (raw if "any.any" not in name else [*raw, told[-1]]), name
        assert len(told) == len(set(told))


def test_own_orders_of_slower_pace_come_in_lists_of_their_last_states(desk: Desk) -> None:
    names = [f"user.{what}.any.any.{pace}" for what in ("orders", "trades", "changes") for pace in PACES]
    line = hear(desk, *names)
    order = desk.rest()
    desk.call("private/edit", order_id=order["order_id"], amount=20.0, price=order["price"])
    desk.call("private/cancel", order_id=order["order_id"])
    desk.trade()
    desk.wait(1.0)
    raw = said(line, "user.orders.any.any.raw")
    assert [each.order_state for each in raw] == ["open", "open", "cancelled", "filled"]
    for pace in ("100ms", "agg2"):
        (orders,) = said(line, f"user.orders.any.any.{pace}")
        assert [each.order_state for each in orders] == ["cancelled", "filled"]
        (trades,) = said(line, f"user.trades.any.any.{pace}")
        assert len(trades) == 1
        (changes,) = said(line, f"user.changes.any.any.{pace}")
        assert [each.order_state for each in changes.orders] == ["cancelled", "filled"]
        assert (len(changes.trades), len(changes.positions)) == (1, 1)
    assert len(said(line, "user.changes.any.any.raw")) == 4


def test_own_news_of_one_account_are_not_anothers(desk: Desk) -> None:
    names = ["user.orders.any.any.agg2", "user.trades.any.any.100ms", "user.changes.BTC-PERPETUAL.raw"]
    other = Client(desk.venue, login=False)
    other.call("public/auth", grant_type="client_credentials", client_id="other", client_secret="other")
    other.call("private/subscribe", channels=names)
    desk.rest()
    desk.wait(1.0)
    assert other.pushed == []


def test_what_nobody_watches_is_not_collected(desk: Desk) -> None:
    names = [f"{family}.{PERPETUAL}.agg2" for family in ("book", "trades", "ticker", "user.orders")]
    line = hear(desk, *names, f"incremental_ticker.{PERPETUAL}", f"chart.trades.{PERPETUAL}.1")
    desk.trade()
    line.call("private/unsubscribe_all")
    publisher = desk.venue.markets["BTC"].publisher
    desk.trade()
    kept = (publisher.watched, publisher._books, publisher._trades, publisher._tickers, publisher._own,
            publisher._stale, publisher._last, publisher._marked, publisher._counts)  # fmt: skip
    assert [len(each) for each in kept] == [0] * len(kept)
    assert not any(index.get(0) for index in (publisher._moved, publisher._traded))


def test_a_chart_is_told_as_its_bar_changes(desk: Desk) -> None:
    line = hear(desk, f"chart.trades.{PERPETUAL}.1", f"chart.trades.{PERPETUAL}.1D")
    for _ in range(3):
        desk.trade()
        desk.wait(1.0)
    bars = said(line, f"chart.trades.{PERPETUAL}.1")
    assert [bar["cost"] for bar in bars] == [100.0, 200.0, 300.0]
    minute = desk.venue.now // NS // 60 * 60_000
    whole = desk.call("public/get_tradingview_chart_data", instrument_name=PERPETUAL, start_timestamp=minute,
                      end_timestamp=minute, resolution="1")  # fmt: skip
    assert (whole["ticks"], whole["cost"]) == ([minute], [300.0])
    assert {bar["tick"] % 86_400_000 for bar in said(line, f"chart.trades.{PERPETUAL}.1D")} == {0}


@pytest.mark.parametrize("channel", [f"book.{PERPETUAL}.none.1.100ms", f"quote.{PERPETUAL}", "incremental_ticker"])
def test_one_that_comes_between_two_beats_is_not_left_with_what_was_so_then(desk: Desk, channel: str) -> None:
    channel = channel if "." in channel else f"{channel}.{PERPETUAL}"
    first = hear(desk, channel)
    desk.rest(ticks=-9)
    desk.wait(1.0)
    passing = desk.rest(ticks=-5)
    late = hear(desk, channel)
    desk.call("private/cancel", order_id=passing["order_id"])
    desk.wait(1.0)
    for line in (first, late):
        built: dict[str, Any] = {}
        for each in said(line, channel):
            built |= msgspec.to_builtins(each)
        best = built["bids"][0][0] if "bids" in built else built["best_bid_price"]
        assert best == desk.near(PERPETUAL, -9)


def test_an_expiry_is_estimated_in_its_last_half_hour(desk: Desk) -> None:
    line = hear(desk, "estimated_expiration_price.btc_usd")
    desk.wait(2.0)
    (first, *_) = said(line, "estimated_expiration_price.btc_usd")
    expiry = min(i.expiry for i in desk.exchange.instruments if i.expiry)
    assert first == {"seconds": (expiry - desk.venue.now) // NS + 2, "price": 100_000.0, "is_estimated": False}


def test_what_is_over_says_what_it_was_delivered_at(desk: Desk) -> None:
    desk.exchange.settle(desk.venue.now, desk.exchange.number[desk.option], 99_000.0)
    desk.wait(2.0)  # the index is where it was
    for told in (desk.call("public/ticker", instrument_name=desk.option),
                 desk.call("public/get_order_book", instrument_name=desk.option)):  # fmt: skip
        assert (told["state"], told["delivery_price"], told["estimated_delivery_price"]) == ("closed", 99e3, 99e3)


def test_pushes_are_typed_as_the_client_reads_them(desk: Desk) -> None:
    line = hear(desk, f"ticker.{PERPETUAL}.100ms", "markprice.options.btc_usd", "deribit_volatility_index.btc_usd")
    desk.wait(1.1)
    line.wait(0.0)
    assert {push.family for push in line.pushed if isinstance(push, Push)} == {"ticker", "markprice", "dvol"}

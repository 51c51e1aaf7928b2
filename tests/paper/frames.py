"""Frames of every sort, sensible and hostile, as a pure function of a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import msgspec

from engine.domain import NS
from engine.market.deribit.frames import FRAME_LIMIT
from engine.market.deribit.methods import METHODS
from engine.market.deribit.wire import request
from engine.paper.instruments.listing import listing
from tests.paper.desk import COINS
from tests.paper.small import START

LINES = 6  # that the frames are spread over
PLACES = 0.35  # of the frames are orders: without them nothing happens
WAITS_NS = (0, 0, 1_000_000, 20_000_000, 100_000_000, 300_000_000)


class Sent(msgspec.Struct, frozen=True):
    """One frame: by which line (-1: by HTTP), and how long after the one before."""

    line: int
    data: bytes
    wait_ns: int
    target: str = ""  # by HTTP: path and query; a body makes it a POST
    authorization: str = ""


NAMES = [i.name for spec in COINS for i in listing(START, spec)]
BIG = [10**18, -(10**18), 2**63, 2**64, -1, 0, 1e308, -1e308, 1e-308, 5e-324, 0.1 + 0.2, 1e15]
TEXTS = ["", " ", "nan", "Infinity", "-inf", "1e400", "٣", "\x00", "\u202e", "😀" * 20, "x" * 65, "x" * 5000, "null",
         "../..", "'; --", "BTC", "BTC-", "-", "BTC-PERPETUAL ", "any", "all", "true"]  # fmt: skip
OTHERS: list[Any] = [None, True, False, [], {}, [[]], {"a": {"b": []}}, [None] * 50, ["BTC-PERPETUAL"], [1, "2", None]]
RAW = [
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e400",
    b"-0",
    b"01",
    b"1.",
    b"1e5",
    b"'x'",
    b'"\\ud800"',
    b'"\\u0000"',
    b"\xff",
]


def _number(rng: random.Random) -> Any:
    return rng.choice([rng.choice(BIG), rng.randint(-5, 5), rng.uniform(-1e6, 1e6), rng.gauss(0, 1)])


def hostile(rng: random.Random) -> Any:
    """A value that is seldom what is wanted."""
    kind = rng.random()
    return _number(rng) if kind < 0.4 else rng.choice(TEXTS) if kind < 0.75 else rng.choice(OTHERS)


def _price(rng: random.Random, name: str) -> float:
    """Mostly near the mark and on the grid."""
    if "PERPETUAL" in name or name.count("-") == 1:
        middle = 100_000.0 if name.startswith("BTC") else 2_500.0
        return round(middle * (1.0 + rng.gauss(0, 0.003)) * 2) / 2
    return max(0.0005, round(rng.gauss(0.02, 0.01) / 0.0005) * 0.0005)


def _amount(rng: random.Random, name: str) -> float:
    if "PERPETUAL" in name or name.count("-") == 1:
        return 10.0 * rng.randint(1, 50)
    return rng.randint(1, 50) / (10.0 if name.startswith("BTC") else 1.0)


def _order(rng: random.Random) -> dict[str, Any]:
    """An order that might be taken, of one of the sorts there are."""
    name = rng.choice(NAMES)
    price = _price(rng, name)
    order: dict[str, Any] = {
        "instrument_name": name,
        "amount": _amount(rng, name),
        "price": price,
        "post_only": rng.random() < 0.3,
    }
    for flag in ("reduce_only", "mmp", "reject_post_only"):
        if rng.random() < 0.1:
            order[flag] = True
    if rng.random() < 0.5:
        order["label"] = rng.choice(["a", "b", "c"])
    match rng.randrange(12):
        case 0 | 1:
            order["type"] = rng.choice(["market", "market_limit"])
        case 2:
            order["time_in_force"] = rng.choice(["immediate_or_cancel", "fill_or_kill", "good_til_day"])
        case 3:
            order["type"] = rng.choice(["stop_limit", "stop_market", "take_limit", "take_market", "trailing_stop"])
            order |= {"trigger": _word(rng, "trigger"), "trigger_price": _price(rng, name), "trigger_offset": 500.0}
        case 4:
            order |= {"advanced": "implv", "price": round(rng.uniform(30.0, 70.0), 1), "post_only": False}
        case 5:
            order |= {"amount": 100 * order["amount"], "display_amount": order["amount"]}
        case 6:
            order["valid_until"] = _time(rng)
        case _:
            pass
    return order


def _order_id(rng: random.Random) -> str:
    """The numbers begin at a known one; many of them are orders'."""
    return rng.choice(["", "ETH-"]) + str(START // NS * 1000 + int(rng.expovariate(1 / 3000)))


def _channel(rng: random.Random) -> str:
    name, pace = rng.choice(NAMES), rng.choice(["raw", "100ms", "agg2", "x"])
    return rng.choice([f"book.{name}.{pace}", f"book.{name}.none.10.{pace}", f"ticker.{name}.{pace}",
                       f"trades.any.any.{pace}", f"user.orders.any.any.{pace}", f"user.trades.{name}.{pace}",
                       f"user.changes.any.any.{pace}", "user.portfolio.any", "user.mmp_trigger.btc_usd",
                       "deribit_price_index.eth_usd", f"quote.{name}", "instrument.state.any.any", "nope",
                       f"perpetual.{name}.{pace}", "markprice.options.btc_usd", "user.lock",
                       "a.b.c.d.e.f"])  # fmt: skip


def _words(*choices: Any) -> Callable[[random.Random], Any]:
    return lambda rng: rng.choice(choices)


def _time(rng: random.Random) -> int:
    return START // 1_000_000 + rng.randint(-10_000, 10_000_000)


def _word(rng: random.Random, name: str) -> Any:
    return SENSIBLE[name](rng)


SENSIBLE: dict[str, Callable[[random.Random], Any]] = {
    "instrument_name": _words(*NAMES), "order_id": _order_id, "label": _words("a", "b", "c", ""),
    "currency": _words("BTC", "BTC", "ETH", "any", "USDC"), "kind": _words("option", "future", "any", "spot"),
    "type": _words("limit", "market", "all", "trigger_all", "stop_all", "settlement"),
    "time_in_force": _words("good_til_cancelled", "immediate_or_cancel", "fill_or_kill", "good_til_day"),
    "trigger": _words("index_price", "mark_price", "last_price"), "advanced": _words("implv", "usd"),
    "trigger_price": lambda rng: _price(rng, "BTC-PERPETUAL"), "trigger_offset": _words(1.0, 50.0, 500.0, 0.01),
    "display_amount": _words(10.0, 1000.0, 0.1, 10.0), "valid_until": _time, "start_timestamp": _time,
    "end_timestamp": _time, "count": _words(1, 5, 100), "depth": _words(1, 5, 20), "sorting": _words("asc", "desc"),
    "scope": _words("connection", "account"), "index_name": _words("btc_usd", "eth_usd", "all"),
    "interval": _words(0, 1, 10, 60), "frozen_time": _words(0, 1, 10), "quantity_limit": _words(0.5, 1.0, 20.0),
    "delta_limit": _words(0.5, 5.0), "vega_limit": _words(1.0, 1000.0), "mode": _words("reject_taker", "cancel_maker"),
    "channels": lambda rng: [_channel(rng) for _ in range(rng.randint(1, 6))],
    "grant_type": _words("client_credentials"),
    "client_id": _words("paper", "other", "nobody"), "client_secret": _words("paper", "other", ""),
    "ids": lambda rng: [_order_id(rng) for _ in range(3)], "offset": _words(0, 1, 50),
    "simulated_positions": lambda rng: {rng.choice(NAMES): rng.choice([10.0, -1.0, 0.1])},
    "resolution": _words("1", "60"), "continuation": _words("2", "none"),
    "currency_pair": _words("btc_usd", "eth_usd"), "extended_to_subaccounts": _words(True, False),
    "client_name": _words("f"), "client_version": _words("1"), "detailed": _words(True, False),
    "start_seq": _words(1, 5), "end_seq": _words(3, 100), "start_id": _order_id, "end_id": _order_id,
    "trigger_fill_condition": _words("first_hit", "incremental"), "query": _words("trade", "sell", "x"),
    "linked_order_type": _words("one_cancels_other"), "subaccount_id": _words(1, 2), "mmp_group": _words("", "g"),
    "search_start_timestamp": _time,
}  # fmt: skip
FLAGS = ("post_only", "reject_post_only", "reduce_only", "mmp", "expired", "extended", "historical", "include_old",
         "freeze_quotes", "include_combos", "block_rfq", "include_unfilled",
         "with_continuation", "with_portfolio", "with_open_orders", "add_positions")  # fmt: skip
ORDERS = ["private/buy", "private/sell"]
CALLS = sorted(set(METHODS) - {"private/logout"})


def sensible(rng: random.Random, method: str) -> dict[str, Any]:
    """Params that the method may take, most of them meaning something."""
    if method in ORDERS:
        return _order(rng)
    fields = {f.name: f.required for f in msgspec.structs.fields(METHODS[method]) if f.name != "access_token"}
    params: dict[str, Any] = {}
    for name, required in fields.items():
        if required or name == "instrument_name" or rng.random() < 0.25:
            params[name] = _sensible(rng, name, params)
    return params


def _sensible(rng: random.Random, name: str, params: dict[str, Any]) -> Any:
    if name in SENSIBLE:
        return SENSIBLE[name](rng)
    if name in FLAGS:
        return rng.random() < 0.5
    where = params.get("instrument_name", "BTC-PERPETUAL")
    if name in ("amount", "contracts"):
        return _amount(rng, where)
    return _price(rng, where) if name == "price" else hostile(rng)


def _call(rng: random.Random) -> tuple[str, dict[str, Any]]:
    method = rng.choice(ORDERS) if rng.random() < PLACES else rng.choice(CALLS)
    params = sensible(rng, method)
    if rng.random() < 0.35:
        for name in [name for name in params if rng.random() < 0.4]:
            params[name] = hostile(rng)
        if rng.random() < 0.2:
            params[rng.choice(TEXTS)] = hostile(rng)
    return method, params


def _frame(rng: random.Random, method: str, params: dict[str, Any]) -> bytes:
    kind = rng.random()
    if kind < 0.75:
        return request(rng.randint(0, 10**6), method, params)
    if kind < 0.9:
        return _mutated(rng, request(1, method, params))
    return _odd(rng, method, params)


def _mutated(rng: random.Random, data: bytes) -> bytes:
    """A few bytes changed, dropped, put in, doubled or cut off."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(out)) if out else 0
        match rng.randrange(6):
            case 0 if out:
                out[at] = rng.randrange(256)
            case 1:
                del out[at : at + rng.randint(1, 8)]
            case 2:
                out[at:at] = rng.randbytes(rng.randint(1, 8))
            case 3:
                out[at:at] = out[at : at + rng.randint(1, 30)]
            case 4:
                del out[at:]
            case _:
                out[at : at + 1] = rng.choice(RAW)
    return bytes(out)


def _odd(rng: random.Random, method: str, params: dict[str, Any]) -> bytes:
    """Frames whose very shape is unexpected."""
    body = msgspec.json.encode(params)
    name = json.dumps(method).encode()
    deep = b"[" * rng.choice([10, 1000, 15_000])
    return rng.choice([
        rng.randbytes(rng.randint(0, 200)), b"", b"null", b"[]", b"{}", b"0", b'"x"', b"{" * 500, deep,
        b"[" + request(1, method, params) + b"]", b'{"jsonrpc":"2.0","id":null,"method":' + name + b"}",
        b'{"id":1.5,"method":' + name + b',"params":' + body + b"}", b'{"id":[1],"method":' + name + b"}",
        b'{"id":1,"id":2,"method":' + name + b',"method":"public/test","params":' + body + b',"params":{}}',
        b'{"id":2,"method":' + name + b',"params":' + deep + b"}", b'{"id":3,"method":' + name + b',"params":7}',
        b'{"id":4,"method":' + name + b',"params":{"price":' + rng.choice(RAW) + b',"amount":'
        + rng.choice(RAW) + b"}}",
        b'{"id":5,"method":"' + rng.choice([b"public/", b"nope", b"private/x", b"\\u0000"]) + b'","params":{}}',
        b'{"id":6,"method":' + name + b',"params":{"label":"' + b"y" * rng.choice([100, FRAME_LIMIT]) + b'"}}',
        "\ufeff{}".encode(), msgspec.json.encode({"id": "i" * 300, "method": method, "params": params}),
    ])  # fmt: skip


def _by_http(rng: random.Random, method: str, params: dict[str, Any], wait: int) -> Sent:
    who = rng.choice(
        ["", "Basic cGFwZXI6cGFwZXI=", "Basic b3RoZXI6b3RoZXI=", "Bearer x", "deri-hmac-sha256 id=a", "\x00"]
    )
    if rng.random() < 0.5:
        query = urlencode(
            {name: value if isinstance(value, str) else json.dumps(value) for name, value in params.items()}
        )
        return Sent(-1, b"", wait, f"/api/v2/{method}?{query}", who)
    return Sent(-1, _frame(rng, method, params), wait, "/api/v2", who)


def frames(seed: int, n: int) -> Iterator[Sent]:
    """`n` frames; the same for the same seed."""
    rng = random.Random(seed)
    for _ in range(n):
        method, params = _call(rng)
        wait = rng.choice(WAITS_NS)
        if rng.random() < 0.08:
            yield _by_http(rng, method, params, wait)
        elif rng.random() < 0.0005:
            yield Sent(rng.randrange(LINES), request(1, "private/logout", {}), wait)
        else:
            yield Sent(rng.randrange(LINES), _frame(rng, method, params), wait)

"""What the checks of a probe share, and those of the connection and of what is listed."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

import msgspec

from engine.domain import DAY_NS, MS, NS, Instrument, Kind, OffGrid
from engine.market.deribit import wire
from engine.market.meter import COST, Meter
from engine.shell.feed import Credentials
from engine.shell.line import Line, Refused

SKEW_S = 1.0  # between the venue's clock and ours


class Unlike(Exception):
    """The venue does otherwise than the code assumes; its text says how."""


class Probe:
    """What the checks share. `coin` is the one that is traded."""

    def __init__(self, url: str, secret: Credentials, coin: str) -> None:
        self.url, self.secret, self.coin = url, secret, coin
        self.prefix = f"probe{secrets.token_hex(4)}-"
        self.line: Line
        self.token: dict[str, Any] = {}
        self.option: Instrument
        self.perpetual: Instrument
        self.low = 0.0  # a price at which nobody sells the option
        self._count = 0

    def label(self) -> str:
        self._count += 1
        return f"{self.prefix}{self._count}"

    async def buy(self, instrument: Instrument, price: float, **more: Any) -> wire.OrderData:
        """The smallest order, as the router writes it. Raises Refused."""
        params = {
            "instrument_name": instrument.name, "amount": instrument.lot, "type": "limit", "price": price,
            "label": self.label(), "time_in_force": "good_til_cancelled", "post_only": True, "reject_post_only": False,
            "valid_until": time.time_ns() // MS + 5_000,
        }  # fmt: skip
        placed = msgspec.convert(await self.line.ask("private/buy", params | more), wire.Placed)
        return placed.order

    async def ours(self) -> list[wire.OrderData]:
        rows = await self.line.ask("private/get_open_orders_by_currency", {"currency": self.coin})
        orders = msgspec.convert(rows, list[wire.OrderData])
        return [order for order in orders if order.label.startswith(self.prefix)]

    async def ticker(self, instrument: Instrument) -> wire.TickerData:
        said = await self.line.ask("public/ticker", {"instrument_name": instrument.name})
        return msgspec.convert(said, wire.TickerData)

    async def by_label(self, label: str) -> list[wire.OrderData]:
        params = {"currency": self.coin, "label": label}
        rows = await self.line.ask("private/get_order_state_by_label", params)
        return msgspec.convert(rows, list[wire.OrderData])


async def refused(call: Awaitable[Any], *codes: int) -> str:
    """The code of a call that must be refused, by one of these. Raises Unlike where it is not."""
    try:
        await call
    except Refused as error:
        if codes and error.code not in codes:
            raise Unlike(f"{error}; {' or '.join(map(str, codes))} was expected") from None
        return f"refused by {error.code}"
    raise Unlike("it was taken, and should have been refused")


def demand(true: object, sentence: str) -> None:
    if not true:
        raise Unlike(sentence)


# ---------------------------------------------------------------- the connection


async def clock(one: Probe) -> str:
    before = time.time_ns()
    said = int(await one.line.ask("public/get_time"))
    after = time.time_ns()
    apart = (said * MS - (before + after) // 2) / NS
    demand(abs(apart) < SKEW_S + (after - before) / NS, f"the venue's clock and ours are {apart:+.3f} s apart")
    return f"{apart * 1000:+.0f} ms apart, {(after - before) / MS:.0f} ms there and back"


async def login(one: Probe) -> str:
    one.token = await one.line.login(one.secret)
    token = msgspec.convert(one.token, wire.Token)
    demand(token.token_type == "bearer", f"the token is of type {token.token_type}")
    demand(token.expires_in > 0, "the token is good for no time")
    scope = token.scope.split()
    demand("trade:read_write" in scope, f"this key may not trade: its scope is {token.scope}")
    return f"a token for {token.expires_in} s"


async def refresh(one: Probe) -> str:
    grant = {"grant_type": "refresh_token", "refresh_token": one.token["refresh_token"]}
    token = msgspec.convert(await one.line.ask("public/auth", grant), wire.Token)
    return f"a new token for {token.expires_in} s"


async def heartbeat(one: Probe) -> str:
    said = await one.line.ask("public/set_heartbeat", {"interval": 10})
    demand(said == "ok", f"it answered {said!r}")
    return await refused(one.line.ask("public/set_heartbeat", {"interval": 5}))


async def limits(one: Probe) -> str:
    params = {"currency": one.coin, "extended": True}
    data = msgspec.convert(await one.line.ask("private/get_account_summary", params), wire.AccountData)
    meter = Meter()
    meter.learn(data.limits)
    demand(data.equity > 0, f"the account holds {data.equity:.12g} {one.coin}: orders cannot be checked")
    return (
        f"{meter.rate:.12g} orders a second, {meter.burst:.12g} at once; {meter.limit / COST:.0f} other calls at once"
    )


async def burst(one: Probe) -> str:
    for _ in range(20):
        await one.line.ask("public/test")
    return "20 calls in a row were answered"


# ---------------------------------------------------------------- what is listed


async def instruments(one: Probe) -> str:
    said = await one.line.ask("public/get_instruments", {"currency": one.coin, "expired": False})
    rows = msgspec.convert(said, list[wire.InstrumentData])
    listed: list[Instrument] = []
    for row in rows:
        with suppress(ValueError):
            listed.append(wire.instrument_of(row))
    options = [i for i in listed if i.kind is Kind.OPTION]
    perpetuals = [i for i in listed if i.kind is Kind.PERPETUAL]
    demand(options and perpetuals, f"of {len(rows)} instruments {len(listed)} can be traded here")
    one.perpetual = perpetuals[0]
    grids = {(i.tick, i.tick_steps, i.lot, i.contract) for i in options}
    demand(all(tick > 0 and lot > 0 for tick, _, lot, _ in grids), "an instrument has no tick or no smallest amount")
    said_grids = "; ".join(f"tick {tick} {steps}, smallest {lot}" for tick, steps, lot, _ in sorted(grids)[:3])
    return f"{len(options)} options, {said_grids}"


async def quotes(one: Probe) -> str:
    """An option whose prices are on the grid that the venue stated, and its own price bounds."""
    said = await one.line.ask("public/get_instruments", {"currency": one.coin, "kind": "option", "expired": False})
    index = await one.line.ask("public/get_index_price", {"index_name": f"{one.coin.lower()}_usd"})
    options = [wire.instrument_of(row) for row in msgspec.convert(said, list[wire.InstrumentData])]
    soon = time.time_ns() + DAY_NS
    near = sorted(
        (i for i in options if i.expiry > soon), key=lambda i: (i.expiry, abs(i.strike - index["index_price"]))
    )
    for option in near[:10]:
        ticker = await one.ticker(option)
        if ticker.mark_price and ticker.best_bid_price and ticker.best_ask_price:
            return _chosen(one, option, ticker)
    raise Unlike("no option near the money has a book with two sides")


def _chosen(one: Probe, option: Instrument, ticker: wire.TickerData) -> str:
    try:
        units = [option.units(price) for price in (ticker.best_bid_price, ticker.best_ask_price) if price]
    except OffGrid as off:
        raise Unlike(f"a quote of {option.name} is off the stated grid: {off}") from None
    demand(all(option.on_tick(each) for each in units), f"a quote of {option.name} is off the stated tick")
    demand(ticker.greeks is not None and ticker.greeks.delta is not None, "the ticker has no greeks")
    lowest = max(ticker.min_price or 0.0, option.tick) / option.tick
    one.option, one.low = option, option.price(option.ceil_tick(lowest))
    touch, bounds = (ticker.best_bid_price, ticker.best_ask_price), (ticker.min_price, ticker.max_price)
    return f"{option.name}: {touch[0]} / {touch[1]}, bounds {bounds[0]} … {bounds[1]}"


async def subscriptions(one: Probe) -> str:
    """Accepted channels are answered, unknown ones dropped without a word, and a raw book begins with a snapshot."""
    book, own = f"book.{one.perpetual.name}.raw", f"user.changes.any.{one.coin}.raw"
    said = await one.line.ask("private/subscribe", {"channels": [book, own, "nonsense.of.no.kind"]})
    demand(set(said) == {book, own}, f"of three channels, one unknown, it accepted {said}")
    await one.line.listen(1.0)
    books = [push.data for push in one.line.pushed if push.channel == book]
    demand(books, "no snapshot of the book came in a second")
    demand(books[0].type == "snapshot" and books[0].prev_change_id is None, "the book does not begin with a snapshot")
    for before, after in itertools.pairwise(books):
        demand(after.prev_change_id == before.change_id, "the book's changes do not follow each other")
    await one.line.ask("private/unsubscribe", {"channels": [book]})
    return f"a snapshot and {len(books) - 1} changes that follow it"

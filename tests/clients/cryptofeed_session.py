"""What cryptofeed makes of the paper venue, as one JSON object on stdout: an independent client that keeps raw books by
their change ids and gives up on the first gap or unknown level.

Run by the Python of the clients' environment:
`.venv-clients/bin/python tests/clients/cryptofeed_session.py HTTP_URL WS_URL ID SECRET`
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import sys
import urllib.request
from typing import Any

import cryptofeed.connection
from cryptofeed import FeedHandler
from cryptofeed.connection import RestEndpoint, Routes, WebsocketEndpoint
from cryptofeed.defines import (
    BALANCES,
    FILLS,
    FUNDING,
    L1_BOOK,
    L2_BOOK,
    OPEN_INTEREST,
    TICKER,
    TRADES,
)
from cryptofeed.exchanges import Deribit

SECONDS = 6.0
COINS = ("BTC", "ETH")


class Watcher:
    """Counts what the client's callbacks are given, and looks at each book."""

    def __init__(self) -> None:
        self.books: dict[str, int] = {}
        self.crossed = 0
        self.levels: dict[str, int] = {}
        self.heard: dict[str, int] = {}
        self.sequence: dict[str, int] = {}
        self.backwards = 0

    async def book(self, book: Any, _: float) -> None:
        bids, asks = book.book.bids, book.book.asks
        self.books[book.symbol] = self.books.get(book.symbol, 0) + 1
        self.levels[book.symbol] = len(bids) + len(asks)
        if len(bids) and len(asks) and bids.index(0)[0] >= asks.index(0)[0]:
            self.crossed += 1
        if book.sequence_number <= self.sequence.get(book.symbol, -1):
            self.backwards += 1
        self.sequence[book.symbol] = book.sequence_number

    def hear(self, what: str) -> Any:
        async def told(thing: Any, _: float) -> None:
            self.heard[what] = self.heard.get(what, 0) + 1

        return told


class Faults(logging.Handler):
    """What the client complains of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def venue_of(http: str, ws: str) -> type[Deribit]:
    """The client's own venue, at our address."""
    secure = ws.replace("ws://", "wss://")  # it insists on TLS, which a venue on this machine has not
    plain = cryptofeed.connection.connect
    cryptofeed.connection.connect = lambda address, **more: plain(address.replace("wss://", "ws://"), **more)
    routes = Routes([f"/api/v2/public/get_instruments?currency={coin}" for coin in COINS])

    ours = {
        "websocket_endpoints": [WebsocketEndpoint(secure, sandbox=secure)],
        "rest_endpoints": [RestEndpoint(http, sandbox=http, routes=routes)],
    }
    return type("Paper", (Deribit,), ours)


def buy(http: str, name: str, secret: str) -> None:
    """A small taker on the same account, so that there is a fill to be told of."""
    order = "instrument_name=BTC-PERPETUAL&amount=100&type=market"
    key = base64.b64encode(f"{name}:{secret}".encode()).decode()
    asked = urllib.request.Request(f"{http}/api/v2/private/buy?{order}", headers={"Authorization": f"Basic {key}"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        answer.read()


def main(http: str, ws: str, name: str, secret: str) -> None:
    watcher, faults = Watcher(), Faults()
    kind = venue_of(http, ws)
    symbols = kind.symbols()
    swaps = [symbol for symbol in symbols if symbol.endswith("-PERP")]
    options = [symbol for symbol in symbols if symbol.count("-") > 2][:6]
    callbacks = {L2_BOOK: watcher.book} | {
        what: watcher.hear(what) for what in (TRADES, TICKER, FUNDING, OPEN_INTEREST, L1_BOOK, BALANCES, FILLS)
    }
    keys = {"deribit": {"key_id": name, "key_secret": secret}}
    feeds = FeedHandler(config={"uvloop": False, "log": {"disabled": True}, **keys})
    feeds.add_feed(
        kind(
            channels=[L2_BOOK, TRADES, TICKER, L1_BOOK, FUNDING, OPEN_INTEREST, FILLS], symbols=swaps + options,
            callbacks=callbacks, config=keys,
        )
    )  # fmt: skip
    feeds.add_feed(kind(channels=[BALANCES], symbols=["BTC"], callbacks=callbacks, config=keys))
    logging.getLogger("feedhandler").addHandler(faults)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.call_later(SECONDS / 2, lambda: loop.run_in_executor(None, buy, http, name, secret))
    loop.call_later(SECONDS, loop.stop)
    feeds.run(start_loop=False, install_signal_handlers=False)
    loop.run_forever()
    print(json.dumps({
        "symbols": len(symbols), "swaps": swaps, "options": options, "books": watcher.books, "levels": watcher.levels,
        "crossed": watcher.crossed, "backwards": watcher.backwards, "heard": watcher.heard, "faults": faults.lines,
    }))  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:5])

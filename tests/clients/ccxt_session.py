"""What an independent public client makes of the paper venue, as one JSON object on stdout.

Run by the Python of its own environment (ccxt pins packages that the desk's own environment has otherwise):
`.venv-clients/bin/python tests/clients/ccxt_session.py HTTP_URL WS_URL ID SECRET`
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import ccxt.pro

PERPETUAL = "BTC/USD:BTC"
PATIENCE_S = 30.0


async def session(http: str, ws: str, name: str, secret: str) -> dict[str, Any]:
    venue = ccxt.pro.deribit({"apiKey": name, "secret": secret, "enableRateLimit": False})
    venue.urls["api"] = {"rest": http, "ws": ws}
    try:
        return await visit(venue)
    finally:
        await venue.close()


async def visit(venue: Any) -> dict[str, Any]:
    markets = await venue.load_markets()
    options = sorted(symbol for symbol, market in markets.items() if market["option"])
    book = await venue.fetch_order_book(PERPETUAL, limit=10)
    ticker = await venue.fetch_ticker(options[0])
    watched = await watch(venue, options[len(options) // 2])
    return {
        "markets": len(markets),
        "options": len(options),
        "swaps": [market["id"] for market in markets.values() if market["swap"]],
        "option": option_of(markets[options[0]]),
        "book": {"bids": book["bids"], "asks": book["asks"]},
        "ticker": {"symbol": ticker["symbol"], "bid": ticker["bid"], "ask": ticker["ask"]},
        "watched": watched,
        **await trade(venue, book["bids"][0][0]),
    }


def option_of(market: dict[str, Any]) -> dict[str, Any]:
    return {key: market[key] for key in ("id", "strike", "optionType", "expiry", "inverse")}


async def watch(venue: Any, option: str) -> list[dict[str, Any]]:
    """Books as the client keeps them from snapshots and changes; it raises by itself on a broken chain."""
    seen = []
    for symbol, count in ((PERPETUAL, 10), (option, 1)):
        for _ in range(count):
            book = await venue.watch_order_book(symbol)
        seen.append({"symbol": symbol, "bids": book["bids"][:5], "asks": book["asks"][:5], "nonce": book["nonce"]})
    return seen


async def trade(venue: Any, bid: float) -> dict[str, Any]:
    """A post-only order far below the touch, heard of by websocket and HTTP, and cancelled; then a small taker."""
    heard = asyncio.create_task(venue.watch_orders(PERPETUAL))
    await subscribed(venue, "user.orders.any.any.raw")
    placed = await venue.create_order(PERPETUAL, "limit", "buy", 100, round(bid * 0.99), {"postOnly": True})
    told = await heard
    working = await venue.fetch_open_orders(PERPETUAL)
    await venue.cancel_order(placed["id"], PERPETUAL)
    after = await venue.fetch_order(placed["id"], PERPETUAL)
    taken = await venue.create_order(PERPETUAL, "market", "buy", 100)
    balance = await venue.fetch_balance({"code": "BTC"})
    positions = await venue.fetch_positions([PERPETUAL])
    return {
        "placed": {key: placed[key] for key in ("id", "status", "price", "amount", "postOnly")},
        "told": [{key: order[key] for key in ("id", "status")} for order in told],
        "working": [order["id"] for order in working],
        "cancelled": after["status"],
        "taken": {key: taken[key] for key in ("status", "filled", "average")},
        "equity": balance["BTC"]["total"],
        "positions": [{"symbol": row["symbol"], "side": row["side"], "notional": row["notional"]} for row in positions],
    }


async def subscribed(venue: Any, channel: str) -> None:
    """Until the client has asked for the channel; orders made after that are heard of."""
    client = venue.client(venue.urls["api"]["ws"])
    while channel not in client.subscriptions:
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(asyncio.wait_for(session(*sys.argv[1:5]), PATIENCE_S))))

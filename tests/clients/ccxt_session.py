"""What an independent public client makes of the paper venue, as one JSON object on stdout.

Run by the Python of its own environment (ccxt pins packages that the desk's own environment has otherwise):
`.venv-clients/bin/python tests/clients/ccxt_session.py HTTP_URL WS_URL ID SECRET`
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable
from typing import Any

import ccxt.pro

PERPETUAL = "BTC/USD:BTC"
PATIENCE_S = 60.0
HOUR_MS = 3_600_000


async def session(http: str, ws: str, name: str, secret: str) -> dict[str, Any]:
    venue = ccxt.pro.deribit({"apiKey": name, "secret": secret, "enableRateLimit": False})
    venue.urls["api"] = {"rest": http, "ws": ws}
    try:
        markets = await venue.load_markets()
        option = near_the_money(markets, await first_price(venue))
        return {
            "listing": listing(markets, option),
            "market": await market_data(venue, option),
            "watched": await watch(venue, option),
            "orders": await orders(venue),
            "triggers": await triggers(venue),
            "traded": await trade(venue, option),
            "account": await account(venue),
        }
    finally:
        await venue.close()


async def first_price(venue: Any) -> float:
    """Of the perpetual's last trade, once there has been one."""
    while (last := (await venue.fetch_ticker(PERPETUAL))["last"]) is None:
        await asyncio.sleep(0.1)
    return float(last)


def near_the_money(markets: dict[str, Any], price: float) -> str:
    """The option of the first expiry whose strike is nearest."""
    options = [market for market in markets.values() if market["option"] and market["base"] == "BTC"]
    found = min(options, key=lambda market: (market["expiry"], abs(market["strike"] - price), market["symbol"]))
    return str(found["symbol"])


def listing(markets: dict[str, Any], option: str) -> dict[str, Any]:
    rows = list(markets.values())
    keys = ("id", "strike", "optionType", "expiry", "inverse", "contractSize", "precision", "limits", "maker", "taker")
    return {
        "markets": len(rows),
        "options": sum(market["option"] for market in rows),
        "swaps": sorted(market["id"] for market in rows if market["swap"]),
        "futures": sum(market["future"] for market in rows),
        "active": all(market["active"] for market in rows),
        "option": {key: markets[option][key] for key in keys},
    }


async def market_data(venue: Any, option: str) -> dict[str, Any]:
    """Everything that may be asked by HTTP without an account."""
    now = venue.milliseconds()
    book = await venue.fetch_order_book(PERPETUAL, limit=10)
    ticker, quote = await venue.fetch_ticker(option), await venue.fetch_option(option)
    greeks, tickers = await venue.fetch_greeks(option), await venue.fetch_tickers([PERPETUAL, option])
    bars = await venue.fetch_ohlcv(PERPETUAL, "1m", now - HOUR_MS, 60)
    trades = await venue.fetch_trades(PERPETUAL, None, 5)
    since = await venue.fetch_trades(PERPETUAL, now - HOUR_MS, 5)
    funding = await venue.fetch_funding_rate(PERPETUAL)
    return {
        "clock_ms": abs(await venue.fetch_time() - now),
        "status": (await venue.fetch_status())["status"],
        "currencies": sorted(await venue.fetch_currencies()),
        "bids": book["bids"],
        "asks": book["asks"],
        "ticker": {key: ticker[key] for key in ("symbol", "bid", "ask")},
        "option": {key: quote[key] for key in ("symbol", "impliedVolatility", "openInterest", "underlyingPrice")},
        "greeks": {key: greeks[key] for key in ("delta", "gamma", "theta", "vega", "rho")},
        "tickers": sorted(tickers),
        "chain": len(await venue.fetch_option_chain("BTC")),
        "bars": bars,
        "trades": [{key: trade[key] for key in ("id", "side", "price", "amount")} for trade in trades],
        "since": len(since),
        "funding": funding["fundingRate"],
        "funding_history": len(await venue.fetch_funding_rate_history(PERPETUAL, now - 8 * HOUR_MS, 5)),
        "volatility_history": len(await venue.fetch_volatility_history("BTC")),
        "open_interest": (await venue.fetch_open_interest(PERPETUAL))["openInterestValue"],
        "liquidations": len(await venue.fetch_liquidations(PERPETUAL)),
    }


async def watch(venue: Any, option: str) -> dict[str, Any]:
    """By websocket. Books are kept by the client from snapshots and changes; it raises by itself on a broken chain."""
    books = []
    for symbol, count in ((PERPETUAL, 20), (option, 1)):
        for _ in range(count):
            book = await venue.watch_order_book(symbol)
        books.append({"symbol": symbol, "bids": book["bids"][:5], "asks": book["asks"][:5], "nonce": book["nonce"]})
    trades = await venue.watch_trades(PERPETUAL)
    bars = await venue.watch_ohlcv(PERPETUAL, "1m")
    best = await venue.watch_bids_asks([PERPETUAL])
    ticker = await venue.watch_ticker(option)
    return {
        "books": books,
        "trades": len(trades),
        "bars": len(bars),
        "best": {key: best[PERPETUAL][key] for key in ("bid", "ask")},
        "ticker": ticker["symbol"],
        "balance": (await venue.watch_balance())["BTC"]["total"],
    }


async def orders(venue: Any) -> dict[str, Any]:
    """A post-only order below the touch: placed, heard of, changed, listed and cancelled."""
    bid = (await venue.fetch_order_book(PERPETUAL))["bids"][0][0]
    heard = await listening(venue, venue.watch_orders(PERPETUAL), "user.orders.any.any.raw")
    placed = await venue.create_order(PERPETUAL, "limit", "buy", 100, round(bid * 0.99), {"postOnly": True})
    told = await heard
    edited = await venue.edit_order(placed["id"], PERPETUAL, "limit", "buy", 200, round(bid * 0.985))
    working = await venue.fetch_open_orders(PERPETUAL)
    await venue.cancel_order(placed["id"], PERPETUAL)
    after = await venue.fetch_order(placed["id"], PERPETUAL)
    return {
        "placed": {key: placed[key] for key in ("id", "status", "price", "amount", "postOnly")},
        "told": [{key: order[key] for key in ("id", "status")} for order in told],
        "edited": {key: edited[key] for key in ("id", "status", "price", "amount")},
        "working": [order["id"] for order in working],
        "cancelled": after["status"],
    }


async def triggers(venue: Any) -> dict[str, Any]:
    """A stop, a take and a trailing stop, each waiting; then all cancelled at once."""
    bid = (await venue.fetch_order_book(PERPETUAL))["bids"][0][0]
    made = [
        await venue.create_order(
            PERPETUAL, "limit", "sell", 100, round(bid * 0.98), {"stopLossPrice": round(bid * 0.985)}
        ),
        await venue.create_order(PERPETUAL, "market", "sell", 100, None, {"takeProfitPrice": round(bid * 1.01)}),
        await venue.create_order(PERPETUAL, "market", "sell", 100, None, {"trailingAmount": 500}),
    ]
    working = await venue.fetch_open_orders(PERPETUAL)
    await venue.cancel_all_orders(PERPETUAL)
    return {
        "states": [order["info"]["order_state"] for order in made],
        "types": [order["info"]["order_type"] for order in made],
        "working": len(working),
        "left": len(await venue.fetch_open_orders(PERPETUAL)),
    }


async def trade(venue: Any, option: str) -> dict[str, Any]:
    """A small taker in the perpetual, one in an option that must be filled at once or not at all."""
    heard = await listening(venue, venue.watch_my_trades(PERPETUAL), "user.trades.any.any.raw")
    taken = await venue.create_order(PERPETUAL, "market", "buy", 100)
    told = await heard
    asks = (await venue.fetch_order_book(option))["asks"]
    bought = await venue.create_order(option, "limit", "buy", 0.1, asks[0][0], {"timeInForce": "IOC"})
    return {
        "taken": {key: taken[key] for key in ("status", "filled", "average")},
        "told": sum(fill["amount"] for fill in told),
        "bought": {key: bought[key] for key in ("status", "symbol")},
        "by_order": len(await venue.fetch_order_trades(taken["id"], PERPETUAL)),
        "mine": len(await venue.fetch_my_trades(PERPETUAL, None, 50)),
        "since": len(await venue.fetch_my_trades(None, venue.milliseconds() - HOUR_MS, 50)),
        "closed": [order["status"] for order in await venue.fetch_closed_orders(PERPETUAL)],
    }


async def account(venue: Any) -> dict[str, Any]:
    balance = await venue.fetch_balance()
    positions = await venue.fetch_positions()
    return {
        "equity": balance["BTC"]["total"],
        "free": balance["BTC"]["free"],
        "positions": [{key: row[key] for key in ("symbol", "side", "notional")} for row in positions],
        "position": (await venue.fetch_position(PERPETUAL))["side"],
        "accounts": [row["id"] for row in await venue.fetch_accounts()],
        "fees": len(await venue.fetch_trading_fees()),
        "moved": [len(await ask("BTC")) for ask in (venue.fetch_deposits, venue.fetch_withdrawals)],
        "liquidations": len(await venue.fetch_my_liquidations(PERPETUAL)),
    }


async def listening(venue: Any, hearing: Awaitable[Any], channel: str) -> asyncio.Task[Any]:
    """Until the client has asked for the channel; what happens after that is heard of."""

    async def hear() -> Any:
        return await hearing

    heard = asyncio.create_task(hear())
    client = venue.client(venue.urls["api"]["ws"])
    while channel not in client.subscriptions:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)  # the venue may not yet have read it
    return heard


if __name__ == "__main__":
    print(json.dumps(asyncio.run(asyncio.wait_for(session(*sys.argv[1:5]), PATIENCE_S))))

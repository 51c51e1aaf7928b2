"""Many clients at the paper venue's door: all hear the same, in the same order, and none keeps another waiting."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import websockets

from tests.shell.venues import PATIENCE_S, call, login, run, serving

CLIENTS = 50
PERPETUAL = "BTC-PERPETUAL"
INDEX = "deribit_price_index.btc_usd"
CHANNELS = [f"book.{PERPETUAL}.raw", f"trades.{PERPETUAL}.raw", f"ticker.{PERPETUAL}.100ms", INDEX,
            "markprice.options.btc_usd"]  # fmt: skip


async def heard(line: websockets.ClientConnection, seconds: int) -> list[dict[str, Any]]:
    """What is pushed between two tellings of the index, `seconds` of the market apart, each told once."""
    said: list[dict[str, Any]] = []
    start = 0
    while True:
        frame = json.loads(await asyncio.wait_for(line.recv(), PATIENCE_S))
        if frame.get("method") != "subscription":
            continue
        params = frame["params"]
        if params["channel"] == INDEX:
            now = params["data"]["timestamp"]
            start = start or now
            if now >= start + 1000 * seconds:
                return said
        if start:
            said.append(params)


def test_fifty_clients_hear_the_same_and_nobody_is_starved() -> None:
    async def story() -> None:
        async with serving(speed=2.0) as address, asyncio.TaskGroup() as group:
            lines = [await websockets.connect(address, max_queue=None) for _ in range(CLIENTS)]
            for line in lines:
                await login(line)
                await call(line, "private/subscribe", channels=CHANNELS)
            listening = [group.create_task(heard(line, 4)) for line in lines]
            order = {"instrument_name": PERPETUAL, "amount": 10, "type": "market"}
            async with websockets.connect(address) as busy:
                await login(busy)
                assert (await call(busy, "private/buy", **order))["order"]["order_state"] == "filled"
            told = [await listener for listener in listening]
            for line in lines:
                await line.close()
            assert all(len(said) > 40 for said in told)
            # they may have begun a second apart; what they share of the book is the same, frame for frame
            begin = max(said[0]["data"]["timestamp"] for said in told)
            end = min(said[-1]["data"]["timestamp"] for said in map(books, told))
            shared = [[p for p in books(said) if begin <= p["data"]["timestamp"] < end] for said in told]
            assert len(shared[0]) > 10
            assert all(one == shared[0] for one in shared)

    run(story)


def books(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [params for params in said if params["channel"].startswith("book.")]


def test_two_clients_of_one_account_see_each_others_orders_in_the_same_order() -> None:
    async def story() -> None:
        async with serving() as address:
            one, two, *eyes = [await websockets.connect(address) for _ in range(4)]
            for line in (one, two, *eyes):
                await login(line)
            for eye in eyes:
                await call(eye, "private/subscribe", channels=["user.orders.any.any.raw"])
            best = (await call(one, "public/get_order_book", instrument_name=PERPETUAL))["best_bid_price"]
            resting = {"instrument_name": PERPETUAL, "amount": 10, "type": "limit", "price": best - 100}
            mine = (await call(one, "private/buy", **resting))["order"]["order_id"]
            theirs = (await call(two, "private/buy", **resting))["order"]["order_id"]
            gone = await call(two, "private/cancel", order_id=mine)
            again = await call(one, "private/cancel", order_id=mine)
            await call(one, "private/cancel", order_id=theirs)
            assert (gone["order_state"], again["message"]) == ("cancelled", "not_open_order")
            fates = [[await fate(eye) for _ in range(4)] for eye in eyes]
            expected = [(mine, "open"), (theirs, "open"), (mine, "cancelled"), (theirs, "cancelled")]
            assert fates == [expected, expected]
            for line in (one, two, *eyes):
                await line.close()

    run(story)


async def fate(line: websockets.ClientConnection) -> tuple[str, str]:
    """The next order that the line is told of."""
    while True:
        frame = json.loads(await asyncio.wait_for(line.recv(), PATIENCE_S))
        if frame.get("method") == "subscription":
            order = frame["params"]["data"]
            return order["order_id"], order["order_state"]

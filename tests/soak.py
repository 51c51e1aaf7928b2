"""The paper venue under load, in its own process: `python -m tests.soak --minutes 30 --speed 20` prints one JSON.

Fifty readers, two traders on one account, and one who never reads. Told at the end: how many frames the readers heard
(least and most), what the slow one was told when it was dropped, how the venue's memory went over the minutes, and
what share of a core a second of market cost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import websockets

READERS = 50
PATIENCE_S = 60.0
SLOW_S = 120.0  # the slow one's patience
MINUTE_MS = 60_000
PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")
PERPETUAL = "BTC-PERPETUAL"


class Line:
    """One client: calls with answers, and a count of what it was pushed."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket, self.heard, self.time = socket, 0, 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self.reading = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, address: str, secret: str = "paper") -> Line:
        line = cls(await websockets.connect(address, max_size=None, ping_interval=None, close_timeout=1))
        grant = {"grant_type": "client_credentials", "client_id": "paper", "client_secret": secret}
        await line.call("public/auth", **grant)
        return line

    async def call(self, method: str, **params: Any) -> Any:
        """The result, or the error object."""
        self._number += 1
        number, answer = self._number, asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        await self.socket.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))
        return await asyncio.wait_for(answer, PATIENCE_S)

    async def _read(self) -> None:
        async for text in self.socket:
            if '"id":' in text[:40]:
                said = json.loads(text)
                self._waiting.pop(said["id"]).set_result(said.get("result", said.get("error")))
                continue
            self.heard += 1
            if "deribit_price_index" in text[:100]:
                self.time = json.loads(text)["params"]["data"]["timestamp"]


async def trade(line: Line, end_ms: int) -> int:
    """Place, edit, cancel and take, until the market's time is up; how many calls were answered."""
    calls = 0
    while line.time < end_ms:
        book = await line.call("public/get_order_book", instrument_name=PERPETUAL, depth=5)
        if "best_bid_price" not in book:
            await asyncio.sleep(0.05)
            continue
        order = {"instrument_name": PERPETUAL, "amount": 100, "type": "limit", "post_only": True}
        placed = await line.call("private/buy", price=book["best_bid_price"] - 20, label="soak", **order)
        if "order" in placed:
            await line.call("private/edit", order_id=placed["order"]["order_id"], amount=200,
                            price=book["best_bid_price"] - 25)  # fmt: skip
            await line.call("private/cancel", order_id=placed["order"]["order_id"])
        for side in ("buy", "sell"):
            await line.call(f"private/{side}", instrument_name=PERPETUAL, amount=10, type="market")
        calls += 6
        await asyncio.sleep(0.05)
    return calls


def used(pid: int) -> tuple[float, float]:
    """Resident MB, and seconds of processor time so far."""
    resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 1e6
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return resident, (int(fields[11]) + int(fields[12])) / TICK


async def watch(line: Line, pid: int, end_ms: int) -> list[tuple[float, float]]:
    """Memory and processor time at each minute of the market."""
    seen, minute = [], 0
    while line.time < end_ms:
        if line.time // MINUTE_MS != minute:
            minute = line.time // MINUTE_MS
            seen.append(used(pid))
            print(f"minute {len(seen) - 1}: {seen[-1][0]:.0f} MB, {seen[-1][1]:.1f} s", file=sys.stderr, flush=True)
        await asyncio.sleep(0.02)
    return [*seen, used(pid)]


async def slow_one(address: str, channels: list[str]) -> str:
    """Subscribes to everything and reads far too slowly; what it was told in the end."""
    socket = await websockets.connect(address, max_size=None, max_queue=1, ping_interval=None, close_timeout=1)
    grant = {"grant_type": "client_credentials", "client_id": "paper", "client_secret": "paper"}
    for number, (method, params) in enumerate((("public/auth", grant), ("private/subscribe", {"channels": channels}))):
        await socket.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))
    try:
        async with asyncio.timeout(SLOW_S):
            while True:
                await socket.recv()
                await asyncio.sleep(0.02)
    except websockets.ConnectionClosed as closed:
        return f"{closed.rcvd.code} {closed.rcvd.reason}" if closed.rcvd else "hung up without a word"
    except TimeoutError:
        return "never dropped"


async def soak(address: str, pid: int, minutes: float) -> dict[str, Any]:
    readers = [await Line.open(address) for _ in range(READERS)]
    listed = await readers[0].call("public/get_instruments", currency="BTC", kind="option", expired=False)
    names = [row["instrument_name"] for row in listed]
    everything = [f"{family}.{name}.raw" for name in names for family in ("book", "ticker", "trades")]
    few = [f"book.{PERPETUAL}.100ms", f"trades.{PERPETUAL}.100ms", *(f"ticker.{name}.100ms" for name in names[:20]),
           "deribit_price_index.btc_usd", "markprice.options.btc_usd"]  # fmt: skip
    for line in readers:
        await line.call("private/subscribe", channels=few)
    slow = asyncio.create_task(slow_one(address, everything[:500]))
    while not readers[0].time:
        await asyncio.sleep(0.01)
    start, end = readers[0].time, readers[0].time + round(minutes * MINUTE_MS)
    first = {line: line.heard for line in readers}
    traders = [asyncio.create_task(trade(line, end)) for line in readers[:2]]
    seen = await watch(readers[0], pid, end)
    calls = [await trader for trader in traders]
    heard = [line.heard - first[line] for line in readers[2:]]
    told = await slow
    for line in readers:
        line.reading.cancel()
    await asyncio.gather(*(line.socket.close() for line in readers))
    half = len(seen) // 2
    market_s = (readers[0].time - start) / 1000
    return {
        "market_minutes": round(market_s / 60, 1), "readers": len(heard), "heard": [min(heard), max(heard)],
        "calls": calls, "slow": told, "mb": [round(mb, 1) for mb, _ in seen],
        "growth_mb_second_half": round(seen[-1][0] - seen[half][0], 1),
        "cpu_of_a_core_per_market_second": round((seen[-1][1] - seen[0][1]) / market_s, 4),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--speed", default="10")
    chosen = parser.parse_args()
    command = [sys.executable, "-m", "engine", "venue", "--port", "0", "--speed", chosen.speed]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as venue:
        try:
            assert venue.stdout is not None
            address = venue.stdout.readline().split()[1]
            print(json.dumps(asyncio.run(soak(address, venue.pid, chosen.minutes))))
        finally:
            venue.terminate()


if __name__ == "__main__":
    main()

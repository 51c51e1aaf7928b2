"""A market as a recording, written for a test: one expiry of options, some of which are not as they should be."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine import black

DAY = "27AUG21"
EXPIRY_S = 1_630_051_200
START_S = 1_626_993_723
FORWARD = 32_000.0
STRIKES = range(22_000, 44_000, 2_000)
HALF_SPREAD = 0.0005  # coin
PACE_S = 0.25


@dataclass(frozen=True)
class Odd:
    """What is other than fair with an option: another volatility, quotes of its own, a side or a state."""

    iv: float = 0.0  # added to the smile's
    bid: float | None = None
    ask: float | None = None
    state: str = "open"
    sides: tuple[str, ...] = field(default=("bid", "ask"))


def name_of(strike: int, call: bool) -> str:
    return f"BTC-{DAY}-{strike}-{'C' if call else 'P'}"


def write(path: Path, odd: dict[str, Odd], seconds: float = 20.0) -> Path:
    """Tickers of all options, over and over, as the venue's websocket says them; `odd` by instrument."""
    lines = []
    for step in range(int(seconds / PACE_S)):
        t = START_S + step * PACE_S
        for data in tickers(t, odd):
            frame = {
                "jsonrpc": "2.0",
                "method": "subscription",
                "params": {"channel": f"ticker.{data['instrument_name']}.raw", "data": data},
            }
            lines.append(f"{t:.6f}: {json.dumps(frame)}\n")
    path.write_text("".join(lines))
    return path


def tickers(t: float, odd: dict[str, Odd]) -> Iterable[dict[str, Any]]:
    years = (EXPIRY_S - t) / (365 * 86_400)
    for strike in STRIKES:
        for call in (True, False):
            name = name_of(strike, call)
            yield ticker(t, name, strike, call, years, odd.get(name, Odd()))


def ticker(t: float, name: str, strike: int, call: bool, years: float, one: Odd) -> dict[str, Any]:
    iv = 0.6 + 0.4 * (strike / FORWARD - 1.0) ** 2 + one.iv
    fair = black.price(FORWARD, strike, years, iv, call)
    bid, ask = max(0.0005, fair - HALF_SPREAD), fair + HALF_SPREAD
    bid, ask = (bid if one.bid is None else one.bid), (ask if one.ask is None else one.ask)
    both = {"bid": bid, "ask": ask}
    quotes: dict[str, Any] = {}
    for side, price in both.items():
        told = side in one.sides
        quotes[f"best_{side}_price"] = round(price, 4) if told else 0.0
        quotes[f"best_{side}_amount"] = 5.0 if told else 0.0
        found = black.implied_vol(price, FORWARD, strike, years, call) if told else None
        quotes[f"{side}_iv"] = round(100 * (found or 0.0), 2)
    return {
        "instrument_name": name, "timestamp": int(t * 1000), "state": one.state, "underlying_price": FORWARD,
        "underlying_index": f"BTC-{DAY}", "index_price": FORWARD, "estimated_delivery_price": FORWARD,
        "mark_price": round(fair, 6), "mark_iv": round(100 * iv, 2), "last_price": round(fair, 4),
        "min_price": 0.0001, "max_price": 1.0, "interest_rate": 0.0, "open_interest": 10.0, "settlement_price": 0.0,
        "stats": {"volume": None, "price_change": None, "low": None, "high": None},
        "greeks": {"vega": 1.0, "theta": -1.0, "rho": 0.0, "gamma": 0.0, "delta": 0.5}, **quotes,
    }  # fmt: skip

"""Files as others would have written them: frame logs, Tardis's rows, and its raw feed."""

from __future__ import annotations

from pathlib import Path

from engine.market.deribit import wire
from engine.market.deribit.frames import notification
from engine.research.imports import open_recording

# ------------------------------------------------------------ a frame log

CALL = "BTC-27MAR26-80000-C"


def book(name: str, bids: list[tuple[float, float]], asks: list[tuple[float, float]] | None = None) -> bytes:
    new_bids: list[wire.Level] = [("new", *level) for level in bids]
    new_asks: list[wire.Level] = [("new", *level) for level in asks or []]
    data = wire.BookData(type="snapshot", timestamp=1_770_000_000_000, instrument_name=name, change_id=1,
                         bids=new_bids, asks=new_asks)  # fmt: skip
    return notification(f"book.{name}.raw", data)


def ticker(name: str) -> bytes:
    return notification(f"ticker.{name}.raw", wire.TickerData(instrument_name=name, timestamp=1_770_000_000_000))


def write(folder: Path, *lines: bytes, name: str = "2026-02-02.ws.txt") -> Path:
    path = folder / name
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def line(t: str, frame: bytes) -> bytes:
    return t.encode() + b": " + frame


# ------------------------------------------------------------ Tardis's

T0 = 1_585_699_200_000_000  # µs
PERPETUAL = "BTC-PERPETUAL"
BOOK = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount"
TRADES = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"
QUOTES = "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount"


def row(*cells: object, at: int = 0, symbol: str = PERPETUAL, exchange: str = "deribit") -> str:
    return ",".join(map(str, (exchange, symbol, T0 + at - 5000, T0 + at, *cells)))


def written(folder: Path, *lines: str, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


SNAPSHOT = [
    row("true", "bid", 6400, 100), row("true", "bid", 6399.5, 50), row("true", "bid", 6399, 0),
    row("true", "ask", 6400.5, 70),
]  # fmt: skip


def raw_of(log: Path, folder: Path, name: str = "raw.txt") -> Path:
    """A frame log as Tardis would have kept it: 100 ns, and an empty line where the connection was lost."""
    lines = [b""]
    for _, frame in open_recording(log):
        lines.append(b"2021-07-22T22:42:%02d.%07dZ " % divmod(40_000_000 + len(lines) * 10_000, 10_000_000) + frame)
    path = folder / name
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path

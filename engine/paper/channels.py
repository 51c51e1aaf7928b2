"""Names of channels: what each means on this listing, or that there is no such channel.

A channel covers one instrument, or all of a kind ("any"), and has a pace: raw, 100ms or agg2 (a second).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from engine.domain import Instrument, Kind

PACES = ("raw", "100ms", "agg2")
DEPTHS = (1, 10, 20)
_KINDS = {"option": (Kind.OPTION,), "future": (Kind.FUTURE, Kind.PERPETUAL), "any": tuple(Kind)}
_BY_INSTRUMENT = ("book", "ticker", "trades", "quote", "perpetual")


class Topic(msgspec.Struct, frozen=True):
    """`family` as in the name's first words; `numbers` the instruments; `depth` 0 unless a window."""

    channel: str
    family: str
    numbers: frozenset[int]
    pace: str = "raw"
    depth: int = 0

    @property
    def private(self) -> bool:
        return self.family.startswith("user.")

    @property
    def needs_account(self) -> bool:
        """Private ones, and the raw books and tickers that the venue keeps for its customers."""
        return self.private or (self.pace == "raw" and self.family in ("book", "ticker", "trades", "perpetual"))


def topic(channel: str, instruments: Sequence[Instrument], coin: str) -> Topic | None:
    """None for a channel that is not offered."""
    parts = channel.split(".")
    head = ".".join(parts[:2])
    if parts[0] == "user" and len(parts) >= 3:
        return _user(channel, parts, instruments, coin)
    if head == "instrument.state" and len(parts) == 4:
        covered = _covered(parts[2:4], instruments, coin)
        return Topic(channel, "instrument.state", covered) if covered else None
    if channel == f"markprice.options.{coin.lower()}_usd":
        return Topic(channel, "markprice.options", frozenset(), "agg2")
    if parts[0] in ("deribit_price_index", "deribit_volatility_index") and parts[1:] == [f"{coin.lower()}_usd"]:
        return Topic(channel, parts[0], frozenset(), "agg2")
    return _market(channel, parts, instruments, coin)


def _market(channel: str, parts: list[str], instruments: Sequence[Instrument], coin: str) -> Topic | None:
    family = parts[0]
    if family not in _BY_INSTRUMENT or len(parts) < 2:
        return None
    if family == "quote" and len(parts) == 2:
        covered = _covered(parts[1:], instruments, coin)
        return Topic(channel, family, covered, "100ms") if covered else None
    if parts[-1] not in PACES:
        return None
    if family == "book" and len(parts) == 5:
        return _window(channel, parts, instruments, coin)
    covered = _covered(parts[1:-1], instruments, coin)
    if not covered or (family != "trades" and len(parts) != 3):
        return None
    return Topic(channel, family, covered, parts[-1])


def _window(channel: str, parts: list[str], instruments: Sequence[Instrument], coin: str) -> Topic | None:
    """`book.X.{group}.{depth}.{interval}`: only ungrouped ones are offered."""
    covered = _covered(parts[1:2], instruments, coin)
    if not covered or parts[2] != "none" or parts[3] not in map(str, DEPTHS) or parts[4] == "raw":
        return None
    return Topic(channel, "window", covered, parts[4], int(parts[3]))


def _user(channel: str, parts: list[str], instruments: Sequence[Instrument], coin: str) -> Topic | None:
    family = ".".join(parts[:2])
    if family == "user.portfolio":
        return Topic(channel, family, frozenset()) if parts[2:] in ([coin.lower()], ["any"]) else None
    if family not in ("user.orders", "user.trades", "user.changes") or parts[-1] not in PACES:
        return None
    covered = _covered(parts[2:-1], instruments, coin)
    return Topic(channel, family, covered, parts[-1]) if covered else None


def _covered(words: list[str], instruments: Sequence[Instrument], coin: str) -> frozenset[int]:
    """One instrument by name, or `kind.currency`."""
    if len(words) == 1:
        return frozenset(n for n, i in enumerate(instruments) if i.name == words[0])
    if len(words) == 2 and words[0] in _KINDS and words[1].upper() in (coin, "ANY"):
        return frozenset(n for n, i in enumerate(instruments) if i.kind in _KINDS[words[0]])
    return frozenset()

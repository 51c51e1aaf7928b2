"""Names of channels: what each means on one coin's listing, or that it has no such channel.

A channel covers one instrument, all of a kind ("any" for every one), an index, or the platform. Its pace is raw
(at once), 100ms, or agg2 (a second). A family is a name's fixed words, except that `book.X.{group}.{depth}.{pace}` is
the family "window".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from engine.domain import Instrument, Kind
from engine.paper.protocol.bars import RESOLUTIONS

PACES = ("raw", "100ms", "agg2")
DEPTHS = (1, 10, 20)
GROUPS = {"none": 0, "1": 1, "2": 2, "5": 5, "10": 10, "25": 25, "100": 100, "250": 250}
KINDS = {"option": (Kind.OPTION,), "future": (Kind.FUTURE, Kind.PERPETUAL), "any": tuple(Kind)}
ONE_BY_PACE = ("book", "ticker", "perpetual")  # one instrument, with a pace
MANY_BY_PACE = ("trades", "user.orders", "user.trades", "user.changes", "user.combo_trades")  # one, or kind.currency
ONE = ("incremental_ticker", "quote")  # one instrument, no pace
OF_INDEX = ("deribit_price_index", "deribit_price_ranking", "deribit_price_statistics", "deribit_volatility_index",
            "estimated_expiration_price", "markprice.options", "user.mmp_trigger")  # fmt: skip
BARE = ("announcements", "platform_state", "platform_state.public_methods_state", "user.lock", "user.access_log")


class Topic(msgspec.Struct, frozen=True):
    """`numbers` are the instruments covered; `depth` 0 unless a window, `group` 0 for none; `resolution` of a chart."""

    channel: str
    family: str
    numbers: tuple[int, ...] = ()
    pace: str = "100ms"
    depth: int = 0
    group: int = 0
    resolution: str = ""

    @property
    def private(self) -> bool:
        return self.family.startswith("user.")


class Directory:
    """Finds channels on one coin's listing."""

    def __init__(self, instruments: Sequence[Instrument], number: Mapping[str, int], coin: str) -> None:
        self.number, self.coin, self.index = number, coin, f"{coin.lower()}_usd"
        self._by_kind = {
            word: tuple(n for n, i in enumerate(instruments) if i.kind in kinds) for word, kinds in KINDS.items()
        }
        self._perpetuals = {n for n, i in enumerate(instruments) if i.kind is Kind.PERPETUAL}
        self._readers: dict[str, Callable[[str, str, list[str]], Topic | None]] = {
            **dict.fromkeys(ONE_BY_PACE, self._paced), **dict.fromkeys(MANY_BY_PACE, self._many),
            **dict.fromkeys(ONE, self._one), **dict.fromkeys(OF_INDEX, self._of_index),
            **dict.fromkeys(BARE, self._bare), "instrument.state": self._state, "chart.trades": self._chart,
            "user.portfolio": self._portfolio,
        }  # fmt: skip

    def topic(self, channel: str) -> Topic | None:
        """None for a channel that is not offered here."""
        parts = channel.split(".")
        for words in (1, 2):
            family = ".".join(parts[:words])
            reader = self._readers.get(family)
            found = reader(channel, family, parts[words:]) if reader is not None else None
            if found is not None:
                return found
        return None

    def _one(self, channel: str, family: str, rest: list[str]) -> Topic | None:
        n = self.number.get(rest[0]) if len(rest) == 1 else None
        return None if n is None else Topic(channel, family, (n,))

    def _paced(self, channel: str, family: str, rest: list[str]) -> Topic | None:
        n = self.number.get(rest[0]) if rest else None
        if n is None or rest[-1] not in PACES:
            return None
        if family == "book" and len(rest) == 4:
            return self._window(channel, n, rest)
        if len(rest) != 2 or (family == "perpetual" and n not in self._perpetuals):
            return None
        return Topic(channel, family, (n,), rest[-1])

    def _window(self, channel: str, n: int, rest: list[str]) -> Topic | None:
        """`book.X.{group}.{depth}.{pace}`"""
        _, group, depth, pace = rest
        if group not in GROUPS or depth not in map(str, DEPTHS):
            return None
        return Topic(channel, "window", (n,), pace, int(depth), GROUPS[group])

    def _many(self, channel: str, family: str, rest: list[str]) -> Topic | None:
        numbers = self._covered(rest[:-1]) if rest and rest[-1] in PACES else ()
        return Topic(channel, family, numbers, rest[-1]) if numbers else None

    def _covered(self, words: list[str]) -> tuple[int, ...]:
        """One instrument by name, or `kind.currency`."""
        if len(words) == 1:
            n = self.number.get(words[0])
            return () if n is None else (n,)
        if len(words) == 2 and words[1].upper() in (self.coin, "ANY"):
            return self._by_kind.get(words[0], ())
        return ()

    def _state(self, channel: str, family: str, rest: list[str]) -> Topic | None:
        numbers = self._covered(rest) if len(rest) == 2 else ()
        return Topic(channel, family, numbers, "raw") if numbers else None

    def _of_index(self, channel: str, family: str, rest: list[str]) -> Topic | None:
        everywhere = family == "user.mmp_trigger" and rest == ["all"]
        return Topic(channel, family, (), "agg2") if rest == [self.index] or everywhere else None

    def _portfolio(self, channel: str, family: str, rest: list[str]) -> Topic | None:
        """Published in capitals, served by the venue in small letters too."""
        here = [word.lower() for word in rest] in ([self.coin.lower()], ["any"])
        return Topic(channel, family) if here else None

    def _chart(self, channel: str, family: str, rest: list[str]) -> Topic | None:
        n = self.number.get(rest[0]) if len(rest) == 2 else None
        if n is None or rest[1] not in RESOLUTIONS:
            return None
        return Topic(channel, family, (n,), "agg2", resolution=rest[1])

    def _bare(self, channel: str, family: str, rest: list[str]) -> Topic | None:
        return None if rest else Topic(channel, family)

"""The operator of the paper venue: states of the market on command, prints off the book, announcements.

No client of the protocol can do any of this; the process has a door of its own for it, shut unless it is given a key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec

from engine.domain import MS, Side
from engine.market.deribit.errors import ERRORS, VenueError, refusal
from engine.market.deribit.methods import METHODS, Params
from engine.market.deribit.methods.public import GetAnnouncements
from engine.paper.floor.exchange import Exchange
from engine.paper.market import Market
from engine.paper.orders.terms import Refusal
from engine.paper.protocol.channels import KINDS
from engine.paper.protocol.private.params import lots, units
from engine.paper.protocol.publisher import Publication

Answer = tuple[int, dict[str, Any], list[Publication]]


class SetState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of one instrument, of a kind, of a coin, or, where none is named, of everything."""

    state: Literal["open", "settlement", "inactive", "locked", "halted", "archivized"]
    instrument_name: str | None = None
    kind: Literal["option", "future"] | None = None
    currency: str | None = None


class Print(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A trade that no book sees, between two accounts of the house."""

    instrument_name: str
    direction: Literal["buy", "sell"]
    price: float
    amount: float
    kind: Literal["block", "block_rfq", "combo"] = "block"
    id: Annotated[str, msgspec.Meta(max_length=64)] = "1"


class Announce(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    title: str
    body: str = ""
    important: bool = False


class PublicMethods(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether those who are not logged in may make public calls."""

    allowed: bool


class Refuse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The next so many calls of a private method are refused with this code: what clients must bear (10040, 13888)."""

    method: str
    code: int
    times: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 1


class Operator:
    """`table` are the public calls about the platform as a whole."""

    def __init__(self, markets: Mapping[str, Market]) -> None:
        self.markets, self.open_to_all = markets, True
        self.announcements: list[dict[str, Any]] = []
        self._refusing: dict[str, tuple[int, int]] = {}  # method → code, how many times more
        self._house = {coin: _two(market.exchange) for coin, market in markets.items()}
        self._commands: dict[str, tuple[type, Callable[[Any, int], Answer]]] = {
            "state": (SetState, self._set_state), "print": (Print, self._print),
            "announce": (Announce, self._announce), "public_methods": (PublicMethods, self._public_methods),
            "refuse": (Refuse, self._refuse),
        }  # fmt: skip
        self.table: dict[str, Callable[[int, Any], Any]] = {
            "public/status": self.status,
            "public/get_announcements": self.told,
        }

    def status(self, t: int, params: Params) -> Any:
        locked = [market.say.index_name for market in self.markets.values() if _locked(market.exchange)]
        word = "false" if not locked else "true" if len(locked) == len(self.markets) else "partial"
        return {"locked": word, "locked_indices": locked}

    def told(self, t: int, params: GetAnnouncements) -> Any:
        """The newest first."""
        before = t // MS if params.start_timestamp is None else params.start_timestamp
        return [each for each in reversed(self.announcements) if each["publication_timestamp"] <= before][
            : params.count
        ]

    def command(self, name: str, body: bytes, t: int) -> Answer:
        """→ (HTTP status, what to answer, what to publish). 404 for no such command, 400 for a wrong one."""
        known = self._commands.get(name)
        if known is None:
            return 404, {"error": f"no such command; there are {', '.join(self._commands)}"}, []
        kind, do = known
        try:
            return do(msgspec.json.decode(body or b"{}", type=kind), t)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return _wrong(str(error))

    def dump(self) -> dict[str, Any]:
        return {"open": self.open_to_all, "announcements": self.announcements, "refusing": self._refusing}

    def load(self, value: dict[str, Any]) -> None:
        self.open_to_all, self.announcements = value["open"], list(value["announcements"])
        self._refusing = {method: (code, times) for method, (code, times) in value["refusing"].items()}

    def refused(self, method: str) -> VenueError | None:
        """The refusal that was ordered for a call of this method."""
        code, times = self._refusing.pop(method, (0, 0))
        if times > 1:
            self._refusing[method] = code, times - 1
        return refusal(code) if times else None

    # within

    def _set_state(self, wanted: SetState, t: int) -> Answer:
        done = 0
        for exchange, n in self._chosen(wanted):
            done += not isinstance(exchange.set_state(t, n, wanted.state), Refusal)
        return (200, {"changed": done}, []) if done else _wrong("nothing there that could be put into that state")

    def _chosen(self, wanted: SetState) -> Iterator[tuple[Exchange, int | None]]:
        """Exchanges and instruments; None for all of an exchange's."""
        for coin, market in self.markets.items():
            exchange = market.exchange
            if wanted.currency not in (None, "any", coin):
                continue
            if wanted.instrument_name is not None:
                yield from ((exchange, n) for n in (exchange.number.get(wanted.instrument_name),) if n is not None)
            elif wanted.kind is not None:
                kinds = KINDS[wanted.kind]
                yield from ((exchange, n) for n, i in enumerate(exchange.instruments) if i.kind in kinds)
            else:
                yield exchange, None

    def _print(self, wanted: Print, t: int) -> Answer:
        for coin, market in self.markets.items():
            exchange, n = market.exchange, market.exchange.number.get(wanted.instrument_name)
            if n is None:
                continue
            i, (taker, maker) = exchange.instruments[n], self._house[coin]
            amount, price = lots(i, wanted.amount, None), units(i, wanted.price)
            if isinstance(amount, VenueError) or isinstance(price, VenueError):
                return _wrong("price and amount must be more than 0, and on the instrument's grid")
            if wanted.kind == "block_rfq" and not (wanted.id.isascii() and wanted.id.isdecimal()):
                return _wrong("the id of a block RFQ is a number")
            side = Side.BUY if wanted.direction == "buy" else Side.SELL
            trade = exchange.print_off_book(t, n, side, price, amount, taker=taker, maker=maker, kind=wanted.kind,
                                            number=wanted.id)  # fmt: skip
            return _wrong("it does not trade") if trade is None else (200, {"trade_id": market.say.id(trade.id)}, [])
        return _wrong("there is no such instrument")

    def _announce(self, wanted: Announce, t: int) -> Answer:
        said = {
            "id": len(self.announcements) + 1, "title": wanted.title, "body": wanted.body,
            "important": wanted.important, "confirmation": False, "publication_timestamp": t // MS,
        }  # fmt: skip
        self.announcements.append(said)
        return 200, {"id": said["id"]}, [("announcements", 0, said | {"action": "new"})]

    def _refuse(self, wanted: Refuse, t: int) -> Answer:
        if wanted.method not in METHODS or wanted.code not in ERRORS:
            return 400, {"error": "no such method, or no such code"}, []
        self._refusing[wanted.method] = wanted.code, wanted.times
        return 200, msgspec.to_builtins(wanted), []

    def _public_methods(self, wanted: PublicMethods, t: int) -> Answer:
        self.open_to_all = wanted.allowed
        said = {"allow_unauthenticated_public_requests": wanted.allowed}
        return 200, said, [("platform_state.public_methods_state", 0, said)]


def _two(exchange: Exchange) -> tuple[int, int]:
    """Accounts for prints off the book."""
    return exchange.open_account("block taker", 0.0, house=True), exchange.open_account("block maker", 0.0, house=True)


def _locked(exchange: Exchange) -> bool:
    """Whether nothing that is alive takes orders."""
    live = [n for n, stats in enumerate(exchange.stats) if not stats.closed]
    return bool(live) and not any(exchange.trades(n) for n in live)


def _wrong(why: str) -> Answer:
    return 400, {"error": why}, []

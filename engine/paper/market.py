"""One coin's market at the venue, and which coin a call or a channel means.

Each coin has an exchange of its own, with all that speaks of it. A call goes to the coin that its parameters name (an
instrument, an order, an index, a currency); one that names none is asked of every coin, and the answers are joined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.domain import NS
from engine.market.deribit.errors import VenueError
from engine.market.deribit.methods import Params
from engine.paper.clearing.house import ClearingSettings
from engine.paper.floor.exchange import Exchange
from engine.paper.instruments.fees import Fees
from engine.paper.instruments.listing import Spec, listing, renewed
from engine.paper.orders.terms import Rules
from engine.paper.protocol.history import History
from engine.paper.protocol.own import OwnStatements
from engine.paper.protocol.past import PastCalls
from engine.paper.protocol.private.calls import PrivateCalls
from engine.paper.protocol.public import PublicCalls
from engine.paper.protocol.publisher import Publisher
from engine.paper.protocol.statements import Statements

EVERY = ("any", "all", "grouped")


class Market:
    """One coin's exchange, and all that speaks of it, listed by `spec` from `start_ns` on."""

    def __init__(self, spec: Spec, start_ns: int, rules: Rules | None = None, fees: Fees | None = None,
                 clearing: ClearingSettings | None = None) -> None:  # fmt: skip
        self.coin, self.spec, self.fees, self._delivered = spec.coin, spec, fees, 0
        # numbers go on from an earlier epoch's: no order of today is mistaken for one of yesterday
        self.exchange = Exchange(listing(start_ns, spec, fees), spec.index, start_ns // NS * 1000, rules, fees,
                                 start_ns, clearing)  # fmt: skip
        self.say = Statements(self.exchange, spec.coin)
        self.own = OwnStatements(self.say)
        self.history = History(self.exchange)
        self.publisher = Publisher(self.own, self.history)
        past = PastCalls(self.exchange, self.say, self.history)
        self.public = PublicCalls(self.exchange, self.say, start_ns).table | past.table
        self.private = PrivateCalls(self.exchange, self.own).table

    def second(self, t: int, relists: bool) -> bool:
        """What the venue does by itself at each full second; whether it lists more than before. After an expiry
        (`relists`) it lists what has come near."""
        exchange, clearing = self.exchange, self.exchange.clearing
        clearing.turn(t)
        exchange.reprice(t)
        if clearing.delivered == self._delivered or not relists:
            return False
        self._delivered = clearing.delivered
        new = renewed(t, self.spec, exchange.marks.index, exchange.instruments, self.fees)
        exchange.enlist(t, new)
        self._listed()
        return bool(new)

    def dump(self) -> dict[str, Any]:
        return {"exchange": self.exchange.dump(), "history": self.history.dump()}

    def load(self, value: dict[str, Any]) -> None:
        """Into a market of the same listing."""
        self.exchange.load(value["exchange"])
        self._delivered = self.exchange.clearing.delivered
        self._listed()
        self.history.load(value["history"])

    def _listed(self) -> None:
        """Those who keep something for each instrument, or look them up, are told that there are more."""
        for each in (self.say, self.history, self.publisher):
            each.listed()


def addressed(markets: Mapping[str, Market], params: Params) -> Sequence[Market]:
    """The markets a call is meant for. What is listed nowhere is the first's to refuse."""
    coin = _named(params)
    if coin is None:
        return tuple(markets.values())
    found = markets.get(coin)
    return (found if found is not None else next(iter(markets.values())),)


def _named(params: Params) -> str | None:
    """The coin that the parameters name; None where they name none, or any."""
    name = getattr(params, "instrument_name", None) or getattr(params, "order_id", None)
    if name:
        return coin_of(name)
    index = getattr(params, "index_name", None)
    if index:
        return None if index in EVERY else str(index).partition("_")[0].upper()
    currency = getattr(params, "currency", None)
    return currency if isinstance(currency, str) and currency not in EVERY else None


def coin_of(name: str) -> str:
    """Of an instrument or of an order's id; plain digits are BTC's."""
    head = name.partition("-")[0]
    return "BTC" if head.isdecimal() else head


def joined(answers: Sequence[Any]) -> Any:
    """What several coins answered, as one: lists after each other (names once), counts summed, the rest as the first
    says it. A refusal is the answer only where all refuse."""
    given = [answer for answer in answers if not isinstance(answer, VenueError)] or answers[:1]
    first = given[0]
    if len(given) == 1:
        return first
    if isinstance(first, bool):
        return any(given)
    if isinstance(first, list):
        rows = [row for answer in given for row in answer]
        return list(dict.fromkeys(rows)) if rows and isinstance(rows[0], str) else rows
    if isinstance(first, int):
        return sum(given)
    if isinstance(first, dict):
        return _merged(given)
    return first


def _merged(answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Field by field; a number within an answer is nobody's to sum."""
    whole = {name: value for answer in reversed(answers) for name, value in answer.items()}
    for name, value in whole.items():
        if isinstance(value, bool | list | dict):
            whole[name] = joined([answer[name] for answer in answers if name in answer])
    return whole

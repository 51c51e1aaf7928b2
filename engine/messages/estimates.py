"""What an order is expected to cost before it is sent, each way of doing it beside the others: the ticket's question to
the engine, and the answer. A look, not a command: it changes nothing and is kept nowhere."""

from __future__ import annotations

import msgspec

from engine.messages.verbs import SubmitParent


class AskEstimate(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="estimate"):
    """What would this order cost, each way? Refused for what would refuse the order itself."""

    id: str
    order: SubmitParent


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """`ticks` a contract, against the micro-price now; `coin` and `usd` of all the order. A cost is positive. `usd` is
    None where no index is known."""

    ticks: float
    coin: float
    usd: float | None


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """One way to do an order: an algorithm by its name, "at once" across the spread, or a "block" with a dealer.

    `low` and `high` bound 80 %. `passive` is the share expected to be filled while resting, `done` the share expected
    by its end, after `seconds`. `warning` says what is to be minded, empty for nothing.
    """

    name: str
    cost: Money
    low: Money
    high: Money
    seconds: float
    passive: float
    done: float
    warning: str = ""


class BookOrRfq(msgspec.Struct, frozen=True, kw_only=True):
    """Of an order as large as a block: sweeping the book, working it in the cheapest way, and a block at an assumed
    dealer's spread, side by side. `best` names the cheapest by expectation; `advice` says it in a sentence."""

    sweep: Way
    work: Way
    block: Way
    best: str
    advice: str


class Estimated(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="estimated"):
    """The answer: every way, or in `reason` why nothing can be said. `book_or_rfq` is None below a block's size."""

    id: str = ""
    reason: str = ""
    ways: tuple[Way, ...] = ()
    book_or_rfq: BookOrRfq | None = None

"""What costs are told from: the facts of each parent, each child and each decision, gathered. Pure.

A ledger takes facts in their order, one at a time while a desk runs or all at once from its journal; what it holds is
the same either way. It reads facts only, never the market: those that an older desk wrote hold less, and what is
missing in them stays unknown. Facts of things that it never heard begin are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

import msgspec

from engine import messages as m
from engine.domain import Side

Kind = Literal["approved", "edited", "rejected", "unanswered", "pressed", "automatic", "withdrawn"]
AUTOMATIC = ("semi", "auto")


class Story(msgspec.Struct):
    """A parent as its facts tell it; `decided` is what the trader sent, `order` what it was edited to."""

    decided: m.ParentAccepted
    order: m.ParentAccepted
    state: str = "working"
    seen: list[m.MarketSeen] = []
    children: list[str] = []
    fills: list[m.Filled] = []
    ended: m.ParentEnded | None = None
    edits: int = 0
    viewed: int = 0  # proposals in which the trader's own view was weighed

    @property
    def filled(self) -> int:
        return sum(fill.quantity for fill in self.fills)

    @property
    def final(self) -> m.Mark | None:
        """The market at its end; of one that still lives, as it was last seen."""
        if self.ended is not None:
            return self.ended.mark
        return self.seen[-1].mark if self.seen else self.decided.mark


class Work(msgspec.Struct):
    """A child, with the proposal and the forecast that it came of, if any."""

    request: m.OrderRequested
    proposed: m.Proposed | None = None
    forecast: m.Forecast | None = None
    fills: list[m.Filled] = []

    @property
    def filled(self) -> int:
        return sum(fill.quantity for fill in self.fills)


class Decision(msgspec.Struct):
    """What became of one proposal, or of a press; `quantity` and `cross` are those suggested, `n` the fact's number."""

    kind: Kind
    n: int
    t: int
    parent: str
    side: Side
    quantity: int
    cross: bool
    by: str
    reason: str
    row: str = ""
    forecast: m.Forecast | None = None
    mark: m.Mark | None = None
    child: str = ""


class _Intent(msgspec.Struct):
    """A proposal, as it stands in its newest revision."""

    born: m.Proposed
    quantity: int
    cross: bool
    row: str
    forecast: m.Forecast | None


class Ledger:
    """`after[trade][seconds]` is the market so long after a fill, None where nobody saw it."""

    def __init__(self) -> None:
        self.parents: dict[str, Story] = {}
        self.children: dict[str, Work] = {}
        self.decisions: list[Decision] = []
        self.after: dict[str, dict[int, m.Mark | None]] = {}
        self.last = 0  # number of the last fact
        self._intents: dict[str, _Intent] = {}
        self._foreign: dict[str, m.Filled] = {}  # made elsewhere, by trade

    @classmethod
    def of(cls, facts: Iterable[m.Fact]) -> Ledger:
        self = cls()
        for fact in facts:
            self.take(fact)
        return self

    def take(self, fact: m.Fact) -> None:
        """One more fact; those that say nothing of costs change nothing."""
        self.last = max(self.last, fact.n)
        if (taker := _TAKERS.get(type(fact))) is not None:
            taker(self, fact)

    def by_hand(self) -> list[Work]:
        """Orders of no parent that were filled."""
        return [work for work in self.children.values() if not work.request.parent and work.fills]

    # ------------------------------------------------------------ parents

    def _parent(self, fact: m.ParentAccepted) -> None:
        self.parents[fact.id] = Story(decided=fact, order=fact)

    def _edited(self, fact: m.ParentEdited) -> None:
        if story := self.parents.get(fact.parent):
            story.order, story.edits = fact.order, story.edits + 1

    def _state(self, fact: m.ParentPaused | m.ParentResumed) -> None:
        if story := self.parents.get(fact.parent):
            story.state = "paused" if isinstance(fact, m.ParentPaused) else "working"

    def _seen(self, fact: m.MarketSeen) -> None:
        if story := self.parents.get(fact.parent):
            story.seen.append(fact)

    def _ended(self, fact: m.ParentEnded) -> None:
        if story := self.parents.get(fact.parent):
            story.ended, story.state = fact, fact.outcome

    # ------------------------------------------------------------ proposals and what became of them

    def _proposed(self, fact: m.Proposed) -> None:
        self._intents[fact.id] = _Intent(fact, fact.quantity, fact.cross, fact.row, fact.forecast)
        if fact.view is not None and (story := self.parents.get(fact.parent)):
            story.viewed += 1

    def _refreshed(self, fact: m.Refreshed) -> None:
        if intent := self._intents.get(fact.proposal):
            intent.quantity, intent.cross, intent.row = fact.quantity, fact.cross, fact.row
            intent.forecast = fact.forecast

    def _approved(self, fact: m.Approved) -> None:
        kind: Kind = "automatic" if fact.by in AUTOMATIC else "edited" if fact.edited else "approved"
        self._decided(fact, kind, fact.by, "")

    def _rejected(self, fact: m.Rejected) -> None:
        self._decided(fact, "rejected", fact.by, fact.reason)
        self._intents.pop(fact.proposal, None)

    def _lapsed(self, fact: m.Lapsed) -> None:
        """`rebased` says that nobody answered; else the market or the parent took it back."""
        self._decided(fact, "unanswered" if fact.rebased else "withdrawn", "", fact.reason)
        self._intents.pop(fact.proposal, None)

    def _decided(self, fact: m.Approved | m.Rejected | m.Lapsed, kind: Kind, by: str, reason: str) -> None:
        if intent := self._intents.get(fact.proposal):
            self.decisions.append(Decision(
                kind=kind, n=fact.n, t=fact.t, parent=intent.born.parent, side=intent.born.side, by=by, reason=reason,
                quantity=intent.quantity, cross=intent.cross, row=intent.row, forecast=intent.forecast, mark=fact.mark,
            ))  # fmt: skip

    # ------------------------------------------------------------ orders

    def _requested(self, fact: m.OrderRequested) -> None:
        intent = self._intents.pop(fact.proposal, None)
        work = Work(fact, intent.born if intent else None, intent.forecast if intent else None)
        self.children[fact.child] = work
        if story := self.parents.get(fact.parent):
            story.children.append(fact.child)
            if not fact.proposal and not fact.post_only:
                self.decisions.append(Decision(
                    kind="pressed", n=fact.n, t=fact.t, parent=fact.parent, side=fact.side, quantity=fact.quantity,
                    cross=True, by=fact.by, reason="", mark=fact.mark, child=fact.child,
                ))  # fmt: skip

    def _filled(self, fact: m.Filled) -> None:
        work = self.children.get(fact.child)
        if work is None:
            self._foreign[fact.trade] = fact
            return
        work.fills.append(fact)
        self.after[fact.trade] = {}
        if story := self.parents.get(work.request.parent):
            story.fills.append(fact)

    def _adopted(self, fact: m.FillAdopted) -> None:
        """It counts as the parent's own; nobody saw the market before it."""
        fill, story = self._foreign.pop(fact.trade, None), self.parents.get(fact.parent)
        if fill is not None and story is not None:
            story.fills.append(fill)

    def _marked_out(self, fact: m.MarkedOut) -> None:
        if fact.trade in self.after:
            self.after[fact.trade][fact.seconds] = fact.mark


_TAKERS: dict[type, Callable[[Ledger, Any], None]] = {
    m.ParentAccepted: Ledger._parent,
    m.ParentEdited: Ledger._edited,
    m.ParentPaused: Ledger._state,
    m.ParentResumed: Ledger._state,
    m.MarketSeen: Ledger._seen,
    m.ParentEnded: Ledger._ended,
    m.Proposed: Ledger._proposed,
    m.Refreshed: Ledger._refreshed,
    m.Approved: Ledger._approved,
    m.Rejected: Ledger._rejected,
    m.Lapsed: Ledger._lapsed,
    m.OrderRequested: Ledger._requested,
    m.Filled: Ledger._filled,
    m.FillAdopted: Ledger._adopted,
    m.MarkedOut: Ledger._marked_out,
}

"""The override scorecard: what people's decisions earned or cost against what was suggested. An estimate. Pure.

Theory of operation. What a suggestion would have come to was never seen, so it is estimated from what was known at the
decision, by one stated rule. A suggestion that crosses would have paid what taking its size came to then, walking the
book. One that rests would have been filled at its own touch with the probability forecast for 5 s, and would else have
paid the other touch as it stood: the market's move while it waits is left out. Against that stands what was really paid
for the same quantity afterwards: the next fills of the parent, and for what is missing when it ends, the price then.

    earned = side · (suggested − paid), in ticks a contract; above zero the decision was the better one

A press has no suggestion beside it: it is held against what the parent paid for the same quantity afterwards, or the
price at its end. Fees are left out on both sides. Decisions of one parent share the fills that come after them, so the
interval is by parent (sums by parent as the unit; a sandwich estimate), and with few of either nothing is said.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec

from engine.domain import Instrument, Side, instrument_of
from engine.execution.cost import scale_of
from engine.execution.cost_bench import Z90, Mean
from engine.execution.cost_story import Decision, Kind, Ledger, Story

KINDS: tuple[Kind, ...] = ("approved", "edited", "rejected", "unanswered", "pressed", "automatic", "withdrawn")
SCORED: tuple[Kind, ...] = ("edited", "rejected", "unanswered", "pressed")
LEAST, LEAST_PARENTS = 20, 5  # decisions, and parents that they are of, for anything to be said


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One decision, scored: prices in units, `earned` in ticks a contract and in coin; `why` not, where it is not."""

    decision: Decision
    suggested: float | None = None
    paid: float | None = None
    earned: float | None = None
    coin: float | None = None
    why: str = ""


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """All decisions of one kind: how many, how many could be scored, what they earned a contract on average, and in
    coin altogether. `said` is empty, or why no verdict is given."""

    kind: str
    n: int
    earned: Mean
    coin: float
    said: str


def calls(ledger: Ledger) -> list[Call]:
    """Every decision, scored where it can be."""
    return [_called(ledger, decision) for decision in ledger.decisions]


def scorecard(scored: Sequence[Call]) -> tuple[Tally, ...]:
    """By kind, and all that people decided otherwise together, last."""
    by_kind = {kind: [call for call in scored if call.decision.kind == kind] for kind in KINDS}
    rows = [_tally(kind, found) for kind, found in by_kind.items()]
    others = [call for kind in SCORED for call in by_kind[kind]]
    return (*rows, _tally("all overrides", others))


def _called(ledger: Ledger, decision: Decision) -> Call:
    story = ledger.parents.get(decision.parent)
    if decision.kind not in SCORED or story is None:
        return Call(decision=decision, why="nothing was decided otherwise")
    instrument = instrument_of(story.order.instrument)
    if decision.kind == "pressed":
        work = ledger.children[decision.child]
        quantity, mine = work.filled, {fill.trade for fill in work.fills}
        if not quantity:
            return Call(decision=decision, why="it was not filled")
        paid: float | None = sum(fill.quantity * fill.price for fill in work.fills) / quantity
        suggested, why = _afterwards(story, decision.n, quantity, mine)
    else:
        quantity = decision.quantity
        suggested, why = _suggested(decision)
        paid, pending = _afterwards(story, decision.n, quantity, set())
        why = why or pending
    if suggested is None or paid is None:
        return Call(decision=decision, suggested=suggested, paid=paid, why=why)
    earned = decision.side.sign * (suggested - paid)
    return Call(decision=decision, suggested=suggested, paid=paid, earned=earned / instrument.tick_units(suggested),
                coin=earned * quantity * _coin(instrument, suggested))  # fmt: skip


def _suggested(decision: Decision) -> tuple[float | None, str]:
    """What the suggestion is estimated to have paid, in units."""
    mark, said = decision.mark, decision.forecast
    if mark is None:
        return None, "the market at the decision was not kept"
    if decision.cross:
        if mark.take is None or mark.taken < decision.quantity:
            return None, "the book did not hold its size"
        return mark.take, ""
    if said is None:
        return None, "no forecast says how likely it would have been filled"
    buyer = decision.side is Side.BUY
    near, far = (mark.bid, mark.ask) if buyer else (mark.ask, mark.bid)
    filled = min(max(said.fill_bid if buyer else said.fill_ask, 0.0), 1.0)
    return filled * near + (1.0 - filled) * far, ""


def _afterwards(story: Story, n: int, quantity: int, without: set[str]) -> tuple[float | None, str]:
    """Average price of the next so many lots of a parent after fact `n`, the rest at the price when it ended."""
    left, value = quantity, 0.0
    for fill in story.fills:
        if fill.n > n and fill.trade not in without and left:
            lots = min(left, fill.quantity)
            left, value = left - lots, value + lots * fill.price
    if not left:
        return value / quantity, ""
    if story.ended is None:
        return None, "the parent still works"
    if story.ended.mark is None:
        return None, "the market at the parent's end was not kept"
    return (value + left * story.ended.mark.micro) / quantity, ""


def _coin(instrument: Instrument, at: float) -> float:
    return scale_of(instrument, 1, at, []).coin


def _tally(kind: str, found: Sequence[Call]) -> Tally:
    scored = [call for call in found if call.earned is not None]
    parents = {call.decision.parent for call in scored}
    few = len(scored) < LEAST or len(parents) < LEAST_PARENTS
    said = "" if not found or kind not in (*SCORED, "all overrides") else (
        f"too few to say: {len(scored)} of {LEAST} decisions, {len(parents)} of {LEAST_PARENTS} parents" if few else ""
    )  # fmt: skip
    coin = math.fsum(call.coin for call in scored if call.coin is not None)
    return Tally(kind=kind, n=len(found), earned=_by_parent(scored, few), coin=coin, said=said)


def _by_parent(scored: Sequence[Call], few: bool) -> Mean:
    """Mean over decisions; the interval takes parents for independent, not decisions."""
    if not scored:
        return Mean(n=0)
    values = [(call.decision.parent, call.earned or 0.0) for call in scored]
    centre = math.fsum(value for _, value in values) / len(values)
    if few:
        return Mean(n=len(values), mean=centre)
    sums: dict[str, float] = {}
    for parent, value in values:
        sums[parent] = sums.get(parent, 0.0) + value - centre
    groups = len(sums)
    spread = math.sqrt(math.fsum(total**2 for total in sums.values()) * groups / (groups - 1)) / len(values)
    return Mean(n=len(values), mean=centre, lo=centre - Z90 * spread, hi=centre + Z90 * spread)


def reasons(found: Iterable[Call]) -> list[tuple[str, int]]:
    """What people said when they rejected, the most frequent first."""
    counts: dict[str, int] = {}
    for call in found:
        if call.decision.kind == "rejected":
            said = call.decision.reason.strip() or "no reason given"
            counts[said] = counts.get(said, 0) + 1
    return sorted(counts.items(), key=lambda row: (-row[1], row[0]))

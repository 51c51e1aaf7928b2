"""What trading cost, as a screen and a report may know it: told from a ledger of facts, and the market as it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine import messages as m
from engine.core import Core
from engine.domain import MS, Instrument, instrument_of
from engine.execution import cost, cost_bench, cost_calls
from engine.execution.cost_story import Ledger, Story, Work
from engine.execution.mark import mark
from engine.execution.markout import AFTER_S
from engine.view.book import digits

PARENTS = 60
Marks = Mapping[str, m.Mark]


def costs(core: Core, ledger: Ledger) -> m.CostsView:
    """As it stands now: what is left of running parents counts at the present market."""
    return told(ledger, _present(core), core.market.now)


def costed(core: Core, ledger: Ledger, asked: m.AskCost) -> m.Costed:
    """One parent in full, as JSON."""
    if asked.form != "json":
        return m.Costed(id=asked.id, reason="a replay makes no files: `python -m engine report` does")
    parent = next(iter(asked.parents), "")
    if parent not in ledger.parents:
        return m.Costed(id=asked.id, reason=f"there is no parent {parent or 'without a name'}")
    found = detail(ledger, parent, _present(core), core.market.now)
    return m.Costed(id=asked.id, name=f"{parent}.json", data=m.json_bytes(found))


def told(ledger: Ledger, marks: Marks, t: int, most: int = PARENTS) -> m.CostsView:
    """Of everything in the ledger. `marks` are the markets of running parents by instrument, at `t`."""
    newest = list(ledger.parents.values())[: -most - 1 : -1]
    calls = cost_calls.calls(ledger)
    return m.CostsView(
        parents=tuple(_parent(story, marks, t) for story in newest),
        tally=tuple(_tally(row) for row in cost_calls.scorecard(calls)),
        markouts=_markouts(ledger, ledger.children.values()),
        predicted=tuple(_predicted(row) for row in cost_bench.predicted(ledger.children.values())),
        reasons=tuple(cost_calls.reasons(calls)), more=len(ledger.parents) - len(newest),
    )  # fmt: skip


def detail(ledger: Ledger, parent: str, marks: Marks, t: int) -> m.CostDetail:
    """One parent in full. Raises KeyError for one that the ledger does not hold."""
    story = ledger.parents[parent]
    works = [ledger.children[child] for child in story.children]
    return m.CostDetail(
        parent=_parent(story, marks, t), fills=tuple(_fill(ledger, story, fill) for fill in story.fills),
        children=tuple(child(work) for work in works), points=_points(story),
        calls=tuple(call(ledger, one) for one in cost_calls.calls(ledger) if one.decision.parent == parent),
        markouts=_markouts(ledger, works),
    )  # fmt: skip


def child(work: Work) -> m.ChildCost:
    """A child, of a parent or sent by hand."""
    request, instrument, found = work.request, instrument_of(work.request.instrument), cost.of_child(work)
    slip = cost_bench.slippage(work)
    return m.ChildCost(
        id=request.child, parent=request.parent, instrument=request.instrument, side=request.side, by=request.by,
        t_ms=request.t / MS, amount=instrument.amount(request.quantity), filled=instrument.amount(work.filled),
        average=_average(instrument, work.fills), crossed=not request.post_only, ticks=found.told("ticks"),
        coin=found.told("coin"), usd=found.told("usd"), unknown=found.unknown,
        row=work.proposed.row if work.proposed else "", model=work.forecast.source if work.forecast else "",
        predicted=slip[1] if slip else None, realised=slip[2] if slip else None,
    )  # fmt: skip


def call(ledger: Ledger, one: cost_calls.Call) -> m.CallRow:
    decision = one.decision
    instrument = instrument_of(ledger.parents[decision.parent].order.instrument)
    return m.CallRow(
        t_ms=decision.t / MS, kind=decision.kind, parent=decision.parent, by=decision.by, side=decision.side,
        amount=instrument.amount(decision.quantity), suggested=_price(instrument, one.suggested),
        paid=_price(instrument, one.paid), earned_ticks=one.earned, earned_coin=one.coin, reason=decision.reason,
        why=one.why,
    )  # fmt: skip


def _present(core: Core) -> Marks:
    names = {parent.order.instrument for parent in core.desk.live_parents}
    return {name: found for name in names if (found := mark(core.market, name)) is not None}


def _parent(story: Story, marks: Marks, t: int) -> m.CostRow:
    order, instrument = story.order, instrument_of(story.order.instrument)
    now = marks.get(order.instrument) if story.ended is None else None
    found = cost.of_parent(story, now)
    final = now or story.final
    return m.CostRow(
        id=order.id, instrument=order.instrument, side=order.side, user=order.user, algorithm=order.algorithm,
        state=story.state, amount=instrument.amount(order.quantity), filled=instrument.amount(story.filled),
        edits=story.edits, decision=_price(instrument, cost.decided_at(story)),
        arrival=_price(instrument, cost.arrived_at(story)), average=_average(instrument, story.fills),
        digits=digits(instrument), start_ms=story.decided.t / MS,
        end_ms=(story.ended.t if story.ended else max(t, story.decided.t)) / MS, ticks=found.told("ticks"),
        vol=found.told("vol"), coin=found.told("coin"), usd=found.told("usd"), unknown=found.unknown,
        benchmarks=tuple(_benchmark(instrument, row) for row in cost_bench.benchmarks(story, now, t)),
        final=_price(instrument, final.micro if final else None),
    )  # fmt: skip


def _fill(ledger: Ledger, story: Story, fill: m.Filled) -> m.FillCost:
    instrument, arrival = instrument_of(fill.instrument), cost.arrived_at(story)
    scale = cost.scale_of(instrument, fill.quantity, cost.decided_at(story), cost.marks_of(story))
    first = story.seen[0].mark if story.seen else story.decided.mark
    terms, unknown = cost.of_fill(fill, first, fill.price if arrival is None else arrival, scale)
    factor = scale.factor("ticks") or 0.0
    return m.FillCost(
        trade=fill.trade, child=fill.child, t_ms=fill.at / MS, amount=instrument.amount(fill.quantity),
        price=instrument.price(fill.price), maker=fill.maker, fee=fill.fee,
        ticks={name: value * factor for name, value in terms.items()}, unknown=tuple(sorted(unknown)),
        markouts={str(s): cost_bench.markout_ticks(ledger, fill, s) for s in AFTER_S},
        micro=_price(instrument, fill.mark.micro if fill.mark else None),
    )  # fmt: skip


def _points(story: Story) -> tuple[m.PricePoint, ...]:
    instrument, out = instrument_of(story.order.instrument), []
    for seen in story.seen:
        done = sum(fill.quantity for fill in story.fills if fill.n <= seen.n)
        out.append(m.PricePoint(
            t_ms=seen.t / MS, micro=seen.mark.micro * instrument.tick, bid=instrument.price(seen.mark.bid),
            ask=instrument.price(seen.mark.ask), fair=_price(instrument, seen.mark.fair),
            traded=instrument.amount(seen.lots), due=None if seen.due is None else instrument.amount(seen.due),
            done=instrument.amount(done),
        ))  # fmt: skip
    return tuple(out)


def _benchmark(instrument: Instrument, row: cost_bench.Benchmark) -> m.BenchmarkRow:
    return m.BenchmarkRow(name=row.name, price=_price(instrument, row.price), ticks=row.ticks, note=row.note)


def _tally(row: cost_calls.Tally) -> m.TallyRow:
    return m.TallyRow(kind=row.kind, n=row.n, earned=_mean(row.earned), coin=row.coin, said=row.said)


def _markouts(ledger: Ledger, works: Iterable[Work]) -> tuple[m.MarkoutRow, ...]:
    return tuple(
        m.MarkoutRow(maker=row.maker, seconds=row.seconds, ticks=_mean(row.ticks), missing=row.missing)
        for row in cost_bench.markouts(ledger, works)
    )


def _predicted(row: cost_bench.Predicted) -> m.PredictedRow:
    return m.PredictedRow(model=row.model, predicted=_mean(row.predicted), realised=_mean(row.realised),
                          error=_mean(row.error), inside=row.inside)  # fmt: skip


def _mean(found: cost_bench.Mean) -> m.MeanRow:
    return m.MeanRow(n=found.n, mean=found.mean, lo=found.lo, hi=found.hi)


def _average(instrument: Instrument, fills: list[m.Filled]) -> float | None:
    lots = sum(fill.quantity for fill in fills)
    return sum(fill.quantity * fill.price for fill in fills) / lots * instrument.tick if lots else None


def _price(instrument: Instrument, units: float | None) -> float | None:
    return None if units is None else units * instrument.tick

"""Folding a recorded session: the same loop as live, fed from the tape. Replay, seek and verify stand on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from engine import messages as m
from engine.core import Core, Market
from engine.execution.desk import Desk
from engine.execution.evolve import evolve
from engine.forecast.stream import Weights
from engine.shell.store.folders import BadSession
from engine.shell.store.journal import JournalReader
from engine.shell.store.tape import Gap, read

WeightsOf = Callable[[str], Weights | None]
Recorded = Mapping[int, Mapping[str, m.Forecast]]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What `verify` found. `first_difference` says the first fact that is not the same, in words."""

    session: str
    inputs: int
    facts: int
    same: bool
    digest: str  # of the whole state at the end
    gaps: tuple[str, ...]
    missing: tuple[str, ...]  # models that the session used and that are not here
    first_difference: str


def journal_of(folder: Path) -> Path:
    """The journal that a session's facts went to: it lies beside the folder of sessions."""
    return folder.parent.parent / "journal.sqlite"


def desk_before(folder: Path, session: str) -> Desk:
    """The desk as it stood when a session began: the journal's earlier facts, folded. Empty without a journal."""
    desk = Desk()
    path = journal_of(folder)
    if not path.exists():
        return desk
    reader = JournalReader(path)
    try:
        for fact in reader.facts():
            if isinstance(fact, m.Began) and fact.session == session:
                break
            evolve(desk, fact)
    finally:
        reader.close()
    return desk


def begin(folder: Path, weights_of: WeightsOf, recorded: Recorded | None = None) -> Core:
    """A core as it stood before the session's first input. Raises BadSession for a tape without a beginning."""
    first = next(iter(read(folder)), None)
    if not isinstance(first, m.Started):
        raise BadSession(f"session '{folder.name}' does not start at its beginning: it cannot be folded")
    market = Market(first.config, weights_of(first.model), recorded, weights_of)
    if first.model and market.forecaster.weights is None:
        market.missing.append(first.model)
    return Core(market, desk_before(folder, first.session))


def recorded_forecasts(folder: Path) -> Recorded:
    return {item.n: item.values for item in read(folder) if isinstance(item, m.Forecasts)}


def items(folder: Path, after: int = 0) -> Iterator[m.Input | Gap]:
    return (item for item in read(folder, after) if not isinstance(item, m.Forecasts))


def verify(
    folder: Path, weights_of: WeightsOf, *, recompute: bool = False, progress: Callable[[int], None] = lambda _: None
) -> Verdict:
    """Fold the tape and compare every fact with the journal, to the byte."""
    core = begin(folder, weights_of, None if recompute else recorded_forecasts(folder))
    kept = _journalled(folder) if journal_of(folder).exists() else _folded(folder, weights_of)
    gaps: list[str] = []
    difference = ""
    inputs = facts = 0
    for item in items(folder):
        if isinstance(item, Gap):
            gaps.append(f"inputs {item.after + 1}…{item.before or ''} are missing: {item.reason}")
            continue
        inputs += 1
        for fact in core.step(item).facts:
            facts += 1
            difference = difference or _compare(fact, next(kept, None))
        if inputs % 1000 == 0:
            progress(inputs)
    rest = sum(1 for _ in kept)
    if rest and not difference and not gaps:
        difference = f"the journal has {rest} facts more than the tape gives"
    return Verdict(
        session=folder.name, inputs=inputs, facts=facts, same=not difference, digest=core.digest(),
        gaps=tuple(gaps), missing=tuple(core.market.missing), first_difference=difference,
    )  # fmt: skip


def _folded(folder: Path, weights_of: WeightsOf) -> Iterator[m.Fact]:
    """An imported recording has no journal: its facts are compared with those of a second fold."""
    core = begin(folder, weights_of)
    for item in items(folder):
        if not isinstance(item, Gap):
            yield from core.step(item).facts


def _journalled(folder: Path) -> Iterator[m.Fact]:
    reader = JournalReader(journal_of(folder))
    try:
        yield from reader.facts(session=folder.name)
    finally:
        reader.close()


def journalled(folder: Path, after: int, last: int) -> list[m.Fact]:
    """The journal's facts of this session numbered above `after`, up to `last`; none without a journal."""
    if after >= last or not journal_of(folder).exists():
        return []
    return [fact for fact in _journalled(folder) if after < fact.n <= last]


def _compare(ours: m.Fact, kept: m.Fact | None) -> str:
    if kept is None:
        return f"fact {ours.n} ({type(ours).__name__}) follows from the tape, but is not in the journal"
    if m.pack(ours) == m.pack(kept):
        return ""
    names = [field for field in ours.__struct_fields__ if getattr(ours, field) != getattr(kept, field, None)]
    what = f"differs in {', '.join(names)}" if type(ours) is type(kept) else f"is a {type(ours).__name__} now"
    return f"fact {kept.n} ({type(kept).__name__}) {what}"

"""Score tables, as they travel in weights and come out of `models compare`, read for a screen.

Tables of other versions lack this or that; what is not there, or is not what it should be, is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from engine import messages as m
from engine.forecast.labels import HORIZON_NS

MEASURES = {"log_loss": "log-loss", "pinball": "pinball", "huber": "Huber", "squared_log": "squared log"}
MODEL = "lstm"  # what the model itself is called beside its rivals
Losses = dict[str, float | None]
Band = tuple[float, float] | None
Read = TypeVar("Read")


class _Head(msgspec.Struct, frozen=True):
    log_loss: Losses = {}
    pinball: Losses = {}
    huber: Losses = {}
    squared_log: Losses = {}
    n: int | None = None
    ece: float | None = None
    coverage: float | None = None
    gap_closed: float | None = None
    at_threshold: tuple[m.AtThreshold, ...] = ()
    reliability: dict[str, tuple[m.Bin, ...]] = {}

    @property
    def measured(self) -> tuple[str, Losses]:
        return next(((name, losses) for name in MEASURES if (losses := getattr(self, name))), ("", {}))


class _Paired(msgspec.Struct, frozen=True):
    mean: float | None = None
    lo: float | None = None
    hi: float | None = None
    n: int | None = None


class _Compared(msgspec.Struct, frozen=True):
    first: str
    second: str
    data: str
    models: dict[str, dict[str, Any]]
    paired: dict[str, _Paired | None]
    notes: tuple[str, ...] = ()


def heads(table: Mapping[str, Any]) -> tuple[m.HeadScore, ...]:
    """Of every head that was judged, in the order of the gauges."""
    bands: dict[str, Band] = read(table.get("intervals"), dict[str, Band], {})
    found = [(head, read(table.get(head), _Head, _Head())) for head in HORIZON_NS]
    return tuple(_score(head, one, bands, table) for head, one in found if one.measured[1])


def _score(head: str, one: _Head, bands: Mapping[str, Band], table: Mapping[str, Any]) -> m.HeadScore:
    measure, losses = one.measured
    rivals = [(name, loss, bands.get(f"{head}_vs_{name}")) for name, loss in losses.items() if name != MODEL]
    return m.HeadScore(
        head=head,
        measure=MEASURES[measure],
        n=one.n if one.n is not None else read(table.get("n"), int | None, None),
        loss=losses.get(MODEL),
        rivals=tuple(
            m.RivalScore(name=name, loss=loss, lo=band[0] if band else None, hi=band[1] if band else None)
            for name, loss, band in rivals
            if loss is not None
        ),
        ece=one.ece,
        coverage=one.coverage,
        gap_closed=one.gap_closed,
        at_threshold=one.at_threshold,
        reliability=one.reliability,
    )


def comparison(text: bytes) -> m.Comparison:
    """What `models compare --json` printed. Raises msgspec.DecodeError."""
    found = msgspec.json.decode(text, type=_Compared)
    first, second = (
        {one.head: one for one in heads(found.models.get(model, {}))} for model in (found.first, found.second)
    )
    duels = [_duel(head, first.get(head), second.get(head), paired) for head, paired in found.paired.items()]
    return m.Comparison(
        first=found.first, second=found.second, data=found.data, duels=tuple(duels), notes=found.notes
    )  # fmt: skip


def _duel(head: str, first: m.HeadScore | None, second: m.HeadScore | None, paired: _Paired | None) -> m.Duel:
    told = paired or _Paired()
    return m.Duel(
        head=head, measure=first.measure if first else "", first=first.loss if first else None,
        second=second.loss if second else None, n=told.n, mean=told.mean, lo=told.lo, hi=told.hi,
    )  # fmt: skip


def read(value: object, kind: Any, otherwise: Read) -> Read:
    """What somebody else has written, as this kind of thing; else `otherwise`."""
    try:
        found: Read = msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return otherwise
    return found

"""Views of the models: what is in the registry, how each was judged, and the long command that runs beside."""

from __future__ import annotations

from typing import Literal

import msgspec

JobState = Literal["running", "ending", "done", "failed", "cancelled"]
Bin = tuple[float, float, int]  # mean forecast, share that came true, how many


class RivalScore(msgspec.Struct, frozen=True, kw_only=True):
    """A rival's loss on the moments the model was judged on; `lo` … `hi` is the 90 % interval of the model's loss less
    the rival's: below zero the model is better."""

    name: str
    loss: float | None
    lo: float | None = None
    hi: float | None = None


class AtThreshold(msgspec.Struct, frozen=True, kw_only=True):
    """Of the moments with a probability of at least `threshold`: mean forecast, share that came true, its interval."""

    head: str  # up, down, stable
    threshold: float
    n: int
    mean_forecast: float | None
    realised: float | None
    lo: float | None = None
    hi: float | None = None


class HeadScore(msgspec.Struct, frozen=True, kw_only=True):
    """One head as it was judged. Everything that was not measured is None or empty."""

    head: str
    measure: str  # of loss: log-loss, pinball, Huber, squared log
    n: int | None
    loss: float | None
    rivals: tuple[RivalScore, ...]
    ece: float | None = None
    coverage: float | None = None  # share of outcomes inside the band
    gap_closed: float | None = None  # of the way from the base rate to the oracle
    at_threshold: tuple[AtThreshold, ...] = ()
    reliability: dict[str, tuple[Bin, ...]] = {}  # by class: up, down, stable; fill


class ModelRow(msgspec.Struct, frozen=True, kw_only=True):
    """One model that is here; `bad` says why it cannot be used, else it is empty."""

    id: str
    where: Literal["shipped", "kept"]
    champion: bool  # an engine starts with it
    bad: str
    code: str  # version of the code that trained it
    crowd: str  # hash of the settings of the crowd it was trained on
    data: str  # hash of what it was trained on
    sessions: int  # it was trained on
    minutes: float | None  # of market in each
    regimes: tuple[str, ...]  # of the crowd, where they were named
    judged_on: str  # the sessions of the scores, in words
    scores: tuple[HeadScore, ...]


class ModelStep(msgspec.Struct, frozen=True, kw_only=True):
    at_ms: float
    did: Literal["promote", "rollback"]
    model: str
    before: str
    by: str


class Duel(msgspec.Struct, frozen=True, kw_only=True):
    """Two models' losses of one head on the same moments: `mean` is the first's less the second's, with its 90 %
    interval; below zero the first is better. None where they were not comparable."""

    head: str
    measure: str
    first: float | None
    second: float | None
    n: int | None = None
    mean: float | None = None
    lo: float | None = None
    hi: float | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    first: str
    second: str
    data: str
    duels: tuple[Duel, ...]
    notes: tuple[str, ...]


class Epoch(msgspec.Struct, frozen=True, kw_only=True):
    """Mean training losses by head after one pass over the data."""

    number: int
    of: int
    losses: dict[str, float]


class JobView(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="job"):
    """The long command that runs, or the last that ran. `id` 0 stands for none yet."""

    id: int = 0
    do: str = ""  # train, compare
    title: str = ""  # what it does, in words
    by: str = ""
    state: JobState = "done"
    began_ms: float = 0.0  # of this machine's clock, ms UTC
    ended_ms: float | None = None
    stage: str = ""  # what it said last
    share: float | None = None  # of this stage that is done, where it says so
    lines: tuple[str, ...] = ()  # the last it said, newest last
    epochs: tuple[Epoch, ...] = ()
    reason: str = ""  # why it failed
    model: str = ""  # that it has added to the registry
    comparison: Comparison | None = None  # the last that was made

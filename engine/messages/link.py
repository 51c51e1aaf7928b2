"""The engine's own link: what screens and scripts that attach say, and what they are told."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from engine.config import Mode
from engine.messages.cost_views import AskCost, Costed
from engine.messages.estimates import AskEstimate, Estimated
from engine.messages.inputs import Role
from engine.messages.verbs import Verb
from engine.messages.views import View


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="hello"):
    token: str


class Look(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="look"):
    """What this client looks at now; replaces what it looked at before."""

    instruments: tuple[str, ...]


class Ask(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="ask"):
    id: str
    user: str
    role: Role
    verb: Verb


class Drive(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="drive"):
    """Move a replay: the desk itself has no such verb."""

    id: str
    do: Literal["play", "pause", "step", "seek", "speed"]
    value: float = 0.0  # seek: ms UTC; speed: times; step: inputs


class Recall(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="recall"):
    """Send everything again, notes from `after` on: asked on a gap in the numbers."""

    after: int = 0


class Why(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="why"):
    """What moves the forecast of an instrument now? The answer's text says it."""

    id: str
    instrument: str


ModelId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")]
Sessions = Annotated[int, msgspec.Meta(ge=1, le=500)]
Minutes = Annotated[float, msgspec.Meta(ge=0.1, le=240)]


class _Job(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", forbid_unknown_fields=True):
    pass


class Train(_Job, frozen=True, kw_only=True, tag="train"):
    """Train a model on so many simulated sessions of so many minutes; it becomes a candidate."""

    sessions: Sessions
    minutes: Minutes


class Compare(_Job, frozen=True, kw_only=True, tag="compare"):
    """Judge two models on the same fresh sessions."""

    first: ModelId
    second: ModelId
    sessions: Sessions
    minutes: Minutes


class EndJob(_Job, frozen=True, kw_only=True, tag="end"):
    """End the long command that runs."""


Job = Train | Compare | EndJob


class Work(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="work"):
    """Run one of the engine's long commands beside it: the desk decides nothing by it, so it is no input."""

    id: str
    user: str
    role: Role
    job: Job


Up = Hello | Look | Ask | Drive | Why | Recall | Work | AskEstimate | AskCost


class Welcome(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="welcome"):
    mode: Mode
    session: str
    code: str


class Answer(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="answer"):
    """The engine's word on a command: done, or refused with a reason. `block` names the hard block that refused it,
    where a person can lift it once or, of "repeats", re-arm it."""

    id: str
    ok: bool
    text: str
    block: str = ""


class Views(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="views"):
    views: tuple[View, ...]


class Goodbye(msgspec.Struct, frozen=True, kw_only=True, tag_field="link", tag="goodbye"):
    reason: str


Down = Welcome | Answer | Estimated | Costed | Views | Goodbye

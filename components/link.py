"""The only callbacks: what a person does becomes a message to the engine, its answer becomes a property.

A command travels in one of a few lanes: a `dcc.Store` for the command and one for its answer. Dash drops the answer of
a callback that was triggered again meanwhile, so a lane carries one command at a time and the page picks a free one;
the first is kept for the kill switch, which never waits for another click to be answered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from dash import MATCH, ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.dependencies import ALL

from components import ticket
from components.door import visitor
from components.relay import DriveDo, Relay
from engine.messages import Answer, Job, SendOrder, SubmitParent, Verb, pack

LANES = 6
MAX_SAID = 4096  # bytes of one command: the engine's link is shared by all screens, and a monster would cut it


class Drive(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A replay's controls, as the page says them."""

    do: DriveDo
    value: float = 0.0


class Misput(ValueError):
    """A command that cannot be understood. Its text is fit for a person."""


def stores() -> html.Div:
    lanes = range(LANES)
    commands = [dcc.Store(id={"type": "command", "lane": lane}) for lane in lanes]
    answers = [dcc.Store(id={"type": "answer", "lane": lane}) for lane in lanes]
    return html.Div([*commands, *answers], hidden=True)


def connect(dash: Dash, relay: Relay) -> None:
    """Tie the page's clicks to the engine. Called once, when the page is built."""

    @dash.callback(
        Output({"type": "answer", "lane": MATCH}, "data"),
        Input({"type": "command", "lane": MATCH}, "data"),
        prevent_initial_call=True,
    )
    async def command(said: dict[str, Any] | None) -> dict[str, Any]:
        answer = await put(said or {}, relay)
        return {"id": str((said or {}).get("id", "")), "ok": answer.ok, "text": answer.text, "block": answer.block}

    fields = [State(field, "value") for field in ticket.FIELDS]
    _script(dash, "answered", Input({"type": "answer", "lane": ALL}, "data"))
    _script(dash, "submit", Input("ticket-send", "n_clicks"), *fields)
    _script(dash, "ticket", *[Input(field, "value") for field in ticket.FIELDS])


def _script(dash: Dash, function: str, *read: Input | State) -> None:
    """Have `assets/desk.js` told of changes; such functions answer nothing."""
    tie: Any = dash.clientside_callback
    tie(ClientsideFunction("tidegate", function), *read, prevent_initial_call=True)


async def put(said: Mapping[str, Any], relay: Relay) -> Answer:
    """Put `{"verb": {"do": …}}`, `{"drive": …}` or `{"work": …}` to the engine; a sentence back, whatever was said."""
    user = visitor.get()
    if user is None or user.role == "viewer":
        return Answer(id="", ok=False, text="you may look, but not trade")
    try:
        if "drive" in said:
            drive = drive_of(said["drive"])
            return await relay.drive(drive.do, drive.value)
        if "work" in said:
            return await relay.work(job_of(said["work"]), user.name, user.role)
        return await relay.ask(verb_of(said.get("verb")), user.name, user.role)
    except Misput as misput:
        return Answer(id="", ok=False, text=str(misput))


def verb_of(said: object) -> Verb:
    """What the page said → one of the desk's verbs, whole and with numbers that a person can mean. Raises Misput."""
    try:
        verb: Verb = msgspec.convert(said, Verb)
    except msgspec.ValidationError as error:
        raise Misput(sentence(str(error), said)) from None
    _bounded(verb)
    if isinstance(verb, SubmitParent | SendOrder) and verb.quantity <= 0:
        raise Misput("the quantity must be above zero")
    if isinstance(verb, SubmitParent) and verb.minutes <= 0:
        raise Misput("the minutes must be above zero")
    return verb


def order_of(said: object) -> SubmitParent:
    """What a ticket says so far → the order it would send. Raises Misput."""
    verb = verb_of(said)
    if not isinstance(verb, SubmitParent):
        raise Misput("only an order can be estimated")
    return verb


def _bounded(verb: Verb) -> None:
    try:
        size = len(pack(verb))
    except (OverflowError, UnicodeEncodeError):
        raise Misput("that holds a number or a letter that cannot be sent") from None
    if size > MAX_SAID:
        raise Misput("that is too long for a command")


def drive_of(said: object) -> Drive:
    try:
        return msgspec.convert(said, Drive)
    except msgspec.ValidationError as error:
        raise Misput(sentence(str(error), said)) from None


def job_of(said: object) -> Job:
    """What the page said → one of the long commands, of a size that a person can mean. Raises Misput."""
    try:
        job: Job = msgspec.convert(said, Job)
    except msgspec.ValidationError as error:
        raise Misput(sentence(str(error), said)) from None
    return job


def sentence(error: str, said: object) -> str:
    """A decoder's complaint in the words of the desk."""
    if missing := re.search(r"missing required field `(\w+)`", error):
        name = missing[1]
        return "that is not a command" if name == "do" else f"the {name} is missing"
    if unknown := re.search(r"contains unknown field `(\w+)`", error):
        return f"a command has no '{unknown[1]}'"
    if at := re.search(r"at `\$\.(\w+)`", error):
        value = said.get(at[1]) if isinstance(said, Mapping) else said
        if at[1] == "do":
            return f"'{value}' is not a command of this desk"
        return f"the {at[1]} is missing" if value is None else f"the {at[1]} cannot be '{value}'"
    return "that is not a command"

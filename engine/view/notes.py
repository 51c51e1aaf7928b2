"""Facts in words: the decision log and the alerts. Also what a command's answer says."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine import messages as m
from engine.core import Core
from engine.domain import MS, NS, instrument_of

Level = Literal["info", "good", "warn", "bad"]


def say(core: Core, fact: m.Fact) -> m.NoteView | None:
    """One line for one fact; None for those that only the machine needs."""
    said = _words(core, fact)
    if said is None:
        return None
    level, who, text = said
    parent = getattr(fact, "parent", "") or ""
    return m.NoteView(
        n=fact.n, t_ms=fact.t / MS, level=level, who=who, text=text, parent=parent,
        instrument=getattr(fact, "instrument", "") or "", model=getattr(fact, "model", ""),
    )  # fmt: skip


def _words(core: Core, fact: m.Fact) -> tuple[Level, str, str] | None:
    match fact:
        case m.Refused():
            return "warn", fact.user, f"refused: {fact.reason}"
        case m.Filled():
            return "good", "venue", f"filled {_size(core, fact)} {fact.instrument} at {_price(core, fact)}"
        case m.OrderRequested():
            how = "post-only" if fact.post_only else "take"
            return "info", fact.by, f"{fact.side} {_size(core, fact)} {fact.instrument} at {_price(core, fact)}, {how}"
        case m.OrderEnded(state=state) if state != "filled":
            level: Level = "warn" if state in ("rejected", "lapsed") else "info"
            return level, "venue", f"order {fact.child} {state}{_because(fact.reason)}"
        case m.AmendRequested():
            held = core.desk.children[fact.child].request
            asked = msgspec.structs.replace(held, quantity=fact.quantity, price=fact.price)
            to = f"{_size(core, asked)} at {_price(core, asked)}"
            return "info", fact.by, f"order {fact.child}: to {to}{_because(fact.reason)}"
        case m.AmendRefused():
            return "warn", "venue", f"order {fact.child} stands as it stood{_because(fact.reason)}"
        case m.Proposed():
            return "info", "hedge" if fact.hedge else "policy", f"proposes: {fact.reason}"
        case m.Lapsed():
            return "info", "policy", f"proposal {fact.proposal} lapsed{_because(fact.reason)}"
        case m.Approved():
            edited = " (edited)" if fact.edited else ""
            return "info", fact.by, f"approved {fact.proposal}{edited}"
        case m.Rejected():
            return "info", fact.by, f"rejected {fact.proposal}{_because(fact.reason)}"
    return _parents(fact) or _guards(fact) or _machine(fact)


def _parents(fact: m.Fact) -> tuple[Level, str, str] | None:
    match fact:
        case m.ParentAccepted():
            return "info", fact.user, f"parent {fact.id}: {fact.side} {fact.instrument}, {fact.algorithm}, {fact.dial}"
        case m.ParentPaused():
            return "warn", fact.by, f"parent {fact.parent} paused{_because(fact.reason)}"
        case m.ParentEdited():
            return "info", fact.by, f"parent {fact.parent} edited, version {fact.version}; the rest is spread anew"
        case m.ViewSet(view=m.TraderView() as view):
            said = f"up {view.up:.0%}, down {view.down:.0%}, weight {view.weight:.0%}"
            return "info", fact.by, f"parent {fact.parent}: the own view is {said}"
        case m.ViewSet():
            return "info", fact.by, f"parent {fact.parent}: the own view is over"
        case m.ParentResumed():
            return "info", fact.by, f"parent {fact.parent} resumed; the rest is spread anew"
        case m.ParentHalted():
            return "warn", "policy", f"parent {fact.parent} halted by the row '{fact.row}' {_for(fact)}"
        case m.HedgeSet():
            how = f"{fact.dial}, target {fact.target:+.12g}" if fact.on else "off"
            return "info", fact.by, f"hedging is now {how}"
        case m.ParentHedgeSet():
            return "info", fact.by, f"hedges of parent {fact.parent} are now {fact.dial}"
        case m.HedgeRested():
            return "warn", "engine", f"hedging rests {(fact.until - fact.t) / NS:.0f} s: {fact.reason}"
        case m.ParentSuspended():
            return "warn", "market", f"parent {fact.parent} is suspended: {fact.reason}"
        case m.ParentRested():
            return "warn", "engine", f"parent {fact.parent} rests {(fact.until - fact.t) / NS:.0f} s: {fact.reason}"
        case m.DialSet():
            return "info", fact.by, f"parent {fact.parent} is now {fact.dial}"
        case m.ParentEnded():
            said = f"parent {fact.parent} is {fact.outcome}" + (f": {fact.reason}" if fact.reason else "")
            return ("good" if fact.outcome == "done" else "info"), fact.by, said
    return None


def _guards(fact: m.Fact) -> tuple[Level, str, str] | None:
    """The kill, the hard blocks, the halt: what holds the desk back, and who lets it go on."""
    match fact:
        case m.Killed():
            what = "every order of the account" if fact.account else "our orders"
            return "bad", fact.by, f"KILL: new orders are blocked, {what} cancelled"
        case m.FillAdopted():
            return "info", fact.by, f"fill {fact.trade}, made elsewhere, counts towards parent {fact.parent}"
        case m.ForeignCancelRequested():
            return "warn", fact.by, f"cancels order {fact.order}, which is not ours"
        case m.FlattenAsked():
            return "warn", fact.by, f"flattens: {', '.join(fact.instruments)} will be closed"
        case m.FlattenEnded(left=0):
            return "good", "engine", f"{fact.instrument} is closed"
        case m.FlattenEnded():
            held = instrument_of(fact.instrument).amount(fact.left)
            return "bad", "engine", f"{fact.instrument} could not be closed, {held:+,.12g} are left: {fact.reason}"
        case m.KillConfirmed():
            return "bad", "venue", f"nothing is open, {fact.took / MS:.0f} ms after the press; delta {fact.delta:+.2f}"
        case m.LiftAsked():
            what = f"the block '{fact.block}' for one order in {fact.instrument}"
            return "warn", fact.by, f"asks to lift {what}: {fact.reason}"
        case m.LiftGranted():
            return "warn", fact.by, f"lift {fact.id} is confirmed, good for one order"
        case m.RepeatsTripped():
            what = f"{fact.side} {fact.instrument} was executed {fact.count} times in {fact.seconds:.12g} s"
            return "bad", "risk", f"{what}: nothing more of it until a person re-arms it"
        case m.RepeatsRearmed():
            return "warn", fact.by, f"{fact.instrument} may be traded again{_because(fact.reason)}"
        case m.UnhaltAsked():
            return "warn", fact.by, f"asks the halted engine to go on{_because(fact.reason)}"
        case m.Unhalted():
            return "warn", "engine", "everything decided is kept again; parents wait for the trader"
        case m.Rearmed():
            return "warn", fact.by, f"re-armed{_because(fact.reason)}"
    return None


def _machine(fact: m.Fact) -> tuple[Level, str, str] | None:
    match fact:
        case m.Began():
            return "info", "engine", f"session {fact.session} began with the model {fact.model or 'baseline'}"
        case m.EpochBegan(first=True):
            return "info", "venue", f"the venue's account is in its epoch {fact.epoch}"
        case m.EpochBegan():
            return "warn", "venue", f"a new epoch began ({fact.epoch}): earlier orders and positions are gone there"
        case m.Reconciling():
            level: Level = "warn" if not fact.call else "info"  # without a call nobody can be asked: the line is down
            return level, "engine", f"reconciling with the venue{_because(fact.reason)}"
        case m.Reconciled():
            found = "; ".join(fact.differences) or "no differences"
            return ("warn" if fact.differences else "info"), "engine", f"reconciled with the venue: {found}"
        case m.ModelAsked():
            return "info", fact.by, f"asks for {f'the model {fact.model}' if fact.model else 'the model before this'}"
        case m.ModelChanged():
            return "warn", "engine", f"forecasts come from {fact.model} now, which warms up"
        case m.ModelRefused():
            return "bad", "engine", f"the model {fact.model} is not used: {fact.reason}"
        case m.PositionSet():
            return "warn", "engine", f"position of {fact.instrument} taken from the venue{_because(fact.reason)}"
    return None


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _for(fact: m.ParentHalted) -> str:
    return f"for {(fact.until - fact.t) / NS:.0f} s"


def _size(core: Core, fact: m.Filled | m.OrderRequested) -> str:
    instrument = core.market.venue.instruments.get(fact.instrument) or instrument_of(fact.instrument)
    return f"{instrument.amount(fact.quantity):.12g}"


def _price(core: Core, fact: m.Filled | m.OrderRequested) -> str:
    instrument = core.market.venue.instruments.get(fact.instrument) or instrument_of(fact.instrument)
    return f"{instrument.price(fact.price):.12g}"

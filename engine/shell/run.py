"""The running engine: one door for all inputs, one outbox for all effects, views beside.

Every source (venue socket, timer, people, the engine's own sending) calls `take`, which numbers and stamps the input,
writes it on the tape, lets the core decide, and hands facts and effects to the outbox. Nothing here decides.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from engine import messages as m
from engine import view
from engine.config import STEP_NS
from engine.core import Core, Outcome
from engine.domain import NS
from engine.execution import hedging
from engine.market.deribit import wire
from engine.shell.clock import Clock
from engine.shell.jobs import Jobs
from engine.shell.reports import Reports
from engine.shell.screen import VIEW_S, Screen
from engine.shell.store import keyframes
from engine.shell.store.outbox import Outbox
from engine.shell.store.tape import Tape
from engine.shell.swaps import Swaps

log = logging.getLogger("engine")
SLOW_VIEWS = 10  # surface and desk: every so many fast ones
COST_VIEWS = 20  # costs: every so many fast ones
LOOK_VIEWS = 2  # one expiry is looked at for arbitrage: every so many fast ones


RESTART = "nothing new goes out until the engine is started again"
RESUME = "nothing new goes out until an admin lets it go on, once the cause is gone"
ANSWERS_KEPT = 1000
KEYFRAME_S = 60.0
_NOTHING = Outcome([], [], None)


def _not_yet(_: bytes) -> bool:
    return False


class Engine:
    """Wires a core to its shell. Until `plug` gives it a venue's line, and `keep` a journal, nothing can leave."""

    def __init__(self, core: Core, tape: Tape, clock: Clock) -> None:
        self.core = core
        self.tape = tape
        self.clock = clock
        self.screen = Screen()
        self.outbox = Outbox(self._write, self._perform, self._check, self._on_sent, self._on_failed)
        self._n = 0
        self._lame = ""  # why the core is not asked any more
        self._answers: dict[str, m.Answer] = {}
        self._keep: Callable[[Sequence[m.Fact]], None] = lambda _: None
        self._send: Callable[[bytes], bool] = _not_yet
        self._hangup: Callable[[str], None] = lambda _: None
        self._pressed: Callable[[], bool | None] = lambda: None
        self._forget: Callable[[], None] = lambda: None
        self._swaps: Swaps | None = None
        self._jobs: Jobs | None = None
        self._reports: Reports | None = None
        self._mend: Callable[[], None] = lambda: None
        self._mending = False  # the disk is tried again

    def plug(self, send: Callable[[bytes], bool], hangup: Callable[[str], None]) -> None:
        """`send` writes bytes to the venue and says whether it could; `hangup` makes a new connection."""
        self._send, self._hangup = send, hangup

    def keep(self, write: Callable[[Sequence[m.Fact]], None], mend: Callable[[], None] = lambda: None) -> None:
        """`write` hands facts to the journal's writer; `mend` has journal and tape written again after a break."""
        self._keep, self._mend = write, mend

    def choose(self, swaps: Swaps, jobs: Jobs | None = None, reports: Reports | None = None) -> None:
        """`swaps` fetches the models that people ask for; `jobs` make and compare them; `reports` tell of costs."""
        self._swaps, self._jobs, self._reports = swaps, jobs, reports

    def heed(self, pressed: Callable[[], bool | None], forget: Callable[[], None]) -> None:
        """`pressed` says whether somebody killed past this engine, of the whole account or not; `forget` is called
        once that is in the journal."""
        self._pressed, self._forget = pressed, forget

    def _write(self, facts: Sequence[m.Fact]) -> None:
        self._keep(facts)

    # ------------------------------------------------------------ the door

    def take(self, kind: Callable[..., m.Input], **fields: Any) -> Outcome:
        """Number and stamp one input, tape it, decide, and let out what may leave."""
        self._n += 1
        item = kind(n=self._n, t=self.clock.now(), **fields)
        self.tape.append(item)
        if self._lame:
            return _NOTHING
        try:
            outcome = self.core.step(item)
        except Exception as error:  # a broken invariant: nothing decided from here on can be trusted
            self._break(f"an invariant is broken ({type(error).__name__}: {error})")
            return _NOTHING
        if outcome.noted is not None:
            self.tape.append(outcome.noted)
        self.outbox.put(outcome.facts, outcome.effects)
        self.screen.say(self.core, outcome.facts)
        return outcome

    def broken(self, reason: str) -> None:
        """Journal or tape cannot be written: stop proposing and sending; cancels still go out."""
        reason, self._mending = f"{reason}; {RESUME}", False
        log.error("halted: %s", reason)
        self.outbox.break_off(reason)
        if not self.core.market.halted:
            self.take(m.Halted, reason=reason)

    def durable(self, n: int) -> None:
        """All facts up to `n` are durable; once all there are, an engine that was halted and asked to goes on."""
        if self._mending and n >= self.core.desk.facts:
            self._mending = False
            self.outbox.mend()
            self.take(m.Mended)
        self.outbox.durable(n)

    def _try_again(self) -> None:
        """Everything that could not be kept is written, or breaks anew."""
        log.warning("the halted engine is asked to go on")
        self._mending = True
        self._mend()

    def _break(self, reason: str) -> None:
        """Nothing is decided any more; what works is pulled, and the screen keeps what was true last."""
        log.exception("halted: %s", reason)
        self._lame = self.core.market.halted = f"{reason}; {RESTART}"
        self.outbox.break_off(self._lame)
        self._pull(account=False)

    def _pull(self, *, account: bool) -> None:
        """Cancel without asking the core: ours by their labels, or all that the account has."""
        if account:
            self._send(wire.request("halt-all", "private/cancel_all", {}))
            return
        for child in self.core.desk.live_children:
            label = child.request.child
            self._send(wire.request(f"halt-{label}", "private/cancel_by_label", {"label": label}))

    # ------------------------------------------------------------ effects

    def _perform(self, effect: m.Effect) -> bool:
        match effect:
            case m.Call():
                return self._send(wire.request(effect.id, effect.method, effect.params))
            case m.Hangup():
                self._hangup(effect.reason)
            case m.FetchModel():
                self._fetch(effect)
            case m.Mend():
                self._try_again()
        return True

    def _fetch(self, effect: m.FetchModel) -> None:
        if self._swaps is None:
            self.on_model(effect.model, "this engine has no registry")
        else:
            self._swaps.fetch(effect, self.on_model)

    def _check(self, call: m.Call) -> str:
        self._look_for_kill()
        return self.core.may_send(call, self.clock.now())

    def _on_sent(self, call: m.Call) -> None:
        self.take(m.Sent, call=call.id)

    def _on_failed(self, call: m.Call, reason: str) -> None:
        self.take(m.Failed, call=call.id, reason=reason)

    # ------------------------------------------------------------ sources

    def on_link(self, up: bool, authenticated: bool, reason: str) -> None:
        self.take(m.Link, up=up, authenticated=authenticated, reason=reason)

    def on_frame(self, data: bytes) -> None:
        self.take(m.Frame, data=data)

    def on_model(self, model: str, reason: str) -> None:
        self.take(m.ModelSwap, model=model, reason=reason)

    async def tick(self) -> None:
        """The clock's steps, on the 100 ms grid of the engine's time; a late one is not made up for."""
        while True:
            wait = STEP_NS - self.clock.now() % STEP_NS
            await asyncio.sleep(wait / NS / self.clock.speed)
            self._look_for_kill()
            self.take(m.Tick)

    def _look_for_kill(self) -> None:
        """One that was pressed past this engine while it hung, or before it was started. About 5 µs where none was."""
        account = self._pressed()
        if account is None:
            return
        killed = self.core.desk.killed
        if not killed or (account and not killed.account):
            verb = m.Kill(account=account)
            self.take(m.Command, id=f"pressed-{self._n + 1}", user="command line", role="admin", verb=verb)
        elif self.outbox.kept >= self.core.desk.facts:
            self._forget()

    async def keep_frames(self) -> None:
        """Keep the whole state now and then, so that a replay need not fold from the beginning. About 2 ms each; the
        disk is waited for elsewhere, and one that fails costs a later jump some time, nothing else."""
        while True:
            await asyncio.sleep(KEYFRAME_S)
            n, dump = self.core.n, msgspec.msgpack.encode(self.core.dump())
            try:
                await asyncio.to_thread(keyframes.put, self.tape.folder, n, dump)
            except OSError as error:
                log.warning("a keyframe could not be kept: %s", error)

    async def watch_models(self) -> None:
        """See what others put into the registry."""
        assert self._swaps is not None, "an engine without a registry has nothing to watch"
        await self._swaps.keep_looking()

    # ------------------------------------------------------------ people (serve.Desk)

    def ask(self, ask: m.Ask) -> m.Answer:
        """One command of a person, answered with what came of it; given twice under one id, it is done once."""
        if ask.id not in self._answers:
            self._answers[ask.id] = self._answer(ask)
            if len(self._answers) > ANSWERS_KEPT:
                del self._answers[next(iter(self._answers))]
        return self._answers[ask.id]

    def _answer(self, ask: m.Ask) -> m.Answer:
        if self._lame:
            if isinstance(ask.verb, m.Kill):
                self._pull(account=ask.verb.account)
            return m.Answer(id=ask.id, ok=False, text=self._lame)
        outcome = self.take(m.Command, id=ask.id, user=ask.user, role=ask.role, verb=ask.verb)
        if self._lame:
            return m.Answer(id=ask.id, ok=False, text=self._lame)
        refused = next((fact for fact in outcome.facts if isinstance(fact, m.Refused)), None)
        if refused is not None:
            return m.Answer(id=ask.id, ok=False, text=refused.reason, block=refused.block)
        said = [note.text for fact in outcome.facts if (note := view.say(self.core, fact))]
        return m.Answer(id=ask.id, ok=True, text="; ".join(said))

    def look(self, client: int, instruments: tuple[str, ...]) -> None:
        self.screen.look(client, instruments)
        self._refocus()

    def drive(self, drive: m.Drive) -> m.Answer:
        return m.Answer(id=drive.id, ok=False, text="this desk is live: there is nothing to replay")

    def why(self, why: m.Why) -> m.Answer:
        return view.why(self.core, why)

    def estimate(self, asked: m.AskEstimate) -> m.Estimated:
        return view.estimate(self.core, asked)

    def cost(self, asked: m.AskCost) -> m.Costed | Awaitable[m.Costed]:
        if asked.form == "json" or self._reports is None:
            return view.costed(self.core, self.screen.ledger, asked)
        return self._reports.make(asked)

    def work(self, work: m.Work) -> m.Answer:
        if self._jobs is None:
            return m.Answer(id=work.id, ok=False, text="this engine has no registry")
        return self._jobs.ask(work)

    def recall(self, after: int) -> list[m.View]:
        views = [*self._views(slow=True), view.costs(self.core, self.screen.ledger)]
        return self.screen.recall(views, after)

    def _refocus(self) -> None:
        """What is being closed, all running parents, what is hedged with, all screens and fills to be marked again are
        together the focus."""
        desk, market = self.core.desk, self.core.market
        hedge = [hedging.instrument_wanted(desk, market)] if any(desk.positions.values()) else []
        wanted = [*desk.flattening, *(parent.order.instrument for parent in desk.live_parents)]
        wanted += hedge + list(self.screen.names())
        wanted += [due.instrument for due in desk.due]
        known = self.core.market.venue.instruments
        focus = tuple(dict.fromkeys(name for name in wanted if name in known))[: self.core.desk.config.focus_limit]
        if focus != self.core.market.venue.focus:
            self.take(m.Focus, instruments=focus)

    async def show(self) -> None:
        """Publish views at 20 Hz, beside the hot loop."""
        beat = 0
        while True:
            await asyncio.sleep(VIEW_S)
            beat += 1
            self._refocus()
            if beat % LOOK_VIEWS == 0:
                self.screen.watch.look(self.core)
            self.screen.publish(self._views(slow=beat % SLOW_VIEWS == 0))
            if beat % COST_VIEWS == 0:
                self.screen.publish([view.costs(self.core, self.screen.ledger)])

    def _views(self, *, slow: bool) -> list[m.View]:
        out: list[m.View] = [view.status(self.core), view.desk(self.core), *self.screen.instruments(self.core)]
        if slow:
            out += [
                view.surface(self.core),
                view.chain(self.core),
                self.screen.watch.view(self.core),
                view.risk(self.core),
                view.hedged(self.core),
                view.skill(self.core),
            ]
            if self._jobs is not None:
                out.append(self._jobs.view)
            if self._swaps is not None:
                out.append(self._swaps.view(self.core.market.forecaster.id))
        return out


async def until_cancelled(*tasks: Any) -> None:
    """Run until one of them ends or fails; cancel the others, and let its failure be seen."""
    running = [asyncio.ensure_future(task) for task in tasks]
    try:
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in running:
            task.cancel()
        for task in running:
            with contextlib.suppress(asyncio.CancelledError):
                await task

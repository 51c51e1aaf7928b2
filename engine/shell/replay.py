"""A replay: the recorded inputs of a session fed to the same core, at any pace, onto the same screen.

A replay holds no credentials, no socket to a venue and no outbox: effects are dropped where the core returns them,
and commands are refused here, before they could become inputs. So a replay can never route an order.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from engine import messages as m
from engine import view
from engine.core import Core
from engine.domain import MS, NS
from engine.execution.cost_story import Ledger
from engine.forecast.skill import Monitor
from engine.forecast.stream import Forecaster
from engine.shell import fold
from engine.shell.kept import Kept
from engine.shell.screen import VIEW_S, Screen
from engine.shell.store.folders import BadSession
from engine.shell.store.tape import Gap, headers

TURN_S = VIEW_S / 2  # of folding before others run
SLOW_VIEWS = 2  # surface and desk: every so many fast ones
COST_VIEWS = 20  # costs: every so many fast ones
FASTEST = 10_000  # times
BATCH = 100  # inputs folded before the loop lets others run
MAX_STEPS = 10_000  # inputs of one step


class Replay:
    """Plays one session. Its `Serve` protocol is the engine's; `drive` moves it. `code` is the version that runs now
    (see `kept`); a jump that takes longer than `answer_s` is answered before it arrives."""

    def __init__(self, folder: Path, weights_of: fold.WeightsOf, code: str = "", answer_s: float | None = None) -> None:
        self.folder = folder
        self.weights_of = weights_of
        self.screen = Screen()
        spans = list(headers(folder))
        if not spans:
            raise BadSession(f"session '{folder.name}' holds nothing that can be read")
        self.first_t, self.last_t = spans[0].t_first, spans[-1].t_last
        self.last_n = spans[-1].last
        self.core = fold.begin(folder, weights_of)
        self.kept = Kept(folder, code)
        self.markers: list[m.Marker] = []
        self.note = ""
        self.playing = False
        self.speed = 1.0
        self._items: Iterator[m.Input | Gap] = fold.items(folder)
        self._ahead: m.Input | None = None
        self._moves = 0  # jumps and steps asked for; an older one that is still under way gives up
        self._moving = False
        self._late = False  # more is due than was folded in the last turn
        self._answer_s = answer_s
        self._underway: set[asyncio.Future[None]] = set()
        self._anchor = (0, 0.0)  # tape time and monotonic seconds when it last began to play
        self._advance_to_market()

    # ------------------------------------------------------------ moving

    def _peek(self) -> m.Input | None:
        while self._ahead is None:
            item = next(self._items, None)
            if item is None:
                return None
            if isinstance(item, Gap):
                self.note = f"a gap in the tape after input {item.after}: {item.reason}"
                self._mark(m.Marker(t_ms=self.core.market.now / MS, kind="gap", text=self.note))
                continue
            self._ahead = item
        return self._ahead

    def _forward(self) -> bool:
        """Fold one input; False at the end of the tape."""
        item = self._peek()
        if item is None:
            self.playing = False
            return False
        self._ahead = None
        outcome = self.core.step(item)
        self._remember(outcome.facts)
        if isinstance(item, m.Link) and not item.up:
            self._mark(m.Marker(t_ms=item.t / MS, kind="gap", text=item.reason))
        self.kept.keep(self.core)
        return True

    def _advance_to_market(self) -> None:
        """Past the opening formalities, to the first words of the market, so that the screen is not empty."""
        while not self._something_to_see():
            if not self._forward():
                return

    def _something_to_see(self) -> bool:
        """A sound book; without books, a smile for every expiry that was quoted."""
        venue, surface = self.core.market.venue, self.core.market.surface
        if venue.books or not venue.quotes:
            return any(not book.stale for book in venue.books.values())
        quoted = {(one.coin, one.expiry) for name in venue.quotes if (one := venue.instruments.get(name))}
        return all((fit := surface(coin).fit(expiry)) and fit.slice for coin, expiry in quoted)

    def _mark(self, marker: m.Marker) -> None:
        if marker not in self.markers:
            self.markers.append(marker)

    def _remember(self, facts: Sequence[m.Fact]) -> None:
        kinds = {fact.n: _MARKERS[type(fact)] for fact in facts if type(fact) in _MARKERS}
        for note in self.screen.say(self.core, facts):
            if note.n in kinds:
                self.markers.append(m.Marker(t_ms=note.t_ms, kind=kinds[note.n], text=note.text))

    async def _move(self, due: Callable[[m.Input], bool]) -> None:
        """Fold inputs as long as they are due, letting others run; the playing waits. A later move overtakes this."""
        order, folded, self._moving = self._moves, 0, True
        while order == self._moves and (item := self._peek()) is not None and due(item):
            self._forward()
            folded += 1
            if folded % BATCH == 0:
                await asyncio.sleep(0)
        if order == self._moves:
            self._moving = False
            self._anchor = (self.core.market.now, time.monotonic())

    async def _seek(self, t: int) -> None:
        """Exactly the state after the last input at or before `t`."""
        self._moves += 1
        self._jump(t)
        await self._move(lambda item: item.t <= t)

    async def _step(self, inputs: int) -> None:
        self._moves += 1
        left = iter(range(inputs))
        await self._move(lambda _: next(left, None) is not None)

    def _jump(self, t: int) -> None:
        """To the last state kept at or before `t`, if that is nearer than folding on from here."""
        back = t < self.core.market.now
        if back:
            self.screen.ledger = Ledger()  # told again from the facts up to there
        kept = self.kept.before(t)
        if kept is not None and (back or kept[0] > self.core.n):
            known = 0 if back else self.core.desk.facts
            self.core = self._taken_up(kept[1])
            self._items, self._ahead = fold.items(self.folder, kept[0]), None
            self._remember(fold.journalled(self.folder, known, self.core.desk.facts))
        elif back:
            self.core = fold.begin(self.folder, self.weights_of)
            self._items, self._ahead = fold.items(self.folder), None

    def _taken_up(self, dump: bytes) -> Core:
        """A core as it was kept. One that was kept with a model that is not here has none, and begins cold."""
        value = msgspec.msgpack.decode(dump)
        market = value["market"]
        model = market["forecaster"]["id"]
        weights = self.weights_of(model)
        if weights is None and model != Forecaster(None).id:
            market["forecaster"], market["monitor"] = Forecaster(None).dump(), Monitor(None).dump()
            market["missing"] = [*market.get("missing", ()), model]
        return Core.load(value, weights, models=self.weights_of)

    # ------------------------------------------------------------ the loops

    async def play(self) -> None:
        """Feed what is due; fall behind rather than skip, and say so."""
        while True:
            await asyncio.sleep(VIEW_S / 50 if self._late else VIEW_S / 2)
            self._late = False
            if not self.playing or self._moving:
                continue
            due = self._anchor[0] + round((time.monotonic() - self._anchor[1]) * self.speed * NS)
            started = time.monotonic()
            while (item := self._peek()) is not None and item.t <= due:
                self._forward()
                if time.monotonic() - started > TURN_S:
                    behind = (due - self.core.market.now) / NS / self.speed
                    self.note = f"the tape is denser than this pace: {behind:.1f} s behind" if behind > 1 else ""
                    self._late = True
                    break
            else:
                self.note = "" if self.note.startswith("the tape is denser") else self.note
            if self._peek() is None:
                self.playing = False

    async def show(self) -> None:
        beat = 0
        while True:
            await asyncio.sleep(VIEW_S)
            beat += 1
            self.screen.watch.look(self.core)
            self.screen.publish(self._views() if beat % SLOW_VIEWS == 0 else self._fast())
            if beat % COST_VIEWS == 0:
                self.screen.publish([view.costs(self.core, self.screen.ledger)])

    # ------------------------------------------------------------ people (serve.Desk)

    def ask(self, ask: m.Ask) -> m.Answer:
        return m.Answer(id=ask.id, ok=False, text="this is a replay: it has no route to any venue")

    def look(self, client: int, instruments: tuple[str, ...]) -> None:
        self.screen.look(client, instruments)

    def why(self, why: m.Why) -> m.Answer:
        return view.why(self.core, why)

    def estimate(self, asked: m.AskEstimate) -> m.Estimated:
        return view.estimate(self.core, asked)

    def cost(self, asked: m.AskCost) -> m.Costed:
        return view.costed(self.core, self.screen.ledger, asked)

    def work(self, work: m.Work) -> m.Answer:
        return m.Answer(id=work.id, ok=False, text="this is a replay: models are trained and compared on a desk")

    def recall(self, after: int) -> list[m.View]:
        return self.screen.recall([*self._views(), view.costs(self.core, self.screen.ledger)], after)

    async def drive(self, drive: m.Drive) -> m.Answer:
        match drive.do:
            case "play":
                if self._peek() is None:
                    return m.Answer(id=drive.id, ok=False, text="this is the end of the tape")
                self.playing = True
            case "pause":
                self.playing = False
            case "step":
                if not 0 <= drive.value <= MAX_STEPS:
                    return m.Answer(id=drive.id, ok=False, text=f"a step goes from 1 to {MAX_STEPS:,} inputs")
                self.playing = False
                return await self._answered(drive, self._step(max(1, int(drive.value))))
            case "seek":
                if not self.first_t / MS - 1 <= drive.value <= self.last_t / MS + 1:
                    return m.Answer(id=drive.id, ok=False, text="that moment is not on this tape")
                return await self._answered(drive, self._seek(round(drive.value * MS)))
            case "speed":
                if not 0 < drive.value <= FASTEST:
                    return m.Answer(id=drive.id, ok=False, text=f"speed goes from above 0 to {FASTEST:,}")
                self.speed = drive.value
        self._anchor = (self.core.market.now, time.monotonic())
        return m.Answer(id=drive.id, ok=True, text="")

    async def _answered(self, drive: m.Drive, move: Coroutine[Any, Any, None]) -> m.Answer:
        """When it has arrived, or after a while: a long way is gone on with, and the screen sees it pass."""
        moving = asyncio.ensure_future(move)
        self._underway.add(moving)
        moving.add_done_callback(self._underway.discard)
        done, _ = await asyncio.wait([moving], timeout=self._answer_s)
        for task in done:
            task.result()
        return m.Answer(id=drive.id, ok=True, text="" if done else "on the way")

    # ------------------------------------------------------------ views

    def _views(self) -> list[m.View]:
        core = self.core
        return [
            *self._fast(), view.desk(core), view.surface(core), view.chain(core), view.risk(core), view.hedged(core),
            self.screen.watch.view(core), view.skill(core),
        ]  # fmt: skip

    def _fast(self) -> list[m.View]:
        status = msgspec.structs.replace(view.status(self.core), mode="replay", session=self.folder.name)
        return [status, self._bar(), *self.screen.instruments(self.core)]

    def _bar(self) -> m.ReplayView:
        return m.ReplayView(
            session=self.folder.name,
            start_ms=self.first_t / MS,
            end_ms=self.last_t / MS,
            now_ms=self.core.market.now / MS,
            playing=self.playing,
            speed=self.speed,
            step=self.core.n,
            steps=self.last_n,
            markers=tuple(self.markers),
            note=self.note or self._lacking(),
        )

    def _lacking(self) -> str:
        missing = self.core.market.missing
        return f"the model {missing[-1]} is not here: this replay shows no forecasts of its" if missing else ""


_MARKERS: dict[type, str] = {
    m.Proposed: "proposal",
    m.Approved: "decision",
    m.Rejected: "decision",
    m.Filled: "fill",
    m.ParentHalted: "halt",
    m.ParentPaused: "halt",
    m.Killed: "alert",
    m.Refused: "alert",
}

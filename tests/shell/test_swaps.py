"""A running engine changes its model: asked by a person, fetched from the registry, on the tape, and in a replay."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from engine import messages as m
from engine.shell import fold
from engine.shell.registry import Registry
from engine.shell.replay import Replay
from engine.shell.store import keyframes
from engine.shell.store.journal import Journal
from engine.shell.swaps import Swaps
from tests.forecast.weights import random_net, weights_of
from tests.link import ready
from tests.shell.test_run import Line, ask

GOOD, BAD = weights_of(random_net(1)), weights_of(random_net(2))


class Scene:
    """An engine on the tests' venue, with a registry that holds a good model and a spoilt one."""

    def __init__(self, data: Path) -> None:
        self.registry = Registry(data)
        self.registry.folder.mkdir(parents=True)
        (self.registry.folder / f"{GOOD.id}.weights").write_bytes(GOOD.to_bytes())
        (self.registry.folder / f"{BAD.id}.weights").write_bytes(BAD.to_bytes()[:-7])
        self.world, self.name = ready()
        self.folder = data / "paper" / "sessions" / "one"
        self.folder.parent.mkdir(parents=True)
        self.line = Line(self.world, self.folder)
        self.engine, self.facts = self.line.engine, list(self.world.facts)
        for item in self.world.inputs:
            self.line.tape.append(item)
        self.swaps = swaps = Swaps(self.registry)
        self.engine.choose(swaps)
        self.engine.core.market.models = swaps.get
        self.engine.keep(self._kept)

    def _kept(self, facts: object) -> None:
        assert isinstance(facts, list)
        self.facts += facts
        self.engine.outbox.durable(self.facts[-1].n)

    def model(self) -> str:
        return next(view.model for view in self.engine.recall(0) if isinstance(view, m.StatusView))

    async def asks(self, verb: m.Verb, number: str) -> m.Fact:
        """Ask, and wait for what comes of it."""
        before = len(self.facts)
        assert self.engine.ask(ask(verb, number)).ok
        while not any(isinstance(fact, m.ModelChanged | m.ModelRefused) for fact in self.facts[before:]):
            await asyncio.sleep(0.001)
        return self.facts[-1]

    def close(self) -> Path:
        """The session as it is on disk."""
        self.line.tape.close()
        journal = Journal(self.folder.parent.parent / "journal.sqlite")
        journal.append(self.facts, "one")
        journal.close()
        return self.folder


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "data")


def story(scene: Scene) -> Path:
    """Promote, a spoilt one that is refused, roll back, promote again; steps of the clock between them."""

    async def told() -> None:
        for number, verb in enumerate(
            (m.PromoteModel(model=GOOD.id), m.PromoteModel(model=BAD.id), m.PromoteModel(model="lstm-none"))
        ):
            await scene.asks(verb, str(number))
            for _ in range(3):
                scene.engine.take(m.Tick)

    asyncio.run(told())
    return scene.close()


def test_a_person_promotes_and_the_engine_uses_it_at_once(scene: Scene) -> None:
    assert scene.model() == "baseline"
    fact = asyncio.run(scene.asks(m.PromoteModel(model=GOOD.id), "1"))
    assert isinstance(fact, m.ModelChanged)
    assert scene.model() == scene.registry.champion() == GOOD.id
    assert scene.registry.record().history[-1].by == "trader"
    notes = [view for view in scene.engine.recall(0) if isinstance(view, m.NoteView) and view.model]
    assert [note.level for note in notes] == ["info", "warn"]


def test_a_spoilt_file_is_refused_while_the_old_one_goes_on(scene: Scene) -> None:
    asyncio.run(scene.asks(m.PromoteModel(model=GOOD.id), "1"))
    fact = asyncio.run(scene.asks(m.PromoteModel(model=BAD.id), "2"))
    assert isinstance(fact, m.ModelRefused)
    assert "cut short" in fact.reason
    assert scene.model() == scene.registry.champion() == GOOD.id


def test_roll_back_goes_to_the_model_before(scene: Scene) -> None:
    shipped = scene.registry.champion()
    asyncio.run(scene.asks(m.PromoteModel(model=GOOD.id), "1"))
    asyncio.run(scene.asks(m.RollBackModel(), "2"))
    assert scene.model() == scene.registry.champion() == shipped
    fact = asyncio.run(scene.asks(m.RollBackModel(), "3"))
    assert isinstance(fact, m.ModelRefused)
    assert "nothing has been promoted" in fact.reason


def test_an_engine_without_a_registry_says_so(tmp_path: Path) -> None:
    world, _ = ready()
    line = Line(world, tmp_path / "session")
    assert line.engine.ask(ask(m.PromoteModel(model=GOOD.id))).ok
    notes = [view.text for view in line.engine.recall(0) if isinstance(view, m.NoteView)]
    assert "no registry" in notes[-1]


def test_the_tape_verifies_with_its_models(scene: Scene) -> None:
    found = fold.verify(story(scene), scene.registry.find)
    assert found.same, found.first_difference
    assert found.missing == ()
    replay = Replay(scene.folder, scene.registry.find)
    asyncio.run(replay.drive(m.Drive(id="1", do="step", value=replay.last_n)))
    assert replay.core.market.forecaster.id == GOOD.id
    assert replay.core.digest() == scene.engine.core.digest()


def test_a_replay_that_lacks_the_model_says_so_and_goes_on(scene: Scene) -> None:
    folder = story(scene)
    found = fold.verify(folder, lambda _: None)
    assert found.missing == (GOOD.id,)
    replay = Replay(folder, lambda _: None)
    asyncio.run(replay.drive(m.Drive(id="1", do="step", value=replay.last_n)))
    (bar,) = [view for view in replay.recall(0) if isinstance(view, m.ReplayView)]
    assert f"the model {GOOD.id} is not here" in bar.note


def test_a_kept_state_of_a_model_that_is_not_here_is_taken_up_without_it(scene: Scene) -> None:
    folder = story(scene)
    keyframes.put(folder, scene.engine.core.n, msgspec.msgpack.encode(scene.engine.core.dump()))
    replay = Replay(folder, lambda _: None)
    asyncio.run(replay.drive(m.Drive(id="1", do="seek", value=replay.last_t / 1e6 + 0.5)))
    assert replay.core.n == scene.engine.core.n
    assert replay.core.market.forecaster.id == "baseline"
    assert GOOD.id in replay.core.market.missing


def shelf(scene: Scene) -> m.ModelsView:
    (found,) = [view for view in scene.engine.recall(0) if isinstance(view, m.ModelsView)]
    return found


def test_the_screen_sees_what_is_on_the_shelf_and_what_was_done(scene: Scene) -> None:
    scene.swaps.look()
    shipped = scene.registry.champion()
    seen = shelf(scene)
    assert seen.in_use == "baseline"
    assert [(row.id, row.champion, bool(row.bad)) for row in seen.models] == [
        (shipped, True, False), *sorted([(GOOD.id, False, False), (BAD.id, False, True)])
    ]  # fmt: skip
    first = seen.models[0]
    header = scene.registry.load(shipped).header
    assert first.minutes == header.training["minutes"]
    assert (first.sessions, first.data) == (len(header.seeds), header.data_hash)
    assert {score.head for score in first.scores} >= {"direction", "slippage", "volatility"}
    asyncio.run(scene.asks(m.PromoteModel(model=GOOD.id), "1"))
    seen = shelf(scene)
    assert seen.in_use == seen.models[0].id == GOOD.id
    assert [(step.did, step.model, step.before) for step in seen.history] == [("promote", GOOD.id, shipped)]
    again = m.unpack_down(m.pack(m.Views(views=(seen,))))
    assert again == m.Views(views=(seen,))


def test_what_others_add_is_seen_and_a_garbled_record_said(scene: Scene) -> None:
    scene.swaps.look()
    (scene.registry.folder / f"{BAD.id}.weights").write_bytes(BAD.to_bytes())
    scene.swaps.look()
    assert not any(row.bad for row in shelf(scene).models)
    (scene.registry.folder / "champion.json").write_bytes(b"?")
    scene.swaps.look()
    assert "cannot be read" in shelf(scene).note

"""A tape folded again gives the journal's facts, to the byte; and the replay on it goes where it is told."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from engine import messages as m
from engine.domain import Side
from engine.research.imports import open_recording
from engine.shell import fold
from engine.shell.recording import lay
from engine.shell.replay import Replay
from engine.shell.store import keyframes
from engine.shell.store.folders import Meta
from engine.shell.store.journal import Journal
from engine.shell.store.tape import Gap, Tape
from tests.link import ready
from tests.processes import ROOT


def no_weights(_: str) -> None:
    return None


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session with a parent that was worked, an approval, a fill, a manual order, a cut and a kill; as on disk."""
    world, name = ready()
    instrument, book = world.core.market.venue.instruments[name], world.core.market.venue.books[name]
    assert book.best_ask is not None
    assert book.best_bid is not None
    limit = instrument.price(instrument.step(book.best_ask, 8))
    world.do(m.SubmitParent(instrument=name, side=Side.BUY, quantity=20, limit=limit, minutes=1, urgency=10))
    world.run(12)
    for proposal in list(world.core.desk.proposals.values()):
        world.do(m.Approve(proposal=proposal.born.id, revision=proposal.revision))
    low = instrument.price(instrument.step(book.best_bid, -4))
    world.do(m.SendOrder(instrument=name, side=Side.BUY, quantity=1, price=low))
    world.disconnect()
    world.run(1)
    world.connect()
    world.run(3)
    world.do(m.Kill())
    world.run(1)
    data = tmp_path_factory.mktemp("desk")
    folder = data / "sessions" / "test-0"
    tape = Tape.create(folder, Meta(name="test-0", mode="paper", started=world.inputs[0].t, code="test"))
    for item in world.inputs:
        tape.append(item)
    tape.close()
    journal = Journal(data / "journal.sqlite")
    journal.append(world.facts, "test-0")
    journal.close()
    assert {m.Approved, m.OrderRequested, m.Filled, m.Killed} <= {type(fact) for fact in world.facts}
    return folder


def test_verify_finds_the_same_facts(recorded: Path) -> None:
    found = fold.verify(recorded, no_weights)
    assert found.same, found.first_difference
    assert found.facts > 20


def test_two_fresh_processes_agree(recorded: Path) -> None:
    """Whatever order a process hashes strings in, facts and state are the same."""
    said = [
        json.loads(
            subprocess.run(
                [sys.executable, "-m", "engine", "verify", str(recorded), "--json"], capture_output=True, text=True,
                check=True, cwd=ROOT, env={"PYTHONHASHSEED": seed, "PATH": ""},
            ).stdout
        )
        for seed in ("1", "2")
    ]  # fmt: skip
    assert said[0] == said[1]
    assert said[0]["same"]


def test_a_changed_fact_is_found(recorded: Path, tmp_path: Path) -> None:
    """verify can fail: another journal beside the same tape is told apart, at the first difference."""
    copy = tmp_path / "desk" / "sessions" / "test-0"
    shutil.copytree(recorded, copy)
    world_facts = list(fold._journalled(recorded))
    changed = [msgspec.structs.replace(f, price=f.price + 1) if isinstance(f, m.Filled) else f for f in world_facts]
    journal = Journal(tmp_path / "desk" / "journal.sqlite")
    journal.append(changed, "test-0")
    journal.close()
    found = fold.verify(copy, no_weights)
    assert not found.same
    assert "price" in found.first_difference


def test_a_jump_gives_the_state_of_a_fold(recorded: Path) -> None:
    """Forwards, backwards and to the end: the state is the one a fold from the beginning gives."""
    replay = Replay(recorded, no_weights)
    span = replay.last_t - replay.first_t
    for share in (0.7, 0.3, 0.9, 0.1, 1.0, 0.5):
        t = replay.first_t + int(span * share)
        asyncio.run(replay.drive(m.Drive(id="1", do="seek", value=t / 1e6)))
        plain = fold.begin(recorded, no_weights)
        for item in fold.items(recorded):
            assert isinstance(item, m.Started | m.Frame | m.Link | m.Tick | m.Command | m.Sent | m.Failed | m.Focus)
            if item.t > round(t / 1e6 * 1e6):
                break
            plain.step(item)
        assert replay.core.n == plain.n
        assert replay.core.digest() == plain.digest()


def test_of_jumps_at_once_the_last_counts_and_playing_waits_for_it(recorded: Path) -> None:
    replay, alone = Replay(recorded, no_weights), Replay(recorded, no_weights)
    span = replay.last_t - replay.first_t
    jumps = [m.Drive(id="1", do="seek", value=(replay.first_t + int(span * at)) / 1e6) for at in (1.0, 0.2, 0.9, 0.4)]

    async def at_once() -> None:
        await replay.drive(m.Drive(id="2", do="speed", value=100.0))
        await replay.drive(m.Drive(id="3", do="play"))
        playing = asyncio.create_task(replay.play())
        await asyncio.gather(*(replay.drive(jump) for jump in jumps), replay.drive(m.Drive(id="4", do="pause")))
        playing.cancel()

    asyncio.run(at_once())
    asyncio.run(alone.drive(jumps[-1]))
    assert replay.core.digest() == alone.core.digest()


@pytest.mark.parametrize("steps", [float("nan"), float("inf"), -1.0, 1e9])
def test_a_step_that_cannot_be_meant_moves_nothing(recorded: Path, steps: float) -> None:
    replay = Replay(recorded, no_weights)
    before = replay.core.n
    answer = asyncio.run(replay.drive(m.Drive(id="1", do="step", value=steps)))
    assert not answer.ok
    assert "step" in answer.text
    assert replay.core.n == before


def test_a_jump_takes_up_a_state_that_was_kept(recorded: Path, tmp_path: Path) -> None:
    """Over a keyframe the state is the one that folding gives, and what was passed over is still said."""
    folder = tmp_path / "desk" / "sessions" / "test-0"
    shutil.copytree(recorded.parent.parent, tmp_path / "desk")
    plain = fold.begin(folder, no_weights)
    rows = [item for item in fold.items(folder) if not isinstance(item, Gap)]
    for item in rows:
        plain.step(item)
        if item.n == len(rows) * 3 // 4:
            keyframes.put(folder, item.n, msgspec.msgpack.encode(plain.dump()))
    replay = Replay(folder, no_weights)
    asyncio.run(replay.drive(m.Drive(id="1", do="seek", value=replay.last_t / 1e6 + 0.5)))
    assert replay.core.n == rows[-1].n
    assert replay.core.digest() == plain.digest()
    folded = Replay(recorded, no_weights)
    asyncio.run(folded.drive(m.Drive(id="1", do="step", value=len(rows))))
    assert [note for note in replay.recall(0) if isinstance(note, m.NoteView)] == [
        note for note in folded.recall(0) if isinstance(note, m.NoteView)
    ]
    assert replay.markers == folded.markers


def test_a_replay_refuses_every_command(recorded: Path) -> None:
    replay = Replay(recorded, no_weights)
    answer = replay.ask(m.Ask(id="1", user="someone", role="admin", verb=m.Kill(account=True)))
    assert not answer.ok
    assert "replay" in answer.text


def test_real_options_on_the_screen(shared_data: Path, tmp_path: Path) -> None:
    """The recording of 2021: ten books, their IVs as points of the surface, and no two coins in one smile."""
    recording = open_recording(shared_data / "deribit_frames" / "2021-07-22.ws.txt")
    folder = tmp_path / "sessions" / "real"
    count = lay(folder, recording.instruments, recording, model="", code="test")
    replay = Replay(folder, no_weights)
    replay.look(1, tuple(i.name for i in recording.instruments))
    asyncio.run(replay.drive(m.Drive(id="1", do="step", value=count)))
    views = replay.recall(0)
    ladders = [v for v in views if isinstance(v, m.LadderView)]
    assert len(ladders) == 10
    assert all(not ladder.stale for ladder in ladders)
    surface = next(v for v in views if isinstance(v, m.SurfaceView))
    points = [point for smile in surface.smiles for point in smile.points]
    assert {point.instrument for point in points} == {i.name for i in recording.instruments}
    assert all(point.mark_iv for point in points)
    for smile in surface.smiles:
        assert len({point.instrument.split("-")[0] for point in smile.points}) <= 1
    assert fold.verify(folder, no_weights).same

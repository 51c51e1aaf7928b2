"""A kill that was pressed past an engine: it lies in the folder, and the engine looks before it sends."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from engine import messages as m
from engine.shell import pressed
from tests.link import World, ready
from tests.shell.test_run import Line, ask, resting


@pytest.mark.parametrize("account", [False, True])
def test_what_is_left_is_found_until_it_is_forgotten(tmp_path: Path, account: bool) -> None:
    assert pressed.found(tmp_path) is None
    assert pressed.leave(tmp_path, account=account)
    assert pressed.leave(tmp_path, account=account)
    assert pressed.found(tmp_path) is account
    pressed.forget(tmp_path)
    pressed.forget(tmp_path)
    assert pressed.found(tmp_path) is None


def test_a_folder_that_takes_nothing_is_told_of(tmp_path: Path) -> None:
    assert not pressed.leave(tmp_path / "nowhere", account=False)
    pressed.forget(tmp_path / "nowhere")


@pytest.fixture
def line(tmp_path: Path) -> Iterator[tuple[Line, World, str]]:
    """An engine whose journal has caught up with nothing since."""
    world, name = ready()
    wire = Line(world, tmp_path / "session")
    wire.engine.heed(partial(pressed.found, tmp_path), partial(pressed.forget, tmp_path))
    yield wire, world, name
    wire.tape.close()


def test_an_order_that_waited_for_the_disk_does_not_leave_after_a_press(
    line: tuple[Line, World, str], tmp_path: Path
) -> None:
    wire, world, name = line
    engine = wire.engine
    engine.keep(lambda _: None)  # the disk takes its time
    assert engine.ask(ask(resting(world, name))).ok
    pressed.leave(tmp_path, account=True)
    engine.durable(world.desk.facts)
    assert "private/buy" not in wire.methods()
    assert world.desk.killed is not None
    assert world.desk.killed.account
    assert "private/cancel_all" in wire.methods()
    assert world.desk.live_children == []


def test_one_of_the_whole_account_is_more_than_a_kill_of_ours(line: tuple[Line, World, str], tmp_path: Path) -> None:
    wire, world, _ = line
    world.do(m.Kill())
    pressed.leave(tmp_path, account=True)
    for _ in range(2):
        wire.engine._look_for_kill()
    assert world.desk.killed is not None
    assert world.desk.killed.account
    assert wire.methods().count("private/cancel_all") == 1


def test_it_is_taken_once_and_forgotten_when_it_is_kept(line: tuple[Line, World, str], tmp_path: Path) -> None:
    wire, world, name = line
    engine, kept = wire.engine, list[m.Fact]()
    engine.keep(kept.extend)
    pressed.leave(tmp_path, account=False)
    for _ in range(3):
        engine._look_for_kill()
    assert pressed.found(tmp_path) is False  # not in the journal yet
    assert sum(isinstance(fact, m.Killed) for fact in kept) == 1
    engine.durable(world.desk.facts)
    engine._look_for_kill()
    assert pressed.found(tmp_path) is None
    assert "killed by command line" in engine.ask(ask(resting(world, name))).text

"""Long commands beside the engine: one at a time, told of as they go, ended whole, and what they found taken up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from engine import messages as m
from engine.shell.jobs import Jobs, arguments, title, told
from engine.shell.registry import Registry
from engine.shell.swaps import Swaps
from tests.forecast.weights import random_net, weights_of
from tests.link import ready
from tests.shell.test_run import Line

TRAIN = m.Train(sessions=1, minutes=0.5)
WAIT_S = 120.0  # a bound, never an expectation
COMPARE = m.Compare(first="lstm-none", second="lstm-neither", sessions=1, minutes=0.5)


def work(job: m.Job, role: m.Role = "trader") -> m.Work:
    return m.Work(id="1", user="anna", role=role, job=job)


def jobs(data: Path, *command: str) -> Jobs:
    swaps = Swaps(Registry(data))
    return Jobs(data, swaps, command) if command else Jobs(data, swaps)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not holds():
            await asyncio.sleep(0.005)


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 2 * WAIT_S))


def test_who_may_only_look_starts_nothing(tmp_path: Path) -> None:
    one = jobs(tmp_path)
    answer = one.ask(work(TRAIN, "viewer"))
    assert (answer.ok, answer.text) == (False, "anna may look, not train or compare")
    assert one.view == m.JobView()


def test_nothing_that_runs_cannot_be_ended(tmp_path: Path) -> None:
    assert jobs(tmp_path).ask(work(m.EndJob())).text == "nothing runs that could be ended"


def test_a_command_that_cannot_do_it_says_why_in_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.shell.jobs.NICE", 0)  # a busy machine would let it wait

    async def story() -> None:
        one = jobs(tmp_path)
        assert one.ask(work(COMPARE)).ok
        await until(lambda: one.view.state != "running")
        assert (one.view.state, one.view.by) == ("failed", "anna")
        assert "there is no model 'lstm-none' here" in one.view.reason

    run(story)


def test_one_at_a_time_and_the_end_ends_all_that_was_started(tmp_path: Path) -> None:
    async def story() -> None:
        one = jobs(tmp_path, "sh", "-c", "sleep 600 & echo the child is $! >&2; wait")
        assert one.ask(work(TRAIN)).ok
        await until(lambda: bool(one.view.lines))
        assert one.ask(work(COMPARE)).text == "one at a time: training on 1 session of 0.5 min is not done yet"
        assert one.ask(work(m.EndJob())).ok
        await until(lambda: one.view.state == "cancelled")
        child = int(one.view.lines[0].split()[-1])
        await until(lambda: not alive(child))
        assert one.view.ended_ms is not None
        assert one.view.ended_ms >= one.view.began_ms

    run(story)


def test_a_job_that_will_not_end_is_killed_with_its_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.shell.jobs.ENDING_S", 0.05)

    async def story() -> None:
        one = jobs(tmp_path, "sh", "-c", "trap '' TERM; echo stubborn $$ >&2; while true; do sleep 0.05; done")
        one.ask(work(TRAIN))
        await until(lambda: bool(one.view.lines))
        await one.close()
        assert one.view.state == "cancelled"
        assert not alive(int(one.view.lines[0].split()[-1]))

    run(story)


def alive(process: int) -> bool:
    """Runs, and is not only waiting for its end to be noticed."""
    try:
        return (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_was_trained_becomes_a_candidate(tmp_path: Path) -> None:
    weights = weights_of(random_net(3))
    made = tmp_path / "made"
    made.write_bytes(weights.to_bytes())
    data = tmp_path / "data"

    async def story() -> None:
        one = jobs(data, "sh", "-c", f'echo "epoch 1 of 1: direction 0.5000" >&2; cp {made} "$2"; echo "{{}}"')
        one.ask(work(TRAIN))
        await until(lambda: one.view.state != "running")
        assert (one.view.state, one.view.model, one.view.reason) == ("done", weights.id, "")
        assert one.view.epochs == (m.Epoch(number=1, of=1, losses={"direction": 0.5}),)

    run(story)
    assert weights.id in Registry(data).paths()
    assert Registry(data).champion() != weights.id
    assert list((data / "training").iterdir()) == []


def test_a_job_is_not_told_the_desks_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_CLIENT_SECRET", "hidden")
    monkeypatch.setenv("TIDEGATE_LINK_TOKEN", "hidden")
    monkeypatch.setenv("TIDEGATE_OPERATOR", "hidden")
    monkeypatch.setenv("TIDEGATE_SHARED_DATA", "seen")

    async def story() -> None:
        one = jobs(tmp_path, "sh", "-c", "env | grep TIDEGATE >&2; exit 3")
        one.ask(work(TRAIN))
        await until(lambda: one.view.state == "failed")
        assert one.view.lines == ("TIDEGATE_SHARED_DATA=seen",)

    run(story)


def test_an_engine_without_a_registry_trains_nothing(tmp_path: Path) -> None:
    line = Line(ready()[0], tmp_path / "session")
    assert line.engine.work(work(TRAIN)) == m.Answer(id="1", ok=False, text="this engine has no registry")


# ---------------------------------------------------------------- in words


@pytest.mark.parametrize(
    ("job", "words", "command"),
    [
        (TRAIN, "training on 1 session of 0.5 min", "train --out /o --seeds 1 --minutes 0.5 --data /d --json"),
        (
            m.Compare(first="a", second="b", sessions=3, minutes=10.0),
            "comparing a with b on 3 sessions of 10 min",
            "models compare a b --seeds 3 --minutes 10 --data /d --json",
        ),
    ],
)
def test_a_job_is_the_command_that_a_person_would_type(job: m.Train | m.Compare, words: str, command: str) -> None:
    assert title(job) == words
    assert " ".join(arguments(job, Path("/d"), Path("/o"))) == command


@pytest.mark.parametrize(
    ("line", "share"),
    [
        ("simulating 18 sessions of 8 minutes, 0 are there", None),
        ("session 103: 3 of 12", 0.25),
        ("training on 64 segments of 1500 steps", None),
        ("epoch 2 of 4: 1 of 2 batches", 0.375),
        ("epoch 2 of 4: direction 0.4100, drift 1.2000", 0.5),
        ("session 0: 0 of 0", None),
    ],
)
def test_how_far_it_is_comes_from_what_it_says(line: str, share: float | None) -> None:
    view = told(m.JobView(id=1), line)
    assert (view.stage, view.lines, view.share) == (line, (line,), share)


def test_only_the_last_lines_are_kept_and_every_epoch() -> None:
    view = m.JobView(id=1)
    for k in range(1, 101):
        view = told(view, f"epoch {k} of 100: direction {1 / k:.4f}")
    assert len(view.lines) == 60
    assert [epoch.number for epoch in view.epochs] == list(range(1, 101))


def test_the_losses_are_those_that_the_training_tells(tmp_path: Path) -> None:
    import torch

    from engine.forecast.model import losses
    from engine.forecast.parameters import OUTPUTS, TARGETS

    found = {name: float(loss) for name, loss in losses(torch.zeros(4, OUTPUTS), torch.zeros(4, TARGETS)).items()}
    line = "epoch 1 of 7: " + ", ".join(f"{name} {loss:.4f}" for name, loss in found.items())
    assert told(m.JobView(), line).epochs[0].losses == pytest.approx(found, abs=1e-4)

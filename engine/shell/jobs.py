"""Long commands beside a running engine: one at a time, with what it says of itself as a view, ended with the engine.

A job is the command a person would type, as a process of its own in a group of its own: what it starts ends with it,
and it yields the processor to the desk. It is told of by what it prints: progress on stderr, its result on stdout. One
whose engine dies without a word finds nobody listening, and ends at its next word.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from engine import messages as m
from engine.forecast.parameters import BadWeights
from engine.shell.scores import comparison
from engine.shell.store.folders import make_private
from engine.shell.swaps import Swaps

ROOT = Path(__file__).resolve().parents[2]
NICE = 10
ENDING_S = 3.0  # in which a job that is told to end has done so, or is killed
SECRETS = "TIDEGATE_CLIENT", "TIDEGATE_LINK", "TIDEGATE_OPERATOR"  # begin the names of what a job is not told
LINES = 60  # that are shown
LONGEST = 1 << 24  # bytes of one line of it: a comparison is one
EPOCH = re.compile(r"epoch (\d+) of (\d+): (.+)")
BATCHES = re.compile(r"(\d+) of (\d+) batches$")
LOSS = re.compile(r"(\w+) (-?\d+\.\d+)")
COUNT = re.compile(r"(\d+) of (\d+)")


class Jobs:
    """Of one engine. `view` is the job that runs, or the last; it changes as the job speaks."""

    def __init__(self, data: Path, swaps: Swaps, command: Sequence[str] = (sys.executable, "-m", "engine")) -> None:
        self.view = m.JobView()
        self._data, self._swaps, self._command = data.absolute(), swaps, command
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None

    # ------------------------------------------------------------ what is asked

    def ask(self, work: m.Work) -> m.Answer:
        """Begin a job, or end the one that runs; how it goes on is in the view."""
        if work.role == "viewer":
            return _refused(work, f"{work.user} may look, not train or compare")
        if isinstance(work.job, m.EndJob):
            return self._end(work)
        if self._running:
            return _refused(work, f"one at a time: {self.view.title} is not done yet")
        self.view = m.JobView(
            id=self.view.id + 1, do=_DO[type(work.job)], title=title(work.job), by=work.user, state="running",
            began_ms=_now(), stage="starting", comparison=self.view.comparison,
        )  # fmt: skip
        self._task = asyncio.create_task(self._run(work.job))
        return m.Answer(id=work.id, ok=True, text=f"{self.view.title}: begun")

    def _end(self, work: m.Work) -> m.Answer:
        if not self._running or self._task is None:
            return _refused(work, "nothing runs that could be ended")
        self._change(state="ending")
        self._task.cancel()
        return m.Answer(id=work.id, ok=True, text=f"{self.view.title}: ending")

    async def close(self) -> None:
        """The engine ends: so does its job."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    @property
    def _running(self) -> bool:
        return self.view.state in ("running", "ending")

    # ------------------------------------------------------------ running one

    async def _run(self, job: m.Train | m.Compare) -> None:
        out = self._data / "training" / f"candidate-{os.getpid()}.weights"
        try:
            text = await self._said(arguments(job, self._data, out))
            await self._take_up(job, text, out)
        except asyncio.CancelledError:
            self._finish("cancelled")
        except (OSError, BadWeights, Failed, msgspec.DecodeError) as error:
            self._finish("failed", reason=str(error))
        finally:
            with contextlib.suppress(OSError):
                out.unlink(missing_ok=True)

    async def _said(self, arguments: Sequence[str]) -> bytes:
        """What the command prints on stdout, once it has ended well. Whatever happens, it has ended afterwards."""
        make_private(self._data / "training")
        process = await asyncio.create_subprocess_exec(
            *self._command, *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, cwd=ROOT, env=_environment(), start_new_session=True, limit=LONGEST,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PGRP, process.pid, NICE)
            text, _ = await asyncio.gather(process.stdout.read(), self._listen(process.stderr))
            if await process.wait():
                raise Failed(self.view.lines[-1] if self.view.lines else f"it ended with {process.returncode}")
            return text
        finally:
            await _ended(process)

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        async for line in stream:
            if said := line.decode(errors="replace").strip():
                self.view = told(self.view, said)

    async def _take_up(self, job: m.Train | m.Compare, text: bytes, out: Path) -> None:
        if isinstance(job, m.Compare):
            self._finish("done", comparison=comparison(text))
            return
        model = await asyncio.to_thread(self._swaps.registry.add, out)
        await asyncio.to_thread(self._swaps.look)
        self._finish("done", model=model)

    def _finish(self, state: m.JobState, **changes: object) -> None:
        self._change(state=state, ended_ms=_now(), share=None, **changes)

    def _change(self, **changes: object) -> None:
        self.view = msgspec.structs.replace(self.view, **changes)


class Failed(Exception):
    """The command did not end well. Its text is the last it said."""


async def _ended(process: asyncio.subprocess.Process) -> None:
    """End the whole group: in order first, then for good."""
    if process.returncode is None:
        _signal(process.pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ENDING_S):
                await process.wait()
    _signal(process.pid, signal.SIGKILL)
    await process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _environment() -> dict[str, str]:
    """Ours without the desk's secrets: a job needs no venue."""
    return {name: value for name, value in os.environ.items() if not name.startswith(SECRETS)}


# ---------------------------------------------------------------- as a command, and in words

_DO = {m.Train: "train", m.Compare: "compare"}


def arguments(job: m.Train | m.Compare, data: Path, out: Path) -> list[str]:
    """The command of `python -m engine` that does it."""
    size = ["--seeds", str(job.sessions), "--minutes", f"{job.minutes:g}", "--data", str(data), "--json"]
    if isinstance(job, m.Train):
        return ["train", "--out", str(out), *size]
    return ["models", "compare", job.first, job.second, *size]


def title(job: m.Train | m.Compare) -> str:
    size = f"{job.sessions} session{'' if job.sessions == 1 else 's'} of {job.minutes:g} min"
    if isinstance(job, m.Train):
        return f"training on {size}"
    return f"comparing {job.first} with {job.second} on {size}"


def told(view: m.JobView, line: str) -> m.JobView:
    """The job after one more line of its own."""
    share, epochs = None, view.epochs
    if epoch := EPOCH.match(line):
        number, of, rest = int(epoch[1]), int(epoch[2]), epoch[3]
        if batches := BATCHES.match(rest):
            share = (number - 1 + int(batches[1]) / int(batches[2])) / of
        elif losses := {name: float(loss) for name, loss in LOSS.findall(rest)}:
            share, epochs = number / of, (*epochs, m.Epoch(number=number, of=of, losses=losses))
    elif count := COUNT.search(line):
        share = int(count[1]) / int(count[2]) if int(count[2]) else None
    return msgspec.structs.replace(
        view, stage=line, share=share, epochs=epochs, lines=(*view.lines, line)[-LINES:],
    )  # fmt: skip


def _refused(work: m.Work, text: str) -> m.Answer:
    return m.Answer(id=work.id, ok=False, text=text)


def _now() -> float:
    return time.time() * 1000.0

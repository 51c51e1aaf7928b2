"""Keeps one engine process for a desk: starts it, starts it again at the same address when it dies, ends it.

The engine is in a session of its own, so that a Ctrl-C at the terminal reaches the desk alone, and the desk ends the
engine once and in order. Whatever way the desk ends, what was started for it is gone afterwards.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

from engine.shell import modes
from engine.shell.options import CannotStart, Options

RESTART_S, RESTART_CAP_S = 0.5, 10.0
ENDING_S = 10.0  # in which an engine ends in order; one that does not is killed
LOOK_S = 0.25
STOPPED_S = 1.0  # one that a debugger or a signal holds still is killed after this: it would never end
ROOT = Path(__file__).resolve().parents[2]


class Supervisor(threading.Thread):
    """`launch`, `watch`, and in any case `end`."""

    def __init__(self, options: Options) -> None:
        super().__init__(name="supervisor", daemon=True)
        self._options = options
        command = [
            sys.executable,
            "-m",
            "engine",
            "run",
            "--venue",
            options.venue,
            "--data",
            str(options.data.absolute()),
        ]
        command += ["--seed", str(options.seed), "--speed", str(options.speed), "--regime", options.regime]
        self._command = command + (["--replay", str(options.replay.absolute())] if options.replay else [])
        self._environment = dict(os.environ)
        self._ending = threading.Event()
        self._starting = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._owner = False  # what runs in the folder is ours, and not another desk's

    def launch(self) -> str:
        """Start the engine and return its address. Raises CannotStart; the engine's own sentence stands on stderr."""
        with self._starting:  # an engine that started while the desk ends would be nobody's
            if self._ending.is_set():
                raise CannotStart("the desk is ending")
            process = self._process = subprocess.Popen(
                self._command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, cwd=ROOT,
                env=self._environment, start_new_session=True,
            )  # fmt: skip
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("engine: "):
            process.wait()
            raise CannotStart("the engine did not start; its reason stands above")
        self._owner = True
        return line.split()[1]

    def watch(self, address: str) -> None:
        """From now on a dead engine comes back where screens look for it."""
        parts = urlsplit(address)
        self._command += ["--link-port", str(parts.port)]
        self._environment["TIDEGATE_LINK_TOKEN"] = parts.query.removeprefix("token=")
        self.start()

    def run(self) -> None:
        pause = RESTART_S
        while self._process is not None:
            self._process.wait()
            if self._ending.wait(pause):
                return
            print("app: the engine ended; starting it again", file=sys.stderr, flush=True)
            pause = min(2 * pause, RESTART_CAP_S)
            with contextlib.suppress(CannotStart):  # said on stderr; tried again
                self.launch()
                pause = RESTART_S

    def end(self) -> None:
        """The engine, and the paper venue that an engine which died has left behind."""
        with self._starting:
            self._ending.set()
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            if not _ends(process):
                print("app: the engine did not end in time; it is killed", file=sys.stderr, flush=True)
                process.kill()
                process.wait()
        if self._owner and self._options.venue == "paper" and not self._options.replay:
            modes.end_paper_venue(self._options)


def _ends(process: subprocess.Popen[str]) -> bool:
    """Whether it ends in time. One that is held still is not waited for as one that only needs a while is."""
    held = 0.0
    for _ in range(round(ENDING_S / LOOK_S)):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_S)
            return True
        held = held + LOOK_S if _held_still(process.pid) else 0.0
        if held >= STOPPED_S:
            return False
    return False


def _held_still(pid: int) -> bool:
    """Whether the process is stopped by a signal or a debugger; False where the system does not say."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state in ("T", "t")

"""Real processes for tests: an engine, a desk. Whatever a test starts is ended with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent


class Process:
    """A process of ours that says one line when it is ready."""

    def __init__(self, arguments: list[str], says: str, data: Path) -> None:
        self.data = data
        self.log = (data.parent / f"{data.name}.log").open("a+b")
        self._process = subprocess.Popen(
            [sys.executable, *arguments, "--data", str(data)], stdout=subprocess.PIPE, stderr=self.log,
            stdin=subprocess.DEVNULL, text=True, cwd=ROOT,
        )  # fmt: skip
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith(says):
            self._process.wait()
            errors = self.errors()
            self._close()
            raise AssertionError(f"{arguments} said {line!r} and on stderr: {errors}")
        self.address = line.split()[1]

    def errors(self) -> str:
        self.log.flush()
        return Path(self.log.name).read_text()

    def kill(self) -> None:
        """As a power cut would: no handler runs."""
        self._process.kill()
        self._process.wait()
        self._close()

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """As Ctrl-C would, or another signal; waits for the end."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        code = self._process.wait()
        self._close()
        return code

    def kill_engine(self) -> None:
        """Kill the engine that this desk started, from under it."""
        record = next(self.data.glob("*/engine.json"))
        os.kill(int(json.loads(record.read_text())["pid"]), signal.SIGKILL)

    def _close(self) -> None:
        assert self._process.stdout is not None
        self._process.stdout.close()
        self.log.close()

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.log.closed:
            self.stop()


def engine(data: Path, *arguments: str) -> Process:
    """`python -m engine run`, attached to the paper venue of its data folder."""
    return Process(["-m", "engine", "run", *arguments], "engine: ", data)


def desk(data: Path, *arguments: str) -> Process:
    """`python app.py` on a free port: page, engine and paper venue."""
    return Process(["app.py", "--port", "0", *arguments], "Tidegate: ", data)


def venue_address(data: Path) -> str:
    """Where the paper venue of a data folder listens."""
    address: str = json.loads((data / "paper" / "venue.json").read_text())["address"]
    return address


def kill_venue(data: Path) -> None:
    """As a crash would; the engine that uses it runs on."""
    os.kill(venue_pid(data), signal.SIGKILL)


def venue_pid(data: Path) -> int:
    return int(json.loads((data / "paper" / "venue.json").read_text())["pid"])


def end_venue(data: Path) -> None:
    """End the paper venue that a killed engine has left running."""
    record = data / "paper" / "venue.json"
    if record.exists():
        os.kill(int(json.loads(record.read_text())["pid"]), signal.SIGTERM)

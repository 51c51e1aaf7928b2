"""What runs of parent orders came to, on disk: a file each, taken from there while all that it hangs on is the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from engine.config import Config
from engine.forecast.parameters import Weights
from engine.research.execution_orders import BASELINES, Outcome, Skipped, Task
from engine.research.kept import MARKET, code_of
from engine.shell.store.folders import make_private, write_whole

ROOMS = (*MARKET, "execution", *(f"research/{name}.py" for name in ("simulated", "execution_orders", "execution_runs")))
"""Code that a run hangs on."""


class Shelf:
    """What runs came to, a file each; without a folder nothing is kept. A file's name tells what it hangs on; what
    cannot be read counts as missing."""

    def __init__(self, folder: Path | None, weights: Weights, config: Config) -> None:
        self.folder = folder
        self._model = weights.id
        self._policy, self._execution = msgspec.to_builtins((config.policy, config.execution))

    def _path(self, task: Task, algorithm: str) -> Path | None:
        if self.folder is None:
            return None
        thinks = [] if algorithm in BASELINES else [self._model, self._policy]
        hangs_on = [code_of(ROOMS), thinks, self._execution, list(task)]
        key = hashlib.sha256(msgspec.json.encode(hangs_on)).hexdigest()[:12]
        return self.folder / f"execution-{key}-{task.seed}-{algorithm}.json"

    def read(self, task: Task, algorithm: str) -> Outcome | Skipped | None:
        path = self._path(task, algorithm)
        try:
            return None if path is None else msgspec.json.decode(path.read_bytes(), type=Outcome | Skipped)
        except (OSError, msgspec.DecodeError):
            return None

    def write(self, task: Task, algorithm: str, found: Outcome | Skipped) -> None:
        if (path := self._path(task, algorithm)) is not None:
            make_private(path.parent)
            write_whole(path, msgspec.json.encode(found))

    def tallied(self, regime: str) -> bytes | None:
        """What a desk's monitor had tallied of this regime."""
        try:
            return None if self.folder is None else self._watched(self.folder, regime).read_bytes()
        except OSError:
            return None

    def write_tallied(self, regime: str, data: bytes) -> None:
        if self.folder is not None:
            make_private(self.folder)
            write_whole(self._watched(self.folder, regime), data)

    def _watched(self, folder: Path, regime: str) -> Path:
        key = hashlib.sha256(msgspec.json.encode([code_of(ROOMS), self._model])).hexdigest()[:12]
        return folder / f"watched-{key}-{regime}.msgpack"

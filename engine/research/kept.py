"""What a long evaluation has found so far, on disk: by session, for the same model, code, settings and question."""

from __future__ import annotations

import hashlib
import io
import pickle
import zipfile
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.research.judging import Judged
from engine.shell.store.folders import make_private, write_whole

HASH = 32
MARKET = (
    "domain.py", "config.py", "compiled.py", "messages", "black.py", "market", "surface", "forecast", "core", "paper",
)  # fmt: skip
FIGURES = (*MARKET, "research")  # code that figures may hang on: no screen, no order and no socket does


@lru_cache
def code_of(rooms: tuple[str, ...]) -> str:
    """What the source in these rooms and files of the engine hashes to: figures hang on it, not on all of the code."""
    root = Path(str(resources.files("engine")))
    whole = hashlib.sha256()
    for room in rooms:
        at = root / room
        for path in sorted(at.rglob("*.py")) if at.is_dir() else (at,):
            whole.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


class Kept:
    """Arrays by number. Without a folder nothing is kept; what cannot be read counts as missing. What is found hangs on
    the question and on the code in `rooms`."""

    def __init__(self, folder: Path | None, what: str, *question: object, rooms: tuple[str, ...] = FIGURES) -> None:
        self.folder, self.what = folder, what
        text = msgspec.json.encode([code_of(rooms), *(msgspec.to_builtins(part) for part in question)])
        self.key = hashlib.sha256(text).hexdigest()[:16]

    def _path(self, number: int, ending: str) -> Path | None:
        return None if self.folder is None else self.folder / f"{self.what}-{self.key}-{number}.{ending}"

    def read(self, number: int) -> Judged | None:
        path = self._path(number, "npz")
        try:
            if path is None:
                return None
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return None

    def write(self, number: int, arrays: Judged) -> None:
        packed = io.BytesIO()
        np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]
        self._put(self._path(number, "npz"), packed.getvalue())

    def read_object(self) -> Any:
        """An object of our own code, as `write_object` left it in this folder, which is its owner's alone."""
        path = self._path(0, "pickle")
        try:
            data = path.read_bytes() if path is not None else b""
        except OSError:
            return None
        whole = hashlib.sha256(data[HASH:]).digest() == data[:HASH]
        return pickle.loads(data[HASH:]) if whole and data else None

    def write_object(self, value: object) -> None:
        data = pickle.dumps(value)
        self._put(self._path(0, "pickle"), hashlib.sha256(data).digest() + data)

    def _put(self, path: Path | None, data: bytes) -> None:
        if path is not None:
            make_private(path.parent)
            write_whole(path, data)

"""The registry of weights: those that come with the desk, and those kept in the data folder beside them.

`<data>/models/` holds one file a model, named by its id, and `champion.json`: which one an engine takes up when it
starts, which ones stood before it, and everything that was ever promoted or rolled back. The record is replaced whole
and synced, so a kill at any moment leaves the old one or the new one. Until something is promoted the newest shipped
weights are the champion.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import msgspec

from engine.config import Config
from engine.forecast.stream import BadWeights, Weights
from engine.shell.scores import read
from engine.shell.store.folders import make_private, write_whole

Where = Literal["shipped", "kept"]
LARGEST = 1 << 26  # bytes of a weights file: two hundred times ours


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One model that is here; `bad` says why it cannot be used, else it is empty."""

    id: str
    where: Where
    champion: bool
    bad: str = ""
    code: str = ""  # version of the code that trained it
    data_hash: str = ""
    crowd_hash: str = ""
    sessions: int = 0  # it was trained on
    minutes: float | None = None  # of market in each
    regimes: tuple[str, ...] = ()  # of the crowd, where they were named
    log_loss: dict[str, float | None] = {}  # of direction, beside its rivals', as judged when it was trained
    scores: dict[str, Any] = {}  # the whole table of that


class _Lived(msgspec.Struct, frozen=True):
    """Of what a header tells of its training; anyone may have written it."""

    minutes: float | None = None
    regimes: tuple[str, ...] = ()


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the history. `at` is ns UTC; an empty id stands for the shipped weights."""

    at: int
    did: Literal["promote", "rollback"]
    model: str
    before: str
    by: str


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """`promoted` are the champions of the data folder, the present one last; empty while the shipped one stands."""

    promoted: tuple[str, ...] = ()
    history: tuple[Step, ...] = ()


class Registry:
    """Of one data folder. Everything that cannot be done raises BadWeights with the reason, and changes nothing."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "models"

    # ------------------------------------------------------------ what is here

    def paths(self) -> dict[str, tuple[Path, Where]]:
        """Every model by id; a shipped one goes before a kept one of its name."""
        found: dict[str, tuple[Path, Where]] = {path.stem: (path, "kept") for path in _weights_in(self.folder)}
        return found | {path.stem: (path, "shipped") for path in shipped()}

    def files(self) -> dict[str, int]:
        """Every file that what is here hangs on, and when it was last changed."""
        found = [path for path, _ in self.paths().values()] + [self.folder / "champion.json"]
        return {path.name: path.stat().st_mtime_ns for path in found if path.exists()}

    def load(self, model: str) -> Weights:
        """The weights of this id, whole and fitting. Raises BadWeights."""
        found = self.paths().get(model)
        if found is None:
            raise BadWeights(f"there is no model '{model}' here")
        weights = _read(found[0])
        if weights.id != model:
            raise BadWeights(f"the file {found[0].name} holds another model, {weights.id}")
        return weights

    def find(self, model: str) -> Weights | None:
        """As `load`, but None for a model that is not here or cannot be used: a replay goes on without it."""
        try:
            return self.load(model)
        except BadWeights:
            return None

    def record(self) -> Record:
        try:
            return msgspec.json.decode((self.folder / "champion.json").read_bytes(), type=Record)
        except FileNotFoundError:
            return Record()
        except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
            raise BadWeights(f"the record of what was promoted cannot be read: {error}") from None

    def champion(self) -> str:
        """The model that an engine takes up: the last promoted, else the newest shipped; empty if there is none.
        Raises BadWeights when the record cannot be read."""
        return _last(self.record())

    def usable(self) -> str:
        """The champion's id; empty where it cannot be used."""
        try:
            return self.load(self.champion()).id
        except BadWeights:
            return ""

    def entries(self) -> list[Entry]:
        """All that is here, the champion first. Raises BadWeights when the record cannot be read."""
        champion = self.champion()
        rows = [self._entry(model, where, champion) for model, (_, where) in self.paths().items()]
        return sorted(rows, key=lambda row: (not row.champion, row.where, row.id))

    def _entry(self, model: str, where: Where, champion: str) -> Entry:
        try:
            header = self.load(model).header
        except BadWeights as error:
            return Entry(id=model, where=where, champion=model == champion, bad=str(error))
        lived = read(header.training, _Lived, _Lived())
        return Entry(
            id=model, where=where, champion=model == champion, code=header.code, data_hash=header.data_hash,
            crowd_hash=header.crowd_hash, sessions=len(header.seeds), minutes=lived.minutes,
            regimes=tuple(dict.fromkeys(lived.regimes)), log_loss=_direction_of(header.scores), scores=header.scores,
        )  # fmt: skip

    # ------------------------------------------------------------ changing it

    def add(self, path: Path) -> str:
        """Keep a weights file under its id, as a candidate. Raises BadWeights, OSError where it cannot be kept."""
        weights = _read(path)
        make_private(self.folder)
        write_whole(self.folder / f"{weights.id}.weights", weights.to_bytes())
        return weights.id

    def promote(self, model: str, by: str) -> Weights:
        """Make this the champion; it is loaded first, so that none is promoted that would not run."""
        weights = self.load(model)
        with self._held():
            record = self.record()
            if _last(record) != model:
                self._write(record, (*record.promoted, model), Step(
                    at=time.time_ns(), did="promote", model=model, before=_last(record), by=by,
                ))  # fmt: skip
        return weights

    def roll_back(self, by: str) -> Weights:
        """Make the one before the present champion the champion again."""
        with self._held():
            record = self.record()
            if not record.promoted:
                raise BadWeights("nothing has been promoted: the shipped model stands")
            earlier = record.promoted[:-1]
            model = _last(Record(promoted=earlier))
            weights = self.load(model)
            self._write(record, earlier, Step(
                at=time.time_ns(), did="rollback", model=model, before=_last(record), by=by,
            ))  # fmt: skip
        return weights

    def _write(self, record: Record, promoted: tuple[str, ...], step: Step) -> None:
        after = Record(promoted=promoted, history=(*record.history, step))
        write_whole(self.folder / "champion.json", msgspec.json.format(msgspec.json.encode(after), indent=1))

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        """An engine and a command may both change the record: one after the other. A dead holder holds nothing."""
        make_private(self.folder)
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def shipped_folder() -> Path:
    return Path(str(resources.files("engine.forecast"))) / "weights"


def shipped() -> list[Path]:
    """The weights that come with the desk, the newest last."""
    return _weights_in(shipped_folder())


def wanted(registry: Registry, config: Config) -> tuple[str, Weights | None, str]:
    """What an engine starts with: the id that the settings name, else the champion's; its weights; and why they are
    None, where there ought to be some: then it runs on baselines."""
    model = config.model
    try:
        model = model or registry.champion()
        return model, registry.load(model) if model else None, ""
    except BadWeights as error:
        return model, None, str(error)


def _weights_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.weights"), key=lambda path: path.stem)


def _read(path: Path) -> Weights:
    """Raises BadWeights with the reason, also for what is no file, or far too large for one of ours."""
    try:
        if not path.is_file():
            raise BadWeights(f"the weights file {path.name} is not there, or is not a file")
        if path.stat().st_size > LARGEST:
            raise BadWeights(f"the weights file {path.name} is far larger than any of this desk's")
        return Weights.from_bytes(path.read_bytes())
    except OSError as error:
        raise BadWeights(f"the weights file {path.name} cannot be read: {error.strerror}") from None


def _direction_of(scores: dict[str, Any]) -> dict[str, float | None]:
    head = scores.get("direction")
    return read(head.get("log_loss") if isinstance(head, dict) else None, dict[str, float | None], {})


def _last(record: Record) -> str:
    here = [*(path.stem for path in shipped()), *record.promoted]
    return here[-1] if here else ""

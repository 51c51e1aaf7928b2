"""Recordings made into sessions: what `import` does, and `--replay` with a recording that was not imported yet."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.research.imports import BadRecording, Frames, open_recording
from engine.shell import modes
from engine.shell.kept import keep_along
from engine.shell.options import CannotStart, Options
from engine.shell.progress import Bar
from engine.shell.recording import lay
from engine.shell.registry import Registry
from engine.shell.store.folders import meta_of

NAME = 40  # letters of a recording's name that its session's begins with


def for_replay(options: Options, path: Path) -> Path:
    """The session to replay: itself, or a recording imported once. Raises CannotStart, BadSession."""
    if (path / "session.json").exists():
        return path
    if not path.exists():
        raise CannotStart(f"there is no session or recording at {path}")
    if path.is_dir():
        raise CannotStart(f"{path} is a folder, but not a session's: it has no session.json")
    if not path.is_file():
        raise CannotStart(f"{path} is not a file")
    models = Registry(options.data)
    folder = options.data / "imports" / "sessions" / _name_of(path, models.usable())
    if not ((folder / "session.json").exists() and meta_of(folder).closed):
        shutil.rmtree(folder, ignore_errors=True)  # what an import that was killed has left
        import_into(folder, path, models)
    return folder


def _name_of(path: Path, model: str) -> str:
    with path.open("rb") as recording:
        digest = hashlib.file_digest(recording, "sha256")
    digest.update(model.encode())
    stem = "".join(letter for letter in path.name.split(".")[0] if letter.isalnum() or letter in "-_")[:NAME]
    return f"{stem or 'recording'}-{digest.hexdigest()[:8]}"


def import_into(folder: Path, paths: Path | Sequence[Path], models: Registry) -> int:
    """Import recordings as a session; says what was found on stderr, returns the number of inputs. One that does not
    come to its end leaves nothing. Raises CannotStart with the reason."""
    if folder.exists():
        raise CannotStart(f"{folder} is there already")
    bars = [Bar(f"import: {what}") for what in ("reading", "writing", "folding")]
    try:
        recording, count = _imported(folder, paths, models, bars)
    except BadRecording as error:
        raise CannotStart(str(error)) from None
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        for bar in bars:
            bar.end()
    _say(recording)
    return count


def _imported(
    folder: Path, paths: Path | Sequence[Path], models: Registry, bars: Sequence[Callable[[float], None]]
) -> tuple[Frames, int]:
    reading, writing, folding = bars
    recording = open_recording(paths, reading)
    span = max(recording.last_t - recording.first_t, 1)
    count = lay(
        folder, recording.instruments, recording, model=models.usable(), code=modes.code_version(),
        born=recording.born, progress=lambda t: writing((t - recording.first_t) / span),
    )  # fmt: skip
    if recording.born is not None:  # days, which nobody wants to fold anew for each jump
        keep_along(folder, models.find, lambda t: folding((t - recording.first_t) / span))
    return recording, count


def _say(recording: Frames) -> None:
    for note in recording.notes:
        print(f"import: {note}", file=sys.stderr)
    for number, why, file in recording.bad:
        print(f"import: line {number} of {file} is left out: {why}", file=sys.stderr)
    if recording.bad_count > len(recording.bad):
        print(f"import: {recording.bad_count} lines are left out in all", file=sys.stderr)

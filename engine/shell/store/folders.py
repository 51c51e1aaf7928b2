"""Where sessions lie, what they may be called, and files that only their owner may read.

A session is the folder `<data>/sessions/<name>/`; `session.json` in it states plain facts about it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

FORMAT = 1  # of a session's folder; blocks and keyframes carry it in their magic
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.)){0,99}")


class BadSession(ValueError):
    """A session that cannot be made or read. Its text is fit for a person."""


class Meta(msgspec.Struct, frozen=True, kw_only=True):
    """What `session.json` says. Times are ns UTC; `ended`, `last` and `closed` are known once it was closed."""

    name: str
    mode: str
    started: int
    code: str
    instruments: int = 0
    first: int = 1  # number of the first input
    last: int = 0
    ended: int = 0
    closed: bool = False
    format: int = FORMAT


def folder_of(data: Path, name: str) -> Path:
    """The folder of the session called `name`. Raises BadSession for a name that could lead elsewhere."""
    return sessions_of(data) / checked(name)


def sessions_of(data: Path) -> Path:
    return data / "sessions"


def checked(name: str) -> str:
    """`name`, if it can be a session's: letters, digits, dot, dash, underscore, up to 100. Raises BadSession."""
    if not _NAME.fullmatch(name):
        raise BadSession(
            f"'{name[:120]}' cannot be a session's name: letters, digits, '-', '_' and single dots, up to 100"
        )
    return name


def meta_of(folder: Path) -> Meta:
    """Reads `session.json`. Raises BadSession if there is none, it is garbled, or its format is not ours."""
    try:
        text = (folder / "session.json").read_bytes()
    except FileNotFoundError:
        raise BadSession(f"there is no session '{folder.name}' in {folder.parent}") from None
    except OSError as error:
        raise BadSession(f"session '{folder.name}' cannot be read: {error.strerror}") from None
    try:
        kind = msgspec.json.decode(text, type=dict[str, object]).get("format")
        if kind == FORMAT:
            return msgspec.json.decode(text, type=Meta)
    except msgspec.DecodeError as error:
        raise BadSession(f"session.json of '{folder.name}' cannot be understood: {error}") from None
    raise BadSession(f"session '{folder.name}' is of format {kind}; this engine reads format {FORMAT}")


def write_meta(folder: Path, meta: Meta) -> None:
    write_whole(folder / "session.json", msgspec.json.format(msgspec.json.encode(meta), indent=1))


def make_private(folder: Path) -> None:
    """Makes the folder and the missing ones above it, each for its owner alone."""
    for one in [*reversed(folder.parents), folder]:
        if not one.exists():
            one.mkdir(mode=0o700, exist_ok=True)


def open_new(path: Path) -> int:
    """A descriptor of a new file for its owner alone. Raises FileExistsError."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)


def write_all(descriptor: int, data: bytes) -> None:
    """os.write may write less than asked; this does not. Raises OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def write_whole(path: Path, data: bytes) -> None:
    """Writes beside and renames, so a reader sees the old file or the new one, also after a power cut."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    descriptor = open_new(beside)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    beside.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

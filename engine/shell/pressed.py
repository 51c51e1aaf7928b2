"""A kill that an engine may not have heard lies in its folder, as a file without content.

Whoever kills past an engine (from the command line, or a screen whose engine hangs) leaves it there first. The engine
looks for it before every order that leaves and on every step; one that was held still therefore sends nothing when it
goes on, and one that was not running begins killed. It is taken away once the kill is in the journal.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

OURS, ACCOUNT = "killed", "killed-account"


def leave(folder: Path, *, account: bool) -> bool:
    """Whether it could be left: a disk that is full may refuse even that."""
    try:
        (folder / (ACCOUNT if account else OURS)).touch()
    except OSError:
        return False
    return True


def found(folder: Path) -> bool | None:
    """Whether of the whole account, where there is one; None where there is none."""
    if (folder / ACCOUNT).exists():
        return True
    return False if (folder / OURS).exists() else None


def forget(folder: Path) -> None:
    """A disk that refuses is asked again on a later step."""
    for name in (OURS, ACCOUNT):
        with suppress(OSError):
            (folder / name).unlink(missing_ok=True)

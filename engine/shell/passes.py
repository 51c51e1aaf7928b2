"""What a probe found, kept in the venue's folder: live arms only on a recent pass of this account and this machine.

The account is kept as a hash: the file tells nobody who trades.
"""

from __future__ import annotations

import hashlib
import platform
import uuid
from pathlib import Path

import msgspec

from engine.domain import DAY_NS

GOOD_NS = 30 * DAY_NS


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the code assumes of the venue, and what was found; `detail` is a sentence."""

    name: str
    ok: bool
    detail: str


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """What one probe found. `t` is ns UTC."""

    venue: str
    account: str
    machine: str
    t: int
    code: str
    ok: bool
    checks: tuple[Check, ...]


def account_of(client_id: str) -> str:
    return hashlib.sha256(b"tidegate account " + client_id.encode()).hexdigest()[:16]


def machine() -> str:
    """What sets this machine apart from another that the folder may have been copied to."""
    return hashlib.sha256(f"{platform.node()} {uuid.getnode()}".encode()).hexdigest()[:16]


def write(folder: Path, found: Pass) -> Path:
    """The newest of each account; an earlier one is overwritten, so that a failure takes a pass away."""
    path = folder / f"probe-{found.account}.json"
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1))
    return path


def lacking(folder: Path, client_id: str, venue: str, now: int) -> str:
    """Why this account must not trade on this venue from here; empty with a pass that is good."""
    how = f"run 'python -m engine probe --venue {venue}'"
    try:
        found = msgspec.json.decode((folder / f"probe-{account_of(client_id)}.json").read_bytes(), type=Pass)
    except FileNotFoundError:
        return f"`probe` has not passed on this machine: {how}"
    except (OSError, msgspec.DecodeError) as error:
        return f"what `probe` found cannot be read ({error}): {how} again"
    if (found.venue, found.account, found.machine) != (venue, account_of(client_id), machine()):
        return f"`probe` has passed elsewhere, and not on this machine: {how}"
    if not found.ok:
        failed = ", ".join(check.name for check in found.checks if not check.ok)
        return f"`probe` has failed ({failed}): {how} again"
    if not 0 <= now - found.t < GOOD_NS:
        return f"`probe` passed {abs(now - found.t) / DAY_NS:.0f} days ago: {how} again"
    return ""

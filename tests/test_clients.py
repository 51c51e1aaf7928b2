"""Clients that others wrote, on the paper venue: they know Deribit and nothing of us."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv-clients" / "bin" / "python"
BUILD = "python3 -m venv .venv-clients && .venv-clients/bin/pip install -r tests/clients/requirements.txt"
COMMAND = "from engine.shell import venue; raise SystemExit(venue.run(port=0, account='guest:visit'))"
PATIENCE_S = 60.0

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A venue in a process of its own, on a free port."""
    child = subprocess.Popen([sys.executable, "-c", COMMAND], cwd=ROOT, text=True, stdout=subprocess.PIPE)
    assert child.stdout is not None
    try:
        yield child.stdout.readline().removeprefix("venue: ").strip()
    finally:
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=PATIENCE_S)


@pytest.fixture(scope="module")
def session(address: str) -> dict[str, Any]:
    """What ccxt saw and did, as its script tells it."""
    if not PYTHON.is_file():
        needed = f"the clients' environment is missing; `make test` builds it, or: {BUILD}"
        if os.environ.get("CI"):
            pytest.fail(needed)
        pytest.skip(needed)
    http = address.replace("ws://", "http://").removesuffix("/ws/api/v2")
    done = subprocess.run([PYTHON, ROOT / "tests/clients/ccxt_session.py", http, address, "guest", "visit"],
                          text=True, capture_output=True, timeout=PATIENCE_S, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_ccxt_loads_the_markets(session: dict[str, Any]) -> None:
    assert (session["markets"], session["options"], session["swaps"]) == (91, 88, ["BTC-PERPETUAL"])
    option = session["option"]
    assert option["inverse"]
    assert option["id"].endswith(f"-{option['strike']:.0f}-{'C' if option['optionType'] == 'call' else 'P'}")
    assert option["expiry"] % 86_400_000 == 8 * 3_600_000


def test_ccxt_reads_a_book_by_http(session: dict[str, Any]) -> None:
    book = session["book"]
    assert len(book["bids"]) == len(book["asks"]) == 10
    assert book["bids"] == sorted(book["bids"], reverse=True)
    assert book["bids"][0][0] < book["asks"][0][0]


def test_ccxt_keeps_books_by_websocket(session: dict[str, Any]) -> None:
    for watched in session["watched"]:
        assert len(watched["bids"]) == len(watched["asks"]) == 5
        assert watched["bids"][0][0] < watched["asks"][0][0]
        assert watched["nonce"] > 0


def test_ccxt_places_and_cancels(session: dict[str, Any]) -> None:
    placed = session["placed"]
    assert (placed["status"], placed["amount"], placed["postOnly"]) == ("open", 100.0, True)
    assert session["working"] == [placed["id"]]
    assert [order["id"] for order in session["told"]] == [placed["id"]]
    assert session["cancelled"] == "canceled"


def test_ccxt_takes_and_sees_its_position(session: dict[str, Any]) -> None:
    assert (session["taken"]["status"], session["taken"]["filled"]) == ("closed", 100.0)
    assert session["equity"] == pytest.approx(500.0, abs=1e-3)
    assert [(row["symbol"], row["side"]) for row in session["positions"]] == [("BTC/USD:BTC", "long")]

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
COMMAND = "from engine.shell import venue; raise SystemExit(venue.run(port=0, accounts=['guest:visit']))"
PATIENCE_S = 120.0
PERPETUAL = "BTC/USD:BTC"

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


def visit(address: str, script: str) -> dict[str, Any]:
    """What a client saw and did, as its script tells it."""
    if not PYTHON.is_file():
        needed = f"the clients' environment is missing; `make test` builds it, or: {BUILD}"
        if os.environ.get("CI"):
            pytest.fail(needed)
        pytest.skip(needed)
    http = address.replace("ws://", "http://").removesuffix("/ws/api/v2")
    done = subprocess.run([PYTHON, ROOT / "tests/clients" / script, http, address, "guest", "visit"],
                          text=True, capture_output=True, timeout=PATIENCE_S, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def ccxt(address: str) -> dict[str, Any]:
    return visit(address, "ccxt_session.py")


@pytest.fixture(scope="module")
def cryptofeed(address: str) -> dict[str, Any]:
    return visit(address, "cryptofeed_session.py")


def test_ccxt_loads_the_markets(ccxt: dict[str, Any]) -> None:
    listed, option = ccxt["listing"], ccxt["listing"]["option"]
    assert "BTC-PERPETUAL" in listed["swaps"]
    assert listed["options"] >= 80
    assert listed["markets"] == listed["options"] + listed["futures"] + len(listed["swaps"])
    assert listed["active"]
    assert option["inverse"]
    assert option["id"].endswith(f"-{option['strike']:.0f}-{'C' if option['optionType'] == 'call' else 'P'}")
    assert option["expiry"] % 86_400_000 == 8 * 3_600_000
    assert (option["limits"]["amount"]["min"], option["contractSize"], option["taker"]) == (0.1, 1.0, 0.0003)


def test_ccxt_reads_the_market_by_http(ccxt: dict[str, Any]) -> None:
    told = ccxt["market"]
    assert len(told["bids"]) == len(told["asks"]) == 10
    assert told["bids"] == sorted(told["bids"], reverse=True)
    assert told["bids"][0][0] < told["asks"][0][0]
    assert told["status"] == "ok"
    assert "BTC" in told["currencies"]
    assert told["ticker"]["symbol"] == told["option"]["symbol"]
    assert set(told["tickers"]) == {PERPETUAL, told["ticker"]["symbol"]}
    assert 0.0 < told["greeks"]["delta"] < 1.0
    assert told["greeks"]["vega"] > 0.0
    assert told["chain"] >= 80
    assert told["clock_ms"] < 60_000
    assert told["liquidations"] >= 0


def test_ccxt_reads_what_has_traded(ccxt: dict[str, Any]) -> None:
    told = ccxt["market"]
    assert told["bars"]
    assert all(low <= min(start, end) <= max(start, end) <= high for _, start, high, low, end, _ in told["bars"])
    assert len(told["trades"]) == len({trade["id"] for trade in told["trades"]}) > 0
    assert told["since"] > 0
    assert told["open_interest"] > 0


def test_ccxt_keeps_books_by_websocket(ccxt: dict[str, Any]) -> None:
    watched = ccxt["watched"]
    for book in watched["books"]:
        assert book["bids"][0][0] < book["asks"][0][0]
        assert book["nonce"] > 0
    assert len(watched["books"][0]["bids"]) == len(watched["books"][0]["asks"]) == 5
    assert watched["trades"] > 0
    assert watched["bars"] > 0
    assert watched["best"]["bid"] < watched["best"]["ask"]


def test_ccxt_places_edits_and_cancels(ccxt: dict[str, Any]) -> None:
    told, placed = ccxt["orders"], ccxt["orders"]["placed"]
    assert (placed["status"], placed["amount"], placed["postOnly"]) == ("open", 100.0, True)
    assert [order["id"] for order in told["told"]] == [placed["id"]] == told["working"]
    assert (told["edited"]["id"], told["edited"]["amount"]) == (placed["id"], 200.0)
    assert told["edited"]["price"] < placed["price"]
    assert told["cancelled"] == "canceled"


def test_ccxt_waits_for_prices(ccxt: dict[str, Any]) -> None:
    told = ccxt["triggers"]
    assert told["types"] == ["stop_limit", "take_market", "trailing_stop"]
    assert set(told["states"]) == {"untriggered"}
    assert (told["working"], told["left"]) == (3, 0)


def test_ccxt_trades_and_sees_its_account(ccxt: dict[str, Any]) -> None:
    traded, account = ccxt["traded"], ccxt["account"]
    assert (traded["taken"]["status"], traded["taken"]["filled"], traded["told"]) == ("closed", 100.0, 100.0)
    assert traded["bought"]["status"] == "closed"
    assert traded["by_order"] >= 1
    assert traded["since"] > traded["mine"] >= 1
    assert traded["closed"] == ["closed"]
    assert account["equity"] == pytest.approx(500.0, abs=0.01)
    assert account["free"] < account["equity"]
    sides = {row["symbol"]: row["side"] for row in account["positions"]}
    assert sides == {PERPETUAL: "long", traded["bought"]["symbol"]: "long"}
    assert account["position"] == "long"
    assert account["fees"] == ccxt["listing"]["markets"]


def test_cryptofeed_keeps_raw_books_by_their_change_ids(cryptofeed: dict[str, Any]) -> None:
    """It complains aloud, and asks for everything anew, on a gap or a level that it does not know."""
    assert cryptofeed["faults"] == []
    assert set(cryptofeed["books"]) == set(cryptofeed["swaps"] + cryptofeed["options"])
    assert cryptofeed["books"]["BTC-USD-PERP"] > 20
    assert cryptofeed["levels"]["BTC-USD-PERP"] > 10
    assert (cryptofeed["crossed"], cryptofeed["backwards"]) == (0, 0)


def test_cryptofeed_hears_the_rest(cryptofeed: dict[str, Any]) -> None:
    heard = cryptofeed["heard"]
    assert set(heard) >= {"trades", "ticker", "funding", "open_interest", "l1_book", "balances", "fills"}
    assert cryptofeed["symbols"] > 80

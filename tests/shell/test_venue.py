"""The paper venue as a process: its addresses, its sentences, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import websockets

from engine.shell import venue
from tests.shell.venues import PATIENCE_S, call, login, run, serving

COMMAND = "from engine.shell import venue; import sys; raise SystemExit(venue.run(port=int(sys.argv[1])))"


@contextmanager
def process(port: int = 0) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen([sys.executable, "-c", COMMAND, str(port)], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def test_a_websocket_client_subscribes_trades_and_reads() -> None:
    async def story() -> None:
        async with serving() as address, websockets.connect(address) as line:
            assert (await login(line))["token_type"] == "bearer"
            assert await call(line, "private/subscribe", channels=["book.BTC-PERPETUAL.raw"])
            first = json.loads(await asyncio.wait_for(line.recv(), PATIENCE_S))["params"]["data"]
            then = json.loads(await asyncio.wait_for(line.recv(), PATIENCE_S))["params"]["data"]
            assert (first["type"], then["type"]) == ("snapshot", "change")
            assert then["prev_change_id"] == first["change_id"]
            order = {"instrument_name": "BTC-PERPETUAL", "amount": 10, "type": "market"}
            assert (await call(line, "private/buy", **order))["order"]["order_state"] == "filled"

    run(story)


def test_the_same_port_answers_http() -> None:
    async def story() -> None:
        async with serving() as address:
            url = address.replace("ws://", "http://").replace("/ws/", "/")
            got = await asyncio.to_thread(_get, f"{url}/public/get_instruments?currency=BTC&kind=option")
            assert len(got["result"]) == 204
            body = json.dumps({"jsonrpc": "2.0", "id": 3, "method": "public/get_time", "params": {}}).encode()
            assert (await asyncio.to_thread(_get, url, body))["id"] == 3

    run(story)


def _get(url: str, body: bytes | None = None) -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=PATIENCE_S) as answer:
        return json.load(answer)


def test_orders_outlive_their_connection() -> None:
    async def story() -> None:
        async with serving(accounts=["me:secret"]) as address:
            async with websockets.connect(address) as line:
                assert (await login(line))["code"] == 13004
                await login(line, "me", "secret")
                order = {"instrument_name": "BTC-PERPETUAL", "amount": 10, "price": 98_000, "label": "a"}
                assert (await call(line, "private/buy", **order))["order"]["order_state"] == "open"
            async with websockets.connect(address) as line:
                await login(line, "me", "secret")
                assert [row["label"] for row in await call(line, "private/get_open_orders")] == ["a"]

    run(story)


def test_garbage_is_answered_and_the_line_stays() -> None:
    async def story() -> None:
        async with serving() as address, websockets.connect(address) as line:
            for data, code in (("{", 11050), (b"\xff\xfe", 11050), ("x" * 40_000, -32600)):
                await line.send(data)
                assert json.loads(await asyncio.wait_for(line.recv(), PATIENCE_S))["error"]["code"] == code
            assert "epoch=" in (await call(line, "public/test"))["version"]

    run(story)


def test_who_spends_all_credits_is_told_and_hung_up_on() -> None:
    async def story() -> None:
        async with serving() as address, websockets.connect(address) as line:
            for n in range(500):
                await line.send(json.dumps({"id": n, "method": "public/test"}))
            last = await _last_frame(line)
            assert json.loads(last)["error"]["code"] == 10028
            assert line.close_reason == "too many requests"

    run(story)


async def _last_frame(line: websockets.ClientConnection) -> str | bytes:
    """What was said before the other side hung up."""
    last: str | bytes = b""
    with contextlib.suppress(websockets.ConnectionClosed):
        while True:
            last = await asyncio.wait_for(line.recv(), PATIENCE_S)
    return last


def test_who_does_not_read_is_dropped_and_slows_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client asks for everything and reads nothing; another goes on as if it were not there."""
    monkeypatch.setattr(venue, "WAITING_LIMIT", 300)

    async def story() -> None:
        async with serving(speed=20.0) as address:
            host, port = address.removeprefix("ws://").split("/")[0].split(":")
            async with websockets.connect(address) as line:
                names = [i["instrument_name"] for i in await call(line, "public/get_instruments", currency="BTC")]
                lazy = socket.socket()
                lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                lazy.connect((host, int(port)))
                await asyncio.to_thread(_subscribe_and_never_read, lazy, names)
                await call(line, "public/subscribe", channels=["deribit_price_index.btc_usd"])
                for _ in range(100):  # seconds of the market: megabytes are unread by then
                    assert "deribit_price_index" in await asyncio.wait_for(line.recv(decode=True), PATIENCE_S)
                assert b"too slow: too much was left unread" in await asyncio.to_thread(_all_there_is, lazy)
                assert "epoch=" in (await call(line, "public/test"))["version"]

    run(story)


def _subscribe_and_never_read(lazy: socket.socket, names: list[str]) -> None:
    lazy.settimeout(PATIENCE_S)
    lazy.sendall(b"GET /ws/api/v2 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")  # fmt: skip
    assert lazy.recv(12) == b"HTTP/1.1 101"
    channels = [f"{family}.{name}.100ms" for name in names for family in ("book", "ticker")]
    text = json.dumps({"id": 1, "method": "public/subscribe", "params": {"channels": channels}}).encode()
    lazy.sendall(b"\x81\xfe" + len(text).to_bytes(2, "big") + b"\0\0\0\0" + text)  # masked with zeros


def _all_there_is(lazy: socket.socket) -> bytes:
    """The end of what was sent, now that it is read after all, until the other side has closed."""
    end = b""
    with contextlib.suppress(ConnectionError), lazy:
        while data := lazy.recv(1 << 16):
            end = (end + data)[-1000:]
    return end


@pytest.mark.processes
def test_it_says_where_it_listens_and_ends_quietly_on_ctrl_c() -> None:
    with process() as child:
        assert child.stdout is not None
        assert child.stdout.readline().startswith("venue: ws://127.0.0.1:")
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=PATIENCE_S)
        assert (child.returncode, out, err) == (0, "", "")


@pytest.mark.processes
def test_ctrl_c_ends_it_with_a_client_attached() -> None:
    async def attach(address: str, child: subprocess.Popen[str]) -> None:
        async with websockets.connect(address) as line:
            await call(line, "public/subscribe", channels=["book.BTC-PERPETUAL.100ms"])
            child.send_signal(signal.SIGINT)
            await _last_frame(line)

    with process() as child:
        assert child.stdout is not None
        asyncio.run(attach(child.stdout.readline().removeprefix("venue: ").strip(), child))
        _, err = child.communicate(timeout=PATIENCE_S)
        assert (child.returncode, err) == (0, "")


@pytest.mark.processes
def test_a_port_in_use_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, process(taken.getsockname()[1]) as child:
        out, err = child.communicate(timeout=PATIENCE_S)
        assert child.returncode == 1
        assert out == ""
        assert err.startswith(f"the paper venue cannot listen on 127.0.0.1:{taken.getsockname()[1]}: ")
        assert "Traceback" not in err


@pytest.mark.parametrize(
    ("more", "said"),
    [({"accounts": ["paper"]}, "ID:SECRET"), ({"accounts": [":x"]}, "ID:SECRET"), ({"speed": 0.0}, "--speed"),
     ({"port": 99_999}, "cannot listen")],
)  # fmt: skip
def test_settings_that_cannot_be_served(more: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert venue.run(**({"port": 0} | more)) == 1
    assert said in capsys.readouterr().err


def test_the_operators_door_is_shut_without_a_key_and_opens_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    halt = json.dumps({"state": "halted", "instrument_name": "BTC-PERPETUAL"}).encode()

    def ask(address: str, key: str) -> tuple[int, bytes]:
        url = address.replace("ws://", "http://").replace("/ws/api/v2", "/paper/state")
        request = urllib.request.Request(url, halt, {"Authorization": f"Bearer {key}"}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, b""

    async def story(key: str, given: str, status: int, state: str) -> None:
        monkeypatch.setenv(venue.OPERATOR, key)
        async with serving() as address, websockets.connect(address) as line:
            assert (await asyncio.to_thread(ask, address, given))[0] == status
            assert (await call(line, "public/ticker", instrument_name="BTC-PERPETUAL"))["state"] == state

    run(lambda: story("", "", 404, "open"))
    run(lambda: story("opens", "wrong", 404, "open"))
    run(lambda: story("opens", "opens", 200, "halted"))

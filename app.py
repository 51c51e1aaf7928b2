"""The desk: settings → processes → web server. One line says where the page is; Ctrl-C ends all it started."""

from __future__ import annotations

import argparse
import contextlib
import errno
import functools
import secrets
import signal
import socket
import sys
from types import FrameType

import uvicorn
from fastapi import FastAPI

from components.server import SERVING, build
from engine.__main__ import desk_options, options_of, port_number
from engine.config import Mode
from engine.shell.kill import past as kill_past
from engine.shell.options import CannotStart, running_engine
from engine.shell.supervisor import Supervisor


def main() -> int:
    chosen = _parser().parse_args()
    try:
        listening = _bind(chosen.host, chosen.port)
        return _serve(chosen, listening)
    except CannotStart as error:
        print(f"app: {error}", file=sys.stderr)
        return 1


def _serve(chosen: argparse.Namespace, listening: socket.socket) -> int:
    options = options_of(chosen)
    running = None if chosen.replay else running_engine(options)
    address, supervisor = chosen.attach or running, Supervisor(options)
    with contextlib.suppress(KeyboardInterrupt):
        _stop_on_signals()
        try:
            if not address:
                address = supervisor.launch()
                supervisor.watch(address)
            token = secrets.token_urlsafe(24)
            past = None if chosen.replay or chosen.attach else functools.partial(kill_past, options)
            mode: Mode = "replay" if chosen.replay else chosen.venue
            _run(build(address, token, mode=mode, past=past), listening, token)
        finally:
            _deaf_to_signals()  # from here on it ends anyway, and in order
            supervisor.end()
    return 0


def _stop_on_signals() -> None:
    """A SIGTERM, or a terminal that is closed, ends the desk as Ctrl-C does; `nohup` keeps its meaning."""
    signal.signal(signal.SIGTERM, _interrupted)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))


def _interrupted(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def _deaf_to_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _run(server: FastAPI, listening: socket.socket, token: str) -> None:
    """Serve the page until Ctrl-C; the line with its address is printed once it can be opened."""

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            host, port = listening.getsockname()[:2]
            print(f"Tidegate: http://{host}:{port}/?token={token}", flush=True)

    Announcing(uvicorn.Config(server, **SERVING)).run(sockets=[listening])


def _bind(host: str, port: int) -> socket.socket:
    """The page's port, taken before anything is started. Raises CannotStart."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        why = "it is in use" if error.errno == errno.EADDRINUSE else error.strerror
        raise CannotStart(f"port {port} on {host} cannot be opened: {why}; choose another with --port") from None
    return made


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python app.py", description="Tidegate: the desk, in your browser.")
    desk_options(parser)
    parser.add_argument("--attach", metavar="ADDRESS", help="use an engine that runs already")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=port_number, default=8050)
    return parser


if __name__ == "__main__":
    sys.exit(main())

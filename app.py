"""The desk: settings → processes → web server. One line says where the page is; Ctrl-C ends all it started."""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI

from components.server import SERVING, build
from engine.__main__ import desk_options, options_of, port_number
from engine.shell import modes

RESTART_S = 0.5


class Supervisor(threading.Thread):
    """Keeps one engine process: starts it, starts it again at the same address when it dies, ends it."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        super().__init__(name="supervisor", daemon=True)
        command = [sys.executable, "-m", "engine", "run", "--venue", chosen.venue, "--data", str(chosen.data)]
        command += ["--seed", str(chosen.seed), "--speed", str(chosen.speed)]
        self._command = command + (["--replay", str(chosen.replay)] if chosen.replay else [])
        self._environment = dict(os.environ)
        self._ending = threading.Event()

    def launch(self) -> str:
        """Start the engine and return its address. Raises CannotStart; the engine's own sentence stands on stderr."""
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, cwd=Path(__file__).parent,
            env=self._environment,
        )  # fmt: skip
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("engine: "):
            self._process.wait()
            raise modes.CannotStart("the engine did not start; its reason stands above")
        return line.split()[1]

    def watch(self, address: str) -> None:
        """From now on a dead engine comes back where screens look for it."""
        parts = urlsplit(address)
        self._command += ["--link-port", str(parts.port)]
        self._environment["TIDEGATE_LINK_TOKEN"] = parts.query.removeprefix("token=")
        self.start()

    def run(self) -> None:
        while not self._ending.is_set():
            self._process.wait()
            if self._ending.wait(RESTART_S):
                return
            print("app: the engine ended; starting it again", file=sys.stderr, flush=True)
            with contextlib.suppress(modes.CannotStart):  # said on stderr; tried again
                self.launch()

    def end(self) -> None:
        self._ending.set()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()


def main() -> int:
    chosen = _parser().parse_args()
    try:
        listening = _bind(chosen.host, chosen.port)
        return _serve(chosen, listening)
    except modes.CannotStart as error:
        print(f"app: {error}", file=sys.stderr)
        return 1


def _serve(chosen: argparse.Namespace, listening: socket.socket) -> int:
    running = None if chosen.replay else modes.running_engine(options_of(chosen))
    address, supervisor = chosen.attach or running, None
    if not address:
        supervisor = Supervisor(chosen)
        address = supervisor.launch()
        supervisor.watch(address)
    token = secrets.token_urlsafe(24)
    try:
        server = build(address, token, mode="replay" if chosen.replay else chosen.venue)
        _run(server, listening, token)
    finally:
        if supervisor is not None:
            supervisor.end()
    return 0


def _run(server: FastAPI, listening: socket.socket, token: str) -> None:
    """Serve the page until Ctrl-C; the line with its address is printed once it can be opened."""

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            host, port = listening.getsockname()[:2]
            print(f"Tidegate: http://{host}:{port}/?token={token}", flush=True)

    with contextlib.suppress(KeyboardInterrupt):
        Announcing(uvicorn.Config(server, **SERVING)).run(sockets=[listening])


def _bind(host: str, port: int) -> socket.socket:
    """The page's port, taken before anything is started. Raises CannotStart."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        why = "it is in use" if error.errno == errno.EADDRINUSE else error.strerror
        raise modes.CannotStart(f"port {port} on {host} cannot be opened: {why}; choose another with --port") from None
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

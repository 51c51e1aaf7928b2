"""An engine that is held still is not waited for."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from engine.shell.supervisor import _ends, _held_still

SLEEPER = """
import signal, sys, time
signal.signal(signal.SIGINT, lambda *_: sys.exit())
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
        yield one
        one.kill()


def test_one_that_is_stopped_does_not_end(process: subprocess.Popen[str]) -> None:
    assert not _held_still(process.pid)
    process.send_signal(signal.SIGSTOP)
    process.send_signal(signal.SIGINT)
    assert not _ends(process)
    assert _held_still(process.pid)


def test_one_that_runs_ends(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    assert _ends(process)
    assert not _held_still(process.pid)

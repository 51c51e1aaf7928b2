"""A drill of the kill, through a running engine."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import processes
from tests.journeys.test_kill import left_open, rest_orders


def drill(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "engine", "drill", "--data", str(data), "--json", "--user", "ann", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=processes.ROOT, check=False)


@pytest.mark.processes
def test_a_drill_kills_and_arms_again_and_leaves_a_desk_at_work_alone(data: Path) -> None:
    with processes.engine(data) as engine:
        done = drill(data, "--orders", "8")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["orders"] == 8
        assert found["ms"] > 0
        assert found["rearmed"]
        assert left_open(data) == []
        asyncio.run(rest_orders(engine))
        assert "at work" in drill(data).stderr
        assert left_open(data)

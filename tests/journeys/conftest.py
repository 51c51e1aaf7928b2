"""What the journeys share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import processes


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "desk"
    folder.mkdir()
    yield folder
    processes.end_venue(folder)

"""What the paper venue's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.paper.published import Interface


@pytest.fixture(scope="session")
def interface(shared_spec: Path) -> Interface:
    """The venue's published interface."""
    return Interface(shared_spec)

"""Desks that stand ready."""

from __future__ import annotations

import pytest

from engine.config import Config
from tests.execution.scenes import QUICK
from tests.link import World, ready


@pytest.fixture
def desk() -> tuple[World, str]:
    """Connected and reconciled, on a book of 5.4 at 0.0325 and 14.7 at 0.0335 that stays as it is."""
    return ready()


@pytest.fixture
def quick() -> tuple[World, str]:
    """The same, with shorter waits."""
    return ready(config=Config(execution=QUICK))
